/** The module: switched on with what A11 asks for, and an account that an organization brings itself (A10). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Api, type Client, type Organization, startApi } from '../support.ts';

/** An error as the SDK throws it. */
const refusal = (status: number, code: number) => Object.assign(new Error('refused'), { status, code });
const unreachable = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

/** What Twilio says; each may throw. */
const twilio = {
  account: () => ({ status: 'active' }) as object,
  service: () => ({}) as object,
  update: (_settings: object) => ({}) as object,
  campaigns: () => [] as object[],
  brand: () => ({ brandScore: null }) as object,
};
const answers = { ...twilio };
let asked: string[] = [];
let settings: object | null = null;

const answer = async <T>(name: string, of: () => T): Promise<T> => {
  asked.push(name);
  return of();
};
const gateway = {
  client: () => ({
    api: { v2010: { accounts: () => ({ fetch: () => answer('account', answers.account) }) } },
    messaging: {
      v1: {
        services: () => ({
          fetch: () => answer('service', answers.service),
          update: (given: object) => {
            settings = given;
            return answer('update', () => answers.update(given));
          },
          usAppToPerson: { list: () => answer('campaigns', answers.campaigns) },
        }),
        brandRegistrations: () => ({ fetch: () => answer('brand', answers.brand) }),
      },
    },
  }),
};

let api: Api;
let acme: Organization;
let client: Client;
beforeAll(async () => {
  api = await startApi({ twilio: gateway as never });
});
afterAll(() => api.stop());
beforeEach(async () => {
  Object.assign(answers, twilio);
  asked = [];
  settings = null;
  acme = await api.organization();
  client = acme.client;
});

const details = { country: 'US', region: 'TX', organizationNumber: '12-345' };
const setDetails = (some: object) => api.operator.patch(`/v1/organizations/${acme.id}`, some);
const lastAct = async () => (await client.get('/v1/audit-log')).body.items[0];

describe('enabling', () => {
  test.each([
    [{}, ['country', 'region', 'organizationNumber']],
    [{ country: 'US' }, ['region', 'organizationNumber']],
    [{ region: 'TX', organizationNumber: '1' }, ['country']],
    [{ country: 'US', organizationNumber: '1' }, ['region']],
    [{ country: 'US', region: 'TX' }, ['organizationNumber']],
  ])('with %j names what is missing: %j', async (some, missing) => {
    await setDetails(some);
    const { status, body } = await client.post('/v1/module/enable');
    expect({ status, ...body }).toMatchObject({ status: 422, reason: 'details_missing', missing });
    for (const name of missing) expect(body.detail).toContain(name);
    expect((await client.get('/v1/module')).body.state).toBe('disabled');
  });

  test('waits for the registration, and is undone by disabling', async () => {
    await setDetails(details);
    const missing = ['accountSid', 'authToken', 'messagingServiceSid'];
    expect(await client.post('/v1/module/enable')).toMatchObject({
      status: 200,
      body: { state: 'pending_setup', missing },
    });
    expect((await lastAct()).action).toBe('module.enabled');
    expect((await client.post('/v1/module/enable')).body.state).toBe('pending_setup');
    expect(await client.post('/v1/module/disable')).toMatchObject({
      status: 200,
      body: { state: 'disabled', missing },
    });
    expect((await lastAct()).action).toBe('module.disabled');
    expect((await client.get('/v1/module')).body.state).toBe('disabled');
  });

  test.each(['country', 'region', 'organizationNumber'])(
    'keeps the %s: it is taken from the organization only once the module is disabled',
    async (name) => {
      await setDetails(details);
      await client.post('/v1/module/enable');
      expect(await setDetails({ name: 'Renamed', [name]: null })).toMatchObject({
        status: 409,
        body: {
          type: '/problems/module-on',
          detail: expect.stringContaining('POST /v1/module/disable'),
          allowed: ['POST /v1/module/disable'],
        },
      });
      expect((await api.operator.get(`/v1/organizations/${acme.id}`)).body).toMatchObject({ name: 'Acme', ...details });
      expect((await setDetails({ [name]: 'CA' })).status).toBe(200);
      await client.post('/v1/module/disable');
      expect((await setDetails({ [name]: null })).body).toMatchObject({ [name]: null, module: 'disabled' });
    },
  );

  test('needs settings:manage', async () => {
    const weak = api.client(await api.key(acme.id, { permissions: ['registration:manage'] }));
    for (const response of [
      await weak.post('/v1/module/enable'),
      await weak.post('/v1/module/disable'),
      await weak.put('/v1/module/credentials', {}),
    ]) {
      expect(response).toMatchObject({ status: 403, body: { permission: 'settings:manage' } });
    }
    expect((await weak.get('/v1/module')).status).toBe(200);
  });
});

