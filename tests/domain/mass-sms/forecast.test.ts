/** What a mass SMS will take, before it is scheduled (F10), and when it will be through. */
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import type { BatchRules } from '../../../domain/mass-sms/batches.ts';
import { forecast, type ForecastQuestion, type TextGroup } from '../../../domain/mass-sms/forecast.ts';
import { segmentsPerDay, tMobileSegmentsPerDay } from '../../../domain/registration/throughput.ts';
import { countSegments } from '../../../domain/messages/segments.ts';
import { days } from '../../../domain/send-window.ts';
import { type Pace, sendingTimes } from '../../../domain/mass-sms/sending-times.ts';

const zone = 'America/Chicago';
/** 1 December 2026 is a Tuesday; Chicago is two hours ahead of the Pacific. */
const local = (text: string): Date => DateTime.fromISO(text, { zone }).toJSDate();
const office: BatchRules = {
  window: { startTime: '08:00', endTime: '16:00', timeZone: zone, days },
  timeZone: zone,
  allowWeekends: false,
};
const pace = (given: Partial<Pace> = {}): Pace => ({
  segmentsPerSecond: 1,
  segmentsPerDay: null,
  atWindowClose: 'continue',
  ...given,
});

describe('the times of batches', () => {
  it('follow the rate', () => {
    const { batches, days: byDay } = sendingTimes(
      office,
      [{ startAt: local('2026-12-01T10:00'), segments: 1_000 }],
      pace({ segmentsPerSecond: 2 }),
    );
    expect(batches).toEqual([{ startAt: local('2026-12-01T10:00'), endAt: local('2026-12-01T10:08:20'), expired: 0 }]);
    expect([...byDay]).toEqual([['2026-12-01', 1_000]]);
  });

  it('go on at the next opening, but for weekends, when the window closes 30 seconds before its end', () => {
    const { batches } = sendingTimes(office, [{ startAt: local('2026-12-04T15:59'), segments: 40 }], pace());
    expect(batches).toEqual([{ startAt: local('2026-12-04T15:59'), endAt: local('2026-12-07T08:00:10'), expired: 0 }]);
  });

  it('end with the window where the rest expires', () => {
    const { batches } = sendingTimes(
      office,
      [{ startAt: local('2026-12-04T15:59'), segments: 40 }],
      pace({ atWindowClose: 'expire' }),
    );
    expect(batches).toEqual([{ startAt: local('2026-12-04T15:59'), endAt: local('2026-12-04T16:00'), expired: 10 }]);
  });

  it('begin at the next opening rather than in the last 30 seconds of a window, only to expire', () => {
    const wanted = [{ startAt: local('2026-12-04T15:59:40'), segments: 40 }];
    const next = { startAt: local('2026-12-07T08:00'), endAt: local('2026-12-07T08:00:40'), expired: 0 };
    for (const atWindowClose of ['expire', 'continue'] as const)
      expect(sendingTimes(office, wanted, pace({ atWindowClose })).batches).toEqual([next]);
  });

  it('wait for the batch before', () => {
    const [first, second] = [local('2026-12-01T15:59'), local('2026-12-02T08:00')];
    const { batches } = sendingTimes(
      office,
      [
        { startAt: first, segments: 3_630 },
        { startAt: second, segments: 100 },
      ],
      pace(),
    );
    expect(batches.map((batch) => batch.endAt)).toEqual([local('2026-12-02T09:00'), local('2026-12-02T09:01:40')]);
  });

  it("keep to a daily limit, which begins anew at midnight Pacific: in the middle of an organization's night", () => {
    const wholeDay = { ...office, window: { ...office.window, startTime: '00:00', endTime: '00:00' } };
    const { batches, days: byDay } = sendingTimes(
      wholeDay,
      [{ startAt: local('2026-12-01T10:00'), segments: 150 }],
      pace({ segmentsPerDay: 100 }),
    );
    expect(batches[0]!.endAt).toEqual(local('2026-12-02T02:00:50'));
    expect([...byDay]).toEqual([
      ['2026-12-01', 100],
      ['2026-12-02', 50],
    ]);
    const inOffice = sendingTimes(
      office,
      [{ startAt: local('2026-12-01T10:00'), segments: 150 }],
      pace({ segmentsPerDay: 100 }),
    );
    expect(inOffice.batches[0]!.endAt).toEqual(local('2026-12-02T08:00:50'));
  });

  it('lose nothing, whatever the window, the rate and the limit', () => {
    const time = fc.integer({ min: 0, max: 95 }).map((quarter) => {
      const [hour, minute] = [Math.floor(quarter / 4), (quarter % 4) * 15];
      return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
    });
    const property = fc.property(
      fc.tuple(time, time).filter(([start, end]) => start < end),
      fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom(null, 1, 3.75, 12, 225),
      fc.constantFrom(null, 3_000, 6_000),
      fc.constantFrom('continue' as const, 'expire' as const),
      ([startTime, endTime], sizes, segmentsPerSecond, segmentsPerDay, atWindowClose) => {
        const rules = { ...office, window: { ...office.window, startTime, endTime } };
        const wanted = sizes.map((segments, index) => ({
          startAt: DateTime.fromISO('2026-12-01T10:00', { zone }).plus({ days: index }).toJSDate(),
          segments,
        }));
        const { batches, days: byDay } = sendingTimes(rules, wanted, {
          segmentsPerSecond,
          segmentsPerDay,
          atWindowClose,
        });
        const sent = [...byDay.values()].reduce((all, one) => all + one, 0);
        const expired = batches.reduce((all, batch) => all + batch.expired, 0);
        expect(sent + expired).toBe(sizes.reduce((all, one) => all + one, 0));
        if (atWindowClose === 'continue') expect(expired).toBe(0);
        if (segmentsPerDay !== null) expect(Math.max(0, ...byDay.values())).toBeLessThanOrEqual(segmentsPerDay);
        for (const [index, batch] of batches.entries()) {
          expect(batch.endAt.getTime()).toBeGreaterThanOrEqual(batch.startAt.getTime());
          if (index > 0) expect(batch.startAt.getTime()).toBeGreaterThanOrEqual(batches[index - 1]!.endAt.getTime());
        }
      },
    );
    fc.assert(property, { numRuns: 100 });
  });
});

