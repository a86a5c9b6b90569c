/**
 * Every operation of /openapi.json, with requests that fit it more or less: never a 5xx, every answer as documented,
 * and nothing of another tenant read or changed. A new route is picked up by itself.
 */
import { ServiceError } from '@temporalio/client';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import * as fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { permissions } from '../../../api/shared/permissions.ts';
import { fillTenant, type TenantRows } from '../../db/tenant-rows.ts';
import { type FuzzRequest, type Json, type Operation, operationsOf, requestsOf } from './fuzz-requests.ts';
import { startApi } from '../support.ts';

const runs = Number(process.env['LONGWAVE_FUZZ_RUNS'] ?? 40);

// Temporal stays away: what needs it must say so, and everything else must do without.
const away = async () => {
  throw new ServiceError('away', { cause: Object.assign(new Error('away'), { code: 14 }) });
};
const workflow = {
  start: away,
  signalWithStart: away,
  getHandle: () => ({ executeUpdate: away, getUpdateHandle: () => ({ result: away }), signal: away, query: away }),
};
const connection = { withDeadline: (_at: number, work: () => unknown) => work() };
// Twilio knows nobody, and has nothing on sale; or does not like how it was asked for.
let searches = 0;
const search = async () => {
  searches += 1;
  if (searches % 3 === 0) throw Object.assign(new Error('Invalid'), { status: 400, code: 21_401 });
  return [];
};
const stranger = async () => {
  throw Object.assign(new Error('Authenticate'), { status: 401, code: 20003 });
};
const twilio = {
  client: () => ({
    api: { v2010: { accounts: () => ({ fetch: stranger }) } },
    availablePhoneNumbers: () => ({ local: { list: search } }),
  }),
};
const api = await startApi({
  temporal: { client: { workflow, connection } as never, ping: away },
  twilio: twilio as never,
});
const mine = await fillTenant(api.database, 'Mine', '+14155550101');
const theirs = await fillTenant(api.database, 'Zebulon', '+12125550177');
const key = await api.key(mine.organization);
/** An organization that has nothing, not even an account. */
const bare = await api.organization({ name: 'Bare' });
// So that what needs an account goes on to Twilio, and what needs an organization that can send to the rules for sending.
await api.database.system
  .updateTable('organizations')
  .set({
    module_on: true,
    account_sid: `AC${'0'.repeat(32)}`,
    auth_token: api.app.deps.secrets.encrypt('token'),
    messaging_service_sid: 'MG1',
  })
  .where('id', '=', mine.organization)
  .execute();
await api.database.system
  .updateTable('users')
  .set({ permissions: [...permissions] })
  .where('id', '=', mine.ids.user)
  .execute();
afterAll(() => api.stop());

const document: Json = (await api.operator.get('/openapi.json')).body;
const operations = operationsOf(document);
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, 'document');

const idsOf = ({ organization, ids }: TenantRows): string[] => [organization, ...Object.values(ids)];
const known = {
  all: [...idsOf(mine), ...idsOf(theirs), 'Mine list', 'Zebulon list'],
  byCollection: {
    organizations: [mine.organization, theirs.organization],
    keys: [mine.ids.key, theirs.ids.key],
    users: [mine.ids.user, theirs.ids.user],
    contacts: [mine.ids.contact, theirs.ids.contact],
    'mass-sms': [mine.ids.massSms, theirs.ids.massSms],
    audience: [mine.ids.audience, theirs.ids.audience],
    messages: [mine.ids.message, mine.ids.waitingMessage, theirs.ids.waitingMessage],
    conversations: [mine.ids.conversation, theirs.ids.conversation],
    notifications: [mine.ids.notification, theirs.ids.notification],
    numbers: [mine.ids.number, theirs.ids.number],
    pools: [mine.ids.pool, theirs.ids.pool],
    jobs: [mine.ids.numberJob, theirs.ids.numberJob, mine.ids.job, theirs.ids.job],
    templates: [mine.ids.template, theirs.ids.template],
    'marketing-campaigns': [mine.ids.marketingCampaign, theirs.ids.marketingCampaign],
    'talent-networks': [mine.ids.talentNetwork, theirs.ids.talentNetwork],
    'career-sites': [mine.ids.careerSite, theirs.ids.careerSite],
    pages: [mine.ids.page, theirs.ids.page],
    'webhook-endpoints': [mine.ids.webhookEndpoint, theirs.ids.webhookEndpoint],
    deliveries: [mine.ids.webhookDelivery, theirs.ids.webhookDelivery],
    // Whoever has the address of a piece of evidence may see it.
    evidence: [mine.evidenceToken],
  },
};

/** All rows of the other tenant, as text. */
async function snapshot(): Promise<Record<string, string>> {
  const client = new Client({ connectionString: api.databaseUrl });
  await client.connect();
  try {
    const { rows: tables } = await client.query(`
      select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where a.attname = 'organization_id' and c.relkind in ('r', 'p') and not c.relispartition
        and c.relnamespace = 'public'::regnamespace`);
    const found: Record<string, string> = {};
    for (const { name } of tables) {
      const { rows } = await client.query(
        `select coalesce(jsonb_agg(to_jsonb(t) order by to_jsonb(t)::text), '[]') as rows from ${name} t where organization_id = $1`,
        [theirs.organization],
      );
      found[name] = JSON.stringify(rows[0].rows);
    }
    return found;
  } finally {
    await client.end();
  }
}

