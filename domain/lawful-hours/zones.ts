/**
 * What must be known about clocks beyond the zone data of Node: which data is stale, and which clock nobody is sure of.
 *
 * British Columbia, Alberta and the Northwest Territories ended their clock changes in 2026. Not for workflows: zone
 * data changes between versions of Node, and would break their replay.
 */
import { DateTime } from 'luxon';
import { dayOf } from './days.ts';
import { remembered } from './memo.ts';
import { regions } from './geography/regions.ts';

/**
 * Where a number may be about which nothing is known. One person in 150 lives in Alaska or Hawaii; to wait for them too
 * would leave all the others six or seven hours a day instead of nine.
 */
export const mainlandZones: readonly string[] = [
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
];

/** Zones whose data in Node 24 (tz 2026c) is stale, and one of the same time that is not. */
const replacements = new Map([['America/Inuvik', 'America/Edmonton']]);

/** A clock that recipients in a zone may have. */
export interface Clock {
  /** To tell clocks apart. */
  id: string;
  /** The IANA zone that shows its time on a local day (`days.ts`). */
  zoneOn: (day: number) => string;
}

/**
 * Whether Manitoba ended its clock changes too on 1 November 2026 is in tz 2026f, but no text of its government has
 * been seen; both clocks are respected until one is.
 */
const unconfirmed = { timeZone: 'America/Winnipeg', since: dayOf('2026-11-01'), other: 'Etc/GMT+5' };

/** A zone by the name that Node prefers; null if it knows none such. */
const canonical = remembered(2_000, (timeZone: string): { name: string } | null => {
  try {
    return { name: new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone };
  } catch {
    return null;
  }
});

/** The names that we use of zones that have several: `US/Eastern` is America/New_York. */
const ourNames = new Map(
  [...regions.values()].flatMap(({ timeZones }) => timeZones.map((zone) => [canonical(zone)!.name, zone] as const)),
);

/** The zone to reckon with for one that was stated; null for what is no zone. */
export function usableZone(timeZone: string): string | null {
  const known = canonical(timeZone);
  return known && (replacements.get(known.name) ?? ourNames.get(known.name) ?? timeZone);
}

/** The clocks of a zone: one, but for Manitoba. */
export const clocksOf = remembered(2_000, (timeZone: string): readonly Clock[] => {
  const itself: Clock = { id: timeZone, zoneOn: () => timeZone };
  if (canonical(timeZone)?.name !== unconfirmed.timeZone) return [itself];
  const zoneOn = (day: number): string => (day < unconfirmed.since ? timeZone : unconfirmed.other);
  return [itself, { id: `${timeZone} without clock changes`, zoneOn }];
});

/** Hours from UTC on 1 December 2026, after the last change of clocks in these places. */
const expected = { 'America/Vancouver': -7, 'America/Edmonton': -6, 'America/Yellowknife': -6 };

/**
 * What is stale in the zone data of this runtime, as sentences; empty when all is well. To be logged at start: with
 * stale data messages to western Canada may leave up to an hour too late in the evening.
 */
export function assertZoneData(
  offsetAt = (timeZone: string, instant: string): number => DateTime.fromISO(instant, { zone: timeZone }).offset / 60,
): string[] {
  return Object.entries(expected).flatMap(([timeZone, hours]) => {
    const found = offsetAt(timeZone, '2026-12-01T12:00:00Z');
    return found === hours
      ? []
      : [`${timeZone} is ${found} h from UTC on 2026-12-01 by this runtime's zone data; it should be ${hours} h.`];
  });
}
