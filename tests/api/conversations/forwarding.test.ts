/** Replies passed on to the organization's own mailbox and cell (D4): what they say, how many, and that they go round no circle. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mostForwarded } from '../../../domain/messages/forwarded-text.ts';
import { countSegments } from '../../../domain/messages/segments.ts';
import type { Api } from '../support.ts';
import { countOf, newNumber, startWithoutTemporal, type Tenant, tenantWith, threadWith } from './fixture.ts';

let api: Api;
beforeAll(async () => {
  api = await startWithoutTemporal();
});
afterAll(() => api.stop());

const messagesIn = (twiml: string) => [...twiml.matchAll(/<Message>(.*?)<\/Message>/g)].map(([, text]) => text);

/** What was passed on by SMS, in order. */
const forwardsOf = ({ id }: Tenant) =>
  api.database.system
    .selectFrom('messages')
    .leftJoin('outbox', 'outbox.message_id', 'messages.id')
    .select(['body', 'messages.line', 'messages.contact_number', 'contact_id', 'direct', 'status', 'outbox.priority'])
    .where('messages.organization_id', '=', id)
    .where('source', '=', 'forward')
    .orderBy('messages.id')
    .execute();
/** What was passed on by email, in order. */
const emailsOf = ({ id }: Tenant) =>
  api.database.system
    .selectFrom('emails')
    .select(['recipient', 'subject', 'body', 'key'])
    .where('organization_id', '=', id)
    .where('key', 'like', 'forward/%')
    .orderBy('id')
    .execute();

describe('replies that are passed on', () => {
  let tenant: Tenant;
  let cell: string;
  const forwards = () => forwardsOf(tenant);
  const emails = () => emailsOf(tenant);
  beforeAll(async () => {
    cell = newNumber();
    const replyForwarding = { email: 'desk@acme.example', phone: cell };
    tenant = await tenantWith(api, { settings: { replyForwarding, optOutScope: 'organization' } });
  });

  test('go by email and by SMS, with who wrote them, where to answer, and that replies lead nowhere', async () => {
    const from = newNumber();
    await tenant.receive(from, 'Tuesday is fine', { NumMedia: '1', MediaUrl0: 'https://media.example/1' });
    const { id, lastMessage } = await threadWith(tenant.client, from);
    expect(await forwards()).toEqual([
      {
        body: `From ${from}: Tuesday is fine [1 attachment]\nReplies to this message do not reach the contact.`,
        line: tenant.line,
        contact_number: cell,
        contact_id: null,
        direct: true,
        status: 'queued',
        priority: 0,
      },
    ]);
    const [email] = await emails();
    expect(email).toMatchObject({
      recipient: 'desk@acme.example',
      subject: `Acme: ${from} replied`,
      key: `forward/${lastMessage.id}`,
    });
    expect(email!.body).toContain('Tuesday is fine');
    expect(email!.body).toContain(`https://longwave.test/conversations/${id}`);
    expect(email!.body).toContain('Replies to this email do not reach the contact.');
  });

  test('name the contact, and are cut to three segments', async () => {
    const from = newNumber();
    await tenant.receive(from, 'hello');
    const { contactId } = await threadWith(tenant.client, from);
    await tenant.client.patch(`/v1/contacts/${contactId}`, { firstName: 'Ada', lastName: 'Lovelace' });
    await tenant.receive(from, 'long '.repeat(300));
    const last = (await forwards()).at(-1)!;
    expect(last.body).toMatch(/^From Ada Lovelace: long long .*\.\.\.\nReplies to this message/);
    expect(countSegments(last.body).segments).toBe(3);
    expect((await emails()).at(-1)!.subject).toBe('Acme: Ada Lovelace replied');
  });

  test('are none that are keywords, and none that were passed on before', async () => {
    const before = (await forwards()).length;
    for (const body of ['STOP', 'HELP', 'START', 'arrêt']) await tenant.receive(newNumber(), body);
    await tenant.receive(newNumber(), 'From Ada: hi\nReplies to this message do not reach the contact.');
    expect(await forwards()).toHaveLength(before);
    expect((await emails()).filter(({ body }) => body.includes('From Ada'))).toEqual([]);
  });

  test('are in no thread and no list, and no contact comes of them', async () => {
    expect(await threadWith(tenant.client, cell)).toBeUndefined();
    expect(await countOf(api, 'contacts', `organization_id = '${tenant.id}' and mobile = '${cell}'`)).toBe(0);
    const { body } = await tenant.users[0]!.client.get('/v1/messages');
    expect(body.items.filter((one: { to: string }) => one.to === cell)).toEqual([]);
  });

  test('answered from the cell reach nobody: it is told so once a day, and nothing is kept', async () => {
    const kept = () => countOf(api, 'messages', `organization_id = '${tenant.id}'`);
    const before = await kept();
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(messagesIn((await tenant.receive(cell, `Thanks ${i}`)).body));
    api.clock.advance(86_400_000);
    answers.push(messagesIn((await tenant.receive(cell, 'still here?')).body));
    const sentence = 'Replies to forwarded messages do not reach anybody: please answer in the conversation itself.';
    expect(answers).toEqual([[sentence], [], [], [sentence]]);
    expect(await kept()).toBe(before);
    expect(await threadWith(tenant.client, cell)).toBeUndefined();
  });

  test('end with a STOP of the cell, which makes no contact of it either', async () => {
    const before = (await forwards()).length;
    const from = newNumber();
    await tenant.receive(from, 'one more');
    expect(await forwards()).toHaveLength(before + 1);
    expect(messagesIn((await tenant.receive(cell, 'STOP')).body)).toEqual([]);
    expect((await forwards()).at(-1)).toMatchObject({ status: 'cancelled', priority: null });
    await tenant.receive(from, 'and another');
    expect(await forwards()).toHaveLength(before + 1);
    // Who has said STOP is told nothing either.
    api.clock.advance(2 * 86_400_000);
    expect(messagesIn((await tenant.receive(cell, 'still here?')).body)).toEqual([]);
    expect(await countOf(api, 'contacts', `organization_id = '${tenant.id}' and mobile = '${cell}'`)).toBe(0);
    await tenant.receive(cell, 'START');
    await tenant.receive(from, 'back again');
    expect(await forwards()).toHaveLength(before + 2);
  });
});

