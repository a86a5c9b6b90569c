/** What a run of a batch makes of it in the end: a batch that was sent or expired, or a mass SMS in error. */
import { DateTime } from 'luxon';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { newId } from '../../../db/ids.ts';
import type { NotificationKind } from '../../../domain/notifications/notifications.ts';
import { days } from '../../../domain/send-window.ts';
import type { Organization } from '../fixture.ts';
import { type BatchesFixture, openBatchesFixture, type TestBatches } from './fixture.ts';

let fixture: BatchesFixture;
beforeAll(async () => {
  fixture = await openBatchesFixture();
});
afterAll(async () => {
  await fixture?.close();
});
afterEach(() => {
  fixture.afterFailure = async () => {};
});

/** 1 December 2026 is a Tuesday. */
const local = (text: string): Date => DateTime.fromISO(text, { zone: 'America/New_York' }).toJSDate();
const sendWindow = { startTime: '08:00', endTime: '16:00', timeZone: 'America/New_York', days };

const statusOf = async ({ id }: TestBatches): Promise<string> => {
  const { system } = fixture.database;
  const row = await system.selectFrom('mass_sms').select('status').where('id', '=', id).executeTakeFirstOrThrow();
  return row.status;
};

/** Each message's status, or why it was cancelled. */
const outcomes = async (massSms: TestBatches): Promise<string[]> =>
  (await fixture.messages(massSms)).map((message) => message.cancel_reason ?? message.status);

/** Somebody who is told of mass SMS. */
async function manager({ id: organizationId }: Organization): Promise<string> {
  const at = fixture.clock.now();
  const id = newId('user', at);
  const stamps = { created_at: at, updated_at: at };
  const person = { name: 'Manager', email: `${id}@acme.example`, permissions: ['mass-sms:manage'], active: true };
  const row = { id, organization_id: organizationId, ...person, ...stamps };
  await fixture.database.system.insertInto('users').values(row).execute();
  return id;
}

const told = async (userId: string, kind: NotificationKind): Promise<string[]> => {
  const { system } = fixture.database;
  const query = system
    .selectFrom('notifications')
    .select('body')
    .where('user_id', '=', userId)
    .where('kind', '=', kind);
  return (await query.execute()).map(({ body }) => body);
};

it.for([
  ['cancel', 'cancelled'],
  ['pause', 'paused'],
] as const)('a %s between the end of a run and its error counts', async ([action, status]) => {
  fixture.clock.set(local('2026-12-01T10:00'));
  const organization = await fixture.sender({ sendWindow });
  const massSms = await fixture.massSmsTo(organization, [{}], { allowWeekends: false });
  await fixture.setSettings(organization, { sendWindow: { ...sendWindow, days: ['sat', 'sun'] } });
  let obeyed: { status: string } | null = null;
  // It has found that the window never opens, has let go of the mass SMS, and has not said so yet.
  fixture.afterFailure = async () => {
    obeyed ??= await fixture.command(massSms, action);
  };
  const ran = await fixture.run(massSms);
  expect([ran.status, obeyed!.status, await statusOf(massSms)]).toEqual([status, status, status]);
  expect(await fixture.run(massSms)).toEqual({ status, runAt: null });
});

it('a batch ends as expired also where all that expired was cancelled by an earlier run, and is told so', async () => {
  fixture.clock.set(local('2026-12-01T15:00'));
  const organization = await fixture.sender({ sendWindow });
  const massSms = await fixture.massSmsTo(organization, [{}, {}], { atWindowClose: 'expire' });
  const userId = await manager(organization);
  // Under way, with one in doubt, as the window closes.
  const { system } = fixture.database;
  await system.updateTable('mass_sms').set({ status: 'in_process' }).where('id', '=', massSms.id).execute();
  await system
    .updateTable('mass_sms_batches')
    .set({ status: 'sending' })
    .where('mass_sms_id', '=', massSms.id)
    .execute();
  const [first] = await fixture.messages(massSms);
  await fixture.force([first!.id], { status: 'in_doubt', claimedAt: local('2026-12-01T15:59:25') });
  fixture.clock.set(local('2026-12-01T15:59:45'));
  await fixture.run(massSms);
  expect(await outcomes(massSms)).toEqual(['in_doubt', 'expired']);
  expect(await fixture.batches(massSms)).toEqual(['sending']);

  fixture.twilio.found = async () => [
    { sid: `SM${massSms.id}`, status: 'delivered', errorCode: null, body: first!.body } as never,
  ];
  fixture.clock.set(local('2026-12-01T16:00:30'));
  expect((await fixture.run(massSms)).status).toBe('completed');
  expect(await outcomes(massSms)).toEqual(['delivered', 'expired']);
  expect(await fixture.batches(massSms)).toEqual(['expired']);
  expect(await told(userId, 'mass_sms.batch_sent')).toEqual([
    expect.stringContaining('The rest of this batch has expired'),
  ]);
});
