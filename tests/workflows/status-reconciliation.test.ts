/** Callbacks that never come: the whole product on one clock that can be moved, and a Twilio that tells nothing. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reconciliationWorkflowId } from '../../workflows/ids.ts';
import { wakeReconciliation } from '../../workflows/status-reconciliation/start.ts';
import { taskQueues } from '../../workflows/task-queues.ts';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';
import { workflowBundle } from '../replay/bundle.ts';
import { keepHistory } from '../replay/record.ts';
import { expectALookForEachWake, startSmallHistories } from './small-histories.ts';
import { create, until } from './support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ timeSkipping: true });
});
afterAll(async () => {
  await system?.stop();
});
afterEach(async () => {
  await system.twilio.behaviour({ callbacks: { dropRate: 0, delayMs: 0 }, undeliveredRate: 0 });
});

/** What became of an organization's messages, and how many of each. */
async function statuses({ id }: EnabledOrganization): Promise<Record<string, number>> {
  const rows = await system.db
    .selectFrom('messages')
    .select((count) => ['status', count.fn.countAll<number>().as('count')])
    .where('organization_id', '=', id)
    .groupBy('status')
    .execute();
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}
const untilStatuses = (organization: EnabledOrganization, expected: Record<string, number>) =>
  eventually(async () => expect(await statuses(organization)).toEqual(expected), { withinMs: 45_000 });
const untilEnded = ({ id }: EnabledOrganization) =>
  eventually(async () =>
    expect((await system.temporal.workflow.getHandle(reconciliationWorkflowId(id)).describe()).status.name).toBe(
      'COMPLETED',
    ),
  );
/** The sweep does so every ten seconds, as the first test sees. */
const wake = ({ id }: EnabledOrganization) => wakeReconciliation(system.temporal.workflow, { organizationId: id });
const looks = async (): Promise<number> => (await system.twilio.requests({ operation: 'FetchMessage' })).total;
const keep = ({ id }: EnabledOrganization, what: string) =>
  keepHistory(system.temporal, reconciliationWorkflowId(id), `statusReconciliation.${what}`);

async function sent(recipients: number): Promise<EnabledOrganization> {
  const organization = await system.enabledOrganization();
  await system.contacts(organization, recipients, { consent: true, list: 'all' });
  const id = await create(organization, { immediate: true, allowWeekends: true });
  await until(organization, id, { status: 'completed', sent: recipients });
  return organization;
}

describe('when every callback is lost', () => {
  it('Twilio is asked about each message once, after a quarter of an hour, and all are delivered', async () => {
    await system.twilio.behaviour({ callbacks: { dropRate: 1 } });
    const organization = await sent(120);
    const before = await looks();
    await system.advance('14 minutes');
    expect(await statuses(organization)).toEqual({ accepted: 120 });
    await system.advance('2 minutes');
    await untilStatuses(organization, { delivered: 120 });
    expect((await looks()) - before).toBe(120);
    await untilEnded(organization);
    await keep(organization, 'lostCallbacks');
  });

  it('what leaves one by one is asked about too', async () => {
    await system.twilio.behaviour({ callbacks: { dropRate: 1 } });
    const organization = await system.enabledOrganization();
    const [contact] = await system.contacts(organization, 1, { consent: false });
    const sam = system.client(organization.key, { user: organization.user.id });
    expect(await sam.post('/v1/opt-in-requests', { contactId: contact!.id })).toMatchObject({ status: 202 });
    await untilStatuses(organization, { accepted: 1 });
    await system.advance('16 minutes');
    await wake(organization);
    await untilStatuses(organization, { delivered: 1 });
  });

  it('the tallies and the undelivered ones are known as if the callbacks had come', async () => {
    await system.twilio.behaviour({ callbacks: { dropRate: 1 }, undeliveredRate: 1 });
    const organization = await sent(10);
    await system.advance('16 minutes');
    await wake(organization);
    await untilStatuses(organization, { undelivered: 10 });
    const { body } = await organization.client.get('/v1/mass-sms?status=completed');
    expect(body.items[0]).toMatchObject({ sent: 10, undeliveredPercent: 100 });
  });
});

