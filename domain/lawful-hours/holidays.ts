/** The legal holidays of the United States (5 U.S.C. 6103). States have more of their own, which are not known here. */
import { weekdayOf } from './days.ts';
import { remembered } from './memo.ts';

const monday = 0;
const thursday = 3;
const saturday = 5;
const sunday = 6;

const date = (year: number, month: number, day: number): number => Date.UTC(year, month - 1, day) / 86_400_000;

function nth(count: number, weekday: number, year: number, month: number): number {
  const first = date(year, month, 1);
  return first + ((weekday - weekdayOf(first) + 7) % 7) + (count - 1) * 7;
}

function lastMonday(year: number, month: number): number {
  const last = date(year, month + 1, 1) - 1;
  return last - weekdayOf(last);
}

/** Those of a year, and the weekdays on which they are kept when they fall on a weekend. */
const holidaysOf = remembered(200, (year: number): ReadonlySet<number> => {
  const fixed = [
    date(year, 1, 1), // New Year's Day
    date(year, 6, 19), // Juneteenth
    date(year, 7, 4), // Independence Day
    date(year, 11, 11), // Veterans Day
    date(year, 12, 25), // Christmas Day
    // The next New Year's Day, when it is a Saturday, is kept in this year.
    date(year + 1, 1, 1),
  ];
  const observed = fixed.map((day) => day + (weekdayOf(day) === saturday ? -1 : weekdayOf(day) === sunday ? 1 : 0));
  return new Set([
    ...fixed,
    ...observed,
    nth(3, monday, year, 1), // Martin Luther King Jr.
    nth(3, monday, year, 2), // Washington
    lastMonday(year, 5), // Memorial Day
    nth(1, monday, year, 9), // Labor Day
    nth(2, monday, year, 10), // Columbus Day
    nth(4, thursday, year, 11), // Thanksgiving
  ]);
});

/** Both the day itself and the one on which it is kept: a state may mean either. */
export const isFederalHoliday = (day: number): boolean =>
  holidaysOf(new Date(day * 86_400_000).getUTCFullYear()).has(day);
