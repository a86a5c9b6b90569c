/** Buying a chosen number (B2): once, for whom it was asked for, and what is said when it is not bought. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../../harness/system.ts';
import { insertUsers } from '../../harness/users.ts';

let system: System;
let acme: EnabledOrganization;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
});
beforeEach(async () => {
  await system.twilio.reset();
  acme = await system.enabledOrganization();
});

/** A number that is on sale. */
async function onSale(areaCode = '415', country = 'US'): Promise<string> {
  const { status, body } = await acme.client.get(`/v1/numbers/available?country=${country}&areaCode=${areaCode}`);
  expect(status).toBe(200);
  return body.items[Math.floor(Math.random() * body.items.length)].phoneNumber;
}
const buy = (body: object, headers?: Record<string, string>) =>
  acme.client.post('/v1/numbers', { acceptTerms: true, ...body }, headers);
const users = (count: number) => insertUsers(system, acme.id, Array<null>(count).fill(null));
const atTwilio = async (phoneNumber: string) =>
  (await system.twilio.state()).numbers.filter((number) => number.phoneNumber === phoneNumber);
/** What the organization has bought, by the simulator's own list. */
async function bought(): Promise<string[]> {
  const { account_sid: accountSid } = await system.db
    .selectFrom('organizations')
    .select('account_sid')
    .where('id', '=', acme.id)
    .executeTakeFirstOrThrow();
  const own = (await system.twilio.state()).numbers.filter((number) => number.accountSid === accountSid);
  return own.flatMap(({ phoneNumber }) => (phoneNumber === acme.line.phoneNumber ? [] : [phoneNumber]));
}
const acts = async () =>
  (await acme.client.get('/v1/audit-log')).body.items.map(({ action }: { action: string }) => action);

describe('a number that is bought', () => {
  test('is the user’s, registered, and answers to this stack: 201', async () => {
    const [userId] = await users(1);
    const phoneNumber = await onSale();
    const { status, body } = await buy({ phoneNumber, userIds: [userId] });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        id: expect.stringMatching(/^num_/),
        phoneNumber,
        registered: true,
        registrationError: null,
        userIds: [userId],
        users: [{ id: userId, active: true }],
        sharedLabel: null,
        poolId: null,
        orphan: false,
        releasing: false,
      },
    });
    expect((await acme.client.get(`/v1/numbers/${body.id}`)).body).toEqual(body);
    expect((await acme.client.get(`/v1/numbers?userId=${userId}`)).body.items).toEqual([body]);
    const [number, ...others] = await atTwilio(phoneNumber);
    expect(others).toEqual([]);
    const publicUrl = system.stack.environment['PUBLIC_URL']!;
    expect(number).toMatchObject({
      voiceUrl: `${publicUrl}/twilio/voice`,
      friendlyName: expect.stringMatching(/^Longwave npu_/),
    });
    expect(number!.smsUrl).toContain(`${publicUrl}/twilio/inbound`);
    expect(number!.messagingServiceSid).toMatch(/^MG/);
    expect(await acts()).toEqual(expect.arrayContaining(['number.purchase_requested', 'number.purchased']));
  });

  test('for two users is a line they share: +1', async () => {
    const ids = await users(2);
    const { status, body } = await buy({ phoneNumber: await onSale(), userIds: [ids[1], ids[0], ids[1]] });
    expect({ status, body }).toMatchObject({ status: 201, body: { userIds: ids, sharedLabel: '+1' } });
  });

  test('for nobody joins the pool that is named', async () => {
    const { body: pool } = await acme.client.post('/v1/pools', { name: 'Promo', purpose: 'promotional' });
    const { status, body } = await buy({ phoneNumber: await onSale(), poolId: pool.id });
    expect({ status, body }).toMatchObject({ status: 201, body: { userIds: [], poolId: pool.id, sharedLabel: null } });
  });

  test('may be Canadian', async () => {
    const { status, body } = await buy({ phoneNumber: await onSale('416', 'CA'), userIds: await users(1) });
    expect({ status, body }).toMatchObject({ status: 201, body: { registered: true } });
  });
});

