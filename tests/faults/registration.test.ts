/**
 * `kill -9` of the worker at every step of a registration: Twilio has done what it was asked, and the worker dies before
 * it knows. One organization per step, each stopped at its own; the next worker has to find what there is. The simulator's own list is the judge.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { startSystem, type System } from '../harness/system.ts';
import {
  atTwilio,
  brandOf,
  campaignOf,
  prepare,
  read,
  type Registering,
  submit,
  until,
} from '../workflows/registration/support.ts';

/** Every request by which a registration changes something at Twilio, and how many of them it makes, in their order. */
const requests: readonly [operation: string, times: number][] = [
  ['CreateAccount', 1],
  ['CreateSink', 1],
  ['CreateSubscription', 1],
  ['CreateCustomerProfile', 1],
  ['CreateEndUser', 3],
  ['CreateAddress', 1],
  ['CreateSupportingDocument', 1],
  ['CreateCustomerProfileEntityAssignment', 4],
  ['CreateCustomerProfileEvaluation', 1],
  ['UpdateCustomerProfile', 1],
  ['CreateTrustProduct', 1],
  ['CreateTrustProductEntityAssignment', 2],
  ['CreateTrustProductEvaluation', 1],
  ['UpdateTrustProduct', 1],
  ['CreateBrandRegistrations', 1],
  ['CreateService', 1],
  ['CreateUsAppToPerson', 1],
];
/** `CreateEndUser#2`: the second one. */
const steps = requests.flatMap(([operation, times]) =>
  Array.from({ length: times }, (_, index) => `${operation}#${index + 1}`),
);
/** What exists afterwards, whatever happened on the way. */
const oneOfEach = {
  customerProfiles: 1,
  endUsers: 3,
  addresses: 1,
  documents: 1,
  trustProducts: 1,
  brands: 1,
  campaigns: 1,
  messagingServices: 1,
  sinks: 1,
  subscriptions: 1,
};

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
});

/** Begins, and waits until Twilio has done the step for this organization and holds its answer. */
async function heldAt(organization: Registering, step: string, begin: () => Promise<unknown>): Promise<void> {
  const isHeld = async () => (await system.twilio.requests({ limit: 20_000 })).items.filter(({ held }) => held).length;
  const before = await isHeld();
  const { holdAnswers = [] } = await system.twilio.behaviour({});
  await system.twilio.behaviour({ holdAnswers: [...holdAnswers, `${step}@${organization.name}`] });
  await begin();
  await eventually(async () => expect(await isHeld()).toBe(before + 1), { everyMs: 20 });
}

/** The operations by which something was changed, in order. */
const writes = async (): Promise<string[]> =>
  (await system.twilio.requests({ limit: 20_000 })).items.flatMap(({ method, operation }) =>
    method === 'GET' || operation === null ? [] : [operation],
  );

async function killWorker(): Promise<void> {
  await system.crash('worker');
  await system.twilio.behaviour({ holdAnswers: [] });
  await system.start('worker');
}

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));

async function counts(organization: Registering): Promise<Record<string, number>> {
  const { accountSid: _, ...things } = await atTwilio(system, organization);
  return Object.fromEntries(Object.entries(things).map(([kind, items]) => [kind, items.length]));
}

