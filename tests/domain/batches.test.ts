/** Batches over days: sizes, days and times (F4). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BatchRules,
  batchSizes,
  firstMoment,
  lastMoment,
  NeverOpensError,
  nextBatchStart,
  planBatches,
  timeOfDay,
} from '../../domain/batches.ts';
import { closingAt, days, instantOf, localTime } from '../../domain/send-window.ts';
import { placeAndTime, time, windowIn } from './zones.ts';

const rulesAt = placeAndTime.chain(({ zone, at }) =>
  fc.record({
    at: fc.constant(at),
    rules: fc.record({
      window: windowIn(zone),
      timeZone: fc.oneof(
        { weight: 4, arbitrary: fc.constant(zone) },
        { weight: 1, arbitrary: fc.constant('America/New_York') },
      ),
      allowWeekends: fc.boolean(),
    }) satisfies fc.Arbitrary<BatchRules>,
  }),
);
/** Plans, or null when the window never opens. */
const attempt = <T>(work: () => T): T | null => {
  try {
    return work();
  } catch (error) {
    if (error instanceof NeverOpensError) return null;
    throw error;
  }
};
const office: BatchRules = {
  window: { startTime: '08:00', endTime: '16:00', timeZone: 'America/Chicago', days },
  timeZone: 'America/Chicago',
  allowWeekends: false,
};

describe('batch sizes', () => {
  it('add up to the recipients; the first is at most the first size, the others at most the daily size', () => {
    fc.assert(
      fc.property(
        fc.nat(200_000),
        fc.integer({ min: 1, max: 30_000 }),
        fc.integer({ min: 200, max: 30_000 }),
        (n, first, daily) => {
          const sizes = batchSizes(n, first, daily);
          expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(n);
          if (n > 0) expect(sizes[0]).toBe(Math.min(n, first));
          for (const size of sizes.slice(1, -1)) expect(size).toBe(daily);
          for (const size of sizes) expect(size).toBeGreaterThan(0);
          if (sizes.length > 1) expect(sizes.at(-1)!).toBeLessThanOrEqual(daily);
        },
      ),
    );
  });

  it('31,000 recipients are 5,000, 25,000 and 1,000', () => {
    expect(batchSizes(31_000, 5_000, 25_000)).toEqual([5_000, 25_000, 1_000]);
    expect(batchSizes(0, 5_000, 25_000)).toEqual([]);
  });
});