describe('nothing is bought', () => {
  let phoneNumber: string;
  let userId: string;
  beforeEach(async () => {
    phoneNumber = await onSale();
    [userId] = (await users(1)) as [string];
  });
  /** What is answered, and what Twilio has sold all the same. */
  async function refusal(given: object): Promise<object> {
    const { status, body } = await buy(given);
    return { status, ...body, bought: await bought() };
  }
  const because = (reason: string, members: object = {}) =>
    expect.objectContaining({ status: 422, reason, detail: expect.stringMatching(/.{30}/), bought: [], ...members });

  test('without agreement to the terms, and that is on record', async () => {
    expect(await refusal({ phoneNumber, userIds: [userId], acceptTerms: false })).toEqual(
      because('terms_not_accepted'),
    );
    const left = await acme.client.post('/v1/numbers', { phoneNumber, userIds: [userId] });
    expect(left).toMatchObject({ status: 422, body: { reason: 'terms_not_accepted' } });
    expect((await acts()).filter((action: string) => action === 'number.terms_not_accepted')).toHaveLength(2);
  });

  test('for a user who has a line: the answer names it', async () => {
    expect(await refusal({ phoneNumber, userIds: [userId, acme.user.id] })).toEqual(
      because('has_line', {
        userId: acme.user.id,
        numberId: acme.line.id,
        phoneNumber: acme.line.phoneNumber,
        detail: expect.stringContaining(acme.line.phoneNumber),
      }),
    );
  });

  test('for an inactive user', async () => {
    const [gone] = await insertUsers(system, acme.id, [null], { active: false });
    expect(await refusal({ phoneNumber, userIds: [gone] })).toEqual(because('user_inactive', { userId: gone }));
  });

  test('for users nobody knows, and those of another organization', async () => {
    const other = await system.enabledOrganization();
    expect(await refusal({ phoneNumber, userIds: [userId, 'usr_unknown', other.user.id] })).toEqual(
      because('unknown_user', {
        userIds: ['usr_unknown', other.user.id],
      }),
    );
  });

  test('into a pool nobody knows, and one of another organization', async () => {
    const other = await system.enabledOrganization();
    expect(await refusal({ phoneNumber, poolId: 'pol_unknown' })).toEqual(because('unknown_pool'));
    expect(await refusal({ phoneNumber, poolId: other.line.poolId })).toEqual(because('unknown_pool'));
  });

  test('when the organization has the number already', async () => {
    expect(await refusal({ phoneNumber: acme.line.phoneNumber, userIds: [userId] })).toEqual(
      because('already_yours', {
        numberId: acme.line.id,
      }),
    );
  });

  test.for([
    ['+18005550199', 'toll-free'],
    ['+442071838750', 'British'],
    ['+18765550199', 'Jamaican'],
    ['+17875550199', 'Puerto Rican'],
  ])('for what is no local number of the United States or Canada: %s (%s)', async ([written]) => {
    expect(await buy({ phoneNumber: written, userIds: [userId] })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'phoneNumber' }] },
    });
    expect(await bought()).toEqual([]);
  });

  test('for nobody, and no pool', async () => {
    for (const nobody of [{}, { userIds: [] }, { userIds: [], poolId: null }]) {
      expect(await buy({ phoneNumber, ...nobody })).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'userIds', message: 'name at least one user, or a pool' }] },
      });
    }
    expect(await bought()).toEqual([]);
  });

  test('by who may not manage numbers', async () => {
    const { body } = await system.operator.post(`/v1/organizations/${acme.id}/keys`, {
      kind: 'user',
      userId: acme.user.id,
      permissions: ['messages:send'],
    });
    const client = system.client(body.key);
    for (const [path, more] of [
      ['/v1/numbers', { phoneNumber, userIds: [userId] }],
      ['/v1/numbers/bulk', { areaCode: '415', userIds: [userId] }],
    ] as const) {
      expect((await client.post(path, { acceptTerms: true, ...more })).status).toBe(403);
    }
    expect(await bought()).toEqual([]);
  });

  test('when the organization has no account at Twilio: 409 that says how it gets one', async () => {
    const { body: bare } = await system.operator.post('/v1/organizations', {
      name: 'Bare',
      domain: 'bare.example',
      country: 'US',
      region: 'IL',
      organizationNumber: '1',
    });
    const { body: key } = await system.operator.post(`/v1/organizations/${bare.id}/keys`, { kind: 'organization' });
    const client = system.client(key.key);
    const answers = [
      await client.post('/v1/numbers', { phoneNumber, userIds: ['usr_1'], acceptTerms: true }),
      await client.post('/v1/numbers/bulk', { userIds: ['usr_1'], areaCode: '415', acceptTerms: true }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 409, body: { type: '/problems/no-account' } });
      expect(answer.body.detail).toContain('POST /v1/registration/submit');
    }
  });
});

