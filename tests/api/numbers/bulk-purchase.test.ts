/** Numbers for many users (B2): what is taken on, what is refused, and who may read what became of it. */
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

const users = (count: number, areaCode = '312') =>
  insertUsers(
    system,
    acme.id,
    Array.from({ length: count }, (_, index) => `+1${areaCode}55501${String(10 + index)}`),
  );
const ask = (body: object, headers?: Record<string, string>) =>
  acme.client.post('/v1/numbers/bulk', { areaCode: 'match-mobile', acceptTerms: true, ...body }, headers);
const read = async (jobId: string) => (await acme.client.get(`/v1/numbers/jobs/${jobId}`)).body;
const finished = (jobId: string) =>
  eventually(async () => {
    const job = await read(jobId);
    expect(job.state).toBe('finished');
    return job;
  });
const acts = async () => (await acme.client.get('/v1/audit-log')).body.items;
const userKey = async (permissions: string[]): Promise<string> =>
  (
    await system.operator.post(`/v1/organizations/${acme.id}/keys`, {
      kind: 'user',
      userId: acme.user.id,
      permissions,
    })
  ).body.key;

describe('the run', () => {
  test('tells user by user how far it is, while it goes on and afterwards', async () => {
    const ids = await users(6);
    await system.twilio.behaviour({ holdAnswers: ['CreateIncomingPhoneNumber#6'] });
    const { status, body } = await ask({ userIds: ids });
    expect({ status, body }).toEqual({ status: 202, body: { jobId: expect.stringMatching(/^njb_/) } });
    await eventually(async () => {
      expect(await read(body.jobId)).toMatchObject({
        id: body.jobId,
        kind: 'purchase',
        state: 'running',
        counts: { total: 6, waiting: 1, provisioned: 5, released: 0, failed: 0 },
        finishedAt: null,
      });
    });
    await system.twilio.behaviour({ holdAnswers: [] });
    const job = await finished(body.jobId);
    expect(job.results.map(({ userId }: { userId: string }) => userId)).toEqual(ids);
    for (const result of job.results) {
      expect(result).toEqual({
        status: 'provisioned',
        userId: expect.any(String),
        numberId: expect.stringMatching(/^num_/),
        phoneNumber: expect.stringMatching(/^\+1312/),
        registered: true,
        reason: null,
        detail: null,
      });
    }
    expect(Date.parse(job.finishedAt)).toBeGreaterThan(Date.parse(job.createdAt));
  });

  test('puts all its numbers into the pool that is named', async () => {
    const { body: pool } = await acme.client.post('/v1/pools', { name: 'Promo', purpose: 'promotional' });
    const { body } = await ask({ userIds: await users(3), poolId: pool.id, areaCode: '212' });
    await finished(body.jobId);
    const { items } = (await acme.client.get(`/v1/numbers?poolId=${pool.id}`)).body;
    expect(items.map((line: { phoneNumber: string }) => line.phoneNumber.slice(0, 5))).toEqual(Array(3).fill('+1212'));
  });

  test('is read by who may manage numbers, and by nobody of another organization', async () => {
    const { body } = await ask({ userIds: await users(1) });
    const path = `/v1/numbers/jobs/${body.jobId}`;
    expect((await system.client(await userKey(['numbers:manage'])).get(path)).status).toBe(200);
    expect((await system.client(await userKey(['messages:send', 'settings:manage'])).get(path)).status).toBe(403);
    const other = await system.enabledOrganization();
    expect(await other.client.get(path)).toMatchObject({ status: 404 });
    expect(await other.client.get('/v1/numbers/jobs/njb_unknown')).toMatchObject({ status: 404 });
    await finished(body.jobId);
  });
});

