/** When the batches of a mass SMS start, as it is in Postgres: kept daily, moved by commands, and told as its start (F4, F7). */
import { DateTime } from 'luxon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { days } from '../../../domain/send-window.ts';
import type { SettingsOverrides } from '../../../domain/settings.ts';
import { accepted, type BatchesFixture, openBatchesFixture, type TestBatches } from './fixture.ts';

let fixture: BatchesFixture;
beforeAll(async () => {
  fixture = await openBatchesFixture();
});
afterAll(async () => {
  await fixture?.close();
});

const zone = 'America/New_York';
/** 1 December 2026 is a Tuesday. */
const local = (text: string): Date => DateTime.fromISO(text, { zone }).toJSDate();
const windowOn = (on: readonly (typeof days)[number][]): SettingsOverrides => ({
  sendWindow: { startTime: '08:00', endTime: '16:00', timeZone: zone, days: on },
  firstBatchSize: 2,
  dailyBatchSize: 2,
});

/** Batches of two, asked for at a moment. */
async function massSms(
  at: string,
  batches: number,
  given: Parameters<BatchesFixture['massSmsTo']>[2] & { settings?: SettingsOverrides } = {},
): Promise<TestBatches> {
  fixture.clock.set(local(at));
  const organization = await fixture.sender(given.settings ?? windowOn(days));
  const people = Array.from({ length: 2 * batches }, () => ({}));
  return fixture.massSmsTo(organization, people, { allowWeekends: false, ...given });
}

const shown = (at: Date): string => DateTime.fromJSDate(at, { zone }).toFormat('ccc dd HH:mm');
/** When its batches start, those that have been sent in brackets. */
async function plan({ id }: TestBatches): Promise<string[]> {
  const rows = await fixture.database.system
    .selectFrom('mass_sms_batches')
    .select(['start_at', 'status'])
    .where('mass_sms_id', '=', id)
    .orderBy('number')
    .execute();
  return rows.map(({ start_at: at, status }) => (status === 'sent' ? `(${shown(at)})` : shown(at)));
}
const row = ({ id }: TestBatches) =>
  fixture.database.system.selectFrom('mass_sms').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

/** Runs it at a moment. */
async function runAt(batches: TestBatches, at: string) {
  fixture.clock.set(local(at));
  return fixture.run(batches);
}

describe('batches that are overdue together', () => {
  it('after days without a worker go on one a day, at the daily time, and the end is estimated anew', async () => {
    const late = await massSms('2026-12-01T09:00', 4, { startAt: local('2026-12-01T10:00') });
    expect(await plan(late)).toEqual(['Tue 01 10:00', 'Wed 02 10:00', 'Thu 03 10:00', 'Fri 04 10:00']);
    // Back on Thursday afternoon.
    expect((await runAt(late, '2026-12-03T14:30')).runAt).toEqual(local('2026-12-04T10:00'));
    expect(await plan(late)).toEqual(['(Thu 03 14:30)', 'Fri 04 10:00', 'Mon 07 10:00', 'Tue 08 10:00']);
    expect(fixture.twilio.sent).toHaveLength(2);
    expect(shown((await row(late)).end_at)).toBe('Tue 08 10:00');
    expect((await runAt(late, '2026-12-04T10:00')).runAt).toEqual(local('2026-12-07T10:00'));
    expect(await plan(late)).toEqual(['(Thu 03 14:30)', '(Fri 04 10:00)', 'Mon 07 10:00', 'Tue 08 10:00']);
  });

  it('once the window has lost their days go on one a day that is left', async () => {
    const cut = await massSms('2026-12-01T09:00', 3, { startAt: local('2026-12-01T10:00') });
    expect((await runAt(cut, '2026-12-01T10:00')).status).toBe('in_process');
    await fixture.setSettings(cut.organization, windowOn(['fri', 'mon']));
    expect((await runAt(cut, '2026-12-02T10:00')).runAt).toEqual(local('2026-12-04T08:00'));
    expect((await runAt(cut, '2026-12-04T08:00')).runAt).toEqual(local('2026-12-07T10:00'));
    expect(await plan(cut)).toEqual(['(Tue 01 10:00)', '(Fri 04 08:00)', 'Mon 07 10:00']);
  });

  it('do not hold back one that somebody has put on today', async () => {
    const twice = await massSms('2026-12-01T09:00', 3, { startAt: local('2026-12-01T10:00') });
    await runAt(twice, '2026-12-01T10:00');
    await fixture.command(twice, 'reschedule', { startAt: local('2026-12-01T14:00').toISOString() });
    expect(await plan(twice)).toEqual(['(Tue 01 10:00)', 'Tue 01 14:00', 'Wed 02 14:00']);
    expect((await runAt(twice, '2026-12-01T14:00')).runAt).toEqual(local('2026-12-02T14:00'));
    expect(await plan(twice)).toEqual(['(Tue 01 10:00)', '(Tue 01 14:00)', 'Wed 02 14:00']);
  });
});

