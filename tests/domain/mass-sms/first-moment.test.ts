/** The first moment at which a batch may be sent: the window and the days that are allowed may go by different clocks (F4). */
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { type BatchRules, firstMoment, firstStart, lastMoment, planBatches } from '../../../domain/mass-sms/batches.ts';
import { instantOf, localTime } from '../../../domain/send-window.ts';
import { attempt, rulesAt } from './rules.ts';

/** Every instant from `from` to `to` at which a day begins for the rules, or the window opens. */
function turns({ window, timeZone }: BatchRules, from: Date, to: Date): Date[] {
  const found: Date[] = [from];
  for (const [zone, opens] of [[timeZone, '00:00'] as const, [window.timeZone, window.startTime] as const]) {
    for (let day = localTime(from, zone); day.startOf('day').toMillis() < to.getTime(); day = day.plus({ days: 1 }))
      found.push(instantOf(day, opens).toJSDate());
  }
  return found.filter((instant) => instant >= from && instant < to);
}

describe('the first moment', () => {
  it('is the first at which the window is open on an allowed day, whichever zones they are meant in', () => {
    fc.assert(
      fc.property(rulesAt, ({ at, rules }) => {
        const moment = attempt(() => firstMoment(rules, at));
        const until = moment ?? new Date(at.getTime() + 40 * 86_400_000);
        if (moment) expect(lastMoment(rules, moment)).not.toBeNull();
        expect(turns(rules, at, until).filter((instant) => lastMoment(rules, instant))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('may lie in an opening that began on a day that is not allowed, and so may the batches after it', () => {
    const zone = 'America/New_York';
    const at = (local: string): Date => DateTime.fromISO(local, { zone }).toJSDate();
    const window = { startTime: '18:00', endTime: '00:00', timeZone: 'America/Los_Angeles' };
    const saturday = at('2026-12-05T12:00');
    const rules = (on: BatchRules['window']['days']): BatchRules => ({
      window: { ...window, days: on },
      timeZone: zone,
      allowWeekends: false,
    });
    const workdays = rules(['sun', 'mon', 'tue', 'wed', 'thu', 'fri']);
    expect(firstMoment(workdays, saturday)).toEqual(at('2026-12-07T00:00'));
    const sundays = rules(['sun']);
    for (const immediate of [true, false]) {
      const batches = planBatches(sundays, [10, 10], firstStart(sundays, { startAt: saturday, immediate }));
      expect(batches.map(({ startAt }) => startAt)).toEqual([at('2026-12-07T00:00'), at('2026-12-14T00:00')]);
    }
  });
});