describe('a storm of replies', () => {
  let tenant: Tenant;
  const hourMs = 3_600_000;
  beforeEach(async () => {
    const replyForwarding = { email: 'desk@acme.example', phone: newNumber() };
    tenant = await tenantWith(api, { settings: { replyForwarding } });
    // To the beginning of an hour: the storm must not reach over its end.
    api.clock.advance(hourMs - (api.clock.now().getTime() % hourMs));
  });
  const storm = async (count: number) => {
    const answers = await Promise.all(
      Array.from({ length: count }, (_, i) => tenant.receive(newNumber(), `reply ${i}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  };

  test('is passed on by SMS sixty times an hour, says once that there are more, and is kept whole', async () => {
    await storm(mostForwarded.sms + 20);
    const texts = (await forwardsOf(tenant)).map(({ body }) => body);
    expect(texts).toHaveLength(mostForwarded.sms + 1);
    expect(texts.filter((text) => text.startsWith('From '))).toHaveLength(mostForwarded.sms);
    const notice = texts.find((text) => !text.startsWith('From '));
    expect(notice).toBe(
      'More than 60 replies have come within an hour: until the next one, read them in the conversations.\n' +
        'Replies to this message do not reach the contact.',
    );
    expect(countSegments(notice!)).toMatchObject({ encoding: 'GSM-7', segments: 1 });
    expect(await emailsOf(tenant)).toHaveLength(mostForwarded.sms + 20);
    expect(await countOf(api, 'conversations', `organization_id = '${tenant.id}'`)).toBe(mostForwarded.sms + 20);
    api.clock.advance(hourMs);
    await tenant.receive(newNumber(), 'the next hour');
    expect((await forwardsOf(tenant)).at(-1)!.body).toMatch(/^From .*: the next hour\n/);
  });

  test('is passed on by email five hundred times an hour, and says once that there are more', async () => {
    await tenant.receive(newNumber(), 'first');
    const counted = { forwarded: mostForwarded.email };
    await api.database.system.updateTable('organizations').set(counted).where('id', '=', tenant.id).execute();
    await storm(5);
    const subjects = (await emailsOf(tenant)).map(({ subject }) => subject);
    expect(subjects).toEqual([
      expect.stringMatching(/^Acme: \+1\d+ replied$/),
      'Acme: more than 500 replies within an hour',
    ]);
    expect((await emailsOf(tenant)).at(-1)!.body).toContain('https://longwave.test/conversations');
  });
});

describe('a circle', () => {
  test('of two organizations whose cells are each other’s lines ends at once', async () => {
    const [one, two] = [await tenantWith(api, { name: 'One' }), await tenantWith(api, { name: 'Two' })];
    const forwardTo = (tenant: Tenant, phone: string) =>
      tenant.client.patch('/v1/settings', { replyForwarding: { phone } });
    expect((await forwardTo(one, two.line)).status).toBe(200);
    expect((await forwardTo(two, one.line)).status).toBe(200);
    await one.receive(newNumber(), 'hello');
    const [text] = await forwardsOf(one);
    expect(messagesIn((await two.receive(one.line, text!.body)).body)).toHaveLength(1);
    // What it was answered with comes back once more, and is answered no more than once a day.
    expect(messagesIn((await one.receive(two.line, 'Replies to forwarded messages …')).body)).toHaveLength(1);
    expect(messagesIn((await two.receive(one.line, 'Replies to forwarded messages …')).body)).toEqual([]);
    expect(await forwardsOf(two)).toEqual([]);
    expect(await forwardsOf(one)).toHaveLength(1);
  });

  test('of a line and itself is refused', async () => {
    const tenant = await tenantWith(api);
    const answer = await tenant.client.patch('/v1/settings', { replyForwarding: { phone: tenant.line } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'replyForwarding.phone' }] } });
    expect(answer.body.errors[0].message).toMatch(/one of your own lines: name a cell/);
    // Whether it is somebody else's is nobody's business.
    const other = await tenantWith(api, { name: 'Other' });
    const foreign = await tenant.client.patch('/v1/settings', { replyForwarding: { phone: other.line } });
    expect(foreign.status).toBe(200);
  });
});
