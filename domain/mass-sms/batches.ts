/** How a mass SMS is spread over days (F4): a small first batch, larger daily ones, at a local time, inside the window. */
import type { DateTime } from 'luxon';
import { nextSendable, type Sendable } from '../lawful-hours/hours.ts';
import { remembered } from '../lawful-hours/memo.ts';
import { type Place, placesKey, placesOf, type Recipient } from '../lawful-hours/places.ts';
import { closingAt, instantOf, isWeekend, localTime, nextOpening, type SendWindow } from '../send-window.ts';

export interface BatchRules {
  window: SendWindow;
  /** IANA zone in which the daily time of day and weekends are meant. */
  timeZone: string;
  allowWeekends: boolean;
}

export interface PlannedBatch {
  /** From 1. */
  number: number;
  size: number;
  startAt: Date;
}

/** The window never opens on a day that is allowed; the message says what to change. */
export class NeverOpensError extends Error {
  override name = 'NeverOpensError';
  constructor() {
    super('The sending window never opens on an allowed day: add days to the sending window, or allow weekends.');
  }
}

/** Most batches of a plan: one a day, and nobody plans for longer than some years. */
const mostBatches = 1_000;

/** The message says what to change. */
export class TooManyBatchesError extends Error {
  override name = 'TooManyBatchesError';
  constructor(count: number) {
    super(
      `It would take ${count.toLocaleString('en-US')} daily batches, and ${mostBatches.toLocaleString('en-US')} are ` +
        'allowed: raise dailyBatchSize in the settings, or send to fewer with limitToTop.',
    );
  }
}

/** @throws {TooManyBatchesError} */
export function requireFewBatches(count: number): void {
  if (count > mostBatches) throw new TooManyBatchesError(count);
}

const isAllowedDay = ({ allowWeekends }: BatchRules, local: DateTime): boolean => allowWeekends || !isWeekend(local);

const allowedDay = (rules: BatchRules) => (instant: Date) => isAllowedDay(rules, localTime(instant, rules.timeZone));

/** How far ahead a moment is looked for. */
const yearMs = 366 * 86_400_000;

/**
 * The first of the moments that `next` finds, each from an instant on, that is on an allowed day: what is open at the end of
 * a day that is not allowed may be open at the beginning of the next. Null when there is none within a year.
 */
function onAllowedDay<Found extends { at: Date }>(
  rules: BatchRules,
  from: Date,
  next: (start: Date) => Found | null,
): Found | null {
  let start = from;
  while (start.getTime() - from.getTime() <= yearMs) {
    const found = next(start);
    if (!found || allowedDay(rules)(found.at)) return found;
    start = localTime(found.at, rules.timeZone).plus({ days: 1 }).startOf('day').toJSDate();
  }
  return null;
}

/** The first instant at or after `from` at which a batch of this mass SMS may send. @throws {NeverOpensError} */
export function firstMoment(rules: BatchRules, from: Date): Date {
  const found = onAllowedDay(rules, from, (start) => {
    const at = nextOpening(rules.window, start);
    return at && { at };
  });
  if (!found) throw new NeverOpensError();
  return found.at;
}

/** As `firstMoment`, where it must be lawful at all of these places too (E3). Null when it never is within a year. */
const firstLawfulMoment = (rules: BatchRules, places: readonly Place[], from: Date): Sendable | null =>
  onAllowedDay(rules, from, (start) => nextSendable({ window: rules.window, places, from: start }));

/** The first moment from an instant on at which a recipient may be written to; null when there is none within a year. */
export type MomentOf = (recipient: Recipient) => Sendable | null;

/** Judged once for each set of places, of which 25,000 recipients have a few hundred. Keep it no longer than `from` is meant. */
export function lawfulMoments(rules: BatchRules, from: Date): MomentOf {
  const judge = remembered(10_000, (places: readonly Place[]) => firstLawfulMoment(rules, places, from), placesKey);
  return (recipient) => judge(placesOf(recipient));
}

/** When sending must stop if it runs at `instant`: the window's closing or the end of the batch's day, or null if closed. */
export function lastMoment(rules: BatchRules, instant: Date): Date | null {
  const closing = closingAt(rules.window, instant);
  if (!closing || !allowedDay(rules)(instant)) return null;
  const endOfDay = localTime(instant, rules.timeZone).plus({ days: 1 }).startOf('day').toJSDate();
  return closing < endOfDay ? closing : endOfDay;
}

/**
 * Until when what leaves at `instant` may arrive: the end of what is open without a break on allowed days, or null if
 * closed.
 *
 * @param farthest it is not looked further
 */
export function openUntil(rules: BatchRules, instant: Date, farthest: Date): Date | null {
  let end = lastMoment(rules, instant);
  while (end && end < farthest) {
    const next = lastMoment(rules, end);
    if (!next) break;
    end = next;
  }
  return end;
}

/**
 * The start of the batch after one that started at `previous`: on the next allowed local day at `dailyAt`; where the window
 * is closed then, at the next opening of that day, or else at its first.
 *
 * At most one starts in each opening of the window, which may reach from one local day into the next: where the one
 * before did not start at `dailyAt`, the rest of its opening is passed over.
 *
 * @param dailyAt `HH:MM` in the rules' time zone
 * @param notBefore an earlier start is no use any more
 * @throws {NeverOpensError}
 */
