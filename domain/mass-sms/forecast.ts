/** What a mass SMS will take before anybody schedules it (F10): segments, dates, what it costs, what T-Mobile lets through. */
import { type BatchRules, firstStart, planBatches, requireFewBatches, type WantedStart } from './batches.ts';
import { merge } from '../messages/merge-codes.ts';
import { withDisclaimer } from '../messages/text.ts';
import { segmentsPerDay, tMobileSegmentsPerDay, tMobileShare } from '../registration/throughput.ts';
import { countSegments } from '../messages/segments.ts';
import { type Pace, sendingTimes } from './sending-times.ts';

/** US dollars for one outbound segment. */
export interface Prices {
  /** Twilio's own. */
  segment: number;
  /** What the cheapest and the dearest carrier charge on top. */
  carrierLow: number;
  carrierHigh: number;
}

/** Recipients who get the same text, but for letters that make no difference to its length. */
export interface TextGroup {
  batch: number;
  firstName: string;
  lastName: string;
  /** They have had no message yet. */
  isFirst: boolean;
  count: number;
}

export interface ForecastQuestion extends WantedStart {
  groups: readonly TextGroup[];
  /** Filled in but for the codes of the contact. */
  body: string;
  disclaimer: string;
  rules: BatchRules;
  pace: Omit<Pace, 'segmentsPerDay'>;
  prices: Prices;
}

export type Forecast = ReturnType<typeof forecast>;

/**
 * @param question at least one group, batches numbered from 1 without a gap
 * @throws {NeverOpensError}
 * @throws {TooManyBatchesError}
 */
export function forecast({ groups, body, disclaimer, rules, pace, prices, ...wanted }: ForecastQuestion) {
  const counted = groups.map((group) => {
    const text = textOf(group, body);
    const leaving = group.isFirst ? withDisclaimer(text, disclaimer) : text;
    return { ...group, ...countSegments(leaving), length: text.length };
  });
  const sum = (of: (group: (typeof counted)[number]) => number): number =>
    counted.reduce((total, group) => total + of(group), 0);
  const numbers = [...new Set(groups.map((group) => group.batch))].toSorted((a, b) => a - b);
  requireFewBatches(numbers.length);
  const sizes = numbers.map((batch) => sum((group) => (group.batch === batch ? group.count : 0)));
  const segments = numbers.map((batch) => sum((one) => (one.batch === batch ? one.count * one.segments : 0)));
  const total = segments.reduce((all, one) => all + one, 0);
  const plan = planBatches(rules, sizes, firstStart(rules, wanted));
  const planned = plan.map((batch, index) => ({ startAt: batch.startAt, segments: segments[index]! }));
  const times = sendingTimes(rules, planned, { ...pace, segmentsPerDay: segmentsPerDay(pace.segmentsPerSecond) });
  const expired = times.batches.reduce((all, batch) => all + batch.expired, 0);
  return {
    recipients: sum((group) => group.count),
    /** Characters of the longest text, the disclaimer of a first message not counted. */
    longest: counted.reduce((most, { length }) => Math.max(most, length), 0),
    segments: {
      total,
      distribution: [...Map.groupBy(counted, (group) => group.segments)]
        .map(([count, of]) => ({ segments: count, recipients: of.reduce((all, group) => all + group.count, 0) }))
        .toSorted((a, b) => a.segments - b.segments),
      unicodeRecipients: sum((group) => (group.encoding === 'UCS-2' ? group.count : 0)),
    },
    batches: times.batches.map((time, index) => ({ ...plan[index]!, ...time, segments: segments[index]! })),
    startAt: times.batches[0]!.startAt,
    endAt: times.batches.at(-1)!.endAt,
    cost: costOf(total - expired, prices),
    tMobile: tMobileOf(times.days, pace.segmentsPerSecond),
  };
}

const textOf = ({ firstName, lastName }: TextGroup, body: string): string =>
  merge(body, { 'contact.firstName': firstName, 'contact.lastName': lastName });

/** In whole cents, the lower end rounded down and the upper one up. */
function costOf(segments: number, { segment, carrierLow, carrierHigh }: Prices) {
  const cents = (each: number): number => Math.round(segments * each * 1e6) / 1e4;
  const low = Math.floor(cents(segment + carrierLow)) / 100;
  return { currency: 'USD' as const, low, high: Math.ceil(cents(segment + carrierHigh)) / 100 };
}

/** What of each day is expected to go to T-Mobile, whose limit sending keeps to; null where nothing is known of it. */
function tMobileOf(days: ReadonlyMap<string, number>, rate: number | null) {
  const dailyLimit = tMobileSegmentsPerDay(rate);
  if (dailyLimit === null) return null;
  return {
    dailyLimit,
    assumedShare: Math.round(tMobileShare * 100) / 100,
    days: [...days].map(([date, segments]) => ({ date, segments: Math.round(segments * tMobileShare) })),
  };
}
