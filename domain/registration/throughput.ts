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

/**
 * Segments that T-Mobile takes from a brand in a day of Pacific time. By the rate, which the same table gives: where a rate
 * stands for several limits (12 a second: 2,000 to 10,000), the lowest.
 *
 * @param rate segments per second over all carriers; null when nothing is known
 */
export function tMobileSegmentsPerDay(rate: number | null): number | null {
  if (rate === null) return null;
  if (rate >= 225) return 200_000;
  if (rate >= 120) return 40_000;
  return rate > 1 ? 2_000 : 1_000;
}

/**
 * The share of recipients who are with T-Mobile, which nobody tells us of a number. Twilio's own table says the same in
 * other words: 2,000 segments a day to T-Mobile are about 6,000 over all carriers, and 1,000 about 3,000.
 */
export const tMobileShare = 1 / 3;

/** Segments over all carriers of which about as many go to T-Mobile as it takes in a day; null when nothing is known. */
export function segmentsPerDay(rate: number | null): number | null {
  const limit = tMobileSegmentsPerDay(rate);
  return limit === null ? null : Math.round(limit / tMobileShare);
}
