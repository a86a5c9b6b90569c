/** Webhook endpoints and the log of their deliveries, over the API; nothing is delivered here. */
import { afterAll, expect, test } from 'vitest';
import { tellStreams } from '../../../db/conversations/live-events.ts';
import { nextStep } from '../../../db/webhooks/deliveries.ts';
import { endpointFields } from '../../../api/webhook-endpoints/schemas.ts';
import { startApi } from '../support.ts';

const woken: unknown[] = [];
const workflow = {
  signalWithStart: async (_type: string, { args }: { args: unknown[] }) => void woken.push(args[0]),
};
const connection = { withDeadline: (_at: number, work: () => unknown) => work() };
const api = await startApi({ temporal: { client: { workflow, connection } as never, ping: async () => {} } });
afterAll(() => api.stop());

const acme = await api.organization();
const url = 'https://hooks.acme.example/longwave?tenant=1';
const given = { url, events: ['message.received', 'mass_sms.updated'] };
const made = async (body: object = given) => {
  const answer = await acme.client.post('/v1/webhook-endpoints', body);
  expect(answer).toMatchObject({ status: 201 });
  return answer.body;
};
const audited = async () =>
  (await acme.client.get('/v1/audit-log')).body.items.map((entry: { action: string }) => entry.action);

test('an endpoint is added with a secret that is shown once, and stored encrypted', async () => {
  const { secret, ...endpoint } = await made();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(endpoint).toMatchObject({ ...given, active: true, offReason: null, failures: 0, previousSecretUntil: null });
  expect((await acme.client.get(`/v1/webhook-endpoints/${endpoint.id}`)).body).toEqual(endpoint);
  expect((await acme.client.get('/v1/webhook-endpoints')).body.items).toContainEqual(endpoint);
  const rows = await api.database.system.selectFrom('webhook_endpoints').selectAll().execute();
  const sealed = rows.find(({ id }) => id === endpoint.id)!.secret;
  expect(sealed).not.toContain(secret.slice(6));
  expect(api.app.deps.secrets.decrypt(sealed)).toBe(secret);
  expect(await audited()).toContain('webhook_endpoint.created');
});

test('with the same Idempotency-Key there is one endpoint, and the answer repeats its secret', async () => {
  const headers = { 'idempotency-key': 'one-endpoint' };
  const first = await acme.client.post('/v1/webhook-endpoints', given, headers);
  const second = await acme.client.post('/v1/webhook-endpoints', given, headers);
  expect(second.body).toEqual(first.body);
  const keys = await api.database.system.selectFrom('idempotency_keys').selectAll().execute();
  expect(JSON.stringify(keys)).not.toContain(first.body.secret);
});

test.for([
  ['http://hooks.acme.example/', /https/],
  ['ftp://hooks.acme.example/', /web address/],
  ['hooks.acme.example', /web address/],
  ['https://127.0.0.1/', /no public server/],
  ['https://2130706433/', /no public server/],
  ['https://10.1.2.3/', /no public server/],
  ['https://169.254.169.254/latest/meta-data', /no public server/],
  ['https://[::1]/', /no public server/],
  ['https://[::ffff:10.0.0.1]/', /no public server/],
  ['https://localhost/', /no public server/],
  ['https://LOCALHOST.:8443/', /no public server/],
  ['https://hooks.localhost/', /no public server/],
  ['https://printer.local/', /no public server/],
  ['https://metadata.google.internal/', /no public server/],
  ['https://intranet/', /no public server/],
  ['https://user:word@hooks.acme.example/', /password/],
  ['https://hooks.acme.example/#here', /fragment/],
] as const)('%s is refused', async ([address, why]) => {
  const answer = await acme.client.post('/v1/webhook-endpoints', { ...given, url: address });
  expect(answer).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'url', message: expect.stringMatching(why) }] },
  });
});

test('names that only look like those inside are taken, and this machine where it is allowed', async () => {
  for (const address of ['https://internal.acme.example/', 'https://local.example/', 'https://notlocal.example/']) {
    await made({ ...given, url: address });
  }
  const lenient = endpointFields(true).create;
  for (const address of ['https://localhost/', 'http://localhost:9/', 'http://127.0.0.1:9/']) {
    expect(lenient.safeParse({ ...given, url: address }).success, address).toBe(true);
  }
});

test('events must be named, each of the known types', async () => {
  for (const events of [[], ['message.sent'], undefined]) {
    expect((await acme.client.post('/v1/webhook-endpoints', { url, events })).status).toBe(400);
  }
});

test('it needs settings:manage', async () => {
  const key = await api.key(acme.id, { permissions: ['messages:send'] });
  const { id } = await made();
  const client = api.client(key);
  const answers = await Promise.all([
    client.post('/v1/webhook-endpoints', given),
    client.get('/v1/webhook-endpoints'),
    client.get(`/v1/webhook-endpoints/${id}`),
    client.patch(`/v1/webhook-endpoints/${id}`, { active: false }),
    client.delete(`/v1/webhook-endpoints/${id}`),
    client.post(`/v1/webhook-endpoints/${id}/rotate-secret`, {}),
    client.get(`/v1/webhook-endpoints/${id}/deliveries`),
  ]);
  expect(answers.map(({ status, body }) => [status, body.permission])).toEqual(
    answers.map(() => [403, 'settings:manage']),
  );
});

