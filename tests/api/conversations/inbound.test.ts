/** What a contact's message sets off: STOP at once and everywhere, wishes in free text, replies passed on, events in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertMessage } from '../../../db/messages/messages.ts';
import type { Api } from '../support.ts';
import { openEventStream } from './event-stream.ts';
import {
  countOf,
  newNumber,
  postSigned,
  startWithoutTemporal,
  type Tenant,
  tenantWith,
  threadWith,
} from './fixture.ts';

let api: Api;
let acme: Tenant;
beforeAll(async () => {
  api = await startWithoutTemporal();
  acme = await tenantWith(api, { settings: { optOutScope: 'organization' } });
});
afterAll(() => api.stop());

const dueNow = () => ({ at: api.clock.now(), reason: null, detail: null, closesAt: null });
/** A message that waits for the contact: in the outbox, or held for an opt-in. */
const waiting = (
  tenant: Tenant,
  contact: { id: string; mobile: string },
  given: { line?: string; isHeld?: boolean } = {},
) =>
  api.database.inOrganization(tenant.id, (trx) =>
    insertMessage(trx, {
      organizationId: tenant.id,
      source: 'user',
      purpose: 'transactional',
      line: given.line ?? tenant.line,
      contact,
      userId: tenant.users[0]!.id,
      body: 'Hello',
      segments: 1,
      direct: false,
      sendAt: null,
      due: given.isHeld ? null : dueNow(),
      at: api.clock.now(),
    }),
  );
const contactOf = async (tenant: Tenant, mobile: string) => {
  await tenant.receive(mobile, 'Hello');
  const { contactId: id } = await threadWith(tenant.client, mobile);
  return { id, mobile };
};
const messagesIn = (twiml: string) => [...twiml.matchAll(/<Message>(.*?)<\/Message>/g)].map(([, text]) => text);

describe('the streams of the organization', () => {
  test('are told of the message, of what it ended, and of the notification, in one order', async () => {
    const contact = await contactOf(acme, newNumber());
    const cancelled = await waiting(acme, contact);
    const stream = await openEventStream(api.url, acme.key);
    await acme.receive(contact.mobile, 'Stop.');
    const { id: conversationId, lastMessage } = await threadWith(acme.client, contact.mobile);
    const events = await stream.until(3);
    expect(events.map(({ type, data }) => ({ type, data }))).toEqual([
      { type: 'message.received', data: { messageId: lastMessage.id, conversationId, contactId: contact.id } },
      { type: 'message.updated', data: { messageId: cancelled, contactId: contact.id, status: 'cancelled' } },
      { type: 'notification.created', data: expect.objectContaining({ userId: acme.users[0]!.id }) },
    ]);
    stream.close();
  });

  test('are told of what Twilio reports of a message that a user wrote, and not of one of a mass SMS', async () => {
    const contact = await contactOf(acme, newNumber());
    const [written, bulk] = [await waiting(acme, contact), await waiting(acme, contact)];
    const db = api.database.system;
    await db.updateTable('messages').set({ status: 'sending' }).where('id', 'in', [written, bulk]).execute();
    await db
      .updateTable('messages')
      .set({ source: 'mass_sms', mass_sms_id: 'mms_x', batch_number: 1, rank: 1 })
      .where('id', '=', bulk)
      .execute();
    const stream = await openEventStream(api.url, acme.key);
    const report = (id: string, status: string) =>
      postSigned(api.url, `/twilio/messages/${id}/status`, {
        AccountSid: acme.account,
        MessageSid: `SM${id.slice(-12).padStart(32, '0')}`,
        MessageStatus: status,
      });
    for (const [id, status] of [
      [bulk, 'delivered'],
      [written, 'sent'],
      [written, 'delivered'],
      [written, 'sent'],
    ] as const) {
      expect((await report(id, status)).status).toBe(200);
    }
    await stream.until(2);
    await sleep(100);
    expect(stream.events.map(({ data }) => data)).toEqual([
      { messageId: written, contactId: contact.id, status: 'sent' },
      { messageId: written, contactId: contact.id, status: 'delivered' },
    ]);
    stream.close();
  });
});

