/**
 * The hours that apply at a recipient's places: one term for each clock and set of rules. All of them must allow it.
 */
import { fixedZoneOf, hasRule, hoursOn } from './day-hours.ts';
import { instantAt } from './days.ts';
import { remembered } from './memo.ts';
import { placesKey, type Place } from './places.ts';
import type { DailySpans, Span } from './spans.ts';
import { clocksOf, type Clock } from './zones.ts';

export interface Term {
  clock: Clock;
  /** The places in `rules.ts` whose rules apply together. */
  rulePlaces: readonly string[];
  spans: DailySpans;
}

/** Each is built once: recipients in different places share most of them. */
const termOf = remembered(
  10_000,
  ({ clock, rulePlaces }: Omit<Term, 'spans'>): Term => {
    const spanOn = (day: number): Span | null => {
      const hours = hoursOn(rulePlaces, day);
      const zone = clock.zoneOn(day);
      return hours && { from: instantAt(zone, day, hours.from), until: instantAt(zone, day, hours.until) };
    };
    return { clock, rulePlaces, spans: remembered(2_000, spanOn) };
  },
  ({ clock, rulePlaces }) => `${clock.id} ${rulePlaces.join(' ')}`,
);

/**
 * The terms of one place: the federal floor with the state's rule, or Canada's, on every clock that may be right there.
 */
export function termsAt({ timeZone, region, country }: Place): readonly Term[] {
  const state = region === null ? ['unknown'] : hasRule(region) ? [region] : [];
  const rulePlaces = country === 'CA' ? ['Canada'] : ['US', ...state];
  const local = rulePlaces.filter((place) => fixedZoneOf(place) === null);
  // Mississippi's hours are meant in a zone of its own choice.
  const elsewhere = rulePlaces.flatMap((place) => {
    const zone = fixedZoneOf(place);
    return zone === null ? [] : clocksOf(zone).map((clock) => termOf({ clock, rulePlaces: [place] }));
  });
  return [...clocksOf(timeZone).map((clock) => termOf({ clock, rulePlaces: local })), ...elsewhere];
}

/** The terms of all places, each once. */
export const termsOf = remembered(
  10_000,
  (places: readonly Place[]): readonly Term[] => [...new Set(places.flatMap(termsAt))],
  placesKey,
);