describe('a number that another customer of Twilio has bought since it was shown', () => {
  test.for(['before it is asked for', 'at that moment'])('%s is not available: 422', async (when) => {
    const phoneNumber = await onSale();
    if (when === 'at that moment') await system.twilio.behaviour({ soldBetween: 1 });
    else await system.twilio.sell({ phoneNumber });
    const [userId] = await users(1);
    const key = { 'idempotency-key': `sold ${when}`.replaceAll(' ', '-') };
    const answer = await buy({ phoneNumber, userIds: [userId] }, key);
    expect(answer).toMatchObject({
      status: 422,
      body: { reason: 'number_not_available', jobId: expect.stringMatching(/^njb_/) },
    });
    expect(answer.body.detail).toMatch(/search again/);
    // The same request gets the same answer, another one another number.
    await system.twilio.behaviour({ soldBetween: 0 });
    expect(await buy({ phoneNumber, userIds: [userId] }, key)).toMatchObject({
      status: 422,
      body: { jobId: answer.body.jobId },
    });
    expect(await buy({ phoneNumber: await onSale(), userIds: [userId] })).toMatchObject({ status: 201 });
  });
});

describe('asked for twice', () => {
  test('with one Idempotency-Key, at once and later: one number', async () => {
    const [userId] = await users(1);
    const body = { phoneNumber: await onSale(), userIds: [userId] };
    const key = { 'idempotency-key': 'one-number' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => buy(body, key)));
    answers.push(await buy(body, key));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(await bought()).toHaveLength(1);
    expect((await acts()).filter((action: string) => action === 'number.purchase_requested')).toHaveLength(1);
    const other = await buy({ ...body, phoneNumber: await onSale() }, key);
    expect(other).toMatchObject({ status: 422, body: { reason: 'idempotency_key_reused' } });
  });

  test('with one Idempotency-Key answers the first result also when the account is gone since', async () => {
    const [one, two] = await users(2);
    const body = { phoneNumber: await onSale(), userIds: [one] };
    const key = { 'idempotency-key': 'account-gone' };
    const bulk = () =>
      acme.client.post(
        '/v1/numbers/bulk',
        { userIds: [two], areaCode: '415', acceptTerms: true },
        { 'idempotency-key': 'account-gone-bulk' },
      );
    const first = await buy(body, key);
    const firstRun = await bulk();
    expect([first.status, firstRun.status]).toEqual([201, 202]);
    await eventually(async () => {
      const { body: job } = await acme.client.get(`/v1/numbers/jobs/${firstRun.body.jobId}`);
      expect(job.state).toBe('finished');
    });
    await system.db
      .updateTable('organizations')
      .set({ account_sid: null, auth_token: null })
      .where('id', '=', acme.id)
      .execute();
    expect(await buy(body, key)).toMatchObject({ status: 201, body: first.body });
    expect(await bulk()).toMatchObject({ status: 202, body: firstRun.body });
  });

  test('for one user, by two who do not know of each other: one number, and the other is told of it', async () => {
    const [userId] = await users(1);
    const wanted = [await onSale('415'), await onSale('212')];
    const answers = await Promise.all(wanted.map((phoneNumber) => buy({ phoneNumber, userIds: [userId] })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422]);
    const [made, refused] = answers.toSorted((a, b) => a.status - b.status);
    // Whether it is had already or still being bought.
    if (refused!.body.reason === 'has_line') expect(refused!.body.numberId).toBe(made!.body.id);
    else
      expect(refused!.body).toMatchObject({
        reason: 'purchase_under_way',
        userId,
        jobId: expect.stringMatching(/^njb_/),
      });
    expect(await bought()).toHaveLength(1);
  });

  test('by two who chose the same number for different users: one has it', async () => {
    const phoneNumber = await onSale();
    const ids = await users(2);
    const answers = await Promise.all(ids.map((userId) => buy({ phoneNumber, userIds: [userId] })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422]);
    expect(answers.find(({ status }) => status === 422)!.body.reason).toMatch(/^(number_not_available|already_yours)$/);
    await eventually(async () => expect(await atTwilio(phoneNumber)).toHaveLength(1));
  });

  test('a number of another organization cannot be had', async () => {
    const other = await system.enabledOrganization();
    const [userId] = await users(1);
    expect(await buy({ phoneNumber: other.line.phoneNumber, userIds: [userId] })).toMatchObject({
      status: 422,
      body: { reason: 'number_not_available' },
    });
  });
});
