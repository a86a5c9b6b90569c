/** What the rules say about one local day. */
import { dayOf, minutesOf, weekdayOf } from './days.ts';
import { isFederalHoliday } from './holidays.ts';
import { rules, type Hours } from './rules.ts';

/** Minutes since local midnight; `until` is exclusive. */
export interface DayHours {
  from: number;
  until: number;
}

interface Rule {
  /** Monday to Sunday. */
  days: readonly (DayHours | null)[];
  notOnHolidays: boolean;
  timeZone: string | null;
  since: number;
}

const minutes = (hours: Hours | null): DayHours | null =>
  hours && { from: minutesOf(hours[0]), until: minutesOf(hours[1]) };

/** Oldest first, as `rules` lists them. */
const rulesOf = new Map<string, Rule[]>();
for (const { place, weekdays, saturday, sunday, notOnHolidays = false, timeZone = null, since } of rules) {
  const days = [...Array.from({ length: 5 }, () => weekdays), saturday, sunday].map(minutes);
  const rule = { days, notOnHolidays, timeZone, since: since === undefined ? -Infinity : dayOf(since) };
  rulesOf.set(place, [...(rulesOf.get(place) ?? []), rule]);
}

export const hasRule = (rulePlace: string): boolean => rulesOf.has(rulePlace);

/** The zone in which a place's hours are meant, where that is not the recipient's own. */
export const fixedZoneOf = (rulePlace: string): string | null => rulesOf.get(rulePlace)?.at(-1)?.timeZone ?? null;

/** The rule of a place that is in force on a day: the latest. */
const inForce = (rulePlace: string, day: number): Rule | undefined =>
  rulesOf.get(rulePlace)?.findLast(({ since }) => since <= day);

export const isHolidayFor = (rulePlaces: readonly string[], day: number): boolean =>
  isFederalHoliday(day) && rulePlaces.some((place) => inForce(place, day)?.notOnHolidays);

/** The hours that the rules of all these places allow on a day; null for none. */
export function hoursOn(rulePlaces: readonly string[], day: number): DayHours | null {
  if (isHolidayFor(rulePlaces, day)) return null;
  const hours = { from: 0, until: 1440 };
  for (const place of rulePlaces) {
    const rule = inForce(place, day);
    if (!rule) continue;
    const its = rule.days[weekdayOf(day)];
    if (!its) return null;
    hours.from = Math.max(hours.from, its.from);
    hours.until = Math.min(hours.until, its.until);
  }
  return hours.from < hours.until ? hours : null;
}
