/** When the daily digest goes out: at a time of day by local clocks, right across their changes. */
import * as fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { nextDigestAt } from '../../domain/notifications/digest.ts';
import { digestEmail } from '../../email/digest.ts';

const zone = 'America/Chicago';
const next = (after: string, time = '09:00') =>
  DateTime.fromJSDate(nextDigestAt(DateTime.fromISO(after, { zone }).toJSDate(), time, zone), { zone }).toISO({
    suppressMilliseconds: true,
  });

describe('the next digest', () => {
  test('is today before the time of day, and tomorrow from it on', () => {
    expect(next('2026-11-23T08:59:59')).toBe('2026-11-23T09:00:00-06:00');
    expect(next('2026-11-23T09:00:00')).toBe('2026-11-24T09:00:00-06:00');
  });

  test('keeps to local clocks when they change', () => {
    expect(next('2027-03-13T09:00:00')).toBe('2027-03-14T09:00:00-05:00');
    expect(next('2026-10-31T09:00:00')).toBe('2026-11-01T09:00:00-06:00');
  });

  test('is at the change when the clocks skip it, and at the first of two', () => {
    expect(next('2027-03-14T00:00:00', '02:30')).toBe('2027-03-14T03:00:00-05:00');
    expect(next('2026-11-01T00:00:00', '01:30')).toBe('2026-11-01T01:30:00-05:00');
    expect(next('2026-11-01T01:30:00', '01:30')).toBe('2026-11-02T01:30:00-06:00');
  });

  test('is always later, by no more than a day and what clocks are set back', () => {
    const zones = ['America/Chicago', 'America/St_Johns', 'Pacific/Apia', 'Europe/London', 'Asia/Kolkata', 'UTC'];
    fc.assert(
      fc.property(
        fc.integer({ min: Date.parse('2024-01-01'), max: Date.parse('2030-01-01') }),
        fc.integer({ min: 0, max: 1_439 }),
        fc.constantFrom(...zones),
        (after, minutes, timeZone) => {
          const time = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
          const wait = nextDigestAt(new Date(after), time, timeZone).getTime() - after;
          expect(wait).toBeGreaterThan(0);
          expect(wait).toBeLessThanOrEqual(25 * 3_600_000);
        },
      ),
    );
  });
});

describe('the email', () => {
  test('lists what has happened by what it happened to, repeated titles once', () => {
    const { subject, text } = digestEmail({
      organization: 'Acme',
      subjects: [{ titles: ['New message from Ann', 'New message from Ann'] }, { titles: ['One', 'Two'] }],
      link: 'https://longwave.test/notifications',
    });
    expect(subject).toBe('Acme: 4 notifications since the last digest');
    expect(text).toBe(
      '- New message from Ann (2 times)\n- One\n  Two\n\nRead them: https://longwave.test/notifications\n',
    );
  });

  test('stays short however much has happened', () => {
    const titles = Array.from({ length: 1_000 }, (_, n) => `Title ${n}`);
    const subjects = Array.from({ length: 1_000 }, () => ({ titles }));
    const { text } = digestEmail({ organization: 'Acme', subjects, link: 'https://longwave.test/notifications' });
    expect(text.split('\n').length).toBeLessThan(1_200);
    expect(text).toContain('… and 990 more about this');
    expect(text).toContain('… and 900 more subjects');
  });
});
