/** Conversations: one per contact and line, each reader with a count of their own, tenants apart (D1, D3). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CompiledQuery, type LogConfig, sql } from 'kysely';
import { DateTime } from 'luxon';
import { listConversations } from '../../../db/conversations/list.ts';
import { openDatabase, type Trx } from '../../../db/database.ts';
import { newId } from '../../../db/ids.ts';
import { listMessages } from '../../../db/messages/list.ts';
import { insertMessage } from '../../../db/messages/messages.ts';
import { withClient } from '../../../launcher/postgres.ts';
import type { Api } from '../support.ts';
import { newNumber, startWithoutTemporal, type Tenant, tenantWith, threadWith } from './fixture.ts';

let api: Api;
let acme: Tenant;
let other: Tenant;
beforeAll(async () => {
  api = await startWithoutTemporal();
  acme = await tenantWith(api, { users: 2 });
  other = await tenantWith(api, { name: 'Other' });
});
afterAll(() => api.stop());

/** Something a user wrote to a contact. */
async function write(tenant: Tenant, contact: { id: string; mobile: string }, body: string, userId: string) {
  const at = api.clock.now();
  return api.database.inOrganization(tenant.id, (trx) =>
    insertMessage(trx, {
      organizationId: tenant.id,
      source: 'user',
      purpose: 'transactional',
      line: tenant.line,
      contact,
      userId,
      body,
      segments: 1,
      direct: true,
      sendAt: null,
      due: { at, reason: null, detail: null, closesAt: null },
      at,
    }),
  );
}
const messagesOf = async (tenant: Tenant, id: string, query = '') =>
  (await tenant.client.get(`/v1/conversations/${id}/messages${query}`)).body;

