/** Number pools, by purpose (B8). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

const promo = { name: 'Promo', purpose: 'promotional' };
const acts = async () => (await client.get('/v1/audit-log')).body.items.slice(0, -2);

describe('pools', () => {
  test('are made, listed, changed and audited', async () => {
    const made = await client.post('/v1/pools', { ...promo, name: ' Promo ' });
    expect(made).toMatchObject({ status: 201, body: { id: expect.stringMatching(/^pol_/), ...promo } });
    const path = `/v1/pools/${made.body.id}`;
    expect((await client.get('/v1/pools')).body).toEqual({ items: [made.body], nextCursor: null });
    const renamed = await client.patch(path, { name: 'Jobs' });
    expect(renamed).toMatchObject({ status: 200, body: { ...made.body, name: 'Jobs' } });
    const changed = await client.patch(path, { purpose: 'transactional' });
    expect(changed.body).toEqual({ ...made.body, name: 'Jobs', purpose: 'transactional' });
    expect((await client.patch(path, {})).body).toEqual(changed.body);
    expect(await acts()).toMatchObject([
      { action: 'pool.changed', subject: made.body.id, detail: { fields: ['purpose'] } },
      { action: 'pool.changed', subject: made.body.id, detail: { fields: ['name'] } },
      { action: 'pool.created', subject: made.body.id, detail: { purpose: 'promotional' } },
    ]);
  });

  test('have a name of their own within the organization, also when two are made or renamed at once', async () => {
    const first = await client.post('/v1/pools', promo);
    const taken = { status: 422, body: { reason: 'name_taken' } };
    expect(await client.post('/v1/pools', { ...promo, purpose: 'transactional' })).toMatchObject(taken);
    const second = await client.post('/v1/pools', { ...promo, name: 'Second' });
    expect(await client.patch(`/v1/pools/${second.body.id}`, { name: 'Promo' })).toMatchObject(taken);
    expect((await client.patch(`/v1/pools/${second.body.id}`, { name: 'Second' })).status).toBe(200);
    const other = await api.organization({ name: 'Other' });
    expect((await other.client.post('/v1/pools', promo)).status).toBe(201);

    const made = await Promise.all([1, 2, 3].map(() => client.post('/v1/pools', { ...promo, name: 'Third' })));
    expect(made.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422, 422]);
    const renamed = await Promise.all(
      [first, second].map(({ body }) => client.patch(`/v1/pools/${body.id}`, { name: 'Fourth' })),
    );
    expect(renamed.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
  });

  test('are made once per Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'a' };
    const first = await client.post('/v1/pools', promo, key);
    const again = await client.post('/v1/pools', promo, key);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  test('are for a purpose the organization may send; one that is not permitted any more can be renamed', async () => {
    const { body } = await client.post('/v1/pools', promo);
    await client.patch('/v1/settings', { permittedPurposes: ['transactional'] });
    const refused = { status: 422, body: { reason: 'purpose_not_permitted' } };
    expect(await client.post('/v1/pools', { ...promo, name: 'More' })).toMatchObject(refused);
    const { body: own } = await client.post('/v1/pools', { name: 'Own', purpose: 'transactional' });
    expect(await client.patch(`/v1/pools/${own.id}`, { purpose: 'promotional' })).toMatchObject(refused);
    expect((await client.patch(`/v1/pools/${body.id}`, { ...promo, name: 'Old promo' })).status).toBe(200);
  });

  test.each([
    [{ purpose: 'promotional' }, 'name'],
    [{ ...promo, name: ' ' }, 'name'],
    [{ ...promo, name: 'x'.repeat(101) }, 'name'],
    [{ ...promo, purpose: 'marketing' }, 'purpose'],
    [{ ...promo, numbers: [] }, 'numbers'],
  ])('%j is a 400 that names %s', async (body, path) => {
    expect(await client.post('/v1/pools', body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  test('need numbers:manage to be made or changed, and are unknown to other organizations', async () => {
    const { body } = await client.post('/v1/pools', promo);
    const texting = api.client(await api.key(acme.id, { permissions: ['messages:send'] }));
    const lacking = { status: 403, body: { permission: 'numbers:manage' } };
    expect(await texting.post('/v1/pools', promo)).toMatchObject(lacking);
    expect(await texting.patch(`/v1/pools/${body.id}`, {})).toMatchObject(lacking);
    expect((await texting.get('/v1/pools')).body.items).toHaveLength(1);
    const other = await api.organization({ name: 'Other' });
    expect((await other.client.patch(`/v1/pools/${body.id}`, { name: 'Mine' })).status).toBe(404);
    expect((await other.client.get('/v1/pools')).body.items).toEqual([]);
  });
});
