/** Notifications of new messages: to whoever texts from the line, as each prefers, with few emails (G3). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { notificationKinds } from '../../../domain/notifications/notifications.ts';
import { openEventStream } from '../conversations/event-stream.ts';
import { newNumber, startWithoutTemporal, type Tenant, tenantWith, threadWith } from '../conversations/fixture.ts';
import type { Api } from '../support.ts';

let api: Api;
let acme: Tenant;
beforeAll(async () => {
  api = await startWithoutTemporal();
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await tenantWith(api, { users: 3 });
});

const prefer = (user: number, delivery: string) =>
  acme.users[user]!.client.put('/v1/notification-preferences', { 'message.received': delivery });
const listOf = async (user: number, query = '') =>
  (await acme.users[user]!.client.get(`/v1/notifications${query}`)).body.items;
/** The emails to users, in order, with the seconds they wait. */
async function emails() {
  const rows = await api.database.system
    .selectFrom('emails')
    .selectAll()
    .where('organization_id', '=', acme.id)
    .orderBy('id')
    .execute();
  return rows.map(({ recipient, subject, body, created_at: at, next_attempt_at: next }) => ({
    recipient,
    subject,
    body,
    waits: Math.round(((next ?? at).getTime() - at.getTime()) / 1000),
  }));
}
/** As the sender does. */
const markSent = () =>
  api.database.system
    .updateTable('emails')
    .set({ sent_at: api.clock.now(), next_attempt_at: null })
    .where('organization_id', '=', acme.id)
    .where('sent_at', 'is', null)
    .where('next_attempt_at', '<=', api.clock.now())
    .execute();

describe('a new message', () => {
  test('notifies every active user of the line, and nobody else', async () => {
    const elsewhere = await acme.client.post('/v1/users', { name: 'Else', email: 'else@acme.example' });
    const elseKey = await api.key(acme.id, { userId: elsewhere.body.id });
    const from = newNumber();
    await acme.client.patch(`/v1/users/${acme.users[2]!.id}`, { active: false });
    await acme.receive(from, 'Is the job still open?');
    const { id } = await threadWith(acme.client, from);
    const expected = {
      id: expect.stringMatching(/^ntf_/),
      kind: 'message.received',
      level: 'info',
      title: `New message from ${from}`,
      body: 'Is the job still open?',
      subject: id,
      readAt: null,
    };
    for (const user of [0, 1]) expect(await listOf(user)).toMatchObject([expected]);
    expect((await api.client(elseKey).get('/v1/notifications')).body.items).toEqual([]);
    await acme.client.patch(`/v1/users/${acme.users[2]!.id}`, { active: true });
    expect(await listOf(2)).toEqual([]);
    expect(await emails()).toEqual([]);
  });

  test('is told to the event streams, by id', async () => {
    const stream = await openEventStream(api.url, acme.key);
    await acme.receive(newNumber(), 'hello');
    const events = await stream.until(4);
    expect(events.map(({ type }) => type)).toEqual(['message.received', ...Array(3).fill('notification.created')]);
    const [first] = await listOf(0);
    expect(events[1]!.data).toEqual({
      notificationId: first.id,
      userId: acme.users[0]!.id,
      kind: 'message.received',
      level: 'info',
      subject: first.subject,
    });
    stream.close();
  });

  test('is emailed at once, with the text and a link, to those who want that, and to nobody else', async () => {
    await prefer(1, 'email');
    await prefer(2, 'digest');
    const from = newNumber();
    await acme.receive(from, 'Tuesday is fine');
    const { id } = await threadWith(acme.client, from);
    const sent = await emails();
    expect(sent).toMatchObject([
      { recipient: acme.users[1]!.email, subject: `Acme: new message from ${from}`, waits: 0 },
    ]);
    expect(sent[0]!.body).toContain('Tuesday is fine');
    expect(sent[0]!.body).toContain(`https://longwave.test/conversations/${id}`);
    expect(await listOf(2)).toHaveLength(1);
  });
});

describe('emails about one conversation', () => {
  // What they wait is compared to the second.
  beforeEach(() => api.clock.hold());
  afterEach(() => api.clock.run());

  test('are at most one in five minutes: what comes in between is told of together, and nothing is lost', async () => {
    await prefer(0, 'email');
    const from = newNumber();
    await acme.receive(from, 'one');
    await markSent();
    api.clock.advance(60_000);
    await acme.receive(from, 'two');
    api.clock.advance(60_000);
    await acme.receive(from, 'three');
    const sent = await emails();
    expect(sent.map(({ subject, waits }) => ({ subject, waits }))).toEqual([
      { subject: `Acme: new message from ${from}`, waits: 0 },
      { subject: `Acme: new messages from ${from}`, waits: 240 },
    ]);
    expect(sent[1]!.body).not.toContain('two');
    api.clock.advance(180_000);
    await markSent();
    await acme.receive(from, 'four');
    expect((await emails()).at(-1)!.waits).toBe(300);
    api.clock.advance(600_000);
    await markSent();
    api.clock.advance(300_000);
    await acme.receive(from, 'five');
    expect((await emails()).at(-1)).toMatchObject({ subject: `Acme: new message from ${from}`, waits: 0 });
    expect(await emails()).toHaveLength(4);
    expect(await listOf(0)).toHaveLength(5);
  });

  test('stay few when many messages come at the same moment', async () => {
    await prefer(0, 'email');
    const from = newNumber();
    await Promise.all(Array.from({ length: 10 }, (_, i) => acme.receive(from, `message ${i}`)));
    expect(await emails()).toHaveLength(2);
    expect(await listOf(0)).toHaveLength(10);
  });

  test('are counted by user and by conversation', async () => {
    await prefer(0, 'email');
    await prefer(1, 'email');
    const [one, two] = [newNumber(), newNumber()];
    await acme.receive(one, 'hello');
    await acme.receive(two, 'hello');
    expect((await emails()).map(({ waits }) => waits)).toEqual([0, 0, 0, 0]);
  });
});

