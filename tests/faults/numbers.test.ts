/**
 * Numbers for 300 users while two area codes run dry, numbers are sold under our hands, Twilio turns every second request
 * away, answers are lost after Twilio has sold, and the worker is killed in the middle. The simulator's own list is the
 * judge: one number per user who has one, and none besides.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';
import { insertUsers } from '../harness/users.ts';

/** How many users have a mobile of which area code. Alaska and Hawaii have no neighbours, San Francisco has. */
const wanted = { 212: 60, 312: 60, 206: 60, 415: 60, 907: 30, 808: 30 } as const;
const users = Object.values(wanted).reduce((sum, count) => sum + count, 0);
/** Fewer than are wanted: they run dry in the middle of the run. */
const inventory = { 907: 12, 808: 10, 415: 20 };

let system: System;
let organization: EnabledOrganization;
beforeAll(async () => {
  system = await startSystem();
  organization = await system.enabledOrganization();
});
afterAll(async () => {
  await system?.stop();
});

interface Job {
  state: string;
  counts: { total: number; waiting: number; provisioned: number; failed: number };
  results: { userId: string; status: string; numberId: string; phoneNumber: string; reason: string; detail: string }[];
}

it('300 users: each has one number or a reason, and Twilio has sold no other', async () => {
  const areaCodes = Object.entries(wanted).flatMap(([areaCode, count]) => Array<string>(count).fill(areaCode));
  const mobiles = areaCodes.map((areaCode, index) => `+1${areaCode}555${String(1_000 + index)}`);
  const ids = await insertUsers(system, organization.id, mobiles);
  const areaCodeOf = new Map(ids.map((id, index) => [id, areaCodes[index]!]));
  const before = (await system.twilio.state()).numbers;
  await system.twilio.behaviour({ inventory, soldBetween: 0.02, dropResponseRate: 0.05, latencyMs: 5 });

  const asked = await organization.client.post('/v1/numbers/bulk', {
    userIds: ids,
    areaCode: 'match-mobile',
    allowNearby: true,
    acceptTerms: true,
  });
  expect(asked).toMatchObject({ status: 202, body: { jobId: expect.stringMatching(/^njb_/) } });
  const read = async (): Promise<Job> => (await organization.client.get(`/v1/numbers/jobs/${asked.body.jobId}`)).body;
  const until = (provisioned: number) =>
    eventually(async () => expect((await read()).counts.provisioned).toBeGreaterThanOrEqual(provisioned), {
      withinMs: 120_000,
      everyMs: 50,
    });

  // Results are there while it runs.
  await until(20);
  expect((await read()).counts.waiting).toBeGreaterThan(0);
  await system.twilio.behaviour({ http429Rate: 0.5 });
  await until(40);
  await system.twilio.behaviour({ http429Rate: 0 });
  await until(90);
  // Sold, and the worker never hears of it.
  await system.twilio.behaviour({ holdAnswers: ['CreateIncomingPhoneNumber'] });
  await eventually(async () => {
    const { items } = await system.twilio.requests({ limit: 20_000 });
    expect(items.filter(({ held }) => held).length).toBeGreaterThanOrEqual(3);
  });
  await system.crash('worker');
  await system.twilio.behaviour({ holdAnswers: [] });
  await system.start('worker');
  const job = await eventually(
    async () => {
      const now = await read();
      expect(now.state).toBe('finished');
      return now;
    },
    { withinMs: 200_000, everyMs: 500 },
  );

  const provisioned = job.results.filter(({ status }) => status === 'provisioned');
  const failed = job.results.filter(({ status }) => status === 'failed');
  expect(job.counts).toMatchObject({ total: users, waiting: 0 });
  expect(provisioned.length + failed.length).toBe(users);
  expect(new Set(job.results.map(({ userId }) => userId))).toEqual(new Set(ids));

  // Twilio's list and ours are the same, one number per user.
  const known = new Set(before.map(({ sid }) => sid));
  const sold = (await system.twilio.state()).numbers.filter(({ sid }) => !known.has(sid));
  expect(sold.map(({ phoneNumber }) => phoneNumber).toSorted()).toEqual(
    provisioned.map(({ phoneNumber }) => phoneNumber).toSorted(),
  );
  expect(new Set(sold.map(({ friendlyName }) => friendlyName)).size).toBe(sold.length);
  const lines = await system.db
    .selectFrom('phone_number_users')
    .innerJoin('phone_numbers', 'phone_numbers.id', 'phone_number_users.number_id')
    .select(['user_id', 'number_id', 'registered'])
    .where('user_id', 'in', ids)
    .execute();
  expect(lines.map((line) => `${line.user_id} ${line.number_id}`).toSorted()).toEqual(
    provisioned.map(({ userId, numberId }) => `${userId} ${numberId}`).toSorted(),
  );

  // Alaska and Hawaii ran dry, and say so; everybody else has a number, in San Francisco at worst of a neighbour.
  expect(new Set(failed.map(({ userId }) => areaCodeOf.get(userId)))).toEqual(new Set(['907', '808']));
  for (const { reason, detail, userId } of failed) {
    expect(reason).toBe('no_numbers');
    expect(detail).toContain(`area code ${areaCodeOf.get(userId)}`);
  }
  for (const { userId, phoneNumber } of provisioned) {
    const near = areaCodeOf.get(userId) === '415' ? ['415', '628', '341', '510', '650'] : [areaCodeOf.get(userId)];
    expect(near).toContain(phoneNumber.slice(2, 5));
  }
  const sanFrancisco = provisioned.filter(({ userId }) => areaCodeOf.get(userId) === '415');
  expect(sanFrancisco).toHaveLength(wanted[415]);
  expect(sanFrancisco.some(({ phoneNumber }) => !phoneNumber.startsWith('+1415'))).toBe(true);
  // In the messaging service, so that they can send.
  await eventually(async () => {
    const { items } = (await organization.client.get('/v1/numbers?limit=200')).body;
    expect(items.every(({ registered }: { registered: boolean }) => registered)).toBe(true);
    const { numbers } = await system.twilio.state();
    const own = numbers.filter(({ sid }) => !known.has(sid));
    expect(own.every(({ messagingServiceSid }) => messagingServiceSid !== null)).toBe(true);
  });
}, 400_000);
