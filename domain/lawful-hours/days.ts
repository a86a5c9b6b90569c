/** Calendar days as numbers, the same for every zone, and when their times of day are. */
import { DateTime } from 'luxon';
import { instantOf } from '../send-window.ts';
import { remembered } from './memo.ts';

const millisOfDay = 86_400_000;

/** Days since 1970-01-01, of an ISO date. */
export const dayOf = (isoDate: string): number => Date.parse(`${isoDate}T00:00:00Z`) / millisOfDay;

const isoDateOf = (day: number): string => new Date(day * millisOfDay).toISOString().slice(0, 10);

/** 0 for Monday to 6 for Sunday. */
export const weekdayOf = (day: number): number => (day + 3) % 7;

/** The day on which it may first be `instant` somewhere on Earth: local dates are at most one day from that of UTC. */
export const earliestDayAt = (instant: number): number => Math.floor(instant / millisOfDay) - 1;

export const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

/** `HH:MM`; `24:00` for the end of the day. */
export const clockOf = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

/** Luxon takes some 50 µs to find one. */
const instantsIn = remembered(1_000, (timeZone: string) =>
  remembered(10_000, (minute: number): number => {
    const day = Math.floor(minute / 1440);
    // Noon, which no clock change touches: midnight may not exist, or twice.
    const noon = DateTime.fromISO(`${isoDateOf(day)}T12:00`, { zone: timeZone });
    return instantOf(noon, clockOf(minute - day * 1440)).toMillis();
  }),
);

/**
 * The first instant of a local day at which clocks show a time or later, in milliseconds: `instantOf`, remembered.
 *
 * @param minutes since midnight; 1440 is the beginning of the next day
 */
export const instantAt = (timeZone: string, day: number, minutes: number): number =>
  instantsIn(timeZone)(day * 1440 + minutes);
