/** Event streams: believed by their signature, obeyed once, and kept only when the workflows have heard. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import twilio from 'twilio';
import { away, force, notFound, startWithTemporal } from '../registration/support.ts';
import type { Api, Organization } from '../support.ts';

let api: Api;
let temporal: Awaited<ReturnType<typeof startWithTemporal>>['temporal'];
let reset: () => void;
let acme: Organization & { account: string };
let registrationId: string;
let number = 0;

beforeAll(async () => {
  ({ api, temporal, reset } = await startWithTemporal());
});
afterAll(() => api.stop());

const token = 'a'.repeat(32);
async function withAccount(): Promise<Organization & { account: string }> {
  const organization = await api.organization();
  number += 1;
  const account = `AC${String(number).padStart(32, '0')}`;
  await api.database.system
    .updateTable('organizations')
    .set({ account_sid: account, auth_token: api.app.deps.secrets.encrypt(token) })
    .where('id', '=', organization.id)
    .execute();
  return { ...organization, account };
}

beforeEach(async () => {
  reset();
  acme = await withAccount();
  registrationId = await force(api, acme, { state: 'submitted' });
});

const prefix = 'com.twilio.messaging.compliance.';
let events = 0;
const event = (type: string, accountsid: string | undefined = acme.account, more: object = {}) => {
  events += 1;
  return { specversion: '1.0', id: `NO${events}`, type: prefix + type, data: { accountsid, brandsid: 'BN1' }, ...more };
};

interface PostOptions {
  /** What it is signed with. */
  key?: string;
  path?: string;
  headers?: Record<string, string>;
  /** Added to the body after it was signed. */
  tamper?: string;
}

/** Posts a body as Twilio does. */
async function post(body: unknown, { key = token, path, headers = {}, tamper = '' }: PostOptions = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const hash = createHash('sha256').update(text).digest('hex');
  const target = path ?? `/twilio/events?bodySHA256=${hash}`;
  const response = await fetch(api.url + target, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-twilio-signature': twilio.getExpectedTwilioSignature(key, `https://longwave.test${target}`, {}),
      ...headers,
    },
    body: text + tamper,
  });
  return { status: response.status, text: await response.text() };
}
const receipts = async () =>
  (
    await api.database.system
      .selectFrom('twilio_event_receipts')
      .select('event_id')
      .where('organization_id', '=', acme.id)
      .orderBy('event_id')
      .execute()
  ).map((row) => row.event_id);

describe('a signed batch', () => {
  test('wakes the workflow of the brand and that of the campaign, each once', async () => {
    const batch = [
      event('brand-registration.brand-registered'),
      event('brand-registration.brand-verified'),
      event('campaign-registration.campaign-approved'),
      event('number-registration.successful'),
    ];
    expect(await post(batch)).toEqual({ status: 200, text: '' });
    expect(temporal.asked).toEqual([
      { workflow: `brand/${registrationId}`, message: 'changed' },
      { workflow: `campaign/${registrationId}`, message: 'changed' },
    ]);
    expect(await receipts()).toEqual(batch.map(({ id }) => id).toSorted());
  });

  test('may be a single event', async () => {
    expect((await post(event('brand-registration.brand-failure'))).status).toBe(200);
    expect(temporal.asked).toHaveLength(1);
  });

  test('that comes again signals nobody; one with a new event beside it signals for that', async () => {
    const first = event('brand-registration.brand-registered');
    await post([first]);
    expect((await post([first, first])).status).toBe(200);
    expect(temporal.asked).toHaveLength(1);
    await post([first, event('campaign-registration.campaign-failure')]);
    expect(temporal.asked.map(({ workflow }) => workflow.split('/')[0])).toEqual(['brand', 'campaign']);
  });

  test('of other types signals nobody', async () => {
    expect((await post([event('number-registration.failed')])).status).toBe(200);
    expect((await post([{ ...event('x'), type: 'com.twilio.messaging.message.sent' }])).status).toBe(200);
    expect(temporal.asked).toEqual([]);
  });

  test('before its workflow runs, or without a registration, is fine', async () => {
    temporal.onMessage = async () => {
      throw notFound();
    };
    const early = event('brand-registration.brand-registered');
    expect((await post([early])).status).toBe(200);
    expect(await receipts()).toEqual([early.id]);
    const other = await withAccount();
    expect((await post([event('brand-registration.brand-registered', other.account)])).status).toBe(200);
    expect(temporal.asked).toHaveLength(1);
  });

  test('while Temporal is away is a 503 without receipts; sent again, it signals', async () => {
    temporal.onMessage = async () => {
      throw away();
    };
    const batch = [event('brand-registration.brand-verified')];
    expect((await post(batch)).status).toBe(503);
    expect(await receipts()).toEqual([]);
    temporal.onMessage = async () => {};
    expect((await post(batch)).status).toBe(200);
    expect(temporal.asked).toHaveLength(2);
    expect(await receipts()).toEqual([batch[0]!.id]);
  });
});

