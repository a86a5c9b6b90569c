/** Organizations, their settings, module, users, keys and audit log. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { permissions } from '../../../api/shared/permissions.ts';
import { defaultSettings } from '../../../domain/settings.ts';
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

const actions = async (): Promise<string[]> =>
  (await client.get('/v1/audit-log')).body.items.map(({ action }: { action: string }) => action);

const changeRow = (set: object) =>
  api.database.system.updateTable('organizations').set(set).where('id', '=', acme.id).execute();

describe('organizations', () => {
  test('are made with defaults, read, changed and audited', async () => {
    const made = await api.operator.post('/v1/organizations', {
      name: ' Bluebird ',
      domain: 'Bluebird.Example',
      country: 'us',
    });
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: 'Bluebird',
        domain: 'bluebird.example',
        country: 'US',
        region: null,
        organizationNumber: null,
        timeZone: 'America/Chicago',
        module: 'disabled',
      },
    });
    const path = `/v1/organizations/${made.body.id}`;
    const changed = await api.operator.patch(path, { region: 'TX', organizationNumber: '12-345' });
    expect(changed.body).toMatchObject({ region: 'TX', organizationNumber: '12-345', name: 'Bluebird' });
    expect((await api.operator.get(path)).body).toEqual(changed.body);
    const log = await api.operator.get('/v1/audit-log', undefined, { 'longwave-organization': made.body.id });
    expect(log.body.items.map(({ action }: { action: string }) => action)).toEqual([
      'organization.changed',
      'organization.created',
    ]);
  });

  test('are found by part of the name or domain, where % and _ mean themselves', async () => {
    await api.organization({ name: 'Fifty % Off', domain: 'needle.example' });
    const found = async (q: string) =>
      (await api.operator.get(`/v1/organizations?q=${encodeURIComponent(q)}`)).body.items.map(
        ({ name }: { name: string }) => name,
      );
    expect(await found('FIFTY')).toEqual(['Fifty % Off']);
    expect(await found('needle')).toEqual(['Fifty % Off']);
    expect(await found('% o')).toEqual(['Fifty % Off']);
    expect(await found('fifty_%')).toEqual([]);
  });

  test('come in pages, each once, in order of creation', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push((await api.organization({ name: `Paged ${n}` })).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const { body } = await api.operator.get(`/v1/organizations?q=paged&limit=2${query}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
    } while (cursor);
    expect(seen).toEqual(ids);
  });

  test.each([
    [{ name: 'x' }, 'domain'],
    [{ name: '', domain: 'x.example' }, 'name'],
    [{ name: 'x', domain: 'not a domain' }, 'domain'],
    [{ name: 'x', domain: 'x.example', country: 'USA' }, 'country'],
    [{ name: 'x', domain: 'x.example', timeZone: '+05:00' }, 'timeZone'],
  ])('%j is a 400 that names %s', async (body, path) => {
    const answer = await api.operator.post('/v1/organizations', body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  test('list their keys without the keys themselves', async () => {
    const { body } = await api.operator.get(`/v1/organizations/${acme.id}/keys`);
    expect(body.items).toMatchObject([{ kind: 'organization', userId: null, permissions: [], revokedAt: null }]);
    expect(body.items[0]).not.toHaveProperty('key');
  });
});

describe('settings', () => {
  test('are all in docs/api.md, as are the permissions', async () => {
    const page = await readFile(join(import.meta.dirname, '../../../docs/api.md'), 'utf8');
    for (const name of [...Object.keys(defaultSettings), ...permissions]) expect(page).toContain(`| \`${name}\` `);
  });

  test('start as the defaults', async () => {
    const { body } = await client.get('/v1/settings');
    expect(body).toEqual(defaultSettings);
  });

  test('change field by field, also within the window, and are audited', async () => {
    const first = await client.patch('/v1/settings', {
      massSmsLimit: 100,
      sendWindow: { endTime: '20:00', days: ['fri', 'mon', 'fri'] },
    });
    expect(first.body.sendWindow).toEqual({
      startTime: '08:00',
      endTime: '20:00',
      timeZone: 'America/Chicago',
      days: ['mon', 'fri'],
    });
    const second = await client.patch('/v1/settings', {
      sendWindow: { timeZone: 'America/New_York' },
      sendWindowMode: 'organization',
    });
    expect(second.body).toMatchObject({
      massSmsLimit: 100,
      sendWindow: { endTime: '20:00', timeZone: 'America/New_York' },
    });
    expect((await client.get('/v1/settings')).body).toEqual(second.body);
    expect(await actions()).toEqual(['settings.changed', 'settings.changed', 'key.created', 'organization.created']);
  });

  test('twenty changes at once all count', async () => {
    const fields = ['massSmsLimit', 'firstBatchSize', 'dailyBatchSize'];
    await Promise.all(
      Array.from({ length: 21 }, (_, n) => client.patch('/v1/settings', { [fields[n % 3]!]: 500 + (n % 3) })),
    );
    expect((await client.get('/v1/settings')).body).toMatchObject({
      massSmsLimit: 500,
      firstBatchSize: 501,
      dailyBatchSize: 502,
    });
  });

  test('a window may end at midnight, which is 00:00', async () => {
    const until = (endTime: string) => client.patch('/v1/settings', { sendWindow: { endTime } });
    expect(await until('00:00')).toMatchObject({
      status: 200,
      body: { sendWindow: { startTime: '08:00', endTime: '00:00' } },
    });
    expect(await until('07:59')).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'sendWindow.endTime', message: expect.stringContaining('00:00 for midnight') }] },
    });
  });

  test('equal times mean the whole day', async () => {
    expect((await client.patch('/v1/settings', { sendWindow: { startTime: '00:00', endTime: '00:00' } })).status).toBe(
      200,
    );
  });

  test.each([
    [{ sendWindow: { startTime: '17:00' } }, 'sendWindow.endTime'],
    [{ sendWindow: { startTime: '22:00', endTime: '06:00' } }, 'sendWindow.endTime'],
    [{ sendWindow: { startTime: '8:00' } }, 'sendWindow.startTime'],
    [{ sendWindow: { startTime: '24:00' } }, 'sendWindow.startTime'],
    [{ sendWindow: { timeZone: 'Mars/Olympus' } }, 'sendWindow.timeZone'],
    [{ sendWindow: { days: [] } }, 'sendWindow.days'],
    [{ sendWindow: { days: ['monday'] } }, 'sendWindow.days.0'],
    [{ massSmsLimit: 0 }, 'massSmsLimit'],
    [{ firstBatchSize: 1.5 }, 'firstBatchSize'],
    [{ dailyBatchSize: 9_999_999_999 }, 'dailyBatchSize'],
    [{ permittedPurposes: [] }, 'permittedPurposes'],
    [{ dropRateLimit: 0 }, 'dropRateLimit'],
    [{ dropRateLimit: 10 }, 'dropRateLimit'],
    [{ optOutScope: 'world' }, 'optOutScope'],
    [{ privacyPolicyUrl: 'not a page' }, 'privacyPolicyUrl'],
    [{ termsUrl: 'ftp://acme.example' }, 'termsUrl'],
    [{ sendWindowMode: 'moon' }, 'sendWindowMode'],
    [{ maxMessageLength: 161 }, 'maxMessageLength'],
    [{ disclaimer: 'Reply HELP for help.' }, 'disclaimer'],
    [{ disclaimer: 'Please stop by.' }, 'disclaimer'],
    [{ disclaimer: null }, 'disclaimer'],
    [{ helpReply: '' }, 'helpReply'],
    [{ helpReply: 'a'.repeat(321) }, 'helpReply'],
    [{ optInConfirmation: 'Thank you, {{contact.firstName}}.' }, 'optInConfirmation'],
    [{ optInRequest: '{{user.name}} would like to text you. Reply YES or STOP.' }, 'optInRequest'],
    [{ optInRequest: '{{user.name}} of {{organization.name}} would like to text you. Reply YES.' }, 'optInRequest'],
    [{ optInRequest: '{{user.name}} of {{organization.name}} will text you. Reply STOP to refuse.' }, 'optInRequest'],
    [{ optInConfirmation: 'Thanks {{}}' }, 'optInConfirmation'],
    [{ replyForwarding: { email: 'nobody' } }, 'replyForwarding.email'],
    [{ replyForwarding: { phone: '123' } }, 'replyForwarding.phone'],
    [{ replyForwarding: { fax: null } }, 'replyForwarding.fax'],
    [{ nonsense: 1 }, 'nonsense'],
  ])('%j is a 400 that names %s', async (body, path) => {
    expect(await client.patch('/v1/settings', body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  test('the words that are sent by themselves, the length of messages and the recipient mode can be chosen', async () => {
    const chosen = {
      sendWindowMode: 'recipient',
      maxMessageLength: 160,
      dropRateLimit: 0.05,
      disclaimer: '{{organization.name}}: reply STOP to opt out.',
      optInRequest: '{{user.name}} of {{ organization.name }} would like to text you. Reply YES or STOP.',
      optInConfirmation: 'Thank you.',
      helpReply: 'Call us.',
    };
    expect(await client.patch('/v1/settings', chosen)).toMatchObject({ status: 200, body: chosen });
    expect((await client.get('/v1/settings')).body).toMatchObject(chosen);
    expect((await client.patch('/v1/settings', { maxMessageLength: null })).body.maxMessageLength).toBeNull();
  });

  test('forwarding changes field by field, and null takes one away', async () => {
    const first = await client.patch('/v1/settings', { replyForwarding: { email: 'office@acme.example' } });
    expect(first.body.replyForwarding).toEqual({ email: 'office@acme.example', phone: null });
    const second = await client.patch('/v1/settings', { replyForwarding: { phone: '(415) 555-0100' } });
    expect(second.body.replyForwarding).toEqual({ email: 'office@acme.example', phone: '+14155550100' });
    const third = await client.patch('/v1/settings', { replyForwarding: { email: null } });
    expect(third.body.replyForwarding).toEqual({ email: null, phone: '+14155550100' });
  });

  test.each(['+447911123456', '+18005550100', '+17875550100'])(
    'replies are not forwarded to %s, as calls are not: that is where toll fraud is',
    async (phone) => {
      expect(await client.patch('/v1/settings', { replyForwarding: { phone } })).toMatchObject({
        status: 422,
        body: { reason: 'forwarding_not_allowed', detail: expect.stringContaining('United States and Canada') },
      });
      expect((await client.get('/v1/settings')).body.replyForwarding.phone).toBeNull();
    },
  );

  test('the digest goes out at nine until another time of day is chosen', async () => {
    expect((await client.get('/v1/settings')).body.digestTime).toBe('09:00');
    expect((await client.patch('/v1/settings', { digestTime: '17:30' })).body.digestTime).toBe('17:30');
    expect((await client.patch('/v1/settings', { digestTime: '25:00' })).status).toBe(400);
  });
});

test('the module says what is missing, step by step', async () => {
  expect((await client.get('/v1/module')).body).toEqual({
    state: 'disabled',
    missing: ['country', 'region', 'organizationNumber', 'accountSid', 'authToken', 'messagingServiceSid'],
  });
  await changeRow({
    country: 'US',
    region: 'TX',
    organization_number: '1',
    module_on: true,
    account_sid: 'AC1',
    auth_token: 'x',
  });
  expect((await client.get('/v1/module')).body).toEqual({ state: 'pending_setup', missing: ['messagingServiceSid'] });
  await changeRow({ messaging_service_sid: 'MG1' });
  expect((await client.get('/v1/module')).body).toEqual({ state: 'enabled', missing: [] });
});

describe('users', () => {
  const ada = { name: 'Ada', email: 'ada@example.com' };

  test('are made with defaults, read, listed and changed', async () => {
    const made = await client.post('/v1/users', { ...ada, mobile: '(415) 555-0123', timeZone: 'America/Denver' });
    expect(made).toMatchObject({
      status: 201,
      body: {
        ...ada,
        mobile: '+14155550123',
        timeZone: 'America/Denver',
        active: true,
        permissions: ['messages:send'],
      },
    });
    const path = `/v1/users/${made.body.id}`;
    const changed = await client.patch(path, { active: false, mobile: null, permissions: ['usage:read'] });
    expect(changed.body).toMatchObject({ ...ada, active: false, mobile: null, permissions: ['usage:read'] });
    expect((await client.get(path)).body).toEqual(changed.body);
    expect((await client.get('/v1/users')).body).toEqual({ items: [changed.body], nextCursor: null });
    expect((await actions()).slice(0, 2)).toEqual(['user.changed', 'user.created']);
  });

  test('have an email of their own within the organization', async () => {
    await client.post('/v1/users', ada);
    expect(await client.post('/v1/users', ada)).toMatchObject({ status: 422, body: { reason: 'email_taken' } });
    const bob = await client.post('/v1/users', { name: 'Bob', email: 'bob@example.com' });
    expect((await client.patch(`/v1/users/${bob.body.id}`, { email: ada.email })).status).toBe(422);
    expect((await client.patch(`/v1/users/${bob.body.id}`, { email: 'bob@example.com' })).status).toBe(200);
    const other = await api.organization({ name: 'Other' });
    expect((await other.client.post('/v1/users', ada)).status).toBe(201);
  });

  test('have emails that differ in more than case, and are stored as they were written', async () => {
    const made = await client.post('/v1/users', { name: 'Ada', email: 'Ada@Example.com' });
    expect(made.body.email).toBe('Ada@Example.com');
    expect(await client.post('/v1/users', ada)).toMatchObject({ status: 422, body: { reason: 'email_taken' } });
    const bob = await client.post('/v1/users', { name: 'Bob', email: 'bob@example.com' });
    const path = `/v1/users/${bob.body.id}`;
    expect(await client.patch(path, { email: 'ADA@example.com' })).toMatchObject({
      status: 422,
      body: { reason: 'email_taken' },
    });
    expect((await client.patch(path, { email: 'BOB@example.com' })).body.email).toBe('BOB@example.com');
  });

  test('of whom ten take one email at the same moment: one has it, the others are told so', async () => {
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, n) => client.post('/v1/users', { name: 'x', email: `x${n}@example.com` })),
    );
    const answers = await Promise.all(
      made.map(({ body }) => client.patch(`/v1/users/${body.id}`, { email: 'wanted@example.com' })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(9);
    expect(new Set(answers.map(({ body }) => body.reason))).toEqual(new Set([undefined, 'email_taken']));
  });

  test('are given messages:send by default, as far as whoever adds them has it', async () => {
    const limited = api.client(await api.key(acme.id, { permissions: ['settings:manage'] }));
    expect(await limited.post('/v1/users', ada)).toMatchObject({ status: 201, body: { permissions: [] } });
    const asked = { name: 'Bob', email: 'bob@example.com', permissions: ['messages:send'] };
    expect(await limited.post('/v1/users', asked)).toMatchObject({
      status: 403,
      body: { permission: 'messages:send' },
    });
  });

  test('of another organization are unknown', async () => {
    const other = await api.organization({ name: 'Other' });
    const made = await other.client.post('/v1/users', ada);
    expect((await client.get(`/v1/users/${made.body.id}`)).status).toBe(404);
    expect((await client.patch(`/v1/users/${made.body.id}`, { name: 'x' })).status).toBe(404);
    expect((await client.get('/v1/users')).body.items).toEqual([]);
  });
});
