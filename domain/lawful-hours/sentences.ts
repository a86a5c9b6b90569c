/** Why a message is held, in words for the people who wait for it (E2, E4). */
import { days as dayNames, endsAtMidnight, localTime, nextOpening, type SendWindow } from '../send-window.ts';
import { hoursOn, isHolidayFor } from './day-hours.ts';
import { clockOf, dayOf, weekdayOf } from './days.ts';
import { holdReason, lawfulAt, marginMinutes, type Question } from './hours.ts';
import type { Place } from './places.ts';
import { regions } from './geography/regions.ts';
import { endingEarly, isOpen } from './spans.ts';
import { termsAt, type Term } from './terms.ts';

const dayNamesInWords = ['Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays', 'Sundays'];

const list = (parts: readonly string[], word: 'and' | 'or'): string =>
  [parts.slice(0, -1).join(', '), parts.at(-1)!].filter((part) => part !== '').join(` ${word} `);

const unique = <Item>(items: readonly Item[]): Item[] => [...new Set(items)];

/** `Etc/GMT+5` is five hours behind UTC: nobody but the database of zones counts that way round. */
const nameOf = (zone: string): string =>
  zone.replace(/^Etc\/GMT([+-])(\d+)$/, (_, sign: string, hours: string) => `UTC${sign === '+' ? '-' : '+'}${hours}`);

/** What a term's clock shows at an instant. */
function shownBy({ clock }: Term, instant: Date): { zone: string; time: string; day: number } {
  const zone = clock.zoneOn(dayOf(instant.toISOString().slice(0, 10)));
  const local = localTime(instant, zone);
  return { zone, time: local.toFormat('HH:mm'), day: dayOf(local.toISODate()!) };
}

/** What the rules say about the local day of an instant, as the end of a sentence. */
function allowedOn({ rulePlaces }: Term, day: number): string {
  const hours = hoursOn(rulePlaces, day);
  const name = weekdayOf(day) < 5 ? 'weekdays' : dayNamesInWords[weekdayOf(day)]!;
  if (!hours) return `may not be sent there on ${isHolidayFor(rulePlaces, day) ? 'legal holidays' : name}`;
  const shown = `from ${clockOf(hours.from)} to ${clockOf(hours.until)}`;
  // Compared over the week around it, holidays left out.
  const others = [-3, -2, -1, 1, 2, 3]
    .map((offset) => day + offset)
    .filter((other) => !isHolidayFor(rulePlaces, other))
    .map((other) => hoursOn(rulePlaces, other));
  const everyDay = others.every((other) => other?.from === hours.from && other.until === hours.until);
  return `may be sent there ${shown}${everyDay ? '' : ` on ${name}`}`;
}

const whereOf = ({ region, country }: Place, places: readonly Place[]): string => {
  if (region !== null) return `in ${regions.get(region)!.name}`;
  if (country === 'CA') return 'in Canada';
  return places.length === 1 ? 'where the recipient is' : 'where the recipient may be';
};

/** A sentence for every state, province or unknown place where messages may not be sent at an instant. */
function quietHours(places: readonly Place[], instant: Date, margin: number, lead = 'It is'): string[] {
  const groups = Map.groupBy(places, (place) => whereOf(place, places));
  return [...groups].flatMap(([where, its]) => {
    const terms = unique(its.flatMap(termsAt));
    const closed = terms.find(({ spans }) => !isOpen(endingEarly(spans, margin * 60_000), instant.getTime()));
    if (!closed) return [];
    const clocks = terms.map((term) => shownBy(term, instant));
    const shown = list(unique(clocks.map(({ time }) => time)), 'or');
    const zones = list(unique(clocks.map(({ zone }) => nameOf(zone))), 'or');
    const late = isOpen(closed.spans, instant.getTime()) ? `; none leaves in the last ${margin} minutes` : '';
    return [
      `${lead} ${shown} ${where} (${zones}); messages ${allowedOn(closed, shownBy(closed, instant).day)}${late}.`,
    ];
  });
}

function daysOf({ days }: SendWindow): string {
  if (days.length === 7) return 'every day';
  return `on ${list(
    dayNames.filter((day) => days.includes(day)).map((day) => dayNamesInWords[dayNames.indexOf(day)]!),
    'and',
  )}`;
}

const hoursOf = (window: SendWindow): string =>
  window.startTime === window.endTime
    ? 'the whole day'
    : `from ${window.startTime} to ${endsAtMidnight(window) ? 'midnight' : window.endTime}`;

/**
 * What holds a message at an instant, for example "It is 07:12 or 06:12 in Idaho (America/Boise or
 * America/Los_Angeles); messages may be sent there from 08:00 to 21:00." Null when nothing does.
 */
export function heldBecause(question: Question): string | null {
  const { window, places, from, marginMinutes: margin = marginMinutes } = question;
  const reason = holdReason(question);
  if (reason === null) return null;
  if (reason === 'quiet_hours' || !window) return quietHours(places, from, margin).join(' ');
  const sentence = `The sending window is open ${hoursOf(window)} (${window.timeZone}) ${daysOf(window)}.`;
  const opening = nextOpening(window, from);
  return opening === null
    ? sentence
    : [sentence, ...quietHours(places, opening, margin, 'When it opens next, it is')].join(' ');
}

/** A warning for somebody about to write directly: what the law says where the recipient is; null in lawful hours. */
export const quietHoursWarning = (places: readonly Place[], instant: Date): string | null =>
  lawfulAt(places, instant) ? null : quietHours(places, instant, 0).join(' ');