describe('is refused with 403', () => {
  const brand = () => [event('brand-registration.brand-verified')];
  test.each<[string, () => Promise<{ status: number }>]>([
    ['signed with another token', () => post(brand(), { key: 'b'.repeat(32) })],
    ['without a signature', () => post(brand(), { headers: { 'x-twilio-signature': '' } })],
    ['with a signature of something else', () => post(brand(), { headers: { 'x-twilio-signature': 'AAAA' } })],
    ['with another body than was signed', () => post(brand(), { tamper: ' ' })],
    ['without the hash of its body', () => post(brand(), { path: '/twilio/events' })],
    ['with an empty hash', () => post(brand(), { path: '/twilio/events?bodySHA256=' })],
    ['of an unknown account', () => post([event('brand-registration.x', `AC${'f'.repeat(32)}`)])],
    ['of no account', () => post([{ ...event('brand-registration.x'), data: {} }])],
    ['of a malformed account', () => post([event('brand-registration.x', 'AC1')])],
    ['empty', () => post([])],
    ['that is no JSON', () => post('{')],
    ['that is null', () => post('null')],
  ])('%s', async (_what, send) => {
    expect((await send()).status).toBe(403);
    expect(temporal.asked).toEqual([]);
    expect(await receipts()).toEqual([]);
  });

  test('of two accounts, also when both have the same token', async () => {
    const other = await withAccount();
    const mixed = [event('brand-registration.x'), event('brand-registration.x', other.account)];
    expect((await post(mixed)).status).toBe(403);
    expect(temporal.asked).toEqual([]);
  });
});

describe('a token that was changed', () => {
  const change = (key: string, organization = acme) =>
    api.database.system
      .updateTable('organizations')
      .set({ auth_token: api.app.deps.secrets.encrypt(key) })
      .where('id', '=', organization.id)
      .execute();
  const stop = async (key: string) => {
    const form = {
      AccountSid: acme.account,
      MessageSid: `SM${'1'.repeat(32)}`,
      From: '+13125550170',
      To: '+13125550171',
    };
    const response = await fetch(`${api.url}/twilio/inbound`, {
      method: 'POST',
      headers: {
        'x-twilio-signature': twilio.getExpectedTwilioSignature(key, 'https://longwave.test/twilio/inbound', {
          ...form,
          Body: 'STOP',
        }),
      },
      body: new URLSearchParams({ ...form, Body: 'STOP' }),
    });
    return response.status;
  };

  test('is believed at once, although the old one is remembered', async () => {
    const renewed = 'c'.repeat(32);
    expect(await stop(token)).toBe(200);
    expect((await post([event('brand-registration.x')])).status).toBe(200);
    await change(renewed);
    const answers = [await stop(renewed), (await post([event('brand-registration.x')], { key: renewed })).status];
    expect(answers).toEqual([200, 200]);
    expect(await stop(token)).toBe(403);
  });

  test('is looked for once a second, however many forgers there are; who comes meanwhile is heard all the same', async () => {
    const lookups = vi.spyOn(api.database.system, 'selectFrom');
    const since = performance.now();
    expect(await stop(token)).toBe(200);
    const forged = Array.from({ length: 50 }, () => stop('e'.repeat(32)));
    const renewed = 'f'.repeat(32);
    await change(renewed);
    const statuses = await Promise.all([...forged, stop(renewed)]);
    expect(statuses).toEqual([...Array.from({ length: 50 }, () => 403), 200]);
    const count = lookups.mock.calls.filter(([table]) => (table as unknown) === 'organizations').length;
    lookups.mockRestore();
    // One when the account was first heard of, and one for each second since.
    expect(count).toBeLessThanOrEqual(1 + Math.floor((performance.now() - since) / 1_000));
    expect(count).toBeGreaterThan(1);
  });
});

test.each([
  ['without an id', { id: undefined }],
  ['with a type that is none', { type: 5 }],
  ['with an id that is too long', { id: 'x'.repeat(201) }],
])('a signed event %s is a 400', async (_what, fault) => {
  const { status, text } = await post([event('brand-registration.x', acme.account, fault)]);
  expect({ status, type: JSON.parse(text).type }).toEqual({ status: 400, type: '/problems/bad-request' });
});

test('more than 1,000 events, and more than 1 MiB, are too many', async () => {
  const many = Array.from({ length: 1_001 }, () => event('brand-registration.x'));
  expect((await post(many)).status).toBe(413);
  expect((await post(many.slice(1))).status).toBe(200);
  expect(temporal.asked).toHaveLength(1);
  expect((await post(event('x', acme.account, { more: 'x'.repeat(1024 * 1024) }))).status).toBe(413);
});

test('nothing of what events say is kept', async () => {
  await post([
    event('brand-registration.x', acme.account, { data: { accountsid: acme.account, email: 'rosa@secret.example' } }),
  ]);
  const rows = await api.database.system.selectFrom('twilio_event_receipts').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain('secret');
});
