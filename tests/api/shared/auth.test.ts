/** I1: who may do what, by kind of key and permission. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashKey } from '../../../api/shared/auth.ts';
import { permissions, type Permission } from '../../../api/shared/permissions.ts';
import { readConfig } from '../../../config.ts';
import { upsertEnvironmentKey } from '../../../db/organizations/api-keys.ts';
import { type Api, type Client, type Organization, startApi } from '../support.ts';

let api: Api;
let acme: Organization;
let other: Organization;

beforeAll(async () => {
  api = await startApi();
  acme = await api.organization();
  other = await api.organization({ name: 'Other' });
});
afterAll(() => api.stop());

let users = 0;
async function user(client: Client, granted: Permission[]): Promise<string> {
  users += 1;
  const made = await client.post('/v1/users', { name: 'U', email: `u${users}@example.com`, permissions: granted });
  expect(made.status).toBe(201);
  return made.body.id;
}

describe('without a valid key', () => {
  test.each([
    ['no header', undefined],
    ['another scheme', 'Basic YTpi'],
    ['no key', 'Bearer '],
    ['an unknown key', 'Bearer lw_organization_nobody'],
    ['an over-long key', `Bearer ${'x'.repeat(600)}`],
  ])('%s is a 401 that says what to send', async (_what, authorization) => {
    const answer = await api.client(null).get('/v1/settings', undefined, authorization ? { authorization } : {});
    expect(answer).toMatchObject({ status: 401, body: { type: '/problems/unauthorized', status: 401 } });
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    expect(answer.body.detail).toMatch(/Authorization|ask for a new one/);
  });

  test('a body is not read before the key is checked', async () => {
    expect((await api.client(null).post('/v1/users', '{"broken', { 'content-type': 'application/json' })).status).toBe(
      401,
    );
  });
});

test('an operator key of the environment is taken exactly when it can authenticate', async () => {
  const own = await startApi();
  try {
    const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
    const candidates = [
      ...printable.map((character) => `lw_op_0123456789${character}x`),
      'k'.repeat(512),
      'k'.repeat(513),
    ];
    for (const key of candidates) {
      let taken = true;
      try {
        readConfig(['LONGWAVE_OPERATOR_KEY'], { LONGWAVE_OPERATOR_KEY: key });
      } catch {
        taken = false;
      }
      await upsertEnvironmentKey(own.database.system, hashKey(key), own.clock.now());
      const { status } = await own.client(key).get('/v1/organizations');
      expect({ key, status }).toEqual({ key, status: taken ? 200 : 401 });
    }
  } finally {
    await own.stop();
  }
});

describe('an operator key', () => {
  test('needs to name the organization on routes of a tenant', async () => {
    const answer = await api.operator.get('/v1/settings');
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'Longwave-Organization' }] } });
    expect((await api.operator.get('/v1/settings', undefined, { 'longwave-organization': acme.id })).status).toBe(200);
  });

  test.each(['org_unknown', 'nonsense', 'org_01999999-9999-7999-8999-999999999999'])(
    'an unknown organization (%s) is a 404',
    async (id) => {
      expect((await api.operator.get('/v1/settings', undefined, { 'longwave-organization': id })).status).toBe(404);
    },
  );

  test('may act as a user of that organization, and not of another', async () => {
    const ada = await user(acme.client, ['settings:manage']);
    const headers = { 'longwave-organization': acme.id, 'longwave-user': ada };
    expect((await api.operator.get('/v1/audit-log', undefined, headers)).status).toBe(200);
    const elsewhere = { ...headers, 'longwave-organization': other.id };
    expect((await api.operator.get('/v1/audit-log', undefined, elsewhere)).status).toBe(404);
  });
});

/** A route per permission that this API has: it answers 403 without, and anything else with. */
const needs: [Permission, 'get' | 'post' | 'patch', string, unknown][] = [
  ['settings:manage', 'get', '/v1/audit-log', undefined],
  ['settings:manage', 'patch', '/v1/settings', {}],
  ['settings:manage', 'post', '/v1/users', {}],
  ['contacts:manage', 'post', '/v1/contacts', { firstName: 'x' }],
  ['contacts:manage', 'get', '/v1/consent/export', undefined],
  ['mass-sms:send', 'post', '/v1/mass-sms/audience', {}],
];

describe.each(['organization', 'user', 'acting as a user'] as const)('key kind: %s', (kind) => {
  const clientWith = async (granted: Permission[]): Promise<Client> => {
    if (kind === 'organization') return api.client(await api.key(acme.id, { permissions: granted }));
    const userId = await user(acme.client, granted);
    if (kind === 'user') return api.client(await api.key(acme.id, { userId }));
    return api.client(acme.key, { 'longwave-user': userId });
  };

  test.each(needs)(
    '%s opens %s %s, and every other permission leaves it shut',
    async (permission, method, path, body) => {
      const opened = await (await clientWith([permission]))[method](path, body);
      expect(opened.status).not.toBe(403);
      const rest = permissions.filter((name) => name !== permission);
      const shut = await (await clientWith(rest))[method](path, body);
      expect(shut).toMatchObject({ status: 403, body: { permission, detail: expect.stringContaining(permission) } });
    },
  );

  test('never opens a route of the operator', async () => {
    const client = await clientWith([...permissions]);
    for (const path of ['/v1/organizations', `/v1/organizations/${acme.id}`]) {
      expect(await client.get(path)).toMatchObject({ status: 403, body: { permission: 'operator' } });
    }
  });

  test('never acts in another organization', async () => {
    const client = await clientWith([...permissions]);
    const answer = await client.get('/v1/settings', undefined, { 'longwave-organization': other.id });
    expect(answer.status).toBe(403);
  });
});