describe('senders', () => {
  test('whose number several contacts have are the one who was written to from that line, or else the oldest', async () => {
    const mobile = newNumber();
    const named = async (firstName: string): Promise<string> =>
      (await acme.client.post('/v1/contacts', { firstName, mobile })).body.id;
    const [oldest, younger] = [await named('Old'), await named('Young')];
    await acme.receive(mobile, 'hello');
    expect(await threadWith(acme.client, mobile)).toMatchObject({ contactId: oldest, contactName: 'Old' });
    await waiting(acme, { id: younger, mobile });
    await acme.receive(mobile, 'hello again');
    const thread = await threadWith(acme.client, mobile);
    expect(thread).toMatchObject({ contactId: younger, lastMessage: { contactId: younger, body: 'hello again' } });
  });

  test('who are unknown and write twice at once are one contact', async () => {
    const from = newNumber();
    await Promise.all(Array.from({ length: 8 }, (_, i) => acme.receive(from, `message ${i}`)));
    expect(await countOf(api, 'contacts', `organization_id = '${acme.id}' and mobile = '${from}'`)).toBe(1);
    expect(await threadWith(acme.client, from)).toMatchObject({ unread: 8 });
  });

  test('with a short code or a word for a number are kept as contacts whom nobody can write to', async () => {
    for (const from of ['72975', 'ACME BANK']) {
      await acme.receive(from, 'Your code is 1234');
      const { contactId } = await threadWith(acme.client, from);
      const { body: contact } = await acme.client.get(`/v1/contacts/${contactId}`);
      expect(contact).toMatchObject({ mobile: from, phoneStatus: 'invalid' });
      const answer = await acme.users[0]!.client.post('/v1/messages', { contactId, body: 'Thanks' });
      expect(answer).toMatchObject({ status: 422, body: { reason: 'no_mobile' } });
    }
  });

  test('whose message Twilio delivers twice have written once', async () => {
    const from = newNumber();
    const MessageSid = `SM${'b'.repeat(32)}`;
    for (let i = 0; i < 3; i += 1) expect((await acme.receive(from, 'once', { MessageSid })).status).toBe(200);
    expect(await threadWith(acme.client, from)).toMatchObject({ unread: 1 });
  });
});

