/** The table of rules: complete, dated, and the same in the documentation. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dayOf } from '../../../domain/lawful-hours/days.ts';
import { isFederalHoliday } from '../../../domain/lawful-hours/holidays.ts';
import { regions } from '../../../domain/lawful-hours/geography/regions.ts';
import { rules, type Hours } from '../../../domain/lawful-hours/rules.ts';

const isoDate = /^20\d\d-[01]\d-[0-3]\d$/;

describe('every rule', () => {
  it.for(rules.map((rule) => [rule.place, rule] as const))(
    '%s has a source, a date, and hours of a day',
    ([, rule]) => {
      expect(rule.source.length).toBeGreaterThan(10);
      expect(rule.checkedOn).toMatch(isoDate);
      if (rule.since !== undefined) expect(rule.since).toMatch(isoDate);
      for (const hours of [rule.weekdays, rule.saturday, rule.sunday]) {
        if (!hours) continue;
        for (const time of hours) expect(time).toMatch(/^([01]\d|2[0-3]):[0-5]\d$/);
        expect(hours[0] < hours[1]).toBe(true);
      }
      expect(rule.weekdays).not.toBeNull();
    },
  );

  it('is of a place that we know, and the rows of a place are in the order of their dates', () => {
    for (const { place } of rules)
      expect(['US', 'Canada', 'unknown'].includes(place) || regions.get(place)?.country === 'US', place).toBe(true);
    for (const [place, rows] of Map.groupBy(rules, (rule) => rule.place)) {
      const dates = rows.map(({ since = '' }) => since);
      expect(dates, place).toEqual(dates.toSorted());
      expect(new Set(dates).size, place).toBe(dates.length);
    }
    expect(rules.find(({ place }) => place === 'US')?.since).toBeUndefined();
  });

  it('never allows what federal law forbids', () => {
    const forbidden = rules
      .filter(({ place }) => place !== 'Canada')
      .filter(({ weekdays, saturday, sunday }) =>
        [weekdays, saturday, sunday].some((hours) => hours && (hours[0] < '08:00' || hours[1] > '21:00')),
      );
    expect(forbidden).toEqual([]);
  });

  it('stands in docs/sending-windows.md as it is', async () => {
    const text = await readFile(path.join(import.meta.dirname, '../../../docs/sending-windows.md'), 'utf8');
    const clock = (time: string): string => time.replace(/^0/, '').replace(/:00$/, '');
    const shown = (hours: Hours | null): string => (hours ? `${clock(hours[0])}–${clock(hours[1])}` : 'none');
    const rows = text
      .split('\n')
      .filter((line) => /\d–\d/.test(line) && line.startsWith('|'))
      .map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, 6),
      );
    const expected = rules.map(({ place, weekdays, saturday, sunday, since = '' }) => {
      const name = { US: 'United States', Canada: 'Canada', unknown: 'not known' }[place] ?? regions.get(place)!.name;
      return [name, shown(weekdays), shown(saturday), shown(sunday), since];
    });
    expect(rows).toEqual(expected);
  });
});

describe('the federal holidays', () => {
  const of = (year: number): string[] =>
    Array.from({ length: 366 }, (_, index) => new Date(Date.UTC(year, 0, 1 + index)).toISOString().slice(0, 10)).filter(
      (date) => date.startsWith(String(year)) && isFederalHoliday(dayOf(date)),
    );

  it.for([
    // As the Office of Personnel Management lists them, and the days themselves.
    [2026, '01-01 01-19 02-16 05-25 06-19 07-03 07-04 09-07 10-12 11-11 11-26 12-25'],
    [2027, '01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31'],
    [2028, '01-01 01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-11 11-23 12-25'],
    [2023, '01-01 01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-10 11-11 11-23 12-25'],
    [2021, '01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31'],
  ] as const)('of %i', ([year, dates]) => {
    expect(of(year)).toEqual(dates.split(' ').map((date) => `${year}-${date}`));
  });
});