describe('a conversation', () => {
  test('begins with a message of somebody, who becomes a contact; it shows the line, its users and the last message', async () => {
    const from = newNumber();
    expect(await acme.receive(from, 'Is the job still open?')).toEqual({
      status: 200,
      body: expect.stringMatching(/<Response\/>$/),
    });
    const thread = await threadWith(acme.client, from);
    expect(thread).toMatchObject({
      id: expect.stringMatching(/^cnv_/),
      contactId: expect.stringMatching(/^con_/),
      contactName: null,
      contactNumber: from,
      line: acme.line,
      numberId: acme.numberId,
      users: acme.users.map(({ id, name }) => ({ id, name, active: true })),
      lastMessage: { direction: 'inbound', body: 'Is the job still open?', from, to: acme.line, status: 'received' },
      unread: 1,
      revocation: null,
    });
    const known = await acme.client.get(`/v1/conversations/${thread.id}`);
    expect(known.body).toEqual(thread);
    await acme.client.patch(`/v1/contacts/${thread.contactId}`, { firstName: 'Ada', lastName: 'Lovelace' });
    expect(await threadWith(acme.client, from)).toMatchObject({ contactName: 'Ada Lovelace' });
  });

  test('holds all that went between the line and the contact, newest first, with who wrote each', async () => {
    const from = newNumber();
    await acme.receive(from, 'first', { NumMedia: '1', MediaUrl0: 'https://media.example/1' });
    const { id, contactId } = await threadWith(acme.client, from);
    const [sam, kim] = acme.users;
    await write(acme, { id: contactId, mobile: from }, 'second', sam!.id);
    await write(acme, { id: contactId, mobile: from }, 'third', kim!.id);
    // Of a mass SMS, from the same line, and one from another line, which is another thread's.
    for (const [body, line] of [
      ['fourth', acme.line],
      ['elsewhere', newNumber()],
    ] as const) {
      const at = api.clock.now();
      await api.database.system
        .insertInto('messages')
        .values({
          id: newId('message', at),
          organization_id: acme.id,
          direction: 'outbound',
          source: 'mass_sms',
          purpose: 'promotional',
          status: 'delivered',
          line,
          contact_number: from,
          contact_id: contactId,
          body,
          mass_sms_id: newId('massSms', at),
          batch_number: 1,
          rank: 1,
          created_at: at,
        })
        .execute();
    }
    const { items, nextCursor } = await messagesOf(acme, id);
    expect(nextCursor).toBeNull();
    expect(items.map((one: { body: string }) => one.body)).toEqual(['fourth', 'third', 'second', 'first']);
    expect(items).toMatchObject([
      { source: 'mass_sms', massSmsId: expect.stringMatching(/^mms_/), userId: null, userName: null },
      { source: 'user', userId: kim!.id, userName: kim!.name, direction: 'outbound', from: acme.line, to: from },
      { source: 'user', userId: sam!.id, userName: sam!.name },
      { source: 'contact', mediaUrls: ['https://media.example/1'], userName: null, direction: 'inbound' },
    ]);
    const page = await messagesOf(acme, id, '?limit=3');
    const rest = await messagesOf(acme, id, `?limit=3&cursor=${page.nextCursor}`);
    expect([...page.items, ...rest.items]).toEqual(items);
  });

  test('of a shared line is one for all its users, and says which of them wrote what', async () => {
    const from = newNumber();
    await acme.receive(from, 'Is the job still open?');
    const { id, contactId } = await threadWith(acme.client, from);
    const [sam, kim] = acme.users;
    for (const [user, body] of [
      [sam!, 'It is.'],
      [kim!, 'Shall we talk?'],
    ] as const) {
      expect((await user.client.post('/v1/messages', { contactId, body })).status).toBe(202);
    }
    for (const { client } of [sam!, kim!]) {
      const { body: thread } = await client.get(`/v1/conversations?contactId=${contactId}`);
      expect(thread.items).toMatchObject([{ id, users: [{ id: sam!.id }, { id: kim!.id }] }]);
      const { items } = (await client.get(`/v1/conversations/${id}/messages`)).body;
      expect(items).toMatchObject([
        { body: 'Shall we talk?', userId: kim!.id, userName: kim!.name, from: acme.line },
        { body: expect.stringMatching(/^It is\./), userId: sam!.id, userName: sam!.name, from: acme.line },
        { body: 'Is the job still open?', userId: null, userName: null, to: acme.line },
      ]);
    }
  });

  test('is read and counted by every user, and the organization, for themselves', async () => {
    const from = newNumber();
    for (const body of ['one', 'two', 'three']) await acme.receive(from, body);
    const [sam, kim] = acme.users;
    const { id } = await threadWith(acme.client, from);
    const unreadFor = async (client: Tenant['client']) => (await client.get(`/v1/conversations/${id}`)).body.unread;
    const counts = async () => [
      await unreadFor(acme.client),
      await unreadFor(sam!.client),
      await unreadFor(kim!.client),
    ];
    expect(await counts()).toEqual([3, 3, 3]);
    const [, second] = (await messagesOf(acme, id)).items.toReversed();
    const partly = await sam!.client.post(`/v1/conversations/${id}/read`, { messageId: second.id });
    expect(partly).toMatchObject({ status: 200, body: { id, unread: 1 } });
    expect(await counts()).toEqual([3, 1, 3]);
    expect((await acme.client.post(`/v1/conversations/${id}/read`)).body.unread).toBe(0);
    expect((await kim!.client.post(`/v1/conversations/${id}/read`, {})).body.unread).toBe(0);
    expect(await counts()).toEqual([0, 1, 0]);
    await acme.receive(from, 'four');
    expect(await counts()).toEqual([1, 2, 1]);
  });

  test('read up to a message leaves unread what was notified of those after it', async () => {
    const from = newNumber();
    for (const body of ['one', 'two', 'three']) {
      await acme.receive(from, body);
      api.clock.advance(1_000);
    }
    const [{ client }] = acme.users as [(typeof acme.users)[number]];
    const { id } = await threadWith(client, from);
    const unread = async () =>
      (await client.get('/v1/notifications?unread=true')).body.items
        .filter(({ subject }: { subject: string }) => subject === id)
        .map(({ body }: { body: string }) => body);
    const [, second] = (await messagesOf(acme, id)).items.toReversed();
    await client.post(`/v1/conversations/${id}/read`, { messageId: second.id });
    expect(await unread()).toEqual(['three']);
    await client.post(`/v1/conversations/${id}/read`);
    expect(await unread()).toEqual([]);
  });

  test('is never unread again by reading an earlier message, nor by what we write', async () => {
    const from = newNumber();
    await acme.receive(from, 'one');
    await acme.receive(from, 'two');
    const { id, contactId } = await threadWith(acme.client, from);
    const [, first] = (await messagesOf(acme, id)).items;
    await acme.client.post(`/v1/conversations/${id}/read`);
    expect((await acme.client.post(`/v1/conversations/${id}/read`, { messageId: first.id })).body.unread).toBe(0);
    await write(acme, { id: contactId, mobile: from }, 'mine', acme.users[0]!.id);
    expect((await acme.client.get(`/v1/conversations/${id}`)).body).toMatchObject({
      unread: 0,
      lastMessage: { body: 'mine' },
    });
  });

  test('is not read up to a message of another conversation', async () => {
    const [one, two] = [newNumber(), newNumber()];
    await acme.receive(one, 'one');
    await acme.receive(two, 'two');
    const [first, second] = [await threadWith(acme.client, one), await threadWith(acme.client, two)];
    const answer = await acme.client.post(`/v1/conversations/${first.id}/read`, { messageId: second.lastMessage.id });
    expect(answer.status).toBe(404);
  });

  test('keeps the newest message as its last, however many are written at once', async () => {
    const from = newNumber();
    await acme.receive(from, 'first');
    const { id, contactId } = await threadWith(acme.client, from);
    await Promise.all([
      ...Array.from({ length: 20 }, (_, i) => acme.receive(from, `in ${i}`)),
      ...Array.from({ length: 20 }, (_, i) =>
        write(acme, { id: contactId, mobile: from }, `out ${i}`, acme.users[0]!.id),
      ),
    ]);
    const { items } = await messagesOf(acme, id);
    const shown = (await acme.client.get(`/v1/conversations/${id}`)).body;
    expect(items).toHaveLength(41);
    // Of two in one millisecond or the next, the one with the higher id may have looked at the clock first.
    const lastActivityAt = items
      .map((one: { createdAt: string }) => one.createdAt)
      .toSorted()
      .at(-1);
    expect(shown).toMatchObject({ lastMessage: { id: items[0].id }, lastActivityAt, unread: 21 });
  });
});

