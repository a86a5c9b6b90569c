/** When an organization may send (E1): a span of local time on some days of the week, right across clock changes. */
import { DateTime } from 'luxon';

export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Day = (typeof days)[number];

export interface SendWindow {
  /** `HH:MM`, inclusive. */
  startTime: string;
  /** `HH:MM`, exclusive; `00:00` is midnight at the end of the day. Equal to `startTime` means the whole day. */
  endTime: string;
  /** IANA. */
  timeZone: string;
  days: readonly Day[];
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

/** Whether the window is open until the end of the day. */
export const endsAtMidnight = ({ startTime, endTime }: SendWindow): boolean =>
  endTime === '00:00' || startTime === endTime;

/** Whether a window lies within one day: one that goes over midnight would belong to two. */
export const isWithinDay = (window: SendWindow): boolean => endsAtMidnight(window) || window.endTime > window.startTime;

const dayOf = (local: DateTime): Day => days[local.weekday - 1]!;

/** The IANA zone's local date and time at an instant. */
export const localTime = (instant: Date, timeZone: string): DateTime =>
  DateTime.fromJSDate(instant, { zone: timeZone });

export const isWeekend = (local: DateTime): boolean => local.weekday >= 6;

/**
 * The first instant of `date` at which local clocks show `time` or later. A time that a clock change skips becomes the
 * instant of the change; one that happens twice, its first occurrence.
 */
export function instantOf(date: DateTime, time: string): DateTime {
  const minutes = minutesOf(time);
  const midnight = date.startOf('day');
  const wanted = midnight.set({ hour: Math.floor(minutes / 60), minute: minutes % 60, second: 0, millisecond: 0 });
  const shown = wanted.hour * 60 + wanted.minute;
  if (shown !== minutes) {
    // Skipped: search for the change between an instant surely before it and one surely after.
    let before = wanted.minus({ hours: 3 }).toMillis();
    let after = wanted.toMillis();
    const offset = (millis: number) => DateTime.fromMillis(millis, { zone: date.zone }).offset;
    const standard = offset(before);
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (offset(middle) === standard) before = middle;
      else after = middle;
    }
    return DateTime.fromMillis(after, { zone: date.zone });
  }
  const [first] = wanted.getPossibleOffsets().toSorted((a, b) => a.toMillis() - b.toMillis());
  return first ?? wanted;
}

/** The span during which the window is open on the local date of `local`, or null on a day it is not. */
function openingOn(window: SendWindow, local: DateTime): { opensAt: DateTime; closesAt: DateTime } | null {
  if (!window.days.includes(dayOf(local))) return null;
  const wholeDay = window.startTime === window.endTime;
  const opensAt = wholeDay ? local.startOf('day') : instantOf(local, window.startTime);
  const closesAt = endsAtMidnight(window) ? local.plus({ days: 1 }).startOf('day') : instantOf(local, window.endTime);
  return opensAt < closesAt ? { opensAt, closesAt } : null;
}

/** Whether the window is open at `instant`, and if so when it closes: at the latest at the end of the local day. */
export function closingAt(window: SendWindow, instant: Date): Date | null {
  const span = openingOn(window, localTime(instant, window.timeZone));
  const at = instant.getTime();
  if (!span || at < span.opensAt.toMillis() || at >= span.closesAt.toMillis()) return null;
  return span.closesAt.toJSDate();
}

/** The first instant at or after `from` at which the window is open; null when it never is. */
export function nextOpening(window: SendWindow, from: Date): Date | null {
  let local = localTime(from, window.timeZone);
  for (let day = 0; day <= 366; day += 1) {
    const span = openingOn(window, local);
    if (span && span.closesAt.toMillis() > from.getTime()) {
      return new Date(Math.max(span.opensAt.toMillis(), from.getTime()));
    }
    local = local.plus({ days: 1 }).startOf('day');
  }
  return null;
}
