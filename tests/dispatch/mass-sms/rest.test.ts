/** A mass SMS at rest whose messages are in doubt: they are settled, or given up, also where the organization cannot send. */
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

const now = new Date('2026-12-01T15:00:00Z');
const later = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);
const sendWindow = { startTime: '00:00', endTime: '00:00', timeZone: 'UTC', days };

/** Two messages, the first of them in doubt. */
async function inDoubt(): Promise<TestBatches> {
  fixture.clock.set(now);
  fixture.twilio.found = async () => [];
  const massSms = await fixture.massSmsTo(await fixture.sender({ sendWindow }), [{}, {}], { timeZone: 'UTC' });
  const [first] = await fixture.messages(massSms);
  await fixture.force([first!.id], { status: 'in_doubt', claimedAt: now });
  return massSms;
}
const change = ({ organization }: TestBatches, set: Record<string, unknown>) =>
  fixture.database.system.updateTable('organizations').set(set).where('id', '=', organization.id).execute();
const statuses = async (massSms: TestBatches) => (await fixture.messages(massSms)).map(({ status }) => status);

it('with the module off, Twilio is asked all the same', async () => {
  const massSms = await inDoubt();
  await fixture.command(massSms, 'cancel');
  await change(massSms, { module_on: false });
  expect((await fixture.run(massSms)).runAt).not.toBeNull();
  fixture.clock.set(later(1));
  fixture.twilio.found = async () => [
    {
      sid: `SM${massSms.id}`,
      status: 'delivered',
      errorCode: null,
      body: 'We are hiring. Reply STOP to opt out.',
    } as never,
  ];
  expect(await fixture.run(massSms)).toEqual({ status: 'cancelled', runAt: null });
  expect(await statuses(massSms)).toEqual(['delivered', 'cancelled']);
});

it('without an account it is looked at again a few times an hour, and given up after days', async () => {
  const massSms = await inDoubt();
  await fixture.command(massSms, 'pause');
  await change(massSms, { account_sid: null, auth_token: null });
  for (const minutes of [1, 60, 24 * 60, 95 * 60]) {
    fixture.clock.set(later(minutes));
    const { status, runAt } = await fixture.run(massSms);
    expect(status).toBe('paused');
    const pause = runAt!.getTime() - later(minutes).getTime();
    expect(pause).toBeGreaterThan(0);
    expect(pause).toBeLessThanOrEqual(16 * 60_000);
    if (minutes > 60) expect(pause).toBeGreaterThan(14 * 60_000);
    expect(await statuses(massSms)).toEqual(['in_doubt', 'queued']);
  }
  fixture.clock.set(later(97 * 60));
  expect(await fixture.run(massSms)).toEqual({ status: 'paused', runAt: null });
  expect((await fixture.messages(massSms))[0]).toMatchObject({ status: 'failed', cancel_reason: 'outcome_unknown' });
});

it('what the end of the module leaves in doubt is looked at as soon as it is in error', async () => {
  const massSms = await inDoubt();
  await change(massSms, { module_on: false });
  fixture.clock.set(later(1));
  const { status, runAt } = await fixture.run(massSms);
  expect(status).toBe('error');
  expect(runAt).not.toBeNull();
  // Twilio does not know it.
  expect(await fixture.run(massSms)).toEqual({ status: 'error', runAt: null });
  expect(await statuses(massSms)).toEqual(['queued', 'queued']);
});
