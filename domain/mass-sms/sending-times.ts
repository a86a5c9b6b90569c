/** When batches will be through at the rate of an organization: they send inside the window only, one after the other. */
import { type BatchRules, firstMoment, lastMoment } from './batches.ts';
import type { WindowClosePolicy } from './mass-sms.ts';
import { carrierDay } from './carrier-day.ts';

/** Where nothing is known of the rate nothing is paced: about what one worker sends in a second. */
const unpacedPerSecond = 100;
/** Sending stops so long before a window closes. */
const lastMomentsMs = 30_000;

export interface Pace {
  segmentsPerSecond: number | null;
  /** Over all carriers, in a day of Pacific time; null for no limit. */
  segmentsPerDay: number | null;
  /** What has been sent by other ways, by day of Pacific time. */
  sentBefore?: ReadonlyMap<string, number>;
  atWindowClose: WindowClosePolicy;
}

interface BatchTimes {
  startAt: Date;
  endAt: Date;
  /** Segments that will not be sent: the window closes, and the rest expires. */
  expired: number;
}

export interface SendingTimes {
  batches: BatchTimes[];
  /** Segments by day of Pacific time, `YYYY-MM-DD`. */
  days: Map<string, number>;
}

/** @throws {NeverOpensError} */
export function sendingTimes(
  rules: BatchRules,
  batches: readonly { startAt: Date; segments: number }[],
  pace: Pace,
): SendingTimes {
  const days = new Map<string, number>();
  let free = new Date(0);
  const times = batches.map((batch) => {
    const time = oneBatch(rules, { ...batch, startAt: batch.startAt < free ? free : batch.startAt }, pace, days);
    free = time.endAt;
    return time;
  });
  return { batches: times, days };
}

/** Walks from opening to opening, and from one carrier's day to the next, until all is sent. */
function oneBatch(
  rules: BatchRules,
  { startAt: wanted, segments }: { startAt: Date; segments: number },
  { segmentsPerSecond, segmentsPerDay, sentBefore, atWindowClose }: Pace,
  days: Map<string, number>,
): BatchTimes {
  const perMs = (segmentsPerSecond ?? unpacedPerSecond) / 1000;
  const opens = firstMoment(rules, wanted);
  const closes = lastMoment(rules, opens)!;
  // A batch does not begin in the last moments of a window.
  const startAt = closes.getTime() - opens.getTime() <= lastMomentsMs ? firstMoment(rules, closes) : opens;
  const deadline = atWindowClose === 'expire' ? lastMoment(rules, startAt) : null;
  let left = segments;
  let endAt = startAt;
  for (let at = startAt; left > 0; at = firstMoment(rules, endAt > at ? endAt : at)) {
    if (deadline && at >= deadline) break;
    const closesAt = lastMoment(rules, at)!;
    const stopsAt = new Date(Math.max(at.getTime(), closesAt.getTime() - lastMomentsMs));
    const { date: day, ends: dayEnds } = carrierDay(at);
    const until = dayEnds < stopsAt ? dayEnds : stopsAt;
    const used = days.get(day) ?? 0;
    const allowed = segmentsPerDay === null ? left : Math.max(0, segmentsPerDay - used - (sentBefore?.get(day) ?? 0));
    const fit = Math.floor((until.getTime() - at.getTime()) * perMs);
    const sent = Math.min(left, fit, allowed);
    if (sent > 0) days.set(day, used + sent);
    left -= sent;
    if (left === 0) endAt = new Date(at.getTime() + sent / perMs);
    // The day's limit outlasts the day's window, or the other way round.
    else endAt = sent === allowed && allowed < fit ? dayEnds : until === stopsAt ? closesAt : until;
  }
  return { startAt, endAt: deadline && endAt > deadline ? deadline : endAt, expired: left };
}