test('an organization key without limits has every permission, a limited user key no more than its user', async () => {
  expect((await acme.client.get('/v1/audit-log')).status).toBe(200);
  const userId = await user(acme.client, ['settings:manage', 'contacts:manage']);
  const limited = api.client(await api.key(acme.id, { userId, permissions: ['contacts:manage', 'mass-sms:send'] }));
  expect((await limited.get('/v1/audit-log')).status).toBe(403);
  expect((await limited.get('/v1/consent/export')).status).toBe(200);
  expect((await limited.post('/v1/mass-sms/audience', { query: 'x' })).status).toBe(403);
});

test('a user key acts as no other user, an organization key as none of another organization', async () => {
  const [ada, bob] = [await user(acme.client, []), await user(acme.client, [])];
  const client = api.client(await api.key(acme.id, { userId: ada }));
  expect((await client.get('/v1/settings', undefined, { 'longwave-user': ada })).status).toBe(200);
  expect((await client.get('/v1/settings', undefined, { 'longwave-user': bob })).status).toBe(403);
  const stranger = await user(other.client, []);
  expect((await acme.client.get('/v1/settings', undefined, { 'longwave-user': stranger })).status).toBe(404);
});

test('nobody grants a permission they do not have', async () => {
  const limited = api.client(await api.key(acme.id, { permissions: ['settings:manage'] }));
  const body = { name: 'X', email: 'x@example.com', permissions: ['mass-sms:send'] };
  expect(await limited.post('/v1/users', body)).toMatchObject({ status: 403, body: { permission: 'mass-sms:send' } });
  const userId = await user(acme.client, ['mass-sms:send']);
  const kept = await limited.patch(`/v1/users/${userId}`, { permissions: ['mass-sms:send', 'settings:manage'] });
  expect(kept.status).toBe(200);
});

test('a deactivated user is refused at once, with what to do, and accepted again after activation', async () => {
  const userId = await user(acme.client, ['contacts:manage']);
  const own = api.client(await api.key(acme.id, { userId }));
  const acting = api.client(acme.key, { 'longwave-user': userId });
  expect((await own.get('/v1/settings')).status).toBe(200);
  await acme.client.patch(`/v1/users/${userId}`, { active: false });
  expect(await own.get('/v1/settings')).toMatchObject({
    status: 401,
    body: { detail: expect.stringContaining('deactivated') },
  });
  expect((await acting.get('/v1/settings')).status).toBe(403);
  await acme.client.patch(`/v1/users/${userId}`, { active: true });
  expect((await own.get('/v1/settings')).status).toBe(200);
});

test('a revoked key is refused at once here, and within seconds by other processes', async () => {
  const key = await api.operator.post(`/v1/organizations/${acme.id}/keys`, { kind: 'organization' });
  const client = api.client(key.body.key);
  expect((await client.get('/v1/settings')).status).toBe(200);
  expect((await api.operator.delete(`/v1/organizations/${acme.id}/keys/${key.body.id}`)).status).toBe(204);
  expect((await client.get('/v1/settings')).status).toBe(401);

  const second = await api.operator.post(`/v1/organizations/${acme.id}/keys`, { kind: 'organization' });
  const stale = api.client(second.body.key);
  expect((await stale.get('/v1/settings')).status).toBe(200);
  // As another process would: this one is not told.
  const { system } = api.database;
  await system.updateTable('api_keys').set({ revoked_at: new Date() }).where('id', '=', second.body.id).execute();
  await expect.poll(async () => (await stale.get('/v1/settings')).status, { timeout: 4_000 }).toBe(401);
});

test("an organization's key cannot be revoked through another organization", async () => {
  const key = await api.operator.post(`/v1/organizations/${acme.id}/keys`, { kind: 'organization' });
  expect((await api.operator.delete(`/v1/organizations/${other.id}/keys/${key.body.id}`)).status).toBe(404);
  expect((await api.client(key.body.key).get('/v1/settings')).status).toBe(200);
});

test('keys are stored as hashes only', async () => {
  const rows = await api.database.system.selectFrom('api_keys').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(acme.key);
  const answers = await api.database.system.selectFrom('idempotency_keys').selectAll().execute();
  expect(JSON.stringify(answers)).not.toContain('lw_');
});

test('a key of a user of another organization cannot be made', async () => {
  const stranger = await user(other.client, []);
  const answer = await api.operator.post(`/v1/organizations/${acme.id}/keys`, { kind: 'user', userId: stranger });
  expect(answer.status).toBe(404);
});
