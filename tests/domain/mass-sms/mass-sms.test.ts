/** Statuses and figures of a mass SMS (F5, F7, F9). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allowedActions,
  isFinal,
  massSmsActions,
  massSmsStatuses,
  maySuspend,
  needsAcknowledgement,
  progress,
  type Tally,
} from '../../../domain/mass-sms/mass-sms.ts';
import { messageStatuses } from '../../../domain/messages/status.ts';

/**
 * F5 and F9 as they are worded, but that what is in error may be given up too: its cause may be one that nobody will mend.
 * F6 as it is read here: a person who has read the cause releases it, or gives it up.
 */
const wording: Record<(typeof massSmsActions)[number], string> = {
  reschedule: 'scheduled or in process',
  pause: 'scheduled or in process',
  resume: 'paused; error, after the cause is fixed; suspended',
  cancel: 'scheduled or in process or paused; error, suspended',
};

describe('the transitions of a mass SMS', () => {
  it('has the seven statuses of F5', () => {
    expect(massSmsStatuses.map((status) => status.replace('_', ' ')).toSorted()).toEqual(
      ['scheduled', 'in process', 'paused', 'error', 'completed', 'cancelled', 'suspended'].toSorted(),
    );
  });

  it.for(massSmsStatuses.flatMap((status) => massSmsActions.map((action) => ({ status, action }))))(
    '$status: $action is allowed exactly when F5 or F9 says so',
    ({ status, action }) => {
      const said = wording[action].split(/ or |; |, /).includes(status.replace('_', ' '));
      expect(allowedActions(status).includes(action)).toBe(said);
    },
  );

  it.for(massSmsStatuses)('%s: is suspended by itself exactly when it is in process', (status) => {
    expect(maySuspend(status)).toBe(status === 'in_process');
  });

  it.for(massSmsStatuses.flatMap((status) => massSmsActions.map((action) => ({ status, action }))))(
    '$status: $action needs an acknowledgement exactly when it releases from suspended',
    ({ status, action }) => {
      expect(needsAcknowledgement(status, action)).toBe(status === 'suspended' && action === 'resume');
    },
  );

  it('from a final status there are none', () => {
    for (const status of massSmsStatuses.filter(isFinal)) expect(allowedActions(status)).toEqual([]);
    expect(massSmsStatuses.filter(isFinal)).toEqual(['completed', 'cancelled']);
  });
});

describe('progress', () => {
  const kinds = messageStatuses.filter((status) => status !== 'receiving' && status !== 'received');
  const tallies = fc
    .record(
      Object.fromEntries(kinds.map((kind) => [kind, fc.nat(30_000)])) as Record<
        (typeof kinds)[number],
        fc.Arbitrary<number>
      >,
    )
    .chain((tally) =>
      fc.record({ tally: fc.constant(tally as Tally), unsubscribed: fc.nat(tally.delivered + tally.sent) }),
    );

  it('counts every recipient once: sent, remaining or cancelled; percentages are 0 to 100 with one decimal', () => {
    fc.assert(
      fc.property(tallies, ({ tally, unsubscribed }) => {
        const recipients = Object.values(tally).reduce((sum, count) => sum + count, 0);
        const figures = progress({ ...tally, unsubscribed }, recipients);
        expect(figures.sent + figures.remaining + (tally.cancelled ?? 0)).toBe(recipients);
        for (const percent of [figures.completePercent, figures.undeliveredPercent, figures.unsubscribedPercent]) {
          expect(percent).toBeGreaterThanOrEqual(0);
          expect(percent).toBeLessThanOrEqual(100);
          expect(Math.round(percent * 10)).toBeCloseTo(percent * 10, 6);
        }
      }),
    );
  });

  it('is read from a tally', () => {
    const tally: Tally = {
      queued: 10,
      in_doubt: 1,
      accepted: 4,
      sent: 5,
      delivered: 70,
      undelivered: 6,
      failed: 2,
      cancelled: 2,
    };
    expect(progress({ ...tally, unsubscribed: 3 }, 100)).toEqual({
      sent: 87,
      remaining: 11,
      completePercent: 89,
      undeliveredPercent: 9.2,
      unsubscribedPercent: 3.4,
    });
  });

  it('of nothing sent is no division by zero', () => {
    expect(progress({ queued: 5 }, 5)).toEqual({
      sent: 0,
      remaining: 5,
      completePercent: 0,
      undeliveredPercent: 0,
      unsubscribedPercent: 0,
    });
    expect(progress({}, 0).completePercent).toBe(100);
  });

  it('of one that was cancelled is complete as far as it was sent', () => {
    const cancelled = (tally: Tally) => progress(tally, 1_000, { isCancelled: true }).completePercent;
    expect(cancelled({ cancelled: 1_000 })).toBe(0);
    expect(cancelled({ delivered: 200, failed: 50, cancelled: 750 })).toBe(25);
    expect(cancelled({ delivered: 999, in_doubt: 1 })).toBe(99.9);
    expect(cancelled({ delivered: 1_000 })).toBe(100);
    expect(progress({ cancelled: 1_000 }, 1_000).completePercent).toBe(100);
  });

  it('is not complete while one is left of very many', () => {
    expect(progress({ delivered: 999_999, queued: 1 }, 1_000_000).completePercent).toBeLessThan(100);
  });
});