describe('a start for the next batch while one is being sent', () => {
  /** Asks for it in the middle of the first of `batches`. @returns why it was refused, or null */
  async function askInTheMiddle(batches: number) {
    const cut = await massSms('2026-12-01T09:00', batches, { startAt: local('2026-12-01T10:00') });
    const given = { startAt: local('2026-12-02T12:00').toISOString(), allowWeekends: true };
    let refusal: unknown = null;
    fixture.twilio.answer = async () => {
      refusal = await fixture.command(cut, 'reschedule', given).then(
        () => null,
        (error: unknown) => error,
      );
      return accepted();
    };
    await runAt(cut, '2026-12-01T10:00');
    return { cut, refusal };
  }

  it('moves the one after it', async () => {
    const { cut, refusal } = await askInTheMiddle(2);
    expect(refusal).toBeNull();
    expect(await plan(cut)).toEqual(['(Tue 01 10:00)', 'Wed 02 12:00']);
  });

  it('is refused when it is the last, and nothing else that was asked for is done', async () => {
    const { cut, refusal } = await askInTheMiddle(1);
    expect(refusal).toMatchObject({ type: 'NoBatchToMove', details: [{ status: 'in_process' }] });
    expect((await row(cut)).allow_weekends).toBe(false);
  });
});

describe('the start of the whole', () => {
  it('is when the first batch really began', async () => {
    const late = await massSms('2026-12-01T09:00', 2, { startAt: local('2026-12-01T10:00') });
    expect(shown((await row(late)).start_at)).toBe('Tue 01 10:00');
    await runAt(late, '2026-12-01T11:20');
    expect(shown((await row(late)).start_at)).toBe('Tue 01 11:20');
  });

  it('moves with the plan until then, and stays afterwards, also when the first batch is resumed for another day', async () => {
    const paused = await massSms('2026-12-01T09:00', 2, { startAt: local('2026-12-01T10:00') });
    await fixture.command(paused, 'reschedule', { startAt: local('2026-12-01T11:00').toISOString() });
    expect(shown((await row(paused)).start_at)).toBe('Tue 01 11:00');
    let isPaused = false;
    // In the middle of the batch: Twilio asks to come back, and then nothing is claimed any more.
    fixture.twilio.answer = async () => {
      if (!isPaused) await fixture.command(paused, 'pause');
      isPaused = true;
      return { kind: 'later', detail: 'Come back later.' };
    };
    expect((await runAt(paused, '2026-12-01T11:10')).status).toBe('paused');
    expect(await fixture.batches(paused)).toEqual(['sending', 'scheduled']);
    await fixture.command(paused, 'resume', { startAt: local('2026-12-03T12:00').toISOString() });
    expect(await plan(paused)).toEqual(['Thu 03 12:00', 'Fri 04 12:00']);
    expect(shown((await row(paused)).start_at)).toBe('Tue 01 11:10');
  });
});