describe('a forecast', () => {
  const group = (given: Partial<TextGroup> = {}): TextGroup => ({
    batch: 1,
    firstName: 'aaaa',
    lastName: '',
    isFirst: false,
    count: 1,
    ...given,
  });
  const of = (given: Partial<ForecastQuestion>) =>
    forecast({
      groups: [group()],
      body: 'Hi {{contact.firstName}}, we are hiring.',
      disclaimer: 'Reply HELP for help, STOP to opt out.',
      rules: office,
      startAt: local('2026-12-01T10:00'),
      pace: { segmentsPerSecond: 225, atWindowClose: 'continue' },
      prices: { segment: 0.0083, carrierLow: 0.0035, carrierHigh: 0.0045 },
      ...given,
    });

  it('counts the segments that each recipient gets: a long name, an accent, the disclaimer of a first message', () => {
    const body = `${'x'.repeat(149)} {{contact.firstName}}`;
    const { segments, recipients } = of({
      body,
      groups: [
        group({ firstName: 'aaaaaaaaaa', count: 100 }),
        group({ firstName: 'aaaaaaaaaaa', count: 10 }),
        group({ firstName: 'Zoë', count: 5 }),
        group({ firstName: 'aaaa', isFirst: true, count: 3 }),
      ],
    });
    expect(recipients).toBe(118);
    expect(countSegments(body.replace(/\{.*/, 'Zoë'))).toMatchObject({ encoding: 'UCS-2', segments: 3 });
    expect(segments).toEqual({
      total: 100 + 2 * 10 + 3 * 5 + 2 * 3,
      distribution: [
        { segments: 1, recipients: 100 },
        { segments: 2, recipients: 13 },
        { segments: 3, recipients: 5 },
      ],
      unicodeRecipients: 5,
    });
  });

  it('has the batches with their dates, and ends with the last of them', () => {
    const { batches, startAt, endAt } = of({
      groups: [group({ count: 5_000 }), group({ batch: 2, count: 25_000 }), group({ batch: 3, count: 900 })],
      startAt: local('2026-12-03T15:00'),
    });
    expect(batches).toMatchObject([
      { number: 1, size: 5_000, segments: 5_000, startAt: local('2026-12-03T15:00') },
      { number: 2, size: 25_000, startAt: local('2026-12-04T15:00') },
      { number: 3, size: 900, startAt: local('2026-12-07T15:00'), endAt: local('2026-12-07T15:00:04') },
    ]);
    expect([startAt, endAt]).toEqual([batches[0]!.startAt, batches[2]!.endAt]);
  });

  it('costs between the cheapest and the dearest carrier, for what is sent', () => {
    expect(of({ groups: [group({ count: 10_000 })] }).cost).toEqual({ currency: 'USD', low: 118, high: 128 });
    const expiring = { segmentsPerSecond: 1, atWindowClose: 'expire' } as const;
    const late = of({ groups: [group({ count: 10_000 })], startAt: local('2026-12-01T15:59'), pace: expiring });
    expect(late.batches).toMatchObject([{ expired: 9_970 }]);
    expect(late.cost).toEqual({ currency: 'USD', low: 0.35, high: 0.39 });
  });

  it("keeps to T-Mobile's daily limit for the brand, less what has been sent today by other ways", () => {
    const slow = { segmentsPerSecond: 12, atWindowClose: 'continue' } as const;
    const alone = of({ groups: [group({ count: 9_000 })], pace: slow });
    expect(alone.tMobile).toEqual({
      dailyLimit: 2_000,
      assumedShare: 0.33,
      days: [
        { date: '2026-12-01', segments: 2_000 },
        { date: '2026-12-02', segments: 1_000 },
      ],
    });
    expect(alone.endAt).toEqual(local('2026-12-02T08:04:10'));
    const sentBefore = new Map([['2026-12-01', 5_400]]);
    expect(of({ groups: [group({ count: 9_000 })], pace: { ...slow, sentBefore } })).toMatchObject({
      endAt: local('2026-12-03T08:03:20'),
      tMobile: { days: [{ segments: 200 }, { segments: 2_000 }, { segments: 800 }] },
    });
    expect(of({ pace: { segmentsPerSecond: null, atWindowClose: 'continue' } }).tMobile).toBeNull();
  });

  it('knows the limits by brand', () => {
    expect([225, 120, 12, 3.75, 1, null].map(tMobileSegmentsPerDay)).toEqual([
      200_000,
      40_000,
      2_000,
      2_000,
      1_000,
      null,
    ]);
    expect([225, 12, 1, null].map(segmentsPerDay)).toEqual([600_000, 6_000, 3_000, null]);
  });
});
