/** Opt-in requests as messages that wait: cancelled, released, and no more needed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { somePhone } from '../../harness/phone-numbers.ts';
import { type MessagesApi, outboxOf, startMessagesApi, wholeDay, type Writer } from './support.ts';

let api: MessagesApi;
let sam: Writer;
let robin: { id: string; mobile: string };
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(async () => {
  await api?.stop();
});

const dayMs = 86_400_000;

/** A window that is open only the day after tomorrow. */
function closed() {
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
  const days = [names[new Date(api.clock.now().getTime() + 2 * dayMs).getUTCDay()]!];
  return { ...wholeDay, startTime: '08:00', endTime: '16:00', days };
}
beforeEach(async () => {
  sam = await api.writer({ sendWindow: closed() });
  robin = await api.contact(sam, { consent: false, ownerId: sam.user.id });
});

const ask = () => sam.client.post('/v1/opt-in-requests', { contactId: robin.id });
async function asked() {
  const { status, body } = await ask();
  if (status !== 202) throw new Error(JSON.stringify(body));
  return body as { id: string; messageId: string };
}
const hold = async (): Promise<string> => {
  const journey = { contactId: robin.id, body: 'Your interview is on Monday.', source: 'journey' };
  const { body } = await sam.office.post('/v1/messages', journey);
  expect(body.status).toBe('held');
  return body.id;
};
const read = async (id: string) => (await sam.client.get(`/v1/messages/${id}`)).body;
const stateOf = async () =>
  (await sam.client.get(`/v1/opt-in-requests?contactId=${robin.id}`)).body.items.map(
    ({ state }: { state: string }) => state,
  );
const post = (id: string, command: 'cancel' | 'release') => sam.client.post(`/v1/messages/${id}/${command}`);

describe('a request that waits, cancelled', () => {
  it('ends with what is held for its answer, and does not count: the contact may be asked anew', async () => {
    const request = await asked();
    const held = await hold();
    expect(await post(request.messageId, 'cancel')).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await stateOf()).toEqual(['cancelled']);
    expect(await read(held)).toMatchObject({
      status: 'cancelled',
      errorReason: expect.stringContaining('request was cancelled'),
    });
    expect(await outboxOf(api, sam.organizationId)).toEqual([]);
    for (let n = 0; n < 3; n += 1) await post((await asked()).messageId, 'cancel');
    expect((await ask()).status).toBe(202);
    expect((await ask()).body.reason).toBe('too_soon');
  });

  it('leaves what is held waiting where a colleague has asked from the same line', async () => {
    const { messageId } = await asked();
    const held = await hold();
    const colleague = await api.user(sam, null);
    await api.database.inOrganization(sam.organizationId, async (trx) => {
      const number = await trx
        .selectFrom('phone_numbers')
        .select('id')
        .where('phone_number', '=', sam.line)
        .executeTakeFirstOrThrow();
      const row = { organization_id: sam.organizationId, number_id: number.id, user_id: colleague.id };
      await trx.insertInto('phone_number_users').values(row).execute();
    });
    expect((await colleague.client.post('/v1/opt-in-requests', { contactId: robin.id })).status).toBe(202);
    await post(messageId, 'cancel');
    expect(await read(held)).toMatchObject({ status: 'held' });
  });

  it.for([
    ['gets another number', () => sam.office.patch(`/v1/contacts/${robin.id}`, { mobile: somePhone('415') })],
    ['is deleted', () => sam.office.delete(`/v1/contacts/${robin.id}`)],
  ] as const)('ends when the contact %s, with what is held for its answer', async ([, change]) => {
    const request = await asked();
    const held = await hold();
    expect((await change()).status).toBeLessThan(300);
    expect(await stateOf()).toEqual(['cancelled']);
    for (const id of [request.messageId, held])
      expect(await read(id)).toMatchObject({
        status: 'cancelled',
        errorReason: 'The contact was deleted, or has another number.',
      });
    expect(await outboxOf(api, sam.organizationId)).toEqual([]);
  });

  it('goes on when the contact changes in another way; one to the old number does not count against the new one', async () => {
    await asked();
    const held = await hold();
    await sam.office.patch(`/v1/contacts/${robin.id}`, { firstName: 'Robin', mobile: robin.mobile });
    expect(await stateOf()).toEqual(['waiting']);
    expect((await read(held)).status).toBe('held');
    await sam.office.patch(`/v1/contacts/${robin.id}`, { mobile: somePhone('415') });
    expect((await ask()).status).toBe(202);
  });

  it('once it has left, is a 409: the contact was asked', async () => {
    const request = await asked();
    const { system } = api.database;
    await system.deleteFrom('outbox').where('message_id', '=', request.messageId).execute();
    await system.updateTable('messages').set({ status: 'sent' }).where('id', '=', request.messageId).execute();
    expect(await post(request.messageId, 'cancel')).toMatchObject({ status: 409, body: { allowed: [] } });
    expect(await stateOf()).toEqual(['waiting']);
  });
});

