/** Webhooks while the worker is killed in the middle of a delivery, and while Temporal is away. The receiver is the judge. */
import path from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tellStreams } from '../../db/conversations/live-events.ts';
import { webhooksWorkflowId } from '../../workflows/ids.ts';
import { startChild } from '../../launcher/support/child.ts';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';
import { temporaryFolder } from '../harness/infrastructure.ts';
import { type Receiver, startReceiver } from '../harness/webhook-receiver.ts';

let system: System;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  system = await startSystem({ own: ['temporal'] });
});
afterAll(async () => {
  await system?.stop();
  await receiver?.close();
});

async function subscribed(events: string[]) {
  receiver.received.length = 0;
  receiver.answer = 204;
  const organization = await system.enabledOrganization();
  const made = await organization.client.post('/v1/webhook-endpoints', { url: receiver.url, events });
  expect(made).toMatchObject({ status: 201 });
  return { organization, endpointId: made.body.id as string, secret: made.body.secret as string };
}

const tell = ({ id }: EnabledOrganization, names: string[]) =>
  system.database.inOrganization(id, (trx) =>
    tellStreams(
      trx,
      id,
      names.map((messageId) => ({ type: 'message.updated', data: { messageId } })),
      new Date(),
    ),
  );

it('a message that was sent and one that came in are told of, signed', async () => {
  const { organization, secret } = await subscribed(['message.received', 'message.updated']);
  const { client, key, user, line } = organization;
  const [contact] = await system.contacts(organization, 1, { consent: true });
  const asUser = system.client(key, { user: user.id });
  const sent = await asUser.post('/v1/messages', { contactId: contact!.id, body: 'Hi. Reply STOP to opt out.' });
  expect(sent.status).toBe(202);
  await system.twilio.inbound({ from: contact!.mobile, to: line.phoneNumber, body: 'Hello there' });
  await eventually(async () => {
    const told = receiver.received.map(({ payload }) => [payload.type, payload.data.messageId, payload.data.status]);
    expect(told).toContainEqual(['message.updated', sent.body.id, 'delivered']);
    expect(told).toContainEqual(['message.received', expect.stringMatching(/^msg_/), undefined]);
  });
  for (const { headers, body } of receiver.received) {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    expect(body).not.toMatch(/Hello there|Reply STOP|\+1\d{10}/);
  }
  const status = (await client.get('/v1/webhook-endpoints')).body.items[0];
  expect(status).toMatchObject({ active: true, failures: 0 });
});

it('killed in the middle of a delivery, it is repeated with the same id, and the rest follows in order', async () => {
  const { organization } = await subscribed(['message.updated']);
  const names = Array.from({ length: 40 }, (_, n) => `msg_${n}`);
  const inTheMiddle = Promise.withResolvers<void>();
  receiver.answer = (response, got) => {
    // Never answered: the worker dies while it waits.
    if (got.payload.data.messageId === 'msg_20' && receiver.taken().length === 20) return inTheMiddle.resolve();
    response.writeHead(204).end();
  };
  await tell(organization, names);
  await inTheMiddle.promise;
  await system.crash('worker');
  receiver.answer = 204;
  await system.start('worker');
  await eventually(async () => expect(receiver.taken()).toHaveLength(40), { withinMs: 90_000 });
  expect(receiver.taken().map(({ payload }) => payload.data.messageId)).toEqual(names);
  const twice = receiver.received.filter(({ payload }) => payload.data.messageId === 'msg_20');
  expect(twice).toHaveLength(2);
  expect(twice[0]!.id).toBe(twice[1]!.id);
  expect(new Set(receiver.taken().map(({ id }) => id)).size).toBe(40);
});

it('with two workers, one of them killed, nobody overtakes anybody', async () => {
  const second = startChild({
    name: 'worker',
    command: process.execPath,
    args: [path.join(import.meta.dirname, '../../worker/main.ts')],
    log: path.join(await temporaryFolder('second-worker'), 'worker.log'),
    env: { ...process.env, ...system.stack.environment },
    grace: 30_000,
  });
  try {
    await eventually(async () => expect(second.output(1_000_000)).toContain('worker ready'), { withinMs: 60_000 });
    const { organization, endpointId } = await subscribed(['message.updated']);
    receiver.answer = (response) => void setTimeout(() => response.writeHead(204).end(), 30);
    const names = Array.from({ length: 200 }, (_, n) => `msg_${n}`);
    await tell(organization, names.slice(0, 100));
    await eventually(async () => expect(receiver.taken().length).toBeGreaterThan(30), { everyMs: 20 });
    await system.crash('worker');
    // Its lease would end by itself within 30 seconds, as the test before sees.
    await system.db
      .updateTable('webhook_endpoints')
      .set({ lease_until: new Date() })
      .where('id', '=', endpointId)
      .execute();
    await tell(organization, names.slice(100));
    await eventually(async () => expect(receiver.taken().length).toBeGreaterThanOrEqual(200), { withinMs: 90_000 });
    await system.start('worker');
    // The one that was under way may have been taken without our having learned of it: once more, and under its id.
    const first = receiver.taken().filter(({ id }, at, all) => all.findIndex((one) => one.id === id) === at);
    expect(first.map(({ payload }) => payload.data.messageId)).toEqual(names);
    expect(receiver.taken().length).toBeLessThanOrEqual(201);
  } finally {
    await second.stop();
  }
});

it('what happens while Temporal is away is told once it is back; hundreds of events cost no history', async () => {
  const { organization, endpointId } = await subscribed(['message.updated']);
  await system.crash('temporal');
  const names = Array.from({ length: 300 }, (_, n) => `msg_${n}`);
  await tell(organization, names);
  await system.start('temporal');
  await eventually(async () => expect(receiver.taken()).toHaveLength(300), { withinMs: 90_000 });
  expect(receiver.taken().map(({ payload }) => payload.data.messageId)).toEqual(names);
  const { historyLength } = await system.temporal.workflow.getHandle(webhooksWorkflowId(endpointId)).describe();
  expect(historyLength).toBeLessThan(60);
});