describe('the list', () => {
  test('is in order of activity, paged, and filtered by contact, line and what is unread', async () => {
    const tenant = await tenantWith(api);
    const numbers = Array.from({ length: 5 }, newNumber);
    for (const number of numbers) {
      await tenant.receive(number, 'hello');
      api.clock.advance(1_000);
    }
    await tenant.receive(numbers[1]!, 'again');
    const order = (items: { contactNumber: string }[]) => items.map((one) => numbers.indexOf(one.contactNumber));
    const list = async (query: string) => (await tenant.client.get(`/v1/conversations${query}`)).body;
    const all = await list('');
    expect(order(all.items)).toEqual([1, 4, 3, 2, 0]);
    const first = await list('?limit=2');
    const second = await list(`?limit=2&cursor=${first.nextCursor}`);
    const third = await list(`?limit=2&cursor=${second.nextCursor}`);
    expect(order([...first.items, ...second.items, ...third.items])).toEqual([1, 4, 3, 2, 0]);
    expect(third.nextCursor).toBeNull();

    await tenant.client.post(`/v1/conversations/${all.items[0].id}/read`);
    await tenant.client.post(`/v1/conversations/${all.items[3].id}/read`);
    expect(order((await list('?unread=true')).items)).toEqual([4, 3, 0]);
    expect(order((await list('?unread=false')).items)).toEqual([1, 2]);
    const { contactId } = all.items[1];
    expect(order((await list(`?contactId=${contactId}`)).items)).toEqual([4]);
    expect((await list(`?line=${encodeURIComponent(tenant.line)}`)).items).toHaveLength(5);
    expect((await list(`?line=${encodeURIComponent(acme.line)}`)).items).toEqual([]);
  });

  test('of one organization holds nothing of another, and its conversations are unknown there', async () => {
    const from = newNumber();
    await acme.receive(from, 'to Acme');
    await other.receive(from, 'to Other');
    const [mine, theirs] = [await threadWith(acme.client, from), await threadWith(other.client, from)];
    expect(mine.lastMessage.body).toBe('to Acme');
    expect(theirs.lastMessage.body).toBe('to Other');
    expect(mine.contactId).not.toBe(theirs.contactId);
    for (const [method, path] of [
      ['get', ''],
      ['get', '/messages'],
      ['post', '/read'],
    ] as const) {
      expect((await acme.client[method](`/v1/conversations/${theirs.id}${path}`)).status).toBe(404);
    }
    const revocation = await acme.users[0]!.client.post(`/v1/conversations/${theirs.id}/revocation`, {
      confirmed: true,
    });
    expect(revocation.status).toBe(404);
    const foreign = await acme.client.post(`/v1/conversations/${mine.id}/read`, { messageId: theirs.lastMessage.id });
    // In a body it is not addressed, but named.
    expect(foreign.status).toBe(404);
  });

  test('a cursor of another list is refused', async () => {
    const answer = await acme.client.get('/v1/conversations?cursor=eyJhIjoxfQ');
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'cursor' }] } });
  });
});