describe('a request that waits, released', () => {
  it('leaves the window behind, and stays ahead of what was written', async () => {
    const { messageId } = await asked();
    expect(await post(messageId, 'release')).toMatchObject({ status: 200, body: { heldUntil: null } });
    expect(await outboxOf(api, sam.organizationId)).toMatchObject([
      { message_id: messageId, released: true, priority: 0 },
    ]);
  });

  it('keeps twelve hours from the one before', async () => {
    await sam.office.patch('/v1/settings', { sendWindow: wholeDay });
    await asked();
    api.clock.advance(dayMs);
    const { messageId } = await asked();
    const { sendAt } = await read(messageId);
    expect(await post(messageId, 'release')).toMatchObject({
      status: 422,
      body: { reason: 'too_soon', until: sendAt },
    });
  });
});

it('what was held is remembered to have been, whatever became of it', async () => {
  const { messageId } = await asked();
  const statuses = async (id: string) => (await read(id)).events.map(({ status }: { status: string }) => status);
  const ended = await hold();
  expect(await statuses(ended)).toEqual(['held']);
  await post(messageId, 'cancel');
  expect(await statuses(ended)).toEqual(['held', 'cancelled']);
  const released = await hold();
  api.clock.advance(1_000);
  const fact = { purpose: 'transactional', granted: true, method: 'web_form' };
  await sam.office.post(`/v1/contacts/${robin.id}/consent`, fact);
  const { createdAt, events } = await read(released);
  expect(events).toEqual([
    { status: 'held', at: createdAt },
    { status: 'queued', at: expect.any(String) },
  ]);
  expect(Date.parse(events[1].at)).toBeGreaterThan(Date.parse(createdAt));
});

it('a request cannot be changed: the answer says what can be done', async () => {
  const { messageId } = await asked();
  expect(await sam.client.patch(`/v1/messages/${messageId}`, { body: 'x' })).toMatchObject({
    status: 409,
    body: { allowed: ['cancel', 'release'], detail: expect.stringContaining('optInRequest') },
  });
});

it('an import of consent queues what was held, cancels the request that waits, and wakes the outbox', async () => {
  const { messageId } = await asked();
  const held = await hold();
  const before = api.told.length;
  const file = `mobile,consent\n${robin.mobile},transactional\n+14155550188,both`;
  const { body } = await sam.office.post('/v1/contacts/import', file, { 'content-type': 'text/csv' });
  expect(body).toMatchObject({ imported: 1, updated: 1 });
  expect(body).not.toHaveProperty('isToWake');
  expect(await read(held)).toMatchObject({ status: 'queued', heldReason: 'outside_window' });
  expect(await read(messageId)).toMatchObject({ status: 'cancelled' });
  expect(await stateOf()).toEqual(['cancelled']);
  expect(api.told.slice(before)).toEqual([`outbox/${sam.organizationId}`]);
});
