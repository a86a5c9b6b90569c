/**
 * When a message may leave for a recipient (E3): within the organization's window, and within lawful hours at every
 * place the recipient may be in. Exact to the millisecond, across clock changes.
 *
 * For activities and the API only: it reads time zone data, which must not decide anything inside a workflow.
 */
import { days as dayNames, endsAtMidnight, type SendWindow } from '../send-window.ts';
import { instantAt, minutesOf, weekdayOf } from './days.ts';
import type { Place } from './places.ts';
import { allOpenFrom, allOpenUntil, endingEarly, isOpen, type DailySpans } from './spans.ts';
import { termsOf } from './terms.ts';

/**
 * Sending stops this long before lawful hours end: what is handed to Twilio then still has to be queued there, taken by
 * a carrier and delivered, and the law counts when it arrives. Not before the organization's own window ends: that is
 * the customer's wish and not a limit of law, and it is shown to them as they set it.
 */
export const marginMinutes = 15;

export type HoldReason = 'outside_window' | 'quiet_hours';

export interface Sendable {
  /** The first instant at which the message may leave. */
  at: Date;
  /**
   * When window or lawful hours, whichever is first, close after `at`, without margin: deliver by then or not at all.
   */
  closesAt: Date;
  /** What holds it at `from`, the window first; null when it may leave at once. */
  reason: HoldReason | null;
}

export interface Question {
  /** Null for a user's direct message, which the organization's window does not hold. */
  window: SendWindow | null;
  places: readonly Place[];
  from: Date;
  marginMinutes?: number;
}

function spansOfWindow(window: SendWindow): DailySpans {
  const { startTime, endTime, timeZone, days } = window;
  const start = startTime === endTime ? 0 : minutesOf(startTime);
  const end = endsAtMidnight(window) ? 1440 : minutesOf(endTime);
  return (day) => {
    if (!days.includes(dayNames[weekdayOf(day)]!)) return null;
    const [from, until] = [instantAt(timeZone, day, start), instantAt(timeZone, day, end)];
    return from < until ? { from, until } : null;
  };
}

const lawfulSpansOf = (places: readonly Place[], margin = 0): DailySpans[] =>
  termsOf(places).map(({ spans }) => (margin === 0 ? spans : endingEarly(spans, margin * 60_000)));

const withWindow = (window: SendWindow | null, lawful: DailySpans[]): DailySpans[] =>
  window ? [spansOfWindow(window), ...lawful] : lawful;

/** Whether the law lets a message arrive at this instant, at every place. */
export const lawfulAt = (places: readonly Place[], instant: Date, margin = 0): boolean =>
  lawfulSpansOf(places, margin).every((spans) => isOpen(spans, instant.getTime()));

/** The lawful hours at all places together that touch the time from `from` to `until`, cut to it. */
export function lawfulSpans(places: readonly Place[], from: Date, until: Date): { from: Date; until: Date }[] {
  const all = lawfulSpansOf(places);
  const found: { from: Date; until: Date }[] = [];
  for (let at = allOpenFrom(all, from.getTime()); at !== null && at < until.getTime();) {
    const end = allOpenUntil(all, at)!;
    found.push({ from: new Date(at), until: new Date(Math.min(end, until.getTime())) });
    at = allOpenFrom(all, end);
  }
  return found;
}

/** When what is open at `instant` closes, for Twilio's validity period; null when it is closed. Without margin. */
export function closingAfter(window: SendWindow | null, places: readonly Place[], instant: Date): Date | null {
  const end = allOpenUntil(withWindow(window, lawfulSpansOf(places)), instant.getTime());
  return end === null ? null : new Date(end);
}

/** What holds a message at an instant; null when it may leave. */
export function holdReason({
  window,
  places,
  from,
  marginMinutes: margin = marginMinutes,
}: Question): HoldReason | null {
  if (window && !isOpen(spansOfWindow(window), from.getTime())) return 'outside_window';
  return lawfulAt(places, from, margin) ? null : 'quiet_hours';
}

/**
 * The first instant at or after `from` within the window and within lawful hours at every place.
 *
 * @returns null when there is none within a year: window and rules have nothing in common, or only the margin
 */
export function nextSendable(question: Question): Sendable | null {
  const { window, places, from, marginMinutes: margin = marginMinutes } = question;
  const at = allOpenFrom(withWindow(window, lawfulSpansOf(places, margin)), from.getTime());
  if (at === null) return null;
  const moment = new Date(at);
  return {
    at: moment,
    closesAt: closingAfter(window, places, moment)!,
    reason: at === from.getTime() ? null : holdReason(question),
  };
}