export function nextBatchStart(rules: BatchRules, previous: Date, dailyAt: string, notBefore = previous): Date {
  const start = findNext(rules, previous, dailyAt, notBefore);
  if (!start) throw new NeverOpensError();
  return start;
}

function findNext(rules: BatchRules, previous: Date, dailyAt: string, notBefore = previous): Date | null {
  const isOnTime = timeOfDay(previous, rules.timeZone) === dailyAt;
  const closing = isOnTime ? null : closingAt(rules.window, previous);
  const tomorrow = localTime(previous, rules.timeZone).plus({ days: 1 });
  return findFrom(rules, tomorrow, dailyAt, closing && closing > notBefore ? closing : notBefore);
}

/** The first start on this local day or a later one; null when there is none within a year. */
function findFrom(rules: BatchRules, first: DateTime, dailyAt: string, notBefore: Date): Date | null {
  let day = first.startOf('day');
  for (let tries = 0; tries <= 366; tries += 1) {
    const start = isAllowedDay(rules, day) ? startOn(rules, day, dailyAt) : null;
    if (start && start >= notBefore) return start;
    day = day.plus({ days: 1 }).startOf('day');
  }
  return null;
}

/** The start on a local day, allowed or not; null when the window does not open on it. */
function startOn(rules: BatchRules, day: DateTime, dailyAt: string): Date | null {
  const { window, timeZone } = rules;
  const wanted = instantOf(day, dailyAt).toJSDate();
  if (closingAt(window, wanted)) return wanted;
  const midnight = day.toJSDate();
  // What has been open since the day before is that day's, if anything may start on it.
  const carried = isAllowedDay(rules, day.minus({ days: 1 }))
    ? closingAt(window, new Date(midnight.getTime() - 1))
    : null;
  const openings = [wanted, carried ?? midnight].map((from) => nextOpening(window, from));
  return openings.find((opening) => opening && localTime(opening, timeZone).hasSame(day, 'day')) ?? null;
}

/** How the first of some batches is wanted. */
export interface WantedStart {
  startAt: Date;
  /** As soon as the window is open from then on, whatever the time of day. */
  immediate?: boolean | undefined;
}

/** What a plan follows from. */
export interface FirstStart {
  startAt: Date;
  /** `HH:MM` in the rules' time zone: when the later ones start. */
  dailyAt: string;
}

/**
 * When the first batch really starts. A chosen time outside the window gives way to the next opening of its day; on a day
 * that is not allowed, or after the last opening, the next allowed day takes its place, at the same time of day.
 *
 * @throws {NeverOpensError}
 */
export function firstStart(rules: BatchRules, { startAt, immediate = false }: WantedStart): FirstStart {
  if (immediate) {
    const moment = firstMoment(rules, startAt);
    return { startAt: moment, dailyAt: timeOfDay(moment, rules.timeZone) };
  }
  const dailyAt = timeOfDay(startAt, rules.timeZone);
  const day = localTime(startAt, rules.timeZone);
  const opening = isAllowedDay(rules, day) ? nextOpening(rules.window, startAt) : null;
  if (opening && localTime(opening, rules.timeZone).hasSame(day, 'day')) return { startAt: opening, dailyAt };
  const start = findFrom(rules, day.plus({ days: 1 }), dailyAt, startAt);
  if (!start) throw new NeverOpensError();
  return { startAt: start, dailyAt };
}

/**
 * Where the next batch starts once weekends are allowed, or are not any more: it moves no further than that demands. On a
 * day that is not allowed any more, to the next that is; planned for a day after a weekend only because that was left out,
 * to the weekend, or what has not passed of it; otherwise it stays.
 *
 * @param rules the new ones
 * @param previous when the batch before it started; null for the first one, of which nobody knows what it made way for
 * @throws {NeverOpensError}
 */
export function startForWeekends(
  rules: BatchRules,
  { next, previous, dailyAt, now }: { next: Date; previous: Date | null; dailyAt: string; now: Date },
): Date {
  if (!allowedDay(rules)(next)) return nextBatchStart(rules, next, dailyAt, now);
  if (!rules.allowWeekends || previous === null || next <= now) return next;
  const onWorkdays = findNext({ ...rules, allowWeekends: false }, previous, dailyAt);
  if (onWorkdays && onWorkdays.getTime() !== next.getTime()) return next;
  return nextBatchStart(rules, previous, dailyAt, now);
}

/** The sizes of the batches of so many recipients. */
export function batchSizes(recipients: number, firstBatchSize: number, dailyBatchSize: number): number[] {
  const sizes: number[] = [];
  for (let left = recipients; left > 0; left -= sizes.at(-1)!) {
    sizes.push(Math.min(left, sizes.length === 0 ? firstBatchSize : dailyBatchSize));
  }
  return sizes;
}

/** Local time of day of an instant, `HH:MM`: what the later batches of a mass SMS repeat. */
const timeOfDay = (instant: Date, timeZone: string): string => localTime(instant, timeZone).toFormat('HH:mm');

/**
 * Dates for batches of the given sizes.
 *
 * @throws {NeverOpensError}
 */
export function planBatches(
  rules: BatchRules,
  sizes: readonly number[],
  { startAt: first, dailyAt }: FirstStart,
  firstNumber = 1,
): PlannedBatch[] {
  let startAt = first;
  return sizes.map((size, index) => {
    if (index > 0) startAt = nextBatchStart(rules, startAt, dailyAt);
    return { number: firstNumber + index, size, startAt };
  });
}