describe('an account of its own', () => {
  let number = 0;
  const newAccount = () => {
    number += 1;
    return {
      accountSid: `AC${String(number).padStart(32, '0')}`,
      authToken: 'a'.repeat(32),
      messagingServiceSid: `MG${'b'.repeat(32)}`,
    };
  };
  const attach = (account: object, by: Client = client) => by.put('/v1/module/credentials', account);
  const row = () =>
    api.database.system.selectFrom('organizations').selectAll().where('id', '=', acme.id).executeTakeFirstOrThrow();
  const campaign = (usAppToPersonUsecase: string, campaignStatus = 'VERIFIED') => ({
    campaignStatus,
    usAppToPersonUsecase,
    brandRegistrationSid: 'BN1',
  });

  test('is verified, made to deliver replies here, and kept with its token encrypted', async () => {
    answers.campaigns = () => [campaign('MARKETING', 'FAILED'), campaign('MIXED')];
    answers.brand = () => ({ brandScore: 80 });
    await setDetails(details);
    await client.post('/v1/module/enable');
    const account = newAccount();
    expect(await attach(account)).toMatchObject({ status: 200, body: { state: 'enabled', missing: [], warnings: [] } });
    const { authToken, ...named } = account;
    const kept = await row();
    expect(kept).toMatchObject({
      account_sid: account.accountSid,
      messaging_service_sid: account.messagingServiceSid,
      own_account: true,
      segments_per_second: 225,
    });
    expect(kept.auth_token).not.toContain(authToken);
    expect(api.app.deps.secrets.decrypt(kept.auth_token!)).toBe(authToken);
    expect(settings).toMatchObject({
      inboundRequestUrl: expect.stringMatching(/^https:\/\/longwave\.test\/twilio\/inbound/),
      useInboundWebhookOnNumber: false,
    });
    expect(await lastAct()).toMatchObject({ action: 'module.account_attached', detail: named });
    expect(JSON.stringify(await client.get('/v1/audit-log'))).not.toContain(authToken);
  });

  test('again changes what is kept', async () => {
    answers.campaigns = () => [campaign('LOW_VOLUME')];
    const account = newAccount();
    await attach(account);
    const again = { ...account, authToken: 'c'.repeat(32) };
    expect((await attach(again)).status).toBe(200);
    const kept = await row();
    expect(api.app.deps.secrets.decrypt(kept.auth_token!)).toBe(again.authToken);
    expect(kept.segments_per_second).toBe(3.75);
  });

  describe('replaces one that Longwave registered', () => {
    const before = () => ({ account_sid: newAccount().accountSid, messaging_service_sid: `MG${'d'.repeat(32)}` });
    const registered = async (account = before()) => {
      await client.put('/v1/registration/intake', {});
      const { system } = api.database;
      await system
        .updateTable('registrations')
        .set({ state: 'completed' })
        .where('organization_id', '=', acme.id)
        .execute();
      await system.updateTable('organizations').set(account).where('id', '=', acme.id).execute();
      return account;
    };
    const buyNumber = async () => {
      const line = { id: `num_${acme.id}`, organization_id: acme.id, twilio_sid: 'PN1', purchased_at: new Date() };
      await api.database.system
        .insertInto('phone_numbers')
        .values({ ...line, phone_number: '+13125550150' })
        .execute();
    };

    test('and the audit log says which, and that it stays open', async () => {
      const old = await registered();
      const account = newAccount();
      expect((await attach(account)).status).toBe(200);
      const replaced = { accountSid: old.account_sid, messagingServiceSid: old.messaging_service_sid };
      expect((await lastAct()).detail).toEqual({
        accountSid: account.accountSid,
        messagingServiceSid: account.messagingServiceSid,
        replaced: { ...replaced, madeByLongwave: true, left: expect.stringContaining('Open at Twilio') },
      });
      await attach(newAccount());
      expect((await lastAct()).detail.replaced).toMatchObject({
        accountSid: account.accountSid,
        madeByLongwave: false,
      });
    });

    test('but not while the organization has numbers in it', async () => {
      const old = await registered();
      await buyNumber();
      const answer = await attach(newAccount());
      expect(answer).toMatchObject({ status: 409, body: { type: '/problems/has-numbers', allowed: [] } });
      expect(answer.body.detail).toContain(
        `phone numbers (GET /v1/numbers) that belong to its present account ${old.account_sid}`,
      );
      expect(asked).not.toContain('update');
      expect(await row()).toMatchObject({ ...old, own_account: false });
      // Its own credentials may change, and those of released numbers keep nobody.
      expect((await attach({ ...newAccount(), accountSid: old.account_sid })).status).toBe(200);
      const { system } = api.database;
      await system
        .updateTable('phone_numbers')
        .set({ released_at: new Date() })
        .where('organization_id', '=', acme.id)
        .execute();
      expect((await attach(newAccount())).status).toBe(200);
    });
  });

  test('not while numbers are being bought in the present one; with another service its numbers are registered anew', async () => {
    const { system } = api.database;
    const account = newAccount();
    expect((await attach(account)).status).toBe(200);
    const job = { id: `njb_${acme.id}`, organization_id: acme.id, kind: 'purchase' as const, actor: 'test' };
    await system
      .insertInto('number_jobs')
      .values({ ...job, created_at: new Date() })
      .execute();
    const refused = await attach(newAccount());
    expect(refused).toMatchObject({ status: 409, body: { type: '/problems/numbers-under-way', allowed: [] } });
    expect(refused.body.detail).toContain('GET /v1/numbers/jobs');
    await system.updateTable('number_jobs').set({ state: 'finished' }).where('id', '=', job.id).execute();

    const line = { id: `num_2${acme.id}`, organization_id: acme.id, twilio_sid: 'PN2', purchased_at: new Date() };
    await system
      .insertInto('phone_numbers')
      .values({ ...line, phone_number: '+13125550151', registered: true })
      .execute();
    const isRegistered = async () =>
      (
        await system
          .selectFrom('phone_numbers')
          .select('registered')
          .where('id', '=', line.id)
          .executeTakeFirstOrThrow()
      ).registered;
    await attach(account);
    expect(await isRegistered()).toBe(true);
    await attach({ ...account, messagingServiceSid: `MG${'c'.repeat(32)}` });
    expect(await isRegistered()).toBe(false);
  });

  test('without a verified campaign is kept with a warning', async () => {
    answers.campaigns = () => [campaign('MIXED', 'IN_PROGRESS')];
    const { status, body } = await attach(newAccount());
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'disabled', warnings: [expect.stringContaining('30034')] });
    expect((await row()).segments_per_second).toBeNull();
  });

  test.each([
    ['accountSid', 'AC1'],
    ['accountSid', `AC${'G'.repeat(32)}`],
    ['authToken', 'short'],
    ['messagingServiceSid', `AC${'0'.repeat(32)}`],
  ])('with a malformed %s is a 400, and asks nobody', async (field, value) => {
    const response = await attach({ ...newAccount(), [field]: value });
    expect(response).toMatchObject({ status: 400, body: { errors: [{ path: field }] } });
    expect(asked).toEqual([]);
  });

  const failing = (error: Error) => () => {
    throw error;
  };
  test.each<[string, Partial<typeof twilio>, number, string | undefined]>([
    ['wrong credentials', { account: failing(refusal(401, 20003)) }, 422, 'wrong_credentials'],
    ['a suspended account', { account: () => ({ status: 'suspended' }) }, 422, 'account_not_active'],
    ['a closed account', { account: () => ({ status: 'closed' }) }, 422, 'account_not_active'],
    ['an account that may not write', { update: failing(refusal(401, 20005)) }, 422, 'account_not_active'],
    ['no such service', { service: failing(refusal(404, 20404)) }, 422, 'no_such_messaging_service'],
    ['another refusal', { campaigns: failing(refusal(403, 20008)) }, 422, 'refused_by_twilio'],
    ['Twilio out of order', { account: failing(refusal(500, 20500)) }, 503, undefined],
    ['too many requests', { service: failing(refusal(429, 20429)) }, 503, undefined],
    ['Twilio away', { account: failing(unreachable()) }, 503, undefined],
  ])('%s: nothing is kept', async (_what, fault, status, reason) => {
    Object.assign(answers, fault);
    const response = await attach(newAccount());
    expect({ status: response.status, reason: response.body.reason }).toEqual({ status, reason });
    if (status === 503) expect(response.body.detail).toContain('Twilio cannot be reached');
    expect(await row()).toMatchObject({ account_sid: null, auth_token: null, own_account: false });
  });

  test('of another organization is refused without telling whose, and only to who has its token', async () => {
    const other = await api.organization({ name: 'Zebulon' });
    const account = newAccount();
    await attach(account, other.client);
    asked = [];
    const response = await attach(account);
    expect(response).toMatchObject({ status: 422, body: { reason: 'account_in_use' } });
    expect(JSON.stringify(response.body)).not.toMatch(new RegExp(`${other.id}|Zebulon`));
    // Nothing is changed at Twilio.
    expect(asked).toEqual(['account', 'service']);
    answers.account = failing(refusal(401, 20003));
    expect((await attach(account)).body.reason).toBe('wrong_credentials');
  });

  test('of two organizations at the same moment goes to one', async () => {
    const other = await api.organization();
    const account = newAccount();
    const both = await Promise.all([attach(account), attach(account, other.client)]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
    expect(both.find(({ status }) => status === 422)!.body.reason).toBe('account_in_use');
  });

  test('while a registration is under way is a 409: cancel it first', async () => {
    await client.put('/v1/registration/intake', {});
    await api.database.system
      .updateTable('registrations')
      .set({ state: 'submitted' })
      .where('organization_id', '=', acme.id)
      .execute();
    expect(await attach(newAccount())).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('cancel it first'), allowed: ['cancel'] },
    });
    expect(asked).not.toContain('update');
  });
});
