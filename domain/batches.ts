/** How a mass SMS is spread over days (F4): a small first batch, larger daily ones, at a local time, inside the window. */
import { nextSendable, type Sendable } from './lawful-hours/hours.ts';
import { remembered } from './lawful-hours/memo.ts';
import { type Place, placesKey, placesOf, type Recipient } from './lawful-hours/places.ts';
import { closingAt, instantOf, isWeekend, localTime, nextOpening, type SendWindow } from './send-window.ts';

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

const allowedDay = (rules: BatchRules) => (instant: Date) =>
  rules.allowWeekends || !isWeekend(localTime(instant, rules.timeZone));

/** The first instant at or after `from` at which a batch of this mass SMS may send. @throws {NeverOpensError} */
export function firstMoment(rules: BatchRules, from: Date): Date {
  const moment = nextOpening(rules.window, from, allowedDay(rules));
  if (!moment) throw new NeverOpensError();
  return moment;
}

/** How far ahead a moment is looked for. */
const yearMs = 366 * 86_400_000;

/** As `firstMoment`, where it must be lawful at all of these places too (E3). Null when it never is within a year. */
function firstLawfulMoment(rules: BatchRules, places: readonly Place[], from: Date): Sendable | null {
  let start = from;
  while (start.getTime() - from.getTime() <= yearMs) {
    const sendable = nextSendable({ window: rules.window, places, from: start });
    if (!sendable || allowedDay(rules)(sendable.at)) return sendable;
    start = localTime(sendable.at, rules.timeZone).plus({ days: 1 }).startOf('day').toJSDate();
  }
  return null;
}

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
 * The start of the batch after one that started at `previous`: the next allowed local day at `timeOfDay`, or at that
 * day's opening when the window is closed then.
 *
 * @param timeOfDay `HH:MM` in the rules' time zone
 * @throws {NeverOpensError}
 */
export function nextBatchStart(rules: BatchRules, previous: Date, timeOfDay: string): Date {
  let day = localTime(previous, rules.timeZone).plus({ days: 1 }).startOf('day');
  for (let tries = 0; tries <= 366; tries += 1) {
    if (rules.allowWeekends || !isWeekend(day)) {
      const wanted = instantOf(day, timeOfDay).toJSDate();
      if (closingAt(rules.window, wanted)) return wanted;
      const opening = nextOpening(rules.window, day.toJSDate());
      if (opening && localTime(opening, rules.timeZone).hasSame(day, 'day')) return opening;
    }
    day = day.plus({ days: 1 }).startOf('day');
  }
  throw new NeverOpensError();
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
export const timeOfDay = (instant: Date, timeZone: string): string => localTime(instant, timeZone).toFormat('HH:mm');

/**
 * Dates for batches of the given sizes.
 *
 * @param startAt when the first of them is wanted; it moves to the first allowed moment
 * @param dailyAt `HH:MM` for the later ones; the local time of `startAt` by default
 * @throws {NeverOpensError}
 */
export function planBatches(
  rules: BatchRules,
  sizes: readonly number[],
  startAt: Date,
  { dailyAt = timeOfDay(startAt, rules.timeZone), firstNumber = 1 }: { dailyAt?: string; firstNumber?: number } = {},
): PlannedBatch[] {
  const plan: PlannedBatch[] = [];
  for (const size of sizes) {
    const previous = plan.at(-1);
    plan.push({
      number: firstNumber + plan.length,
      size,
      startAt: previous ? nextBatchStart(rules, previous.startAt, dailyAt) : firstMoment(rules, startAt),
    });
  }
  return plan;
}
