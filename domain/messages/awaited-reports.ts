/** When to ask Twilio what became of a message whose final status has not come (D5). */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Ages at which it is asked. After the last one it is asked no more: what was `sent` then stays so. */
const looksAfterMs = [15 * minuteMs, hourMs, 6 * hourMs, 24 * hourMs, 72 * hourMs] as const;

/**
 * The first look after `now` at what was claimed at `claimedAt`.
 *
 * @returns null when the last look is over
 */
export function nextLookAt(claimedAt: Date, now: Date): Date | null {
  const age = now.getTime() - claimedAt.getTime();
  const next = looksAfterMs.find((look) => look > age);
  return next === undefined ? null : new Date(claimedAt.getTime() + next);
}

/** When what is claimed now is looked at for the first time. */
export const firstLookAt = (claimedAt: Date): Date => new Date(claimedAt.getTime() + looksAfterMs[0]);

/** Whether nobody could be asked for so long that no answer is worth waiting for. */
export const hopeless = (claimedAt: Date, now: Date): boolean =>
  now.getTime() - claimedAt.getTime() > looksAfterMs.at(-1)! + 24 * hourMs;
