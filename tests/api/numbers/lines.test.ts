/** Lines as they are read: who shares one, and which are shown. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Api, type Organization, startApi } from '../support.ts';
import { addLine, addUser } from './support.ts';

let api: Api;
let acme: Organization;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await api.organization();
});

const list = async (query = ''): Promise<string[]> =>
  (await acme.client.get(`/v1/numbers${query}`)).body.items.map(({ id }: { id: string }) => id);
const addPool = async (name = 'Promo'): Promise<string> =>
  (await acme.client.post('/v1/pools', { name, purpose: 'promotional' })).body.id;

test('a shared line says how many share it, and who of them is active', async () => {
  const [ada, bob] = [await addUser(acme, 'Ada'), await addUser(acme, 'Bob', { active: false })];
  const poolId = await addPool();
  const purchasedAt = new Date();
  const line = await addLine(api, acme, { userIds: [bob, ada], pool_id: poolId, purchased_at: purchasedAt });
  const { body } = await acme.client.get(`/v1/numbers/${line.id}`);
  expect(body).toEqual({
    id: line.id,
    phoneNumber: line.phoneNumber,
    registered: false,
    registrationError: null,
    userIds: [ada, bob],
    users: [
      { id: ada, name: 'Ada', active: true },
      { id: bob, name: 'Bob', active: false },
    ],
    sharedLabel: '+1',
    forwardTo: null,
    poolId,
    orphan: false,
    releasing: false,
    purchasedAt: purchasedAt.toISOString(),
    releasedAt: null,
  });
  expect((await acme.client.get('/v1/numbers')).body).toEqual({ items: [body], nextCursor: null });
});

test('those of others are not shown', async () => {
  const line = await addLine(api, acme);
  const theirs = await addLine(api, await api.organization({ name: 'Other' }));
  expect(await list()).toEqual([line.id]);
  for (const id of [theirs.id, 'num_nonsense']) expect((await acme.client.get(`/v1/numbers/${id}`)).status).toBe(404);
});

test('released ones are read by id, and listed only when they are asked for', async () => {
  const at = new Date();
  const line = await addLine(api, acme);
  const gone = await addLine(api, acme, { released_at: at, releasing_since: at });
  const forgotten = await addLine(api, acme, { released_at: at, orphan_since: at });
  const releasedAt = at.toISOString();
  for (const { id } of [gone, forgotten])
    expect(await acme.client.get(`/v1/numbers/${id}`)).toMatchObject({
      status: 200,
      // Neither is anything to be done about.
      body: { id, releasedAt, releasing: false, orphan: false, userIds: [] },
    });
  expect((await acme.client.get(`/v1/numbers/${line.id}`)).body.releasedAt).toBeNull();
  expect(await list()).toEqual([line.id]);
  expect(await list('?released=false')).toEqual([line.id]);
  expect(await list('?released=true')).toEqual([gone.id, forgotten.id]);
  for (const filter of ['idle', 'orphan']) expect(await list(`?released=true&${filter}=true`)).toEqual([]);
});

test('are filtered by user, by pool, by whether anybody uses them, by whether they are of use to anybody', async () => {
  const [ada, bob] = [await addUser(acme, 'Ada'), await addUser(acme, 'Bob', { active: false })];
  const [eve, joe] = [await addUser(acme, 'Eve', { active: false }), await addUser(acme, 'Joe')];
  const inactive = (name: string) => addUser(acme, name, { active: false });
  const pool = await addPool();
  const { id: busy } = await addLine(api, acme, { userIds: [ada], pool_id: pool });
  const { id: idle } = await addLine(api, acme, { userIds: [bob] });
  const { id: half } = await addLine(api, acme, { userIds: [eve, joe] });
  const { id: orphan } = await addLine(api, acme, { orphan_since: new Date() });
  const { id: pooled } = await addLine(api, acme, { pool_id: pool });
  const { id: idlePooled } = await addLine(api, acme, { userIds: [await inactive('Ida')], pool_id: pool });
  const { id: spare } = await addLine(api, acme);

  expect(await list(`?userId=${ada}`)).toEqual([busy]);
  expect(await list(`?userId=${joe}`)).toEqual([half]);
  expect(await list(`?poolId=${pool}`)).toEqual([busy, pooled, idlePooled]);
  expect(await list('?orphan=true')).toEqual([orphan]);
  expect(await list('?orphan=false')).toEqual([busy, idle, half, pooled, idlePooled, spare]);
  expect(await list('?idle=true')).toEqual([idle, idlePooled, spare]);
  expect(await list('?idle=false')).toEqual([busy, half, orphan, pooled]);
  expect(await list(`?poolId=${pool}&userId=${ada}&orphan=false&idle=false`)).toEqual([busy]);
  expect(await list(`?poolId=${pool}&idle=true`)).toEqual([idlePooled]);
  expect(await acme.client.get('/v1/numbers?idle=yes')).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'idle' }] },
  });
});

test('filters hold on every page', async () => {
  const pool = await addPool();
  const expected: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    await addLine(api, acme);
    expected.push((await addLine(api, acme, { pool_id: pool })).id);
  }
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor ? `&cursor=${cursor}` : '';
    const { body } = await acme.client.get(`/v1/numbers?poolId=${pool}&limit=2${next}`);
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    cursor = body.nextCursor;
  } while (cursor);
  expect(seen).toEqual(expected);
});
