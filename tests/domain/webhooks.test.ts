/** How long a webhook is tried, and what follows from a failure. */
import { expect, it } from 'vitest';
import { afterFailure, offAfterMs, pauseAfter, triedForMs } from '../../domain/webhooks.ts';

const now = new Date('2026-11-22T12:00:00.000Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const failing = { failures: 3, failingSince: ago(60_000), createdAt: ago(60_000), now, chance: 0.5 };

it('pauses grow threefold up to an hour', () => {
  const seconds = Array.from({ length: 9 }, (_, n) => pauseAfter(n + 1, 0.5) / 1000);
  expect(seconds).toEqual([5, 15, 45, 135, 405, 1_215, 3_600, 3_600, 3_600]);
  expect(pauseAfter(10_000, 0.5)).toBe(3_600_000);
});

it('chance makes them up to a fifth longer or shorter', () => {
  expect([pauseAfter(1, 0), pauseAfter(1, 1)]).toEqual([4_000, 6_000]);
});

it('a failure counts from the first', () => {
  expect(afterFailure({ ...failing, failures: 0, failingSince: null })).toEqual({
    failures: 1,
    failingSince: now,
    nextAttemptAt: new Date(now.getTime() + 5_000),
    isGivenUp: false,
    isOff: false,
  });
});

it('three days after the event it is given up, and the next is tried a minute later', () => {
  expect(afterFailure({ ...failing, createdAt: ago(triedForMs - 1) })).toMatchObject({ isGivenUp: false });
  expect(afterFailure({ ...failing, createdAt: ago(triedForMs) })).toMatchObject({
    isGivenUp: true,
    nextAttemptAt: new Date(now.getTime() + 60_000),
  });
});

it('five days without a success switch it off', () => {
  expect(afterFailure({ ...failing, failingSince: ago(offAfterMs - 1) }).isOff).toBe(false);
  expect(afterFailure({ ...failing, failingSince: ago(offAfterMs) }).isOff).toBe(true);
});