/** Pages that a statement looked at, by its plan: the first line that counts them is that of the whole. */
function buffersOf(plan: string): number {
  const [, hit = 0, read = 0] = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(plan)!;
  return Number(hit) + Number(read);
}

describe('with 50,000 messages in 2,000 threads', () => {
  let tenant: Tenant;
  beforeAll(async () => {
    tenant = await tenantWith(api);
    const db = api.database.system;
    // All in one partition, whatever day it is.
    const at = DateTime.utc().startOf('month').plus({ days: 14 }).toJSDate();
    await sql`
      insert into messages (id, organization_id, direction, source, purpose, status, line, contact_number, body, created_at)
      select 'msg_' || uuid_v7(${at}::timestamptz - (50000 - i) * interval '1 second'), ${tenant.id},
        case when i % 2 = 0 then 'inbound' else 'outbound' end, 'user', 'transactional', 'received', ${tenant.line},
        '+1617' || (2000000 + (i / 2) % 2000), 'text', ${at}
      from generate_series(1, 50000) i`.execute(db);
    await sql`
      insert into conversations (id, organization_id, line, contact_number, last_message_id, last_message_at,
        last_inbound_id)
      select 'cnv_' || uuid_v7(${at}), organization_id, line, contact_number, max(id), ${at},
        max(id) filter (where direction = 'inbound')
      from messages where organization_id = ${tenant.id} group by organization_id, line, contact_number`.execute(db);
    // What autovacuum does within a minute.
    await withClient(api.databaseUrl, (client) => client.query('analyze messages, conversations'));
  });

  /** The plans of the statements that a piece of work runs, each executed once more. */
  async function plansOf(work: (trx: Trx) => Promise<unknown>): Promise<string[]> {
    const queries: CompiledQuery[] = [];
    const log: LogConfig = ({ level, query }) => {
      if (level === 'query' && /^\s*(select|with)/.test(query.sql)) queries.push(query);
    };
    const database = openDatabase(api.databaseUrl, { poolSize: 2, log });
    try {
      await database.inOrganization(tenant.id, work);
      const asked = queries.filter(({ sql: text }) => /\b(messages|conversations)\b/.test(text));
      return await database.inOrganization(tenant.id, async (trx) => {
        const plans: string[] = [];
        for (const query of asked) {
          const explained = CompiledQuery.raw(`explain (analyze, buffers) ${query.sql}`, [...query.parameters]);
          const { rows } = await trx.executeQuery<{ 'QUERY PLAN': string }>(explained);
          plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
        }
        return plans;
      });
    } finally {
      await database.close();
    }
  }

  test('a page of the list, and of a thread, is read by index, and little of it', async () => {
    const page = { readerId: '', limit: 51 };
    const thread = { line: tenant.line, contactNumber: '+16172000500' };
    const plans = await plansOf(async (trx) => {
      await listConversations(trx, tenant.id, page);
      await listConversations(trx, tenant.id, { ...page, unread: true });
      await listMessages(trx, tenant.id, { thread, limit: 51 });
    });
    expect(plans).toHaveLength(3);
    for (const plan of plans) {
      // Partitions without a row are cheaper to read than their index.
      expect(plan).not.toMatch(/Seq Scan on (messages|conversations)\w* [^\n]*actual time=\S+ rows=(?!0\.00 )/);
      expect(plan).toMatch(/Index Scan .*messages_\d{4}_\d{2}_organization_id_contact_number_id/);
      // Some 20 for each thread of the page; all 2,000 threads would be 40,000.
      expect(buffersOf(plan)).toBeLessThan(4_000);
    }
    for (const plan of plans.slice(0, 2)) expect(plan).toContain('conversations_recent');
  });

  test('the routes answer from so many, and count what is unread', async () => {
    const { body } = await tenant.client.get('/v1/conversations?limit=200&unread=true');
    expect(body.items).toHaveLength(200);
    const [{ id, unread }] = body.items;
    expect(unread).toBeGreaterThan(0);
    expect((await tenant.client.get('/v1/conversations?limit=50')).body.items).toHaveLength(50);
    expect((await tenant.client.get(`/v1/conversations/${id}/messages`)).body.items.length).toBeGreaterThan(20);
  });
});
