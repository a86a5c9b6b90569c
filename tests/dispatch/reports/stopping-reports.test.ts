/** Reports that tell why nothing more of a mass SMS can be sent: it stops, tells of it, and does not stop twice for them (F9). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { type StatusReport, takeReports } from '../../../db/messages/status-reports.ts';
import { days } from '../../../domain/send-window.ts';
import { type BatchesFixture, openBatchesFixture, type TestBatches } from '../mass-sms/fixture.ts';

let fixture: BatchesFixture;
beforeAll(async () => {
  fixture = await openBatchesFixture();
});
afterAll(async () => {
  await fixture?.close();
});

const now = new Date('2026-12-01T15:00:00Z');
const later = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);
const sendWindow = { startTime: '00:00', endTime: '00:00', timeZone: 'UTC', days };

/** Three batches of two, of which the first has been sent. */
async function underWay(): Promise<TestBatches> {
  fixture.clock.set(now);
  const organization = await fixture.sender({ sendWindow, firstBatchSize: 2, dailyBatchSize: 2 });
  const userId = newId('user', now);
  const stamps = { created_at: now, updated_at: now };
  await fixture.database.system
    .insertInto('users')
    .values({
      id: userId,
      organization_id: organization.id,
      name: 'Sam',
      email: `${userId}@acme.example`,
      permissions: ['mass-sms:manage'],
      ...stamps,
    })
    .execute();
  const massSms = await fixture.massSmsTo(
    organization,
    Array.from({ length: 6 }, () => ({})),
    { timeZone: 'UTC' },
  );
  expect(await fixture.run(massSms)).toMatchObject({ status: 'in_process' });
  return massSms;
}

/** Twilio reports of the messages of these ranks that the campaign is suspended. */
async function report(massSms: TestBatches, ...ranks: number[]): Promise<void> {
  const messages = (await fixture.messages(massSms)).filter(({ rank }) => ranks.includes(rank!));
  const reports = messages.map(({ id, twilio_sid: sid }): StatusReport => {
    return { messageId: id, sid: sid!, status: 'undelivered', errorCode: 30_033, at: fixture.clock.now() };
  });
  await takeReports(fixture.database, massSms.organization.id, reports, fixture.clock.now());
}

const row = ({ id }: TestBatches) =>
  fixture.database.system.selectFrom('mass_sms').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const told = async ({ organization }: TestBatches): Promise<string[]> => {
  const rows = await fixture.database.system
    .selectFrom('notifications')
    .select('kind')
    .where('organization_id', '=', organization.id)
    .orderBy('id')
    .execute();
  return rows.map(({ kind }) => kind.replace('mass_sms.', ''));
};

it('a report puts it in error with the cause, and tells of it once', async () => {
  const massSms = await underWay();
  fixture.clock.set(later(60));
  await report(massSms, 1);
  expect(await row(massSms)).toMatchObject({
    status: 'error',
    cause: { code: '30033', detail: 'The A2P campaign is suspended. Settle it with Twilio, then resume.' },
  });
  await report(massSms, 2);
  expect(await told(massSms)).toEqual(['scheduled', 'batch_sent', 'error']);
});

it('a late report of what was sent before that was settled does not stop it again; of what was sent since, it does', async () => {
  const massSms = await underWay();
  fixture.clock.set(later(60));
  await report(massSms, 1);
  fixture.clock.set(later(120));
  await fixture.command(massSms, 'resume', { startAt: later(180).toISOString() });
  fixture.clock.set(later(180));
  expect(await fixture.run(massSms)).toMatchObject({ status: 'in_process' });
  expect(await fixture.batches(massSms)).toEqual(['sent', 'sent', 'scheduled']);
  await report(massSms, 2);
  expect(await row(massSms)).toMatchObject({ status: 'in_process', cause: null });
  // Both in one: the one that counts is the newer.
  await report(massSms, 3, 2);
  expect(await row(massSms)).toMatchObject({ status: 'error' });
});
