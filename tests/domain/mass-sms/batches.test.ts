/** Batches over days: sizes, days and times (F4). */
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import {
  type BatchRules,
  batchSizes,
  firstMoment,
  firstStart,
  lastMoment,
  NeverOpensError,
  nextBatchStart,
  openUntil,
  planBatches,
  requireFewBatches,
  startForWeekends,
  TooManyBatchesError,
  type WantedStart,
} from '../../../domain/mass-sms/batches.ts';
import { closingAt, days, instantOf, localTime } from '../../../domain/send-window.ts';
import { time } from '../zones.ts';
import { attempt, rulesAt } from './rules.ts';

/** So many batches, the first of them as it is wanted. */
const plan = (rules: BatchRules, count: number, wanted: WantedStart) =>
  planBatches(rules, Array<number>(count).fill(10), firstStart(rules, wanted));
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

  it('of more than a thousand batches are refused with what to change', () => {
    expect(() => requireFewBatches(1_000)).not.toThrow();
    expect(() => requireFewBatches(1_001)).toThrow(TooManyBatchesError);
    expect(() => requireFewBatches(1_001)).toThrow(/1,001 daily batches.*raise dailyBatchSize/);
  });
});

describe('a plan of batches', () => {
  it('starts each on a later local day and in another opening, inside the window, on no weekend unless allowed', () => {
    fc.assert(
      fc.property(rulesAt, fc.integer({ min: 1, max: 12 }), fc.boolean(), ({ at, rules }, count, immediate) => {
        const batches = attempt(() => plan(rules, count, { startAt: at, immediate }));
        if (!batches) return;
        expect(batches.map((batch) => batch.number)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
        let previous: Date | null = null;
        for (const { startAt } of batches) {
          expect(startAt.getTime()).toBeGreaterThanOrEqual(at.getTime());
          const closing = closingAt(rules.window, startAt);
          expect(closing).not.toBeNull();
          expect(lastMoment(rules, startAt)!.getTime()).toBeGreaterThan(startAt.getTime());
          const local = localTime(startAt, rules.timeZone);
          if (!rules.allowWeekends) expect(local.weekday).toBeLessThan(6);
          if (previous) {
            expect(local.toISODate()! > localTime(previous, rules.timeZone).toISODate()!).toBe(true);
            // But for a day of 25 hours that holds the chosen time twice, on two days of the other clock.
            const isFarApart = startAt.getTime() - previous.getTime() >= 23 * 3_600_000;
            if (!isFarApart) expect(closingAt(rules.window, previous)).not.toEqual(closing);
          }
          previous = startAt;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the chosen local time of day across clock changes wherever the window is open then', () => {
    fc.assert(
      fc.property(rulesAt, time, ({ at, rules }, dailyAt) => {
        const batches = attempt(() =>
          planBatches(rules, [1, 1, 1, 1, 1], { startAt: firstMoment(rules, at), dailyAt }),
        );
        if (!batches) return;
        const strays = batches.slice(1).filter(({ startAt }) => {
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
        // In the opening of the first there is no second one.
        const closing = closingAt(rules.window, start)!;
        const missed: string[] = [];
        for (
          let day = localTime(start, rules.timeZone).plus({ days: 1 }).startOf('day');
          day < localTime(second, rules.timeZone).startOf('day');
          day = day.plus({ days: 1 }).startOf('day')
        ) {
          const usable = rules.allowWeekends || day.weekday < 6;
          const wanted = instantOf(day, dailyAt).toJSDate();
          if (usable && wanted >= closing && closingAt(rules.window, wanted)) missed.push(day.toISODate()!);
        }
        expect(missed).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('at 10:00 in Chicago is at 16:00 UTC before the clocks go forward and at 15:00 after', () => {
    const batches = plan(office, 3, { startAt: new Date('2027-03-12T16:00:00Z') });
    expect(batches.map(({ startAt }) => startAt.toISOString())).toEqual([
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
    const spring = plan(wholeDay, 3, { startAt: new Date('2027-03-13T08:30:00Z') });
    expect(spring.map(({ startAt }) => startAt.toISOString())).toEqual([
      '2027-03-13T08:30:00.000Z',
      '2027-03-14T08:00:00.000Z',
      '2027-03-15T07:30:00.000Z',
    ]);
    const autumn = plan(wholeDay, 3, { startAt: new Date('2026-10-31T06:30:00Z') });
    expect(autumn.map(({ startAt }) => startAt.toISOString())).toEqual([
      '2026-10-31T06:30:00.000Z',
      '2026-11-01T06:30:00.000Z',
      '2026-11-02T07:30:00.000Z',
    ]);
  });

  it('says so when the window never opens on an allowed day', () => {
    const weekend = { ...office, window: { ...office.window, days: ['sat', 'sun'] as const } };
    const from = new Date('2026-12-01T16:00:00Z');
    expect(() => firstMoment(weekend, from)).toThrow(NeverOpensError);
    expect(() => plan(weekend, 1, { startAt: from })).toThrow(/add days to the sending window, or allow weekends/);
    expect(() => nextBatchStart(weekend, from, '10:00')).toThrow(NeverOpensError);
    expect(plan({ ...weekend, allowWeekends: true }, 1, { startAt: from })).toHaveLength(1);
  });
});

/** 1 December 2026 is a Tuesday. */
const at = (local: string, zone = 'America/Chicago'): Date => DateTime.fromISO(local, { zone }).toJSDate();
const shown = (instant: Date, zone = 'America/Chicago'): string => localTime(instant, zone).toFormat('ccc HH:mm');
const wholeDay: BatchRules = { ...office, window: { ...office.window, startTime: '00:00', endTime: '00:00' } };

describe('a chosen start', () => {
  it.for([
    ['inside the window', '2026-12-01T10:00', office, ['Tue 10:00', 'Wed 10:00', 'Thu 10:00']],
    ['before the window opens', '2026-12-01T05:00', office, ['Tue 08:00', 'Wed 08:00', 'Thu 08:00']],
    ['after the window has closed', '2026-12-01T17:00', office, ['Wed 08:00', 'Thu 08:00', 'Fri 08:00']],
    ['on a day that is not allowed', '2026-12-05T10:00', office, ['Mon 10:00', 'Tue 10:00', 'Wed 10:00']],
    ['on such a day while the window is closed', '2026-12-06T05:00', office, ['Mon 08:00', 'Tue 08:00', 'Wed 08:00']],
    ['on such a day in a window of whole days', '2026-12-05T10:00', wholeDay, ['Mon 10:00', 'Tue 10:00', 'Wed 10:00']],
    [
      'after the window has closed before such a day',
      '2026-12-04T17:00',
      office,
      ['Mon 08:00', 'Tue 08:00', 'Wed 08:00'],
    ],
  ] as const)('%s', ([, wanted, rules, expected]) => {
    expect(plan(rules, 3, { startAt: at(wanted) }).map(({ startAt }) => shown(startAt))).toEqual(expected);
  });

  it('keeps its time of day for when the window is open then', () => {
    const first = firstStart(office, { startAt: at('2026-12-05T17:30') });
    expect(first).toEqual({ startAt: at('2026-12-07T08:00'), dailyAt: '17:30' });
    const late = { ...office, window: { ...office.window, endTime: '20:00' } };
    expect(shown(nextBatchStart(late, first.startAt, first.dailyAt))).toBe('Tue 17:30');
  });

  it('is the first allowed moment where none is chosen, and the later ones follow at its time', () => {
    const saturday = at('2026-12-05T10:07');
    expect(firstStart(office, { startAt: saturday, immediate: true })).toEqual({
      startAt: at('2026-12-07T08:00'),
      dailyAt: '08:00',
    });
    const open = at('2026-12-01T10:07:30');
    expect(firstStart(office, { startAt: open, immediate: true })).toEqual({ startAt: open, dailyAt: '10:07' });
  });

  it('of a place far from the clock of the window starts in each opening once', () => {
    const india = 'Asia/Kolkata';
    const rules = { ...office, timeZone: india };
    const starts = (wanted: string) =>
      plan(rules, 3, { startAt: at(wanted, india) }).map(({ startAt }) => shown(startAt, india));
    // Chicago is open from 19:30 to 03:30.
    expect(starts('2026-11-30T10:00')).toEqual(['Mon 19:30', 'Tue 19:30', 'Wed 19:30']);
    expect(starts('2026-11-30T23:00')).toEqual(['Mon 23:00', 'Tue 23:00', 'Wed 23:00']);
    expect(starts('2026-11-30T02:00')).toEqual(['Mon 02:00', 'Tue 02:00', 'Wed 02:00']);
    // One that began late, after its day's turn, is not followed by another two hours later.
    const late = nextBatchStart(rules, at('2026-11-30T23:59', india), '02:00');
    expect(shown(late, india)).toBe('Wed 02:00');
  });
});

describe('the next batch, once weekends are allowed or not', () => {
  const rules = (allowWeekends: boolean): BatchRules => ({ ...office, allowWeekends });
  const friday = at('2026-12-04T10:00');
  const moved = (
    allowWeekends: boolean,
    next: string,
    { previous = friday, now = '2026-12-04T12:00' }: { previous?: Date | null; now?: string } = {},
  ) => shown(startForWeekends(rules(allowWeekends), { next: at(next), previous, dailyAt: '10:00', now: at(now) }));

  it('stays where it was put by hand', () => {
    expect(moved(true, '2026-12-10T10:00')).toBe('Thu 10:00');
    expect(moved(false, '2026-12-10T10:00')).toBe('Thu 10:00');
    expect(moved(true, '2026-12-07T14:00')).toBe('Mon 14:00');
  });

  it('comes forward to Saturday when it was planned for Monday only because of the weekend', () => {
    expect(moved(true, '2026-12-07T10:00')).toBe('Sat 10:00');
  });

  it('comes forward only to what has not passed', () => {
    expect(moved(true, '2026-12-07T10:00', { now: '2026-12-05T11:00' })).toBe('Sun 10:00');
    expect(moved(true, '2026-12-07T10:00', { now: '2026-12-06T11:00' })).toBe('Mon 10:00');
    expect(moved(true, '2026-12-07T10:00', { now: '2026-12-07T10:01' })).toBe('Mon 10:00');
  });

  it('moves from a weekend to the next day that is allowed, at the daily time', () => {
    expect(moved(false, '2026-12-05T10:00')).toBe('Mon 10:00');
    expect(moved(false, '2026-12-06T14:00')).toBe('Mon 10:00');
    expect(moved(false, '2026-12-05T10:00', { now: '2026-12-07T11:00' })).toBe('Tue 10:00');
  });

  it('stays when it is the first one: nobody knows what it made way for', () => {
    expect(moved(true, '2026-12-07T10:00', { previous: null })).toBe('Mon 10:00');
    expect(moved(false, '2026-12-05T10:00', { previous: null })).toBe('Mon 10:00');
  });

  it('comes forward to the only days that the window has left', () => {
    const weekends = { ...rules(true), window: { ...office.window, days: ['sat', 'sun'] as const } };
    const next = startForWeekends(weekends, {
      next: at('2026-12-07T10:00'),
      previous: friday,
      dailyAt: '10:00',
      now: at('2026-12-04T12:00'),
    });
    expect(shown(next)).toBe('Sat 10:00');
    const never = { ...weekends, allowWeekends: false };
    expect(() =>
      startForWeekends(never, { next, previous: friday, dailyAt: '10:00', now: at('2026-12-04T12:00') }),
    ).toThrow(NeverOpensError);
  });
});

describe('what has left may arrive', () => {
  it.for([
    ['until the window closes', office, '2026-12-01T15:00', '2026-12-01T16:00'],
    ['past midnight in a window of whole days', wholeDay, '2026-12-01T23:00', '2026-12-03T00:00'],
    ['until midnight before a day that is not allowed', wholeDay, '2026-12-04T23:00', '2026-12-05T00:00'],
    ['past midnight of the mass SMS', { ...office, timeZone: 'Asia/Kolkata' }, '2026-12-01T09:00', '2026-12-01T16:00'],
  ] as const)('%s', ([, rules, from, until]) => {
    const instant = at(from);
    expect(openUntil(rules, instant, new Date(instant.getTime() + 10 * 3_600_000))).toEqual(at(until));
  });

  it('not at all while it is closed', () => {
    expect(openUntil(office, at('2026-12-01T17:00'), at('2026-12-02T17:00'))).toBeNull();
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