describe('STOP', () => {
  test('cancels what waits for the contact and takes it off the outbox at once, and nobody else’s', async () => {
    const [contact, bystander] = [await contactOf(acme, newNumber()), await contactOf(acme, newNumber())];
    const ids = [await waiting(acme, contact), await waiting(acme, contact, { isHeld: true })];
    const spared = await waiting(acme, bystander);
    expect((await acme.receive(contact.mobile, 'ARRÊT')).status).toBe(200);
    const list = ids.map((id) => `'${id}'`).join();
    expect(
      await countOf(api, 'messages', `id in (${list}) and status = 'cancelled' and cancel_reason = 'opted_out'`),
    ).toBe(2);
    expect(await countOf(api, 'outbox', `message_id in (${list})`)).toBe(0);
    expect(await countOf(api, 'outbox', `message_id = '${spared}'`)).toBe(1);
  });

  test('to one line, where that is the setting, ends what waits on that line', async () => {
    const tenant = await tenantWith(api, { settings: { optOutScope: 'number' } });
    const contact = await contactOf(tenant, newNumber());
    const here = await waiting(tenant, contact);
    const there = await waiting(tenant, contact, { line: newNumber() });
    await tenant.receive(contact.mobile, 'stop all');
    expect(await countOf(api, 'outbox', `message_id = '${here}'`)).toBe(0);
    expect(await countOf(api, 'outbox', `message_id = '${there}'`)).toBe(1);
  });

  test('leaves alone what is being sent', async () => {
    const contact = await contactOf(acme, newNumber());
    const id = await waiting(acme, contact);
    const db = api.database.system;
    await db.updateTable('outbox').set({ claimed_at: api.clock.now() }).where('message_id', '=', id).execute();
    await db.updateTable('messages').set({ status: 'sending' }).where('id', '=', id).execute();
    await acme.receive(contact.mobile, 'STOP');
    expect(await countOf(api, 'outbox', `message_id = '${id}'`)).toBe(1);
    expect(await countOf(api, 'messages', `id = '${id}' and status = 'sending'`)).toBe(1);
  });

  test('beats 20 messages that are written to the contact at the same moment, with none left waiting', async () => {
    const contact = await contactOf(acme, newNumber());
    await Promise.all(Array.from({ length: 20 }, () => waiting(acme, contact)));
    const answers = await Promise.all(Array.from({ length: 5 }, () => acme.receive(contact.mobile, 'STOP')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await countOf(api, 'outbox', `contact_number = '${contact.mobile}'`)).toBe(0);
  });

  test('in words that Twilio does not know is confirmed once, in the language of the word, and then there is silence', async () => {
    const [english, french, known] = [newNumber(), newNumber(), newNumber()];
    expect(messagesIn((await acme.receive(english, 'Stop all!')).body)).toEqual([
      'Acme: you have opted out and will get no more messages. Reply START to get them again.',
    ]);
    expect(messagesIn((await acme.receive(english, 'Stop all!')).body)).toEqual([]);
    expect(messagesIn((await acme.receive(french, 'Arrêt')).body)[0]).toMatch(/^Acme: vous ne recevrez plus/);
    expect(messagesIn((await acme.receive(known, 'STOP')).body)).toEqual([]);
    expect(messagesIn((await acme.receive(newNumber(), 'cancelar', { OptOutType: 'STOP' })).body)).toEqual([]);
  });

  test('then START: the contact can be written to again, and the ledger says so', async () => {
    const contact = await contactOf(acme, newNumber());
    await acme.client.patch(`/v1/contacts/${contact.id}`, {});
    await acme.receive(contact.mobile, 'stop');
    expect((await acme.client.get(`/v1/contacts/${contact.id}`)).body.optedOut).toBe(true);
    await acme.receive(contact.mobile, 'UNSTOP');
    expect((await acme.client.get(`/v1/contacts/${contact.id}`)).body.optedOut).toBe(false);
  });

  test('HELP in words that Twilio does not know is answered with the words of the organization', async () => {
    expect(messagesIn((await acme.receive(newNumber(), 'Aide')).body)).toEqual([
      'Acme: reply here and a person will answer. Reply STOP to get no more messages.',
    ]);
    expect(messagesIn((await acme.receive(newNumber(), 'HELP')).body)).toEqual([]);
  });
});

describe('a wish in free text', () => {
  const flagged = async (body = 'Please stop texting me') => {
    const contact = await contactOf(acme, newNumber());
    await acme.receive(contact.mobile, body);
    return { contact, thread: await threadWith(acme.client, contact.mobile) };
  };
  const sam = () => acme.users[0]!.client;

  test('is flagged, and by itself changes nothing', async () => {
    const { contact, thread } = await flagged();
    expect(thread.revocation).toEqual({ messageId: thread.lastMessage.id });
    expect((await acme.client.get(`/v1/contacts/${contact.id}`)).body.optedOut).toBe(false);
    await acme.receive(contact.mobile, 'Hello? Stop by tomorrow at 5');
    expect((await threadWith(acme.client, contact.mobile)).revocation).toEqual(thread.revocation);
  });

  test('confirmed by a user opts the contact out, with the message as evidence, and is in the audit log', async () => {
    const { contact, thread } = await flagged();
    const held = await waiting(acme, contact, { isHeld: true });
    const queued = await waiting(acme, contact);
    const answer = await sam().post(`/v1/conversations/${thread.id}/revocation`, { confirmed: true });
    expect(answer).toMatchObject({ status: 200, body: { id: thread.id, revocation: null } });
    expect((await acme.client.get(`/v1/contacts/${contact.id}`)).body.optedOut).toBe(true);
    expect(await countOf(api, 'messages', `id in ('${held}', '${queued}') and status = 'cancelled'`)).toBe(2);
    const { body: ledger } = await acme.client.get(`/v1/contacts/${contact.id}/consent`);
    expect(ledger.items).toHaveLength(2);
    for (const entry of ledger.items) {
      expect(entry).toMatchObject({
        granted: false,
        method: 'free_text_confirmed',
        evidence: thread.revocation.messageId,
        actor: `user:${acme.users[0]!.id}`,
        source: acme.line,
      });
    }
    const { body: log } = await acme.client.get('/v1/audit-log');
    expect(log.items[0]).toMatchObject({
      action: 'revocation.confirmed',
      subject: thread.id,
      detail: { messageId: thread.revocation.messageId },
    });
    expect(JSON.stringify(log.items[0])).not.toContain(contact.mobile);
  });

  test('dismissed by a user is forgotten, until the contact says it again', async () => {
    const { contact, thread } = await flagged('wrong number');
    const answer = await sam().post(`/v1/conversations/${thread.id}/revocation`, { confirmed: false });
    expect(answer).toMatchObject({ status: 200, body: { revocation: null } });
    expect((await acme.client.get(`/v1/contacts/${contact.id}`)).body.optedOut).toBe(false);
    const again = await sam().post(`/v1/conversations/${thread.id}/revocation`, { confirmed: true });
    expect(again).toMatchObject({ status: 409, body: { allowed: [] } });
    await acme.receive(contact.mobile, 'Remove me from your list');
    expect((await threadWith(acme.client, contact.mobile)).revocation).not.toBeNull();
  });

  test('is answered by a STOP of the contact', async () => {
    const { contact } = await flagged();
    await acme.receive(contact.mobile, 'STOP');
    expect((await threadWith(acme.client, contact.mobile)).revocation).toBeNull();
    await acme.receive(contact.mobile, 'I said stop texting me');
    expect((await threadWith(acme.client, contact.mobile)).revocation).toBeNull();
  });

  test('is judged by whoever may write messages, once per request key', async () => {
    const { thread } = await flagged();
    const reader = api.client(await api.key(acme.id, { permissions: ['usage:read'] }));
    const path = `/v1/conversations/${thread.id}/revocation`;
    expect(await reader.post(path, { confirmed: true })).toMatchObject({
      status: 403,
      body: { permission: 'messages:send' },
    });
    const key = { 'idempotency-key': 'judged-once' };
    const first = await sam().post(path, { confirmed: true }, key);
    const second = await sam().post(path, { confirmed: true }, key);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toEqual(first.body);
  });
});