describe('emails to one user', () => {
  test('are thirty in an hour and one more for all that follows, and begin anew after that', async () => {
    await prefer(0, 'email');
    for (let i = 0; i < 40; i += 1) await acme.receive(newNumber(), `message ${i}`);
    const sent = await emails();
    expect(sent).toHaveLength(31);
    expect(sent.slice(0, 30).map(({ waits }) => waits)).toEqual(Array(30).fill(0));
    expect(sent[30]).toMatchObject({ subject: 'Acme: new messages in several conversations', waits: 3_600 });
    expect(sent[30]!.body).toContain('https://longwave.test/conversations\n');
    expect(await listOf(0, '?limit=200')).toHaveLength(40);
    api.clock.advance(3_600_000);
    await markSent();
    const from = newNumber();
    await acme.receive(from, 'later');
    expect((await emails()).at(-1)).toMatchObject({ subject: `Acme: new message from ${from}`, waits: 0 });
    expect(await emails()).toHaveLength(32);
  });
});

describe('notifications', () => {
  test('are listed newest first and paged, and read one by one, once', async () => {
    for (const body of ['one', 'two', 'three']) await acme.receive(newNumber(), body);
    const { client } = acme.users[0]!;
    const first = (await client.get('/v1/notifications?limit=2')).body;
    const second = (await client.get(`/v1/notifications?limit=2&cursor=${first.nextCursor}`)).body;
    const all = [...first.items, ...second.items];
    expect(all.map(({ body }) => body)).toEqual(['three', 'two', 'one']);
    const read = await client.post(`/v1/notifications/${all[1].id}/read`);
    expect(read).toMatchObject({ status: 200, body: { id: all[1].id, readAt: expect.any(String) } });
    api.clock.advance(60_000);
    expect((await client.post(`/v1/notifications/${all[1].id}/read`)).body).toEqual(read.body);
    expect(await listOf(0, '?unread=true')).toEqual([all[0], all[2]]);
    expect(await listOf(0, '?unread=false')).toEqual([read.body]);
    expect(await listOf(1, '?unread=true')).toHaveLength(3);
  });

  test('of a conversation are read with it', async () => {
    const from = newNumber();
    await acme.receive(from, 'one');
    await acme.receive(newNumber(), 'other');
    const { id } = await threadWith(acme.client, from);
    await acme.users[0]!.client.post(`/v1/conversations/${id}/read`);
    expect((await listOf(0, '?unread=true')).map(({ body }: { body: string }) => body)).toEqual(['other']);
    expect(await listOf(1, '?unread=true')).toHaveLength(2);
  });

  test('are a user’s own: neither a colleague nor another organization reads or marks them', async () => {
    const other = await tenantWith(api, { name: 'Other' });
    await acme.receive(newNumber(), 'one');
    const [mine] = await listOf(0);
    expect((await acme.users[1]!.client.post(`/v1/notifications/${mine.id}/read`)).status).toBe(404);
    expect((await other.users[0]!.client.post(`/v1/notifications/${mine.id}/read`)).status).toBe(404);
    expect((await other.users[0]!.client.get('/v1/notifications')).body.items).toEqual([]);
  });

  test('need a user, who may also be named by an organization key', async () => {
    for (const path of ['/v1/notifications', '/v1/notification-preferences']) {
      expect(await acme.client.get(path)).toMatchObject({ status: 422, body: { reason: 'user_required' } });
    }
    const put = await acme.client.put('/v1/notification-preferences', { 'message.received': 'email' });
    expect(put).toMatchObject({ status: 422, body: { reason: 'user_required' } });
    const acting = api.client(acme.key, { 'longwave-user': acme.users[0]!.id });
    expect((await acting.get('/v1/notifications')).status).toBe(200);
  });
});

describe('preferences', () => {
  test('are as by default until a user chooses otherwise, and again when a kind is left out', async () => {
    const { client } = acme.users[0]!;
    const read = async () => (await client.get('/v1/notification-preferences')).body;
    const byDefault: Record<string, string> = Object.fromEntries(notificationKinds.map((kind) => [kind, 'product']));
    for (const kind of ['mass_sms.suspended', 'mass_sms.error', 'webhook_endpoint.switched_off'])
      byDefault[kind] = 'email';
    expect(await read()).toEqual(byDefault);
    expect((await prefer(0, 'email')).body).toEqual({ ...byDefault, 'message.received': 'email' });
    expect((await prefer(0, 'digest')).body).toEqual({ ...byDefault, 'message.received': 'digest' });
    expect(await read()).toEqual({ ...byDefault, 'message.received': 'digest' });
    expect((await acme.users[1]!.client.get('/v1/notification-preferences')).body).toEqual(byDefault);
    expect((await client.put('/v1/notification-preferences', {})).body).toEqual(byDefault);
    expect(await read()).toEqual(byDefault);
  });

  test('of unknown kinds or ways are refused', async () => {
    const { client } = acme.users[0]!;
    for (const body of [{ 'message.lost': 'email' }, { 'message.received': 'pigeon' }, []]) {
      expect((await client.put('/v1/notification-preferences', body)).status).toBe(400);
    }
  });
});