describe('a plan of batches', () => {
  it('starts each on a later local day, inside the window, on no weekend unless allowed', () => {
    fc.assert(
      fc.property(rulesAt, fc.integer({ min: 1, max: 12 }), ({ at, rules }, count) => {
        const plan = attempt(() => planBatches(rules, Array<number>(count).fill(10), at));
        if (!plan) return;
        expect(plan.map((batch) => batch.number)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
        let previous: string | null = null;
        for (const { startAt } of plan) {
          expect(startAt.getTime()).toBeGreaterThanOrEqual(at.getTime());
          expect(closingAt(rules.window, startAt)).not.toBeNull();
          expect(lastMoment(rules, startAt)!.getTime()).toBeGreaterThan(startAt.getTime());
          const local = localTime(startAt, rules.timeZone);
          if (!rules.allowWeekends) expect(local.weekday).toBeLessThan(6);
          if (previous) expect(local.toISODate()! > previous).toBe(true);
          previous = local.toISODate();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the chosen local time of day across clock changes wherever the window is open then', () => {
    fc.assert(
      fc.property(rulesAt, time, ({ at, rules }, dailyAt) => {
        const plan = attempt(() => planBatches(rules, [1, 1, 1, 1, 1], at, { dailyAt }));
        if (!plan) return;
        const strays = plan.slice(1).filter(({ startAt }) => {
          const wanted = instantOf(localTime(startAt, rules.timeZone), dailyAt).toJSDate();
          return closingAt(rules.window, wanted) !== null && startAt.getTime() !== wanted.getTime();
        });
        expect(strays).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('skips no day it could have used', () => {
    fc.assert(
      fc.property(rulesAt, time, ({ at, rules }, dailyAt) => {
        const start = attempt(() => firstMoment(rules, at));
        const second = start && attempt(() => nextBatchStart(rules, start, dailyAt));
        if (!start || !second) return;
        const missed: string[] = [];
        for (
          let day = localTime(start, rules.timeZone).plus({ days: 1 }).startOf('day');
          day < localTime(second, rules.timeZone).startOf('day');
          day = day.plus({ days: 1 }).startOf('day')
        ) {
          const usable = rules.allowWeekends || day.weekday < 6;
          if (usable && closingAt(rules.window, instantOf(day, dailyAt).toJSDate())) missed.push(day.toISODate()!);
        }
        expect(missed).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('at 10:00 in Chicago is at 16:00 UTC before the clocks go forward and at 15:00 after', () => {
    const plan = planBatches(office, [5_000, 25_000, 1_000], new Date('2027-03-12T16:00:00Z'));
    expect(plan.map(({ startAt }) => startAt.toISOString())).toEqual([
      '2027-03-12T16:00:00.000Z',
      '2027-03-15T15:00:00.000Z',
      '2027-03-16T15:00:00.000Z',
    ]);
  });

  it('begun by the hour of the night follows at the first of two same wall times, and at the change for a skipped one', () => {
    const wholeDay = {
      ...office,
      allowWeekends: true,
      window: { ...office.window, startTime: '00:00', endTime: '00:00' },
    };
    const spring = planBatches(wholeDay, [1, 1, 1], new Date('2027-03-13T08:30:00Z'));
    expect(spring.map(({ startAt }) => startAt.toISOString())).toEqual([
      '2027-03-13T08:30:00.000Z',
      '2027-03-14T08:00:00.000Z',
      '2027-03-15T07:30:00.000Z',
    ]);
    const autumn = planBatches(wholeDay, [1, 1, 1], new Date('2026-10-31T06:30:00Z'));
    expect(autumn.map(({ startAt }) => startAt.toISOString())).toEqual([
      '2026-10-31T06:30:00.000Z',
      '2026-11-01T06:30:00.000Z',
      '2026-11-02T07:30:00.000Z',
    ]);
  });

  it('asked for while the window is closed begins at its opening; the later ones keep the time asked for if it is open', () => {
    const plan = planBatches(office, [1, 1], new Date('2026-12-01T11:00:00Z'));
    expect(plan.map(({ startAt }) => timeOfDay(startAt, 'America/Chicago'))).toEqual(['08:00', '08:00']);
  });

  it('says so when the window never opens on an allowed day', () => {
    const weekend = { ...office, window: { ...office.window, days: ['sat', 'sun'] as const } };
    const from = new Date('2026-12-01T16:00:00Z');
    expect(() => firstMoment(weekend, from)).toThrow(NeverOpensError);
    expect(() => planBatches(weekend, [1], from)).toThrow(/add days to the sending window, or allow weekends/);
    expect(() => nextBatchStart(weekend, from, '10:00')).toThrow(NeverOpensError);
    expect(planBatches({ ...weekend, allowWeekends: true }, [1], from)).toHaveLength(1);
  });
});

describe('the last moment of a batch', () => {
  it('is at the latest the closing of the window and the end of the local day, and later than now', () => {
    fc.assert(
      fc.property(rulesAt, ({ at, rules }) => {
        const last = lastMoment(rules, at);
        const closing = closingAt(rules.window, at);
        const weekend = localTime(at, rules.timeZone).weekday >= 6;
        if (!closing || (weekend && !rules.allowWeekends)) {
          expect(last).toBeNull();
          return;
        }
        expect(last!.getTime()).toBeGreaterThan(at.getTime());
        expect(last!.getTime()).toBeLessThanOrEqual(closing.getTime());
        expect(
          localTime(new Date(last!.getTime() - 1), rules.timeZone).hasSame(localTime(at, rules.timeZone), 'day'),
        ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