it('callbacks that come after Twilio was asked take nothing back', async () => {
  await system.twilio.behaviour({ callbacks: { delayMs: 20 * 60_000 } });
  const organization = await sent(20);
  await system.advance('16 minutes');
  await wake(organization);
  await untilStatuses(organization, { delivered: 20 });
  await system.advance('10 minutes');
  const callbacks = async () =>
    (
      await system.db
        .selectFrom('message_events')
        .select('status')
        .where('organization_id', '=', organization.id)
        .execute()
    ).length;
  // Of each: delivered, which Twilio was asked for, and what its callbacks told later: accepted and sent.
  await eventually(async () => expect(await callbacks()).toBe(60));
  expect(await statuses(organization)).toEqual({ delivered: 20 });
});

it('a message that takes hours is asked about ever more rarely, and others meanwhile in their own time', async () => {
  const slow = { callbacks: { dropRate: 1 }, queueMs: 2 * 3_600_000 };
  await system.twilio.behaviour(slow);
  const organization = await sent(1);
  await system.twilio.behaviour({ queueMs: 0 });
  const before = await looks();
  await system.advance('16 minutes');
  await wake(organization);
  await eventually(async () => expect((await looks()) - before).toBe(1), { withinMs: 45_000 });
  await system.advance('1 hour');
  await eventually(async () => expect((await looks()) - before).toBe(2));
  // The workflow sleeps until six hours have passed; what is sent now is looked at after a quarter of an hour.
  const again = await create(organization, { immediate: true, allowWeekends: true });
  await until(organization, again, { status: 'completed', sent: 1 });
  await system.advance('16 minutes');
  await wake(organization);
  await untilStatuses(organization, { accepted: 1, delivered: 1 });
  await system.advance('5 hours');
  await untilStatuses(organization, { delivered: 2 });
  expect((await looks()) - before).toBe(4);
  await untilEnded(organization);
  await keep(organization, 'severalLooks');
});

it('reported in time, nothing is asked', async () => {
  const before = await looks();
  const organization = await sent(30);
  await untilStatuses(organization, { delivered: 30 });
  await system.advance('16 minutes');
  await wake(organization);
  const awaited = () =>
    system.db.selectFrom('awaited_reports').select('id').where('organization_id', '=', organization.id).execute();
  await eventually(async () => expect(await awaited()).toEqual([]), { withinMs: 45_000 });
  expect(await looks()).toBe(before);
});

it('continues as new when the server suggests it, and ends when nothing is awaited', async () => {
  const temporal = await startSmallHistories(40);
  try {
    const play = { looks: 0, isOver: false };
    await temporal.work({ taskQueue: taskQueues.control, workflowBundle: await workflowBundle(), activities: {} });
    await temporal.work({
      taskQueue: taskQueues.bulk,
      activities: {
        lookAtUnreported: async () => {
          play.looks += 1;
          return { nextAt: play.isOver ? null : new Date(Date.now() + 3_600_000).toISOString() };
        },
      },
    });
    const organizationId = `org_${randomUUID()}`;
    const workflowId = reconciliationWorkflowId(organizationId);
    const again = () => wakeReconciliation(temporal.client.workflow, { organizationId });
    await again();
    const first = await expectALookForEachWake(temporal.client, { workflowId, again, looks: () => play.looks });
    play.isOver = true;
    await again();
    await temporal.client.workflow.getHandle(workflowId).result();
    await keepHistory(temporal.client, workflowId, 'statusReconciliation.continuingAsNew', first);
    await keepHistory(temporal.client, workflowId, 'statusReconciliation.continuedAsNew');
  } finally {
    await temporal.stop();
  }
});
