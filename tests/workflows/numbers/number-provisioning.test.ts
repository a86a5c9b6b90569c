/** Numbers for many users at once: what becomes of each, and of a run that ops cancel in the Web UI. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { numbersWorkflowId } from '../../../workflows/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../../harness/system.ts';
import { insertUsers } from '../../harness/users.ts';
import { keepHistory } from '../../replay/record.ts';

let system: System;
let organization: EnabledOrganization;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
});
beforeEach(async () => {
  await system.twilio.reset();
  organization = await system.enabledOrganization();
});

interface Result {
  status: string;
  userId: string;
  numberId: string | null;
  phoneNumber: string | null;
  reason: string | null;
  detail: string | null;
}
interface Job {
  state: string;
  counts: Record<string, number>;
  results: Result[];
}

const mobiles = (count: number, areaCode: number) =>
  Array.from({ length: count }, (_, index) => `+1${areaCode}55501${String(10 + index)}`);

async function begin(userIds: readonly string[]): Promise<string> {
  const asked = await organization.client.post('/v1/numbers/bulk', {
    userIds,
    areaCode: 'match-mobile',
    acceptTerms: true,
  });
  expect(asked).toMatchObject({ status: 202 });
  return asked.body.jobId;
}
const read = async (jobId: string): Promise<Job> => (await organization.client.get(`/v1/numbers/jobs/${jobId}`)).body;
const untilFinished = (jobId: string) =>
  eventually(async () => {
    const job = await read(jobId);
    expect(job.state).toBe('finished');
    return job;
  });

/** As many of one run are bought at a time. */
const atOnce = 4;

/** The numbers of the organization's account at Twilio, but the one it began with. */
async function sold(): Promise<string[]> {
  const { account_sid: accountSid } = await system.db
    .selectFrom('organizations')
    .select('account_sid')
    .where('id', '=', organization.id)
    .executeTakeFirstOrThrow();
  const { numbers } = await system.twilio.state();
  return numbers
    .filter((number) => number.accountSid === accountSid && number.phoneNumber !== organization.line.phoneNumber)
    .map(({ phoneNumber }) => phoneNumber)
    .toSorted();
}
const provisioned = ({ results }: Job): string[] =>
  results.flatMap(({ status, phoneNumber }) => (status === 'provisioned' ? [phoneNumber!] : [])).toSorted();
const purchases = async (): Promise<number> =>
  (await system.twilio.requests({ operation: 'CreateIncomingPhoneNumber' })).total;
const workflow = (jobId: string) => system.temporal.workflow.getHandle(numbersWorkflowId(jobId));

/** Begins a run, and waits until Twilio has sold as many numbers as are bought at once: the worker does not know yet. */
async function beginHeld(userIds: readonly string[]): Promise<string> {
  await system.twilio.behaviour({ holdAnswers: ['CreateIncomingPhoneNumber'] });
  const jobId = await begin(userIds);
  await eventually(
    async () => {
      const { items } = await system.twilio.requests({ operation: 'CreateIncomingPhoneNumber' });
      expect(items.filter(({ held }) => held)).toHaveLength(atOnce);
    },
    { everyMs: 20 },
  );
  return jobId;
}

it('a dozen users: each has one number or the reason why not, and nobody who failed holds up the others', async () => {
  const ids = [
    ...(await insertUsers(system, organization.id, mobiles(7, 312))),
    ...(await insertUsers(system, organization.id, mobiles(3, 907))),
    ...(await insertUsers(system, organization.id, [null, '+18005550199', '+442071838750'])),
    ...(await insertUsers(system, organization.id, mobiles(1, 312), { active: false })),
    organization.user.id,
  ];
  await system.twilio.behaviour({ inventory: { 907: 2 }, soldBetween: 0.1 });
  const jobId = await begin(ids);
  const job = await untilFinished(jobId);
  expect(job.counts).toEqual({
    total: ids.length,
    waiting: 0,
    provisioned: job.counts['provisioned'],
    released: 0,
    failed: ids.length - job.counts['provisioned']!,
  });
  expect(job.results.map(({ userId }) => userId).toSorted()).toEqual(ids.toSorted());
  const resultOf = (index: number) => job.results.find(({ userId }) => userId === ids[index])!;
  for (let index = 0; index < 7; index += 1) {
    expect(resultOf(index)).toMatchObject({ status: 'provisioned', phoneNumber: expect.stringMatching(/^\+1312/) });
  }
  const alaska = [7, 8, 9].map((index) => resultOf(index));
  // Another customer may have been quicker with one of the two.
  expect(alaska.filter(({ status }) => status === 'provisioned').length).toBeLessThanOrEqual(2);
  expect(alaska.filter(({ reason }) => reason === 'no_numbers').length).toBeGreaterThanOrEqual(1);
  expect([10, 11, 12, 13, 14].map((index) => resultOf(index).reason)).toEqual([
    'no_mobile',
    'mobile_without_area_code',
    'mobile_without_area_code',
    'user_inactive',
    'has_line',
  ]);
  expect(resultOf(14).detail).toContain(organization.line.id);
  expect(await sold()).toEqual(provisioned(job));
  await keepHistory(system.temporal, numbersWorkflowId(jobId), 'numberProvisioning.bulk');
});

it('cancelled in the Web UI: what was bought stays, the rest fails with that reason, and nothing is bought any more', async () => {
  const ids = await insertUsers(system, organization.id, mobiles(10, 312));
  const jobId = await beginHeld(ids);
  await workflow(jobId).cancel();
  await system.twilio.behaviour({ holdAnswers: [] });
  await expect(workflow(jobId).result()).rejects.toThrow('cancelled');

  const job = await read(jobId);
  expect(job).toMatchObject({ state: 'finished', counts: { provisioned: atOnce, failed: ids.length - atOnce } });
  for (const { status, reason, detail } of job.results) {
    if (status === 'failed') expect([reason, detail]).toEqual(['cancelled', expect.stringContaining('was cancelled')]);
  }
  expect(await sold()).toEqual(provisioned(job));
  await keepHistory(system.temporal, numbersWorkflowId(jobId), 'numberProvisioning.cancelledInTheWebUi');

  // Somebody else's run is proof that the worker goes on: and it buys nothing for this one.
  const [asked, again] = [await purchases(), await insertUsers(system, organization.id, mobiles(1, 312))];
  await untilFinished(await begin(again));
  expect(await purchases()).toBe(asked + 1);
  expect(provisioned(await read(jobId))).toEqual(provisioned(job));
});

it('terminated in the Web UI: the sweep gives the run a workflow again, and nobody gets a second number', async () => {
  const ids = await insertUsers(system, organization.id, mobiles(8, 312));
  const jobId = await beginHeld(ids);
  await workflow(jobId).terminate('a test');
  // Long enough ago: what has just been begun is not taken for lost.
  const created_at = new Date(Date.now() - 60_000);
  await system.db.updateTable('number_jobs').set({ created_at }).where('id', '=', jobId).execute();
  // The sweep comes every five minutes, and when a worker starts.
  await system.crash('worker');
  await system.twilio.behaviour({ holdAnswers: [] });
  await system.start('worker');
  const job = await untilFinished(jobId);
  expect(job.counts).toMatchObject({ provisioned: ids.length, failed: 0 });
  expect(await sold()).toEqual(provisioned(job));
  expect(new Set(provisioned(job)).size).toBe(ids.length);
});