describe('users who cannot be given a line', () => {
  test('have the reason at once and hold up nobody', async () => {
    const [free] = await users(1);
    const [gone] = await insertUsers(system, acme.id, [null], { active: false });
    await system.twilio.behaviour({ holdAnswers: ['CreateIncomingPhoneNumber'] });
    const { status, body } = await ask({ userIds: [acme.user.id, free, gone] });
    expect(status).toBe(202);
    const { results } = await read(body.jobId);
    expect(results).toMatchObject([
      { userId: acme.user.id, status: 'failed', reason: 'has_line', numberId: null },
      { userId: free, status: 'waiting', reason: null },
      { userId: gone, status: 'failed', reason: 'user_inactive' },
    ]);
    expect(results[0].detail).toContain(acme.line.phoneNumber);

    // A second run for the same user: the first one's number is on its way.
    const again = (await ask({ userIds: [free] })).body;
    const [second] = (await read(again.jobId)).results;
    expect(second).toMatchObject({ status: 'failed', reason: 'purchase_under_way' });
    expect(second.detail).toContain(body.jobId);
    await system.twilio.behaviour({ holdAnswers: [] });
    expect((await finished(body.jobId)).counts).toMatchObject({ provisioned: 1, failed: 2 });
    expect((await finished(again.jobId)).counts).toMatchObject({ provisioned: 0, failed: 1 });
  });

  test('are named when they do not exist, and then nobody gets one', async () => {
    const ids = await users(2);
    const unknown = Array.from({ length: 7 }, (_, index) => `usr_${index}`);
    const answer = await ask({ userIds: [...ids, ...unknown] });
    expect(answer).toMatchObject({ status: 422, body: { reason: 'unknown_user', userIds: unknown } });
    expect(answer.body.detail).toMatch(/usr_4 and 2 more/);
    expect((await acme.client.get(`/v1/numbers?userId=${ids[0]}`)).body.items).toEqual([]);
  });

  test('named twice get one number', async () => {
    const [userId] = await users(1);
    const { body } = await ask({ userIds: [userId, userId, userId] });
    expect((await finished(body.jobId)).results).toHaveLength(1);
  });
});

describe('the request', () => {
  test('without agreement to the terms is refused, and on record; with it, who agreed is', async () => {
    const userIds = await users(1);
    expect(await ask({ userIds, acceptTerms: false })).toMatchObject({
      status: 422,
      body: { reason: 'terms_not_accepted' },
    });
    const client = system.client(await userKey(['numbers:manage', 'settings:manage']));
    const body = { userIds, areaCode: '415', acceptTerms: true };
    const { jobId } = (await client.post('/v1/numbers/bulk', body)).body;
    const done = await acts();
    const entry = (action: string) => done.filter((one: { action: string }) => one.action === action);
    expect(entry('number.terms_not_accepted')).toHaveLength(1);
    expect(entry('number.bulk_purchase_requested')).toMatchObject([
      { subject: jobId, actor: `user:${acme.user.id}`, detail: { termsAccepted: true, users: 1, areaCode: '415' } },
    ]);
    await finished(jobId);
    const bought = (await acts()).find((one: { action: string }) => one.action === 'number.purchased');
    expect(bought).toMatchObject({ actor: `user:${acme.user.id}`, detail: { userIds, jobId } });
    expect(JSON.stringify(await acts())).not.toMatch(/\+?1?415\d{7}/);
  });

  test('repeated with its Idempotency-Key, at once and later, is one run', async () => {
    const userIds = await users(5);
    const key = { 'idempotency-key': 'bulk-once' };
    const answers = await Promise.all([1, 2, 3].map(() => ask({ userIds }, key)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    const [{ jobId }] = answers.map(({ body }) => body);
    await finished(jobId);
    answers.push(await ask({ userIds }, key));
    expect(new Set(answers.map(({ body }) => body.jobId)).size).toBe(1);
    // The workflow that the last one began finds nothing to do.
    expect((await finished(jobId)).counts).toMatchObject({ total: 5, provisioned: 5 });
    expect((await acme.client.get('/v1/numbers')).body.items).toHaveLength(6);
  });

  test.for([
    ['a toll-free area code', 'areaCode', { areaCode: '800' }],
    ['one of Puerto Rico', 'areaCode', { areaCode: '787' }],
    ['one of two digits', 'areaCode', { areaCode: '41' }],
    ['no area code', 'areaCode', { areaCode: undefined }],
    ['no users', 'userIds', { userIds: [] }],
    ['too many users', 'userIds', { userIds: Array<string>(1_001).fill('usr_1') }],
  ] as const)('with %s is refused: %s is named', async ([, path, change]) => {
    const answer = await ask({ userIds: ['usr_1'], ...change });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});