test('it is switched off and on: what happened meanwhile is not sent, and what waits is looked at at once', async () => {
  const { id } = await made();
  const off = await acme.client.patch(`/v1/webhook-endpoints/${id}`, { active: false });
  expect(off.body).toMatchObject({ active: false, offReason: 'requested' });
  await api.database.inOrganization(acme.id, (trx) =>
    tellStreams(trx, acme.id, [{ type: 'message.received', data: {} }], new Date()),
  );
  woken.length = 0;
  const on = await acme.client.patch(`/v1/webhook-endpoints/${id}`, { active: true, events: ['message.received'] });
  expect(on.body).toMatchObject({ active: true, offReason: null, events: ['message.received'] });
  expect(woken).toEqual([{ organizationId: acme.id, endpointId: id }]);
  const lease = { organizationId: acme.id, endpointId: id, leaseId: 'test' };
  expect(await api.database.inOrganization(acme.id, (trx) => nextStep(trx, lease, new Date()))).toEqual({
    kind: 'idle',
    nextAt: null,
  });
  expect(await audited()).toContain('webhook_endpoint.updated');
});

test('a rotation answers a new secret, and says until when the old one signs too', async () => {
  const { id, secret } = await made();
  const { status, body } = await acme.client.post(`/v1/webhook-endpoints/${id}/rotate-secret`, { overlapHours: 2 });
  expect(status).toBe(200);
  expect(body.secret).toMatch(/^whsec_/);
  expect(body.secret).not.toBe(secret);
  const left = Date.parse(body.previousSecretUntil) - api.clock.now().getTime();
  expect(left).toBeGreaterThan(7_100_000);
  expect(left).toBeLessThanOrEqual(7_200_000);
  const none = await acme.client.post(`/v1/webhook-endpoints/${id}/rotate-secret`, { overlapHours: 0 });
  expect(none.body.previousSecretUntil).toBeNull();
  expect(await audited()).toContain('webhook_endpoint.secret_rotated');
});

test('deliveries are listed newest first, page by page, by state; one that waits is not replayed', async () => {
  const { id } = await made();
  const at = new Date();
  const rows = Array.from({ length: 5 }, (_, n) => ({
    id: `whd_${id.slice(4)}-${n}`,
    organization_id: acme.id,
    endpoint_id: id,
    event_id: n + 1,
    type: 'message.received' as const,
    body: JSON.stringify({ type: 'message.received', timestamp: at.toISOString(), data: { n } }),
    state: (['delivered', 'failed', 'delivered', 'waiting', 'waiting'] as const)[n]!,
    created_at: at,
  }));
  await api.database.system.insertInto('webhook_deliveries').values(rows).execute();
  const list = `/v1/webhook-endpoints/${id}/deliveries`;
  const first = (await acme.client.get(`${list}?limit=3`)).body;
  const second = (await acme.client.get(`${list}?limit=3&cursor=${first.nextCursor}`)).body;
  const ids = [...first.items, ...second.items].map((item: { eventId: string }) => item.eventId);
  expect(ids).toEqual(['evt_5', 'evt_4', 'evt_3', 'evt_2', 'evt_1']);
  expect(second.nextCursor).toBeNull();
  const failed = (await acme.client.get(`${list}?state=failed`)).body.items;
  expect(failed).toMatchObject([{ eventId: 'evt_2', state: 'failed', payload: { data: { n: 1 } } }]);

  const replay = (n: number) => acme.client.post(`${list}/${rows[n]!.id}/replay`);
  const change = `PATCH /v1/webhook-endpoints/${id}`;
  expect(await replay(4)).toMatchObject({
    status: 409,
    body: { type: '/problems/still-waiting', detail: expect.stringContaining(`wait. After a failure, ${change}`) },
  });
  woken.length = 0;
  expect(await replay(1)).toMatchObject({ status: 202, body: { state: 'failed', replayAskedAt: expect.any(String) } });
  expect(woken).toEqual([{ organizationId: acme.id, endpointId: id }]);
  expect((await acme.client.post(`${list}/whd_unknown/replay`)).status).toBe(404);
  await acme.client.patch(`/v1/webhook-endpoints/${id}`, { active: false });
  expect(await replay(1)).toMatchObject({
    status: 409,
    body: { type: '/problems/endpoint-off', detail: expect.stringContaining(change), allowed: [change] },
  });
  expect(await audited()).toContain('webhook_delivery.replayed');
});

test('deleted, it is gone with its deliveries; another organization never saw it', async () => {
  const { id } = await made();
  const other = await api.organization({ name: 'Other', domain: 'other.example' });
  expect((await other.client.get(`/v1/webhook-endpoints/${id}`)).status).toBe(404);
  expect((await other.client.delete(`/v1/webhook-endpoints/${id}`)).status).toBe(404);
  expect((await acme.client.delete(`/v1/webhook-endpoints/${id}`)).status).toBe(204);
  expect((await acme.client.get(`/v1/webhook-endpoints/${id}/deliveries`)).status).toBe(404);
});

test('an organization has at most twenty, however many are added at once', async () => {
  const { client } = await api.organization({ name: 'Many', domain: 'many.example' });
  const answers = await Promise.all(Array.from({ length: 25 }, () => client.post('/v1/webhook-endpoints', given)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
  expect(answers.filter(({ body }) => body.reason === 'too_many_endpoints')).toHaveLength(5);
});
