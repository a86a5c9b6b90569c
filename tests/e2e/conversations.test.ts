/** A reply from a contact's phone to everywhere it is wanted, through the whole product; and a STOP in the middle of it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EventStream, openEventStream } from '../api/conversations/event-stream.ts';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';

const cell = '+13125550177';

let system: System;
let acme: EnabledOrganization;
let stream: EventStream;
beforeAll(async () => {
  system = await startSystem({ own: ['postgres'] });
  acme = await system.enabledOrganization({
    settings: { replyForwarding: { email: 'desk@acme.example', phone: cell }, optOutScope: 'organization' },
  });
  stream = await openEventStream(system.url, acme.key);
});
afterAll(async () => {
  stream?.close();
  await system?.stop();
});

const said = async (to: string) => (await system.twilio.messages({ to })).items.map(({ body }) => body);
const inbound = (from: string, body: string) => system.twilio.inbound({ from, to: acme.line.phoneNumber, body });

it('a reply is in its thread, on open streams, in the desk’s mailbox and on the cell, whose own answer reaches nobody', async () => {
  const [contact] = await system.contacts(acme, 1, { consent: true });
  expect(await inbound(contact!.mobile, 'Tuesday is fine')).toMatchObject({ status: 200 });
  const [first] = await stream.until(1);
  const { conversationId } = first!.data;
  expect(first).toMatchObject({ type: 'message.received', data: { contactId: contact!.id } });
  const { body: thread } = await acme.client.get(`/v1/conversations/${conversationId}`);
  expect(thread).toMatchObject({ contactName: expect.stringMatching(/^First/), unread: 1 });
  await eventually(async () => {
    expect(await said(cell)).toEqual([
      `From ${thread.contactName}: Tuesday is fine\nReplies to this message do not reach the contact.`,
    ]);
    const mail = (await system.mail.messages()).find(({ to }) => to.includes('desk@acme.example'));
    expect(mail?.text).toContain(`/conversations/${conversationId}`);
  });

  // The simulator sends what the webhook answers.
  await inbound(cell, 'Thanks!');
  await inbound(cell, 'Hello?');
  await eventually(async () => expect(await said(cell)).toHaveLength(2));
  expect((await said(cell))[1]).toMatch(/^Replies to forwarded messages do not reach anybody/);
  const { body: list } = await acme.client.get('/v1/conversations');
  expect(list.items.map(({ id }: { id: string }) => id)).toEqual([conversationId]);
});

it('what a contact is called and writes is text in an email, and never a header, a recipient or a page', async () => {
  const [contact] = await system.contacts(acme, 1, { consent: true });
  const firstName = 'Ada\r\nBcc: eve@evil.example\r\n\r\n<b>';
  expect((await acme.client.patch(`/v1/contacts/${contact!.id}`, { firstName })).status).toBe(200);
  await inbound(contact!.mobile, '<script>alert(1)</script>\r\n.\r\nMAIL FROM:<eve@evil.example>');
  const mail = await eventually(async () => {
    const found = (await system.mail.messages()).filter(({ text }) => text.includes('<script>'));
    expect(found).toHaveLength(1);
    return found[0]!;
  });
  expect(mail).toMatchObject({ to: ['desk@acme.example'], html: '' });
  expect(mail.headers).not.toHaveProperty('bcc');
  expect(mail.subject).toContain('Bcc: eve@evil.example');
  expect(mail.headers['content-type']).toMatch(/^text\/plain/);
});

it('what a user answers is seen on the streams until it is delivered, and a STOP in Twilio’s words ends it', async () => {
  const [contact] = await system.contacts(acme, 1, { consent: true });
  await inbound(contact!.mobile, 'Is the job still open?');
  const before = stream.events.length;
  const acting = system.client(acme.key, { user: acme.user.id });
  const { status, body } = await acting.post('/v1/messages', { contactId: contact!.id, body: 'It is. Shall we talk?' });
  expect({ status, body }).toMatchObject({ status: 202 });
  await eventually(async () => {
    const seen = stream.events.slice(before).filter(({ data }) => data.messageId === body.id);
    expect(seen.map(({ data }) => data.status).at(-1)).toBe('delivered');
  });
  expect(await said(contact!.mobile)).toHaveLength(1);

  await inbound(contact!.mobile, 'STOP');
  const refused = await acting.post('/v1/messages', { contactId: contact!.id, body: 'Hello?' });
  expect(refused).toMatchObject({ status: 422, body: { reason: 'opted_out' } });
  expect(await said(contact!.mobile)).toHaveLength(1);
});

it('a stream goes on after the API was killed, with what was said before and since', async () => {
  const [contact] = await system.contacts(acme, 1, { consent: true });
  await inbound(contact!.mobile, 'one');
  await eventually(async () => expect(stream.events.at(-1)!.type).toBe('notification.created'));
  const after = stream.lastEventId();
  await system.crash('api');
  await eventually(async () => expect(stream.hasEnded()).toBe(true));
  await system.start('api');
  await inbound(contact!.mobile, 'two');
  const resumed = await openEventStream(system.url, acme.key, { after });
  const [received] = await resumed.until(1);
  expect(received).toMatchObject({ type: 'message.received', data: { contactId: contact!.id } });
  resumed.close();
});

it('a stream stays open while Postgres is killed, and tells what comes when it is back, once', async () => {
  const [contact] = await system.contacts(acme, 1, { consent: true });
  const open = await openEventStream(system.url, acme.key);
  await inbound(contact!.mobile, 'before');
  await open.until(2);
  const ids = () => open.events.map(({ id }) => id);
  await system.crash('postgres');
  expect((await inbound(contact!.mobile, 'lost, and Twilio is told so')).status).toBeGreaterThanOrEqual(500);
  await system.start('postgres');
  await eventually(async () => expect(await inbound(contact!.mobile, 'after')).toMatchObject({ status: 200 }));
  await open.until(4);
  expect(open.hasEnded()).toBe(false);
  expect(open.events.map(({ type }) => type)).toEqual([
    'message.received',
    'notification.created',
    'message.received',
    'notification.created',
  ]);
  expect(ids()).toEqual([...new Set(ids())].toSorted((a, b) => a! - b!));
  const { conversationId } = open.events[2]!.data;
  expect((await acme.client.get(`/v1/conversations/${conversationId}`)).body).toMatchObject({ unread: 2 });
  open.close();
});