describe('the worker is killed when Twilio has done, and before it hears of', () => {
  const organizations = new Map<string, Registering>();

  beforeAll(async () => {
    const soon = { profileAfter: 0.1, brandAfter: 0.1, clickAfter: 0.1, campaignAfter: 0.1 };
    await system.twilio.behaviour({ review: { mode: 'auto', ...soon } });
    for (const step of steps) {
      organizations.set(step, await prepare(system, { name: `Killed at ${step}` }));
    }
    // A few with each kill: an answer that is held for too long is given up, and looked for.
    for (const group of chunks(steps, 4)) {
      for (const step of group) {
        const organization = organizations.get(step)!;
        await heldAt(organization, step, () => submit(organization));
      }
      await killWorker();
    }
  }, 240_000);

  it.for(steps)('%s: one of each thing, each fee once, and the registration is completed', async (step) => {
    const organization = organizations.get(step)!;
    await until(organization, { state: 'completed', brand: { status: 'verified' }, campaign: { status: 'verified' } });
    expect(await counts(organization)).toEqual(oneOfEach);
    const { accounts } = await system.twilio.state();
    expect(accounts.filter(({ friendlyName }) => friendlyName === organization.name)).toHaveLength(1);
    expect((await read(organization)).fees).toMatchObject([
      { kind: 'brand_registration', amount: 4 },
      { kind: 'campaign_review', amount: 15 },
    ]);
    expect((await organization.client.get('/v1/module')).body).toEqual({ state: 'enabled', missing: [] });
  });

  it('and those are all the requests that change anything at Twilio', async () => {
    await system.twilio.reset();
    const soon = { profileAfter: 0.1, brandAfter: 0.1, clickAfter: 0.1, campaignAfter: 0.1 };
    await system.twilio.behaviour({ review: { mode: 'auto', ...soon } });
    const organization = await prepare(system, { name: 'Undisturbed' });
    await submit(organization);
    await until(organization, { state: 'completed' });
    const times = new Map<string, number>();
    for (const operation of await writes()) times.set(operation, (times.get(operation) ?? 0) + 1);
    expect(Object.fromEntries(times)).toEqual(Object.fromEntries(requests));
  });
});

describe('the worker is killed when Twilio has taken a correction, and before it hears of it', () => {
  it('a brand is resubmitted once, a campaign too, and one more identity link is sent', async () => {
    await system.twilio.reset();
    const [brand, campaign, link] = [
      await prepare(system, { name: 'Failed brand' }),
      await prepare(system, { name: 'Failed campaign' }),
      await prepare(system, { name: 'Bounced link' }),
    ];
    for (const organization of [brand, campaign, link]) await submit(organization);
    const sids = {
      brand: (await brandOf(system, brand)).sid,
      campaign: (await brandOf(system, campaign)).sid,
      link: (await brandOf(system, link)).sid,
    };
    await system.twilio.brand(sids.brand, { status: 'FAILED', failureReasons: [30795] });
    await until(brand, { brand: { status: 'failed' } });
    await system.twilio.brand(sids.campaign, { status: 'APPROVED', identityStatus: 'VERIFIED' });
    const { sid: campaignSid } = await campaignOf(system, campaign);
    await system.twilio.campaign(campaignSid, { status: 'FAILED', errors: [{ code: 30886 }] });
    await until(campaign, { campaign: { status: 'failed' } });
    await system.twilio.brand(sids.link, { status: 'APPROVED' });
    await until(link, { brand: { status: 'registered' } });
    await system.twilio.brand(sids.link, { status: 'APPROVED', failureReasons: [21738] });
    await until(link, { brand: { status: 'verification_expired', reasons: [{ code: 21738 }] } });

    const answers: Promise<{ status: number }>[] = [];
    const post = ({ client }: Registering, action: string) =>
      answers.push(client.post(`/v1/registration/${action}`, {}, { 'idempotency-key': action }));
    await heldAt(brand, 'UpdateBrandRegistrations#1', async () => post(brand, 'brand/resubmit'));
    await heldAt(campaign, 'UpdateUsAppToPerson#1', async () => post(campaign, 'campaign/resubmit'));
    await heldAt(link, 'CreateBrand2fa#1', async () => post(link, 'brand/resend'));
    await killWorker();

    await system.twilio.brand(sids.brand, { status: 'APPROVED', identityStatus: 'VERIFIED' });
    await until(brand, { brand: { status: 'verified' } });
    await system.twilio.campaign(campaignSid, { status: 'VERIFIED' });
    await until(campaign, { state: 'completed' });
    await until(link, { brand: { status: 'registered' } });
    await system.twilio.clickLink(sids.link);
    await until(link, { brand: { status: 'verified' } });

    const done = (await writes()).filter((name) =>
      ['UpdateBrandRegistrations', 'UpdateUsAppToPerson', 'CreateBrand2fa'].includes(name),
    );
    expect(done.toSorted()).toEqual(['CreateBrand2fa', 'UpdateBrandRegistrations', 'UpdateUsAppToPerson']);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
  }, 180_000);
});