const before = await snapshot();

/** @throws when the answer is not what the document says, or tells of the other tenant */
async function check(operation: Operation, request: FuzzRequest, always: Record<string, string>): Promise<void> {
  const { method, path, operation: documented } = operation;
  const response = await fetch(api.url + request.url, {
    method: method.toUpperCase(),
    headers: { ...always, ...request.headers },
    ...(request.body !== undefined && { body: request.body }),
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  // It has no end to wait for.
  if (isStream) await response.body?.cancel();
  const text = isStream ? '' : await response.text();
  const seen = statuses.get(operation) ?? new Set();
  statuses.set(operation, seen.add(response.status));
  const said = `${response.status} ${text.slice(0, 500)}`;
  if (response.status >= 500) {
    expect(said).toMatch(/^503 .*Temporal/s);
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
  }
  // Their ids may be in the request; their data must never be in an answer.
  expect(text).not.toMatch(/Zebulon (secret|pool|mass)|Zebulon@|2125550177/);
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  if (response.status >= 400) {
    expect(type, said).toBe('application/problem+json');
    const body: Json = JSON.parse(text);
    expect(body, said).toMatchObject({
      type: expect.stringMatching(/^\/problems\/[a-z0-9-]+$/),
      title: expect.any(String),
      status: response.status,
      detail: expect.any(String),
    });
    if (response.status === 400)
      expect(body.errors, said).toEqual(
        expect.arrayContaining([{ path: expect.any(String), message: expect.any(String) }]),
      );
    if (response.status === 409) expect(body.allowed, said).toBeInstanceOf(Array);
    if (response.status === 422) expect(body.reason, said).toMatch(/^[a-z0-9_]+$/);
  }
  expect(Object.keys(documented.responses), said).toContain(String(response.status));
  const content = documented.responses[response.status].content;
  if (!content) {
    expect(text, said).toBe('');
    return;
  }
  expect(Object.keys(content), said).toContain(type);
  if (!type.includes('json')) return;
  const pointer = ['paths', path, method, 'responses', response.status, 'content', type, 'schema']
    .map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.getSchema(`document#/${pointer}`)!;
  if (!validate(JSON.parse(text))) throw new Error(`${said}\n${ajv.errorsText(validate.errors)}`);
}

/** What each operation has answered. */
const statuses = new Map<Operation, Set<number>>();

const authorization = `Bearer ${key}`;
const fuzz = (operation: Operation, always: Record<string, string>, numRuns: number) =>
  fc.assert(
    fc.asyncProperty(requestsOf(operation, document, known), (request) => check(operation, request, always)),
    { numRuns, endOnFailure: true },
  );

test('the document describes the API', () => {
  expect(operations.length).toBeGreaterThan(20);
});

describe.each(operations)('$method $path', (operation) => {
  test('answers as documented to an organization key', async () => {
    await expect(fuzz(operation, { authorization }, runs)).resolves.toBeUndefined();
  });

  test('answers as documented to one of its users', async () => {
    await expect(fuzz(operation, { authorization, 'longwave-user': mine.ids.user }, runs / 2)).resolves.toBeUndefined();
  });

  test('answers as documented to an organization that has nothing yet', async () => {
    await expect(fuzz(operation, { authorization: `Bearer ${bare.key}` }, runs / 4)).resolves.toBeUndefined();
  });

  test('answers as documented without a key, and to ids of another tenant in headers', async () => {
    const foreign = [{ 'longwave-user': theirs.ids.user }, { 'longwave-organization': theirs.organization }];
    for (const headers of [{}, ...foreign.map((header) => Object.assign(header, { authorization }))]) {
      await expect(fuzz(operation, headers, 5)).resolves.toBeUndefined();
    }
  });
});

test('methods that are not documented are refused with a problem document', async () => {
  for (const path of Object.keys(document.paths)) {
    for (const method of ['post', 'put', 'patch', 'delete'].filter((name) => !document.paths[path][name])) {
      const response = await fetch(api.url + path.replaceAll(/\{\w+\}/g, 'x'), {
        method: method.toUpperCase(),
        headers: { authorization },
      });
      expect(String(response.status), `${method} ${path}`).toMatch(/^4/);
      expect(response.headers.get('content-type')).toContain('application/problem+json');
    }
  }
});

describe('after all that', () => {
  test('no row of the other tenant was changed by its ids', async () => {
    expect(await snapshot()).toEqual(before);
    expect(Object.values(before).join('')).toContain('Zebulon secret');
  });

  test('most operations of a tenant were reached, and not only refused', () => {
    const ofTenants = operations.filter(
      ({ operation }) => operation.security?.length && operation['x-longwave-access'] !== 'operator',
    );
    const answered = ofTenants.filter((operation) =>
      // 503: all was well but for Temporal.
      [...(statuses.get(operation) ?? [])].some((status) => status < 300 || status === 503),
    );
    expect(answered.length / ofTenants.length).toBeGreaterThan(0.5);
  });

  test('the API is still well', async () => {
    expect((await api.client(key).get('/v1/settings')).status).toBe(200);
    expect((await api.client(key).get('/healthz')).status).toBe(200);
  });
});
