/** How often a contact may be asked for consent, and for how long the question stands (C2). */

/** Requests of one user to one contact, whatever became of them. */
export const mostRequests = 3;
export const hoursApart = 12;
/** So long after it has left a request that nobody answered has expired. */
export const answerWithinHours = 7 * 24;

const hourMs = 3_600_000;

export interface RequestRefusal {
  reason: 'limit_reached' | 'too_soon';
  /** When one may be made; not at the limit, which does not pass. */
  possibleAt?: Date;
}

/**
 * Whether one more request may be made now.
 *
 * @param askedAt when those before were made, in any order
 * @returns null when it may
 */
export function refusalOfRequest(askedAt: readonly Date[], now: Date): RequestRefusal | null {
  if (askedAt.length >= mostRequests) return { reason: 'limit_reached' };
  const last = Math.max(...askedAt.map((at) => at.getTime()), -Infinity);
  const possibleAt = new Date(last + hoursApart * hourMs);
  return last > -Infinity && possibleAt > now ? { reason: 'too_soon', possibleAt } : null;
}

/** When one that is made now may leave, given when those before left or will; null at once. */
export function notBefore(leftAt: readonly Date[], now: Date): Date | null {
  const at = Math.max(...leftAt.map((left) => left.getTime()), -Infinity) + hoursApart * hourMs;
  return at > now.getTime() ? new Date(at) : null;
}

/** @param leavesAt when it leaves, or may at the earliest */
export const expiryOf = (leavesAt: Date): Date => new Date(leavesAt.getTime() + answerWithinHours * hourMs);
