/** The same key and body answers the first result again, however often and however concurrently. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonical, commandOutside } from '../../../api/shared/idempotency.ts';
import { type Api, type Organization, startApi } from '../support.ts';

let api: Api;
let acme: Organization;

beforeAll(async () => {
  api = await startApi();
  acme = await api.organization();
});
afterAll(() => api.stop());

const headers = (key: string) => ({ 'idempotency-key': key });
const body = (name: string) => ({ name, email: `${name}@example.com` });
const usersNamed = async (name: string) =>
  (await acme.client.get('/v1/users?limit=200')).body.items.filter((user: { name: string }) => user.name === name);

test('a repeated request answers the first result and says so; the order of fields does not matter', async () => {
  const first = await acme.client.post('/v1/users', { name: 'a', email: 'a@example.com' }, headers('k1'));
  const again = await acme.client.post('/v1/users', { email: 'a@example.com', name: 'a' }, headers('k1'));
  expect(again).toMatchObject({ status: 201, body: first.body });
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(await usersNamed('a')).toHaveLength(1);
});

test('another body, or another route, under the same key is refused', async () => {
  await acme.client.post('/v1/users', body('b'), headers('k2'));
  const other = await acme.client.post('/v1/users', body('b2'), headers('k2'));
  expect(other).toMatchObject({
    status: 422,
    body: { reason: 'idempotency_key_reused', type: '/problems/idempotency-key-reused' },
  });
  expect((await acme.client.post('/v1/contacts', body('b'), headers('k2'))).status).toBe(400);
  expect((await acme.client.post('/v1/contacts', { firstName: 'b' }, headers('k2'))).status).toBe(422);
});

test('twenty at once take effect once and all answer the same', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => acme.client.post('/v1/users', body('c'), headers('k3'))),
  );
  expect(new Set(answers.map((answer) => `${answer.status} ${answer.body.id}`)).size).toBe(1);
  expect(answers.filter((answer) => answer.headers.get('idempotency-replayed') === null)).toHaveLength(1);
  expect(await usersNamed('c')).toHaveLength(1);
});

test('a request that failed is not remembered: it can be corrected under the same key', async () => {
  await acme.client.post('/v1/users', body('d'));
  expect((await acme.client.post('/v1/users', body('d'), headers('k4'))).status).toBe(422);
  expect((await acme.client.post('/v1/users', body('d4'), headers('k4'))).status).toBe(201);
});

test('keys of different organizations, users and the operator never meet', async () => {
  const other = await api.organization({ name: 'Other' });
  expect((await acme.client.post('/v1/users', body('e'), headers('k5'))).status).toBe(201);
  const theirs = await other.client.post('/v1/users', body('e'), headers('k5'));
  expect(theirs.headers.get('idempotency-replayed')).toBeNull();
  const ada = await acme.client.post('/v1/users', { ...body('ada'), permissions: ['contacts:manage'] });
  const contact = { firstName: 'x' };
  const asNobody = await acme.client.post('/v1/contacts', contact, headers('k6'));
  const asAda = await acme.client.post('/v1/contacts', contact, { ...headers('k6'), 'longwave-user': ada.body.id });
  expect(asAda.body.id).not.toBe(asNobody.body.id);
  expect((await api.operator.post('/v1/organizations', { name: 'N', domain: 'n.example' }, headers('k5'))).status).toBe(
    201,
  );
});

test('a key made twice under one Idempotency-Key is the same key, and is stored encrypted', async () => {
  const path = `/v1/organizations/${acme.id}/keys`;
  const first = await api.operator.post(path, { kind: 'organization' }, headers('k7'));
  const again = await api.operator.post(path, { kind: 'organization' }, headers('k7'));
  expect(again.body).toEqual(first.body);
  expect((await api.client(again.body.key).get('/v1/settings')).status).toBe(200);
  const stored = await api.database.system
    .selectFrom('idempotency_keys')
    .select('body')
    .where('key', '=', 'k7')
    .execute();
  expect(JSON.stringify(stored)).not.toContain(first.body.key);
});

test('after 24 hours of the product the key counts as new', async () => {
  const first = await acme.client.post('/v1/contacts', { firstName: 'f' }, headers('k8'));
  api.clock.advance(23 * 3_600_000);
  expect((await acme.client.post('/v1/contacts', { firstName: 'f' }, headers('k8'))).body.id).toBe(first.body.id);
  api.clock.advance(2 * 3_600_000);
  const later = await acme.client.post('/v1/contacts', { firstName: 'g' }, headers('k8'));
  expect(later.status).toBe(201);
  expect(later.body.id).not.toBe(first.body.id);
});

test('an effect outside Postgres runs once when asked twice in turn, and is told one id for the same request', async () => {
  const runs: (string | null)[] = [];
  const request = {
    server: api.app,
    routeOptions: { config: { access: 'member' } },
    principal: { kind: 'organization', keyId: 'key_1', organizationId: acme.id, userId: null, permissions: new Set() },
    idempotency: { key: 'k9', hash: Buffer.alloc(32, 1) },
  } as never;
  const replayed: string[] = [];
  const reply = { header: (name: string) => replayed.push(name) };
  const run = () =>
    commandOutside(request, reply, async (key) => {
      runs.push(key);
      return { status: 200, body: { run: runs.length } };
    });
  expect(await run()).toEqual({ status: 200, body: { run: 1 } });
  expect(await run()).toEqual({ status: 200, body: { run: 1 } });
  expect(replayed).toEqual(['idempotency-replayed']);
  expect(runs).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

test('an effect that was still under way when it was answered is looked at again, until it has a result', async () => {
  const request = {
    server: api.app,
    routeOptions: { config: { access: 'member' } },
    principal: { kind: 'organization', keyId: 'key_1', organizationId: acme.id, userId: null, permissions: new Set() },
    idempotency: { key: 'k10', hash: Buffer.alloc(32, 2) },
  };
  const keys = new Set<string | null>();
  const run = (status: number, as: object = request) =>
    commandOutside(as as never, { header: () => {} }, async (key) => {
      keys.add(key);
      return { status, body: { told: status } };
    });
  expect(await run(202)).toEqual({ status: 202, body: { told: 202 } });
  const another = { ...request, idempotency: { key: 'k10', hash: Buffer.alloc(32, 3) } };
  await expect(run(200, another)).rejects.toMatchObject({ members: { reason: 'idempotency_key_reused' } });
  expect(await run(202)).toEqual({ status: 202, body: { told: 202 } });
  expect(await run(200)).toEqual({ status: 200, body: { told: 200 } });
  expect(await run(404)).toEqual({ status: 200, body: { told: 200 } });
  expect(keys.size).toBe(1);
});

test('canonical JSON is the same for equal values and differs for different ones', () => {
  expect(canonical({ b: [1, { d: null, c: 'x' }], a: 1 })).toBe('{"a":1,"b":[1,{"c":"x","d":null}]}');
  expect(canonical(['1'])).not.toBe(canonical([1]));
  expect(canonical({ a: undefined })).toBe('{"a":null}');
});
