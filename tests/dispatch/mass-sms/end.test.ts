/** The estimated end of a mass SMS (F7): after it was created, paused, resumed, rescheduled, and cut off by its window. */
import { DateTime } from 'luxon';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { days } from '../../../domain/send-window.ts';
import { type BatchesFixture, openBatchesFixture, type TestBatches } from './fixture.ts';

let fixture: BatchesFixture;
beforeAll(async () => {
  fixture = await openBatchesFixture();
});
afterAll(async () => {
  await fixture?.close();
});

/** 1 December 2026 is a Tuesday. */
const local = (text: string): Date => DateTime.fromISO(text, { zone: 'America/New_York' }).toJSDate();
const sendWindow = { startTime: '08:00', endTime: '16:00', timeZone: 'America/New_York', days };

/** Two batches of 50 and 100, one segment a second. */
async function massSms(at: string, given: Parameters<BatchesFixture['massSmsTo']>[2] = {}, people = 150) {
  fixture.clock.set(local(at));
  const organization = await fixture.sender({ sendWindow, firstBatchSize: 50, dailyBatchSize: 100 }, 1);
  return fixture.massSmsTo(
    organization,
    Array.from({ length: people }, () => ({})),
    given,
  );
}

/** To the second: the clock goes on while a test runs. */
async function end({ id }: TestBatches): Promise<{ endAt: string; isEstimate: boolean }> {
  const row = await fixture.database.system
    .selectFrom('mass_sms')
    .select(['end_at', 'end_at_is_estimate'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const endAt = DateTime.fromJSDate(row.end_at, { zone: 'America/New_York' }).toFormat("yyyy-MM-dd'T'HH:mm:ss");
  return { endAt, isEstimate: row.end_at_is_estimate };
}

it('follows the plan when the start is moved, and counts the segments of the texts', async () => {
  const short = await massSms('2026-12-01T09:00', { startAt: local('2026-12-01T10:00') });
  await fixture.command(short, 'reschedule', { startAt: local('2026-12-01T11:00').toISOString() });
  expect(await end(short)).toEqual({ endAt: '2026-12-02T11:01:40', isEstimate: true });

  const long = await massSms('2026-12-01T09:00', {
    startAt: local('2026-12-01T10:00'),
    body: `Reply STOP ${'x'.repeat(290)}`,
  });
  await fixture.command(long, 'reschedule', { startAt: local('2026-12-01T11:00').toISOString() });
  expect(await end(long)).toEqual({ endAt: '2026-12-02T11:03:20', isEstimate: true });
});

it('is kept while it is paused, and is that of the chosen start once it is resumed', async () => {
  const paused = await massSms('2026-12-01T09:00', { startAt: local('2026-12-01T10:00') });
  const before = await end(paused);
  await fixture.command(paused, 'pause');
  expect(await end(paused)).toEqual(before);
  fixture.clock.set(local('2026-12-03T12:00'));
  await fixture.command(paused, 'resume', { startAt: local('2026-12-04T15:00').toISOString() });
  expect(await end(paused)).toEqual({ endAt: '2026-12-05T15:01:40', isEstimate: true });
});

it('counts what is left when a batch was paused in the middle', async () => {
  const begun = await massSms('2026-12-01T09:00', { startAt: local('2026-12-01T09:00') }, 50);
  const { system } = fixture.database;
  await system.updateTable('mass_sms').set({ status: 'in_process' }).where('id', '=', begun.id).execute();
  await system
    .updateTable('messages')
    .set({ status: 'delivered' })
    .where('mass_sms_id', '=', begun.id)
    .where('rank', '<=', 40)
    .execute();
  await fixture.command(begun, 'pause');
  await fixture.command(begun, 'resume', { startAt: local('2026-12-01T12:00').toISOString() });
  expect(await end(begun)).toEqual({ endAt: '2026-12-01T12:00:10', isEstimate: true });
});

it('moves to the next opening when the window closes before a batch is through', async () => {
  const cutOff = await massSms('2026-12-01T15:00', { startAt: local('2026-12-01T15:00') }, 50);
  // Sending stops at 15:59:30.
  fixture.clock.set(local('2026-12-01T15:59:26'));
  const { status, runAt } = await fixture.run(cutOff);
  expect({ status, runAt }).toEqual({ status: 'in_process', runAt: local('2026-12-02T08:00') });
  const left = (await fixture.messages(cutOff)).filter((message) => message.status === 'queued').length;
  expect(left).toBeGreaterThan(40);
  expect(await end(cutOff)).toEqual({ endAt: `2026-12-02T08:00:${left}`, isEstimate: true });
});

it('counts the disclaimer of those who have had no message yet', async () => {
  const silent = await massSms('2026-12-01T09:00', { startAt: local('2026-12-01T10:00'), body: 'x'.repeat(150) }, 50);
  await fixture.command(silent, 'reschedule', { startAt: local('2026-12-01T11:00').toISOString() });
  expect(await end(silent)).toEqual({ endAt: '2026-12-01T11:01:40', isEstimate: true });
});

it('is not before those who must wait may be written to, and the next batch follows them', async () => {
  fixture.clock.set(local('2026-12-01T10:00'));
  const recipients = { sendWindow: { ...sendWindow, endTime: '20:00' }, sendWindowMode: 'recipient' as const };
  const organization = await fixture.sender({ ...recipients, firstBatchSize: 3, dailyBatchSize: 100 }, 1);
  // In California from nine, which is noon here; in Hawaii from eight, which is one o'clock.
  const people = [{ areaCode: '212' }, { areaCode: '415' }, { areaCode: '808' }];
  const alone = await fixture.massSmsTo(organization, people);
  expect((await fixture.run(alone)).runAt).toEqual(local('2026-12-01T12:00'));
  expect(await end(alone)).toEqual({ endAt: '2026-12-01T13:00:00', isEstimate: true });

  const followed = await fixture.massSmsTo(organization, [...people, ...people, ...people]);
  await fixture.run(followed);
  expect(await end(followed)).toEqual({ endAt: '2026-12-02T10:00:06', isEstimate: true });
});

it('is a fact once it is cancelled', async () => {
  const cancelled = await massSms('2026-12-01T09:00', { startAt: local('2026-12-01T10:00') });
  await fixture.command(cancelled, 'cancel');
  expect(await end(cancelled)).toEqual({ endAt: '2026-12-01T09:00:00', isEstimate: false });
});
