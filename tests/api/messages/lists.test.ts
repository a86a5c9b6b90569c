/** How messages are listed and read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MessagesApi, startMessagesApi, type Writer } from './support.ts';

let api: MessagesApi;
let sam: Writer;
beforeAll(async () => {
  api = await startMessagesApi();
  sam = await api.writer();
});
afterAll(async () => {
  await api?.stop();
});

const text = 'Is Tuesday at 10 good for you?';
const send = async (writer: Writer, contactId: string, given: Record<string, unknown> = {}) =>
  writer.client.post('/v1/messages', { contactId, body: text, ...given });

describe('lists', () => {
  it('are newest first, by status and contact, a page at a time', async () => {
    const writer = await api.writer();
    const [ann, bob] = [await api.contact(writer), await api.contact(writer)];
    const ids: string[] = [];
    for (const contact of [ann, bob, ann, bob, ann]) ids.push((await send(writer, contact.id)).body.id);
    await writer.client.post(`/v1/messages/${ids[4]}/cancel`);
    const list = async (query: string) =>
      (await writer.client.get(`/v1/messages${query}`)).body.items.map((item: { id: string }) => item.id);
    expect(await list('')).toEqual(ids.toReversed());
    expect(await list(`?contactId=${ann.id}`)).toEqual([ids[4], ids[2], ids[0]]);
    expect(await list('?status=cancelled')).toEqual([ids[4]]);
    expect(await list(`?status=queued,scheduled&contactId=${ann.id}`)).toEqual([ids[2], ids[0]]);
    expect(await list('?contactId=con_unknown')).toEqual([]);
    const first = (await writer.client.get('/v1/messages?limit=3')).body;
    expect(first.items).toHaveLength(3);
    const rest = (await writer.client.get(`/v1/messages?limit=3&cursor=${first.nextCursor}`)).body;
    expect(rest.items.map((item: { id: string }) => item.id)).toEqual([ids[1], ids[0]]);
    expect(rest.nextCursor).toBeNull();
    expect((await writer.client.get('/v1/messages?status=nonsense')).status).toBe(400);
  });

  it('show inbound messages the other way round', async () => {
    const writer = await api.writer();
    const contact = await api.contact(writer);
    await api.hearFrom(writer, contact);
    const { items } = (await writer.client.get('/v1/messages')).body;
    expect(items).toMatchObject([{ direction: 'inbound', status: 'received', from: contact.mobile, to: writer.line }]);
    const read = await writer.client.get(`/v1/messages/${items[0].id}`);
    expect(read.body.events).toEqual([{ status: 'received', at: items[0].createdAt }]);
  });

  it('and every other answer say what happened to each message, as reading it alone does', async () => {
    const writer = await api.writer();
    const contact = await api.contact(writer);
    const sent = await send(writer, contact.id);
    const events = [{ status: 'queued', at: sent.body.createdAt }];
    expect(sent.body.events).toEqual(events);
    const sendAt = new Date(api.clock.now().getTime() + 3_600_000).toISOString();
    expect(
      (await writer.client.patch(`/v1/messages/${sent.body.id}`, { body: 'Later. STOP ends it.' })).body.events,
    ).toEqual(events);
    const later = await send(writer, contact.id, { sendAt });
    const cancelled = await writer.client.post(`/v1/messages/${later.body.id}/cancel`);
    expect(cancelled.body.events.map((one: { status: string }) => one.status)).toEqual(['scheduled', 'cancelled']);
    const [thread] = (await writer.client.get('/v1/conversations')).body.items;
    expect(thread.lastMessage.events).toEqual(cancelled.body.events);
    const lists = ['/v1/messages', `/v1/messages?contactId=${contact.id}`, `/v1/conversations/${thread.id}/messages`];
    for (const path of lists) {
      const { items } = (await writer.client.get(path)).body;
      expect(items.map((one: { events: unknown }) => one.events)).toEqual([cancelled.body.events, events]);
    }
    expect((await writer.client.get('/v1/messages?status=queued')).body.items[0].events).toEqual(events);
  });

  it('name each state once, when it was reached, also where no report came in 72 hours', async () => {
    const contact = await api.contact(sam);
    const { body } = await send(sam, contact.id);
    const at = (seconds: number) => new Date(Date.parse(body.createdAt) + seconds * 1_000);
    const set = (change: object) =>
      api.database.system.updateTable('messages').set(change).where('id', '=', body.id).execute();
    const read = async () => (await sam.client.get(`/v1/messages/${body.id}`)).body.events;
    const queued = { status: 'queued', at: body.createdAt };
    await set({ status: 'accepted', accepted_at: at(1), finished_at: at(72 * 3_600) });
    const accepted = { status: 'accepted', at: at(1).toISOString() };
    expect(await read()).toEqual([queued, accepted]);
    await set({ status: 'sent', sent_at: at(2) });
    expect(await read()).toEqual([queued, accepted, { status: 'sent', at: at(2).toISOString() }]);
  });

  it('do not tell of other organizations', async () => {
    const contact = await api.contact(sam);
    const { body } = await send(sam, contact.id);
    const other = await api.writer();
    expect((await other.client.get(`/v1/messages/${body.id}`)).status).toBe(404);
    expect((await other.client.post(`/v1/messages/${body.id}/cancel`)).status).toBe(404);
    expect((await other.client.patch(`/v1/messages/${body.id}`, { body: 'x' })).status).toBe(404);
    expect((await other.client.get('/v1/messages')).body.items).toEqual([]);
  });

  it('say in words why a message did not arrive, and when each thing happened', async () => {
    const contact = await api.contact(sam);
    const { body } = await send(sam, contact.id);
    const at = new Date(api.clock.now().getTime() + 1_000);
    await api.database.system
      .updateTable('messages')
      .set({ status: 'undelivered', error_code: 30007, accepted_at: at, finished_at: at })
      .where('id', '=', body.id)
      .execute();
    await api.database.system.deleteFrom('outbox').where('message_id', '=', body.id).execute();
    const event = { message_id: body.id, organization_id: sam.organizationId, twilio_sid: 'SM1', error_code: null };
    await api.database.system
      .insertInto('message_events')
      .values([
        { ...event, status: 'sent', at: new Date(at.getTime() + 1) },
        { ...event, status: 'undelivered', at: new Date(at.getTime() + 2) },
      ])
      .execute();
    const read = (await sam.client.get(`/v1/messages/${body.id}`)).body;
    expect(read).toMatchObject({ errorCode: 30007, errorReason: expect.stringContaining('filtered') });
    expect(read.events.map((one: { status: string }) => one.status)).toEqual([
      'queued',
      'accepted',
      'sent',
      'undelivered',
    ]);
  });
});
