/** When Twilio is asked about a message whose final status has not come. */
import { expect, it } from 'vitest';
import { firstLookAt, hopeless, nextLookAt } from '../../../domain/messages/awaited-reports.ts';

const claimedAt = new Date('2026-12-01T15:00:00Z');
const after = (minutes: number) => new Date(claimedAt.getTime() + minutes * 60_000);

it('Twilio is asked after 15 minutes, 1, 6, 24 and 72 hours, and then no more', () => {
  const looks = [firstLookAt(claimedAt)];
  for (let next = nextLookAt(claimedAt, looks[0]!); next; next = nextLookAt(claimedAt, next)) looks.push(next);
  expect(looks).toEqual([15, 60, 360, 1_440, 4_320].map(after));
});

it('a look that came late does not make up for those it missed', () => {
  expect(nextLookAt(claimedAt, after(400))).toEqual(after(1_440));
});

it('nobody is asked any more a day after the last look', () => {
  expect(hopeless(claimedAt, after(96 * 60))).toBe(false);
  expect(hopeless(claimedAt, after(96 * 60 + 1))).toBe(true);
});
