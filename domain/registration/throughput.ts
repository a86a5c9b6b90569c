/**
 * How fast carriers let a registered organization send, in segments per second over all major carriers: the table of
 * Twilio's help pages (reference in docs/registration.md). What carriers report for a brand later wins over it.
 */

export interface RegisteredSender {
  useCase: string;
  /** The registry's score, 1–100; null for brands without secondary vetting (low-volume standard). */
  brandScore: number | null;
}

/** @returns segments per second */
export function segmentsPerSecond({ useCase, brandScore }: RegisteredSender): number {
  if (useCase === 'LOW_VOLUME') return 3.75;
  if (useCase === 'SOLE_PROPRIETOR') return 1;
  if (brandScore === null) return 12;
  if (brandScore >= 75) return 225;
  return brandScore >= 50 ? 120 : 12;
}
