/** Hours that come back every day, as spans of time, and when several of them are open at once. All in milliseconds. */
import { earliestDayAt } from './days.ts';

/** `until` is exclusive. */
export interface Span {
  from: number;
  until: number;
}

/** At most one span a local day; they follow one another without overlapping. Null on a day without. */
export type DailySpans = (day: number) => Span | null;

/** How far ahead an opening is looked for: no rule and no window pauses for longer. */
const searchedDays = 367;

/** Without the last `millis` of each span. */
export const endingEarly =
  (spans: DailySpans, millis: number): DailySpans =>
  (day) => {
    const span = spans(day);
    return span && span.from < span.until - millis ? { from: span.from, until: span.until - millis } : null;
  };

/** The first instant from `at` on that is in a span; null when there is none until `lastDay`. */
function openFrom(spans: DailySpans, at: number, lastDay: number): number | null {
  for (let day = earliestDayAt(at); day <= lastDay; day += 1) {
    const span = spans(day);
    if (span && span.until > at) return Math.max(span.from, at);
  }
  return null;
}

export const isOpen = (spans: DailySpans, at: number): boolean => openFrom(spans, at, earliestDayAt(at) + 2) === at;

/** The first instant from `at` on at which all are open; null when there is none within a year. */
export function allOpenFrom(all: readonly DailySpans[], at: number): number | null {
  const lastDay = earliestDayAt(at) + searchedDays;
  let candidate = at;
  // Each in turn moves the candidate on, until none does.
  for (let agreeing = 0, index = 0; agreeing < all.length; index = (index + 1) % all.length) {
    const open = openFrom(all[index]!, candidate, lastDay);
    if (open === null) return null;
    agreeing = open === candidate ? agreeing + 1 : 1;
    candidate = open;
  }
  return candidate;
}

/** The end of what is open at `at`; spans that touch are one, and a week of them is long enough. Null when closed. */
function openUntil(spans: DailySpans, at: number): number | null {
  const first = earliestDayAt(at);
  let end: number | null = null;
  for (let day = first; day <= first + 9; day += 1) {
    const span = spans(day);
    if (span && (end === null ? span.from <= at && at < span.until : span.from === end)) end = span.until;
  }
  return end;
}

/** When the first of them closes, of all that are open at `at`; null when one is not. */
export function allOpenUntil(all: readonly DailySpans[], at: number): number | null {
  let end = Infinity;
  for (const spans of all) {
    const its = openUntil(spans, at);
    if (its === null) return null;
    end = Math.min(end, its);
  }
  return end;
}
