/** Every error is a problem document that says what to do; nothing private is logged. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../../db/database.ts';
import { type Api, type Organization, startApi } from '../support.ts';

let api: Api;
let acme: Organization;
let failure: unknown;
const lines: string[] = [];

beforeAll(async () => {
  api = await startApi({ log: { level: 'trace', stream: { write: (line) => void lines.push(line) } } });
  acme = await api.organization();
  // What every tenant route goes through can be made to fail.
  const { database } = api.app.deps;
  const broken: Database['inOrganization'] = (id, work) => {
    if (failure) throw failure;
    return original(id, work);
  };
  const original = database.inOrganization.bind(database);
  Object.assign(database, { inOrganization: broken });
});
afterAll(() => api.stop());

async function failingWith(error: unknown) {
  failure = error;
  try {
    return await acme.client.get('/v1/settings');
  } finally {
    failure = undefined;
  }
}

const json = { 'content-type': 'application/json' };

describe("the framework's own errors are problem documents", () => {
  test.each<
    [string, number, string, () => Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>]
  >([
    ['malformed JSON', 400, 'bad-request', () => acme.client.post('/v1/users', '{"a":', json)],
    ['an empty JSON body', 400, 'bad-request', () => acme.client.post('/v1/users', '', json)],
    ['no body', 400, 'bad-request', () => acme.client.post('/v1/users')],
    ['null for a body', 400, 'bad-request', () => acme.client.post('/v1/users', 'null', json)],
    ['prototype poisoning', 400, 'bad-request', () => acme.client.post('/v1/users', '{"__proto__":{"a":1}}', json)],
    [
      'deep nesting',
      400,
      'bad-request',
      () => acme.client.post('/v1/users', `{"a":${'['.repeat(9e4)}${']'.repeat(9e4)}}`, json),
    ],
    [
      'an unknown media type',
      415,
      'unsupported-media-type',
      () => acme.client.post('/v1/users', '<a/>', { 'content-type': 'text/xml' }),
    ],
    [
      'a body that is too large',
      413,
      'payload-too-large',
      () => acme.client.post('/v1/users', { name: 'x'.repeat(2e6) }),
    ],
    ['an unknown route', 404, 'not-found', () => acme.client.get('/v1/nothing')],
    ['a method the route does not have', 405, 'method-not-allowed', () => acme.client.delete('/v1/settings')],
    ['a malformed address', 400, 'bad-request', () => acme.client.get('/v1/users/%E0%A4%A')],
    ['an over-long id', 404, 'not-found', () => acme.client.get(`/v1/users/${'x'.repeat(400)}`)],
    ['a bad limit', 400, 'bad-request', () => acme.client.get('/v1/users?limit=0')],
    ['a repeated parameter', 400, 'bad-request', () => acme.client.get('/v1/users?limit=1&limit=2')],
    ['a cursor that is none', 400, 'bad-request', () => acme.client.get('/v1/users?cursor=%00')],
    ['a NUL in a path', 400, 'bad-request', () => acme.client.get('/v1/users/usr_%00')],
    ['a NUL in a query', 400, 'bad-request', () => acme.client.get('/v1/contacts?q=%00')],
    ['a NUL in a body', 400, 'bad-request', () => acme.client.post('/v1/contacts', { firstName: 'a\0' })],
    [
      'a NUL in the name of a field',
      400,
      'bad-request',
      () => acme.client.post('/v1/contacts', { attributes: { 'a\0': 'x' } }),
    ],
    [
      'half a surrogate pair',
      400,
      'bad-request',
      () => acme.client.post('/v1/contacts', '{"firstName":"\\ud800"}', json),
    ],
    [
      'an Idempotency-Key with a space',
      400,
      'bad-request',
      () => acme.client.post('/v1/contacts', {}, { 'idempotency-key': 'a b' }),
    ],
  ])('%s', async (_what, status, slug, send) => {
    const answer = await send();
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      type: `/problems/${slug}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
    });
    if (status === 400)
      expect(answer.body['errors']).toEqual([{ path: expect.any(String), message: expect.any(String) }]);
  });

  test('what is not HTTP at all', async () => {
    const { port } = new URL(api.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
      let text = '';
      socket.on('data', (bytes) => (text += bytes));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 [\s\S]*application\/problem\+json[\s\S]*"errors"/);
  });

  test('405 says what the address does answer', async () => {
    const answer = await acme.client.delete('/v1/settings');
    expect(answer.headers.get('allow')).toMatch(/GET.*PATCH/);
  });
});

test('every field at fault is named, and unknown fields too', async () => {
  const { body } = await acme.client.post('/v1/users', { name: '', email: 'x', mobile: 'home', shoe: 1 });
  const byPath = Object.fromEntries(body.errors.map(({ path, message }: Record<string, string>) => [path, message]));
  expect(byPath).toEqual({
    name: 'must not be empty',
    email: 'must be an email address',
    mobile: 'is not a phone number: write it like +14155550123',
    shoe: 'is not a field of this request',
  });
});

describe('what is thrown below', () => {
  test('an unexpected error is a 500 without internals, logged with its stack under the same id', async () => {
    const answer = await failingWith(new TypeError('boom +14155550123 in "a quoted value"'));
    expect(answer).toMatchObject({ status: 500, body: { type: '/problems/internal' } });
    expect(JSON.stringify(answer.body)).not.toMatch(/boom|TypeError|\.ts/);
    const id = answer.body.instance.replace('urn:uuid:', '');
    const line = lines.find((text) => text.includes(id) && text.includes('unexpected error'))!;
    expect(JSON.parse(line).err).toMatchObject({
      type: 'TypeError',
      message: expect.stringContaining('boom'),
      stack: expect.stringContaining('errors.test'),
    });
    expect(line).not.toMatch(/4155550123|quoted value/);
  });

  test.each([
    ['Postgres refusing connections', Object.assign(new Error('x'), { code: 'ECONNREFUSED' })],
    ['Postgres shutting down', Object.assign(new Error('x'), { code: '57P01' })],
    ['Postgres without connections left', Object.assign(new Error('x'), { code: '53300' })],
    ['a connection that ended', new Error('Connection terminated unexpectedly')],
    ['a full pool', new Error('timeout exceeded when trying to connect')],
    ['a deadlock', Object.assign(new Error('x'), { code: '40P01' })],
    ['Temporal away', Object.assign(new Error('x'), { name: 'ServiceError', cause: { code: 14 } })],
    ['Temporal too slow', Object.assign(new Error('x'), { code: 4 })],
  ])('%s is a 503 with Retry-After', async (_what, error) => {
    const answer = await failingWith(error);
    expect(answer).toMatchObject({ status: 503, body: { type: '/problems/unavailable' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('a value that Postgres cannot store is a 400', async () => {
    expect(await failingWith(Object.assign(new Error('x'), { code: '22P05' }))).toMatchObject({ status: 400 });
  });
});

test('readiness names what is down; liveness does not depend on it', async () => {
  const { temporal } = api.app.deps;
  expect((await api.client(null).get('/readyz')).body).toEqual({ status: 'ready', postgres: 'up', temporal: 'up' });
  const ping = temporal.ping.bind(temporal);
  temporal.ping = () => Promise.reject(new Error('away'));
  const answer = await api.client(null).get('/readyz');
  temporal.ping = ping;
  expect(answer).toMatchObject({
    status: 503,
    body: { postgres: 'up', temporal: 'down', type: '/problems/unavailable' },
  });
  expect(answer.headers.get('retry-after')).toBe('5');
  expect((await api.client(null).get('/healthz')).status).toBe(200);
});

test('metrics count requests by route pattern and status', async () => {
  await acme.client.get('/v1/users/usr_1');
  const { body } = await api.client(null).get('/metrics');
  expect(body).toMatch(
    /longwave_http_request_duration_seconds_count\{method="GET",route="\/v1\/users\/:id",status="404"\} \d/,
  );
  expect(body).toContain('process_cpu_seconds_total');
});

test('logs hold the route, never a phone number, a body, a query, an id in a path or a token', async () => {
  lines.length = 0;
  const secrets = [
    '4155550177',
    'Wilhelmina',
    'wilhelmina@example.com',
    'find-me',
    acme.key.slice(4),
    'paper-evidence',
  ];
  const made = await acme.client.post('/v1/contacts', {
    firstName: 'Wilhelmina',
    mobile: '+14155550177',
    email: 'wilhelmina@example.com',
  });
  await acme.client.get('/v1/contacts?q=find-me');
  await acme.client.get('/v1/contacts?q=%2B14155550177');
  await acme.client.get(`/v1/contacts/${made.body.id}`);
  await acme.client.get('/v1/contacts/4155550177');
  await acme.client.get('/4155550177');
  await acme.client.patch(`/v1/contacts/${made.body.id}`, { mobile: '4155550177 nonsense' });
  await acme.client.post(`/v1/contacts/${made.body.id}/consent`, {
    purpose: 'promotional',
    granted: true,
    method: 'paper',
    evidence: 'paper-evidence',
  });
  await acme.client.post('/v1/contacts/import', 'mobile,firstName\n4155550177,Wilhelmina\n"', {
    'content-type': 'text/csv',
  });
  await failingWith(
    Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (mobile)=(+14155550177) exists' }),
  );
  const log = lines.join('');
  for (const secret of [...secrets, made.body.id]) expect(log).not.toContain(secret);
  const requests = lines.map((line) => JSON.parse(line)).filter((line) => line.msg === 'request');
  expect(requests.length).toBe(10);
  expect(requests[0]).toMatchObject({
    method: 'POST',
    route: '/v1/contacts',
    status: 201,
    organizationId: acme.id,
    reqId: expect.any(String),
    ms: expect.any(Number),
  });
});