describe('the daily time', () => {
  it('is that of a chosen start, also where the window is closed then', async () => {
    const saturday = await massSms('2026-12-01T09:00', 2, { startAt: local('2026-12-05T10:00') });
    expect(await plan(saturday)).toEqual(['Mon 07 10:00', 'Tue 08 10:00']);
    const early = await massSms('2026-12-01T05:00', 2, { startAt: local('2026-12-01T06:00') });
    expect(await plan(early)).toEqual(['Tue 01 08:00', 'Wed 02 08:00']);
    expect((await row(early)).daily_at).toBe('06:00');
  });

  it('is that of the first opening of one that is resumed without a start', async () => {
    const paused = await massSms('2026-12-04T09:00', 2, { startAt: local('2026-12-04T10:00') });
    await fixture.command(paused, 'pause');
    fixture.clock.set(local('2026-12-05T11:30'));
    expect((await fixture.command(paused, 'resume')).runAt).toEqual(local('2026-12-07T08:00'));
    expect(await plan(paused)).toEqual(['Mon 07 08:00', 'Tue 08 08:00']);
    expect((await row(paused)).daily_at).toBe('08:00');
  });

  it('stays when weekends are allowed or not, and a start that was chosen by hand stays too', async () => {
    const moved = await massSms('2026-12-03T09:00', 4, { startAt: local('2026-12-04T10:00') });
    const weekends = (allowWeekends: boolean) => fixture.command(moved, 'reschedule', { allowWeekends });
    await runAt(moved, '2026-12-04T10:40');
    expect(await plan(moved)).toEqual(['(Fri 04 10:40)', 'Mon 07 10:00', 'Tue 08 10:00', 'Wed 09 10:00']);
    await weekends(true);
    expect((await plan(moved)).slice(1)).toEqual(['Sat 05 10:00', 'Sun 06 10:00', 'Mon 07 10:00']);
    await weekends(true);
    expect((await plan(moved)).slice(1)).toEqual(['Sat 05 10:00', 'Sun 06 10:00', 'Mon 07 10:00']);
    await weekends(false);
    expect((await plan(moved)).slice(1)).toEqual(['Mon 07 10:00', 'Tue 08 10:00', 'Wed 09 10:00']);
    await fixture.command(moved, 'reschedule', { startAt: local('2026-12-10T15:00').toISOString() });
    await weekends(true);
    expect((await plan(moved)).slice(1)).toEqual(['Thu 10 15:00', 'Fri 11 15:00', 'Sat 12 15:00']);
    expect((await row(moved)).daily_at).toBe('15:00');
  });
});

describe('once the window opens on weekends only', () => {
  /** In error since Tuesday, for two batches that may not go out on weekends. */
  async function inError(): Promise<TestBatches> {
    const stuck = await massSms('2026-12-01T09:00', 2, { startAt: local('2026-12-01T10:00') });
    await fixture.setSettings(stuck.organization, windowOn(['sat', 'sun']));
    expect((await runAt(stuck, '2026-12-01T10:00')).status).toBe('error');
    expect((await row(stuck)).cause).toMatchObject({ code: 'window_never_opens' });
    return stuck;
  }

  it('a resume that allows them sends what is left', async () => {
    const stuck = await inError();
    await expect(fixture.command(stuck, 'resume')).rejects.toMatchObject({ type: 'WindowNeverOpens' });
    const { status, runAt: next } = await fixture.command(stuck, 'resume', { allowWeekends: true });
    expect([status, next]).toEqual(['scheduled', local('2026-12-05T08:00')]);
    expect(await row(stuck)).toMatchObject({ allow_weekends: true, cause: null });
    expect(await plan(stuck)).toEqual(['Sat 05 08:00', 'Sun 06 08:00']);
    await runAt(stuck, '2026-12-05T08:00');
    expect(await plan(stuck)).toEqual(['(Sat 05 08:00)', 'Sun 06 08:00']);
  });

  it('a resume that does not say so leaves weekends as they were', async () => {
    const stuck = await inError();
    await fixture.command(stuck, 'resume', { allowWeekends: true });
    await fixture.command(stuck, 'pause');
    await fixture.command(stuck, 'resume');
    expect((await row(stuck)).allow_weekends).toBe(true);
  });

  it('can be cancelled', async () => {
    const stuck = await inError();
    expect((await fixture.command(stuck, 'cancel')).status).toBe('cancelled');
    expect(await fixture.batches(stuck)).toEqual(['cancelled', 'cancelled']);
    expect(await fixture.run(stuck)).toEqual({ status: 'cancelled', runAt: null });
  });
});

describe('Twilio may deliver', () => {
  const wholeDay: SettingsOverrides = {
    sendWindow: { startTime: '00:00', endTime: '00:00', timeZone: zone, days },
  };

  it.for([
    ['until the window closes', '2026-12-01T15:00', windowOn(days), 3_600],
    ['as long as Twilio takes where the window goes on after midnight', '2026-12-01T23:00', wholeDay, 36_000],
    ['until midnight where the next day is not allowed', '2026-12-04T23:00', wholeDay, 3_600],
  ] as const)('%s', async ([, at, settings, seconds]) => {
    const batches = await massSms(at, 1, { settings });
    await fixture.run(batches);
    const [first] = fixture.twilio.sent;
    expect(first!.validityPeriod).toBeLessThanOrEqual(seconds);
    expect(first!.validityPeriod).toBeGreaterThan(seconds - 60);
  });
});
