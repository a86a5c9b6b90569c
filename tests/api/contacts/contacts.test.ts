/** Contacts, their lists, their consent, and searching them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { type Api, type Client, type Organization, startApi } from '../support.ts';

let api: Api;
let acme: Organization;
let client: Client;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await api.organization();
  client = acme.client;
});

const contact = async (fields: object = {}) => {
  const made = await client.post('/v1/contacts', fields);
  expect(made.status).toBe(201);
  return made.body;
};
const names = async (query: string): Promise<string[]> =>
  (await client.get(`/v1/contacts?${query}`)).body.items.map(({ firstName }: { firstName: string }) => firstName);

/** First names, a page of one at a time. */
async function walk(query: string): Promise<string[]> {
  const seen: string[] = [];
  let cursor = '';
  do {
    const { body } = await client.get(`/v1/contacts?limit=1${query}${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map(({ firstName }: { firstName: string }) => firstName));
    cursor = body.nextCursor ?? '';
  } while (cursor);
  return seen;
}

describe('a contact', () => {
  test('is made with every field, and reads as it was made', async () => {
    const user = await client.post('/v1/users', { name: 'U', email: 'u@example.com' });
    const fields = {
      firstName: 'Ada',
      lastName: 'Lovelace',
      email: 'ada@example.com',
      postalCode: 'K1A 0B1',
      timeZone: 'America/Toronto',
      ownerId: user.body.id,
      lists: ['b', 'a', 'b'],
      attributes: { shirt: 'XL' },
    };
    const made = await contact({ ...fields, mobile: '(415) 555-0123', homePhone: '415.555.0199' });
    expect(made).toMatchObject({
      ...fields,
      lists: ['a', 'b'],
      mobile: '+14155550123',
      homePhone: '+14155550199',
      consent: { transactional: false, promotional: false },
      optedOut: false,
      phoneStatus: 'valid',
    });
    expect((await client.get(`/v1/contacts/${made.id}`)).body).toEqual(made);
  });

  test('may have nothing at all, and no number: its phone is missing', async () => {
    expect(await contact()).toMatchObject({ mobile: null, phoneStatus: 'missing', lists: [], attributes: {} });
  });

  test('keeps a number that cannot exist, marked invalid; what is no number is refused', async () => {
    expect(await contact({ mobile: '415 555' })).toMatchObject({ mobile: '415 555', phoneStatus: 'invalid' });
    expect(await contact({ mobile: '+10004567890' })).toMatchObject({ mobile: '+10004567890', phoneStatus: 'invalid' });
    const answer = await client.post('/v1/contacts', { mobile: 'call me' });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'mobile' }] } });
    const office = await client.post('/v1/contacts', { mobile: '415-555-0123 ext. 5' });
    expect(office).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'mobile', message: expect.stringContaining('has an extension') }] },
    });
  });

  test('has at most 100 attributes, also after several changes, and is told so', async () => {
    const attributes = (from: number, count: number, value: string | null = 'x') =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${from + n}`, value]));
    expect(await client.post('/v1/contacts', { attributes: attributes(0, 101) })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'attributes', message: 'must hold at most 100 attributes' }] },
    });
    const path = `/v1/contacts/${(await contact({ attributes: attributes(0, 100) })).id}`;
    expect(await client.patch(path, { attributes: { a100: 'x', a0: 'y' } })).toMatchObject({
      status: 422,
      body: { reason: 'too_many_attributes', detail: expect.stringContaining('101 attributes, and may have 100') },
    });
    expect((await client.get(path)).body.attributes).toEqual(attributes(0, 100));
    expect((await client.patch(path, { attributes: { a100: 'x', a0: null } })).body.attributes).toEqual(
      attributes(1, 100),
    );
    // One with more, from several imports, may still be changed otherwise and be relieved of some.
    await api.database.system
      .updateTable('contacts')
      .set({ attributes: JSON.stringify(attributes(0, 150)) })
      .where('id', '=', path.split('/').at(-1)!)
      .execute();
    expect((await client.patch(path, { firstName: 'Ada' })).status).toBe(200);
    expect((await client.patch(path, { attributes: attributes(0, 20, null) })).status).toBe(200);
    expect((await client.patch(path, { attributes: { a149: 'y' } })).status).toBe(422);
  });

  test('whose number bounced keeps it invalid when it is sent unchanged; another one is judged anew', async () => {
    const made = await contact({ mobile: '4155550123' });
    await api.database.system
      .updateTable('contacts')
      .set({ phone_status: 'invalid' })
      .where('id', '=', made.id)
      .execute();
    const patch = async (mobile: string) =>
      (await client.patch(`/v1/contacts/${made.id}`, { mobile })).body.phoneStatus;
    expect(await patch('(415) 555-0123')).toBe('invalid');
    expect(await patch('4155550124')).toBe('valid');
  });

  test.each([
    [{ homePhone: '415 555' }, 'homePhone'],
    [{ email: 'ada' }, 'email'],
    [{ postalCode: '?' }, 'postalCode'],
    [{ timeZone: 'Nowhere' }, 'timeZone'],
    [{ lists: [''] }, 'lists.0'],
    [{ attributes: { a: 1 } }, 'attributes.a'],
    [{ firstName: 'x'.repeat(201) }, 'firstName'],
    [{ phoneStatus: 'valid' }, 'phoneStatus'],
  ])('with %j is a 400 that names %s', async (fields, path) => {
    expect(await client.post('/v1/contacts', fields)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  test('is owned by a user of its own organization only', async () => {
    const other = await api.organization({ name: 'Other' });
    const stranger = await other.client.post('/v1/users', { name: 'S', email: 's@example.com' });
    const refusal = { status: 422, body: { reason: 'unknown_user' } };
    expect(await client.post('/v1/contacts', { ownerId: stranger.body.id })).toMatchObject(refusal);
    const made = await contact();
    expect(await client.patch(`/v1/contacts/${made.id}`, { ownerId: stranger.body.id })).toMatchObject(refusal);
  });

  test('changes only what is sent: attributes are merged, lists replaced, null clears', async () => {
    const made = await contact({
      firstName: 'Ada',
      mobile: '4155550123',
      lists: ['a', 'b'],
      attributes: { x: '1', y: '2' },
    });
    const changed = await client.patch(`/v1/contacts/${made.id}`, {
      lists: ['b', 'c'],
      attributes: { x: null, z: '3' },
      mobile: null,
    });
    expect(changed.body).toMatchObject({
      firstName: 'Ada',
      mobile: null,
      phoneStatus: 'missing',
      lists: ['b', 'c'],
      attributes: { y: '2', z: '3' },
    });
    expect((await client.patch(`/v1/contacts/${made.id}`, { lists: [] })).body.lists).toEqual([]);
  });

  test('is opted out when its number is: on the platform, here or for a line, and not elsewhere', async () => {
    const other = await api.organization({ name: 'Other' });
    const numbers = ['+14155550111', '+14155550112', '+14155550113', '+14155550114'];
    const scopes = [
      { organization_id: null, line: null },
      { organization_id: acme.id, line: null },
      { organization_id: acme.id, line: '+14155550100' },
      { organization_id: other.id, line: null },
    ];
    const at = new Date();
    for (const [n, scope] of scopes.entries()) {
      await api.database.system
        .insertInto('opt_outs')
        .values({ id: newId('optOut', at), phone_number: numbers[n]!, ...scope, method: 'keyword', at })
        .execute();
    }
    const outs = [];
    for (const mobile of numbers) outs.push((await contact({ mobile })).optedOut);
    expect(outs).toEqual([true, true, true, false]);
    await api.database.system.deleteFrom('opt_outs').execute();
  });

  test('when deleted leaves its lists, and keeps ledger and message history', async () => {
    const made = await contact({ mobile: '4155550123', lists: ['a'] });
    await client.post(`/v1/contacts/${made.id}/consent`, { purpose: 'promotional', granted: true, method: 'paper' });
    const at = new Date();
    const message = newId('message', at);
    await api.database.system
      .insertInto('messages')
      .values({
        id: message,
        organization_id: acme.id,
        direction: 'inbound',
        source: 'contact',
        purpose: 'transactional',
        status: 'received',
        line: '+14155550100',
        contact_number: made.mobile,
        contact_id: made.id,
        body: 'hi',
        created_at: at,
      })
      .execute();
    expect((await client.delete(`/v1/contacts/${made.id}`)).status).toBe(204);
    expect((await client.get(`/v1/contacts/${made.id}`)).status).toBe(404);
    expect((await client.delete(`/v1/contacts/${made.id}`)).status).toBe(404);
    expect((await client.get('/v1/contacts?list=a')).body.items).toEqual([]);
    expect((await client.get(`/v1/contacts/${made.id}/consent`)).body.items).toHaveLength(1);
    const kept = await api.database.system
      .selectFrom('messages')
      .select('contact_id')
      .where('id', '=', message)
      .execute();
    expect(kept).toEqual([{ contact_id: made.id }]);
  });

  test('of another organization is unknown to every route', async () => {
    const made = await contact({ firstName: 'Ada' });
    const { client: other } = await api.organization({ name: 'Other' });
    const path = `/v1/contacts/${made.id}`;
    const fact = { purpose: 'promotional', granted: true, method: 'x' };
    const answers = [
      await other.get(path),
      await other.patch(path, { firstName: 'x' }),
      await other.delete(path),
      await other.get(`${path}/consent`),
      await other.post(`${path}/consent`, fact),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    expect((await other.get('/v1/contacts?q=Ada')).body.items).toEqual([]);
  });
});

describe('searching', () => {
  beforeEach(async () => {
    await contact({
      firstName: 'Ada',
      lastName: 'Lovelace',
      mobile: '4155550123',
      email: 'ada@math.example',
      lists: ['math'],
    });
    await contact({ firstName: 'Grace', lastName: 'Hopper', mobile: '2125550177', email: 'g_hopper@navy.example' });
    await contact({ firstName: 'Per%cent', lastName: 'Under_score', mobile: '41555', lists: ['math'] });
  });

  test.each([
    ['lovel', ['Ada']],
    ['ada love', ['Ada']],
    ['ADA   LOVE', ['Ada']],
    ['(415) 555-01', ['Ada']],
    ['+1415', ['Ada']],
    ['4155', ['Ada', 'Per%cent']],
    ['navy', ['Grace']],
    ['g_h', ['Grace']],
    ['_', ['Grace', 'Per%cent']],
    ['%', ['Per%cent']],
    ['\\', []],
    ['', ['Ada', 'Grace', 'Per%cent']],
  ])('%j finds %j', async (q, found) => {
    expect(await names(`q=${encodeURIComponent(q)}`)).toEqual(found);
  });

  test('may be narrowed to a list; an unknown list is empty', async () => {
    expect(await names('list=math')).toEqual(['Ada', 'Per%cent']);
    expect(await names('list=math&q=ada')).toEqual(['Ada']);
    expect(await names('list=nothing')).toEqual([]);
  });

  test('comes in pages, each contact once, also in the order of a list', async () => {
    expect(await walk('')).toEqual(['Ada', 'Grace', 'Per%cent']);
    expect(await walk('&list=math')).toEqual(['Ada', 'Per%cent']);
  });

  test('a cursor of another list is refused', async () => {
    const { nextCursor } = (await client.get('/v1/contacts?list=math&limit=1')).body;
    expect(await client.get(`/v1/contacts?cursor=${nextCursor}`)).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'cursor' }] },
    });
  });
});
