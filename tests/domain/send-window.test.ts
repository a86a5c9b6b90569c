/** Windows across both daylight-saving nights, in zones of whole, half and quarter hours. */
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { closingAt, days, instantOf, localTime, nextOpening, type SendWindow } from '../../domain/send-window.ts';
import { changes, placeAndTime, time, windowIn } from './zones.ts';

const every = [...days];
const windowOf = (startTime: string, endTime: string, timeZone: string, on = every): SendWindow => ({
  startTime,
  endTime,
  timeZone,
  days: on,
});
const open = (window: SendWindow, at: Date) => closingAt(window, at) !== null;

/** The same judgement made another way: by what the wall clock shows, whatever instant that is. */
function shownOpen({ startTime, endTime, timeZone, days: on }: SendWindow, at: Date): boolean {
  const local = DateTime.fromJSDate(at, { zone: timeZone });
  if (!on.includes(days[local.weekday - 1]!)) return false;
  const shown = local.toFormat('HH:mm');
  return startTime === endTime || (startTime <= shown && (shown < endTime || endTime === '00:00'));
}

describe('a send window', () => {
  it('is open exactly while the wall clock shows a time in it on one of its days, but for times shown twice', () => {
    fc.assert(
      fc.property(
        placeAndTime.chain(({ zone, at }) => fc.record({ at: fc.constant(at), window: windowIn(zone) })),
        ({ at, window }) => {
          const shown = shownOpen(window, at);
          const isOpen = open(window, at);
          if (isOpen === shown) return;
          // They differ only where the clock went back that day, and shows a time of the window's edge twice.
          const local = localTime(at, window.timeZone);
          const back = local.endOf('day').offset < local.startOf('day').offset;
          expect({ back, at: local.toISO(), isOpen }).toMatchObject({ back: true });
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it('is one unbroken span a day, that ends when closingAt says', () => {
    fc.assert(
      fc.property(
        placeAndTime.chain(({ zone, at }) => fc.record({ at: fc.constant(at), window: windowIn(zone) })),
        ({ at, window }) => {
          const closing = closingAt(window, at);
          if (!closing) return;
          expect(closing.getTime()).toBeGreaterThan(at.getTime());
          const middle = new Date((at.getTime() + closing.getTime()) / 2);
          expect(closingAt(window, middle)).toEqual(closing);
          expect(closingAt(window, new Date(closing.getTime() - 1))).toEqual(closing);
          // At the closing itself it is closed, unless the next whole day begins there, or the day begins after the start.
          const beginsLate = localTime(closing, window.timeZone).toFormat('HH:mm') > window.startTime;
          if (window.startTime !== window.endTime && !(window.endTime === '00:00' && beginsLate))
            expect(open(window, closing)).toBe(false);
          expect(
            localTime(at, window.timeZone).hasSame(localTime(new Date(closing.getTime() - 1), window.timeZone), 'day'),
          ).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('the next opening', () => {
  it('is the first lawful moment: open then, at or after the asked instant, and closed all the time before it', () => {
    fc.assert(
      fc.property(
        placeAndTime.chain(({ zone, at }) =>
          fc.record({ at: fc.constant(at), window: windowIn(zone), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
        ),
        ({ at, window, share }) => {
          const opening = nextOpening(window, at)!;
          expect(opening.getTime()).toBeGreaterThanOrEqual(at.getTime());
          expect(open(window, opening)).toBe(true);
          if (open(window, at)) expect(opening).toEqual(at);
          else {
            expect(open(window, new Date(opening.getTime() - 1))).toBe(false);
            const before = at.getTime() + share * (opening.getTime() - 1 - at.getTime());
            expect(open(window, new Date(before))).toBe(false);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('is null when the window never opens', () => {
    expect(nextOpening(windowOf('16:00', '08:00', 'UTC'), new Date('2026-12-01T00:00:00Z'))).toBeNull();
  });
});

describe('a time of day as an instant', () => {
  it('is the first instant of the day at which the clock shows it or later', () => {
    fc.assert(
      fc.property(placeAndTime, time, ({ zone, at }, wanted) => {
        const day = localTime(at, zone);
        const instant = instantOf(day, wanted);
        const shown = (millis: number) => DateTime.fromMillis(millis, { zone });
        expect(shown(instant.toMillis()).toFormat('HH:mm') >= wanted).toBe(true);
        const justBefore = shown(instant.toMillis() - 1);
        const isSameDay = justBefore.hasSame(day, 'day');
        if (isSameDay) expect(justBefore.toFormat('HH:mm') < wanted).toBe(true);
        else expect(instant.toMillis()).toBe(day.startOf('day').toMillis());
      }),
      { numRuns: 1_500 },
    );
  });

  it.for([
    // Skipped: the instant of the change.
    ['America/Chicago', '2027-03-14', '02:30', '2027-03-14T08:00:00.000Z'],
    ['America/Chicago', '2027-03-14', '02:00', '2027-03-14T08:00:00.000Z'],
    ['America/Chicago', '2027-03-14', '03:00', '2027-03-14T08:00:00.000Z'],
    ['America/St_Johns', '2027-03-14', '02:15', '2027-03-14T05:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-04', '02:15', '2026-10-03T15:30:00.000Z'],
    ['Africa/Cairo', '2027-04-30', '00:30', '2027-04-29T22:00:00.000Z'],
    // Shown twice: the first of them.
    ['America/Chicago', '2026-11-01', '01:30', '2026-11-01T06:30:00.000Z'],
    ['Europe/London', '2026-10-25', '01:30', '2026-10-25T00:30:00.000Z'],
    ['Australia/Lord_Howe', '2027-04-04', '01:45', '2027-04-03T14:45:00.000Z'],
    ['Australia/Adelaide', '2027-04-04', '02:30', '2027-04-03T16:00:00.000Z'],
    // As usual.
    ['Asia/Kathmandu', '2026-12-01', '08:00', '2026-12-01T02:15:00.000Z'],
    ['Asia/Kolkata', '2026-12-01', '08:00', '2026-12-01T02:30:00.000Z'],
  ] as const)('in %s on %s, %s is %s', ([zone, date, wanted, expected]) => {
    expect(instantOf(DateTime.fromISO(date, { zone }), wanted).toUTC().toISO()).toBe(expected);
  });
});

describe('on the night of a clock change', () => {
  it('8 to 16 stays 8 to 16 on the wall, and lasts eight hours, in every zone', () => {
    for (const { zone, at } of changes) {
      const window = windowOf('08:00', '16:00', zone);
      // Midday before the night, so that the opening is the one after it.
      const opening = nextOpening(
        window,
        localTime(new Date(at), zone).minus({ hours: 8 }).set({ hour: 17 }).toJSDate(),
      )!;
      expect(localTime(opening, zone).toFormat('HH:mm')).toBe('08:00');
      const closing = closingAt(window, opening)!;
      expect(localTime(closing, zone).toFormat('HH:mm')).toBe('16:00');
      expect(closing.getTime() - opening.getTime()).toBe(8 * 3_600_000);
    }
  });

  it('a window over the change is an hour shorter in spring and longer in autumn', () => {
    const window = windowOf('01:00', '04:00', 'America/Chicago');
    const hours = (from: string) => {
      const opening = nextOpening(window, new Date(from))!;
      return (closingAt(window, opening)!.getTime() - opening.getTime()) / 3_600_000;
    };
    expect(hours('2027-03-14T06:00:00Z')).toBe(2);
    expect(hours('2026-11-01T05:00:00Z')).toBe(4);
    expect(hours('2026-12-01T05:00:00Z')).toBe(3);
  });

  it('a window that lies in the skipped hour does not open that day', () => {
    const window = windowOf('02:10', '02:50', 'America/Chicago');
    const opening = nextOpening(window, new Date('2027-03-14T06:00:00Z'))!;
    expect(localTime(opening, window.timeZone).toISO()).toContain('2027-03-15T02:10');
  });
});

describe('a window until 00:00', () => {
  it('closes at the midnight that ends the day, and not before it opens', () => {
    const window = windowOf('08:00', '00:00', 'America/Chicago', ['mon']);
    const monday = new Date('2026-12-07T14:00:00Z');
    expect(nextOpening(window, new Date('2026-12-01T15:00:00Z'))).toEqual(monday);
    expect(closingAt(window, monday)).toEqual(new Date('2026-12-08T06:00:00Z'));
    expect(closingAt(window, new Date(monday.getTime() - 1))).toBeNull();
    expect(closingAt(window, new Date('2026-12-08T05:59:59.999Z'))).toEqual(new Date('2026-12-08T06:00:00Z'));
    expect(closingAt(window, new Date('2026-12-08T06:00:00Z'))).toBeNull();
  });

  it('where a clock change takes midnight away, closes at the change', () => {
    const window = windowOf('20:00', '00:00', 'Africa/Cairo');
    expect(closingAt(window, new Date('2027-04-29T20:00:00Z'))).toEqual(new Date('2027-04-29T22:00:00Z'));
  });
});

describe('a whole-day window', () => {
  it('is open at every instant of its days, and closes at the end of each', () => {
    fc.assert(
      fc.property(placeAndTime, ({ zone, at }) => {
        const window = windowOf('00:00', '00:00', zone);
        expect(closingAt(window, at)).toEqual(localTime(at, zone).plus({ days: 1 }).startOf('day').toJSDate());
        expect(nextOpening(window, at)).toEqual(at);
      }),
    );
  });

  it('on some days opens at their midnight', () => {
    const window = windowOf('09:00', '09:00', 'America/Chicago', ['mon']);
    expect(nextOpening(window, new Date('2026-12-01T15:00:00Z'))).toEqual(new Date('2026-12-07T06:00:00Z'));
  });
});
