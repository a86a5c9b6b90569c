/**
 * The same judgement made another way: minute by minute, by what Node's `Intl` says that clocks show. Shares no code
 * with the product, and states the rules a second time.
 */
import type { Place } from '../../../domain/lawful-hours/places.ts';
import type { SendWindow } from '../../../domain/send-window.ts';

const minute = 60_000;

/** Hours on weekdays, Saturdays, Sundays; `!` where holidays are closed; a zone where the hours are meant in it. */
const table: Record<string, string> = {
  US: '8-21 8-21 8-21',
  unknown: '8-20 8-20 8-20',
  Canada: '9-21.5 10-18 10-18',
  AL: '8-20 8-20 - !',
  CA: '9-21 9-21 9-21',
  CT: '9-20 9-20 9-20',
  FL: '8-20 8-20 8-20',
  IL: '9-21 9-21 9-21',
  KY: '10-21 10-21 10-21',
  LA: '8-20 8-20 - !',
  MA: '8-20 8-20 8-20',
  MD: '8-20 8-20 8-20',
  MI: '9-21 9-21 9-21',
  MN: '9-21 9-21 9-21',
  MS: '8-20 8-20 - America/Chicago',
  NJ: '8-21 8-21 8-21',
  NM: '9-21 9-21 9-21',
  NV: '9-20 9-20 9-20',
  OK: '8-20 8-20 8-20',
  PA: '9-19 9-19 - !',
  RI: '9-18 10-17 - !',
  TX: '9-21 9-21 12-21',
  UT: '8-21 8-21 - !',
  VA: '8-21 8-21 8-21',
  WA: '8-20 8-20 8-20',
  WY: '8-20 8-20 8-20',
};
const pennsylvaniaBefore = '8-21 8-21 8-21 !';

const holidays = new Set(
  [
    '2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-06-19 2026-07-03 2026-07-04 2026-09-07 2026-10-12 2026-11-11',
    '2026-11-26 2026-12-25 2027-01-01 2027-01-18 2027-02-15 2027-05-31 2027-06-18 2027-06-19 2027-07-04 2027-07-05',
    '2027-09-06 2027-10-11 2027-11-11 2027-11-25 2027-12-24 2027-12-25 2027-12-31 2028-01-01 2028-01-17 2028-02-21',
  ].flatMap((line) => line.split(' ')),
);

interface Shown {
  date: string;
  /** Since midnight, as shown. */
  minutes: number;
  /** `mon` to `sun`. */
  day: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const quarters = new Map<string, Map<number, Shown>>();

function asked(timeZone: string, at: number): Shown {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      weekday: 'short',
    });
  formats.set(timeZone, format);
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    date: `${parts['year']}-${parts['month']}-${parts['day']}`,
    minutes: Number(parts['hour']) * 60 + Number(parts['minute']),
    day: parts['weekday']!.toLowerCase(),
  };
}

/** What a clock shows. Asked once for each quarter of an hour: no clock changes within one. */
function shown(timeZone: string, at: number): Shown {
  const quarter = Math.floor(at / (15 * minute));
  let inZone = quarters.get(timeZone);
  if (!inZone) quarters.set(timeZone, (inZone = new Map()));
  let known = inZone.get(quarter);
  if (!known) {
    known = asked(timeZone, quarter * 15 * minute);
    inZone.set(quarter, known);
  }
  return { date: known.date, minutes: known.minutes + (Math.floor(at / minute) % 15), day: known.day };
}

function allows(rule: string, clock: Shown): boolean {
  const [weekdays, saturday, sunday] = rule.split(' ');
  if (rule.includes('!') && holidays.has(clock.date)) return false;
  const hours = clock.day === 'sat' ? saturday! : clock.day === 'sun' ? sunday! : weekdays!;
  if (hours === '-') return false;
  const [from, until] = hours.split('-').map((hour) => Number(hour) * 60);
  return from! <= clock.minutes && clock.minutes < until!;
}

function lawfulThere({ timeZone, region, country }: Place, at: number): boolean {
  const clocks = [shown(timeZone, at)];
  const manitoba = shown('Etc/GMT+5', at);
  if (timeZone === 'America/Winnipeg' && manitoba.date >= '2026-11-01') clocks.push(manitoba);
  const state = region === null ? table['unknown']! : (table[region] ?? '0-24 0-24 0-24');
  return clocks.every((clock) => {
    if (country === 'CA') return allows(table['Canada']!, clock);
    const its = region === 'PA' && clock.date < '2026-10-18' ? pennsylvaniaBefore : state;
    const zone = its.split(' ').find((part) => part.includes('/'));
    return allows(table['US']!, clock) && allows(its, zone === undefined ? clock : shown(zone, at));
  });
}

export const lawful = (places: readonly Place[], at: number): boolean =>
  places.every((place) => lawfulThere(place, at));

/** It must still be lawful a quarter of an hour later. */
export function sendable(places: readonly Place[], at: number): boolean {
  for (let later = 0; later <= 15; later += 1) if (!lawful(places, at + later * minute)) return false;
  return true;
}

const latest = new Map<string, Map<number, number>>();

/** The latest time that a clock has shown by each minute of a local date: on a night it goes back, it falls behind. */
function latestShown(timeZone: string, date: string): Map<number, number> {
  const key = `${timeZone} ${date}`;
  const known = latest.get(key);
  if (known) return known;
  const found = new Map<number, number>();
  const noon = Date.parse(`${date}T12:00:00Z`);
  let most = -1;
  for (let at = noon - 30 * 60 * minute; at < noon + 30 * 60 * minute; at += minute) {
    const clock = shown(timeZone, at);
    if (clock.date !== date) continue;
    most = Math.max(most, clock.minutes);
    found.set(at, most);
  }
  latest.set(key, found);
  return found;
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** A time that is shown twice counts the first time only, so that a window is one span a day. */
export function windowOpen({ startTime, endTime, timeZone, days }: SendWindow, at: number): boolean {
  const clock = shown(timeZone, at);
  if (!days.some((day) => day === clock.day)) return false;
  if (startTime === endTime) return true;
  const most = latestShown(timeZone, clock.date).get(Math.floor(at / minute) * minute)!;
  return minutesOf(startTime) <= most && (most < minutesOf(endTime) || endTime === '00:00');
}
