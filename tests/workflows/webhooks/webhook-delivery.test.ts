/** Webhooks to a receiver that is away for a day: the whole product on one clock that can be moved. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { webhooksWorkflowId } from '../../../workflows/ids.ts';
import { tellStreams } from '../../../db/conversations/live-events.ts';
import { eventually } from '../../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../../harness/system.ts';
import { type Receiver, startReceiver } from '../../harness/webhook-receiver.ts';
import { keepHistory } from '../../replay/record.ts';

let system: System;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  system = await startSystem({ timeSkipping: true });
});
afterAll(async () => {
  await system?.stop();
  await receiver?.close();
});

async function tell({ id }: EnabledOrganization, from: number, count: number): Promise<void> {
  const at = new Date(await system.now());
  const events = Array.from({ length: count }, (_, n) => ({
    type: 'message.updated' as const,
    data: { messageId: `msg_${from + n}`, status: 'sent' },
  }));
  await system.database.inOrganization(id, (trx) => tellStreams(trx, id, events, at));
}

it('down for a day, it gets everything afterwards, in order and once each', async () => {
  const acme = await system.enabledOrganization();
  const made = await acme.client.post('/v1/webhook-endpoints', { url: receiver.url, events: ['message.updated'] });
  expect(made).toMatchObject({ status: 201 });
  const { id } = made.body;
  const read = async () => (await acme.client.get(`/v1/webhook-endpoints/${id}`)).body;
  await tell(acme, 0, 10);
  await eventually(async () => expect(receiver.taken()).toHaveLength(10));

  receiver.answer = 503;
  for (let hour = 0; hour < 24; hour += 1) {
    await tell(acme, 10 + 5 * hour, 5);
    if (hour === 0)
      await eventually(async () => expect(await read()).toMatchObject({ failingSince: expect.any(String) }));
    await system.advance('1 hours');
  }
  const attempts = receiver.received.length - 10;
  expect(attempts).toBeGreaterThan(20);
  expect(attempts).toBeLessThan(60);
  // All of them of the first that waits: nothing overtook it.
  expect(new Set(receiver.received.slice(10).map((got) => got.payload.data.messageId))).toEqual(new Set(['msg_10']));
  expect(await read()).toMatchObject({ active: true, failures: attempts, nextAttemptAt: expect.any(String) });

  receiver.answer = 200;
  await system.advance('75 minutes');
  await eventually(async () => expect(receiver.taken()).toHaveLength(130));
  const names = receiver.taken().map(({ payload }) => payload.data.messageId);
  expect(names).toEqual(Array.from({ length: 130 }, (_, n) => `msg_${n}`));
  expect(new Set(receiver.taken().map((got) => got.id)).size).toBe(130);
  // An answer is written down after it was given.
  await eventually(async () => {
    const { body } = await acme.client.get(`/v1/webhook-endpoints/${id}/deliveries?limit=200`);
    expect(body.items.every(({ state }: { state: string }) => state === 'delivered')).toBe(true);
  });
  expect(await read()).toMatchObject({ failures: 0, failingSince: null, nextAttemptAt: null });

  // An idle hour later nothing is left of it but the rows.
  await system.advance('2 hours');
  await eventually(async () => {
    const handle = system.temporal.workflow.getHandle(webhooksWorkflowId(id));
    expect((await handle.describe()).status.name).toBe('COMPLETED');
  });
  await keepHistory(system.temporal, webhooksWorkflowId(id), 'webhookDelivery.downForADay');
}, 240_000);
