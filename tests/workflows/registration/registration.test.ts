/** A registration as a whole: from the questionnaire to an enabled module, cancelled, lost, and side by side. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { brandWorkflowId, campaignWorkflowId, registrationWorkflowId } from '../../../workflows/ids.ts';
import { newId } from '../../../db/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import { startSystem, type System } from '../../harness/system.ts';
import { insertUsers } from '../../harness/users.ts';
import { keepHistory } from '../../replay/record.ts';
import {
  atTwilio,
  brandOf,
  campaignOf,
  honestIntake,
  prepare,
  read,
  type Registering,
  registrationIdOf,
  submit,
  toVerifiedBrand,
  until,
} from './support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ timeSkipping: true });
});
afterAll(async () => {
  await system?.stop();
});
beforeEach(async () => {
  await system.twilio.reset();
});

const once = { customerProfiles: 1, trustProducts: 1, brands: 1, campaigns: 1, messagingServices: 1, addresses: 1 };
/** How many of each thing the subaccount has. */
async function counts(organization: Registering): Promise<Record<string, number>> {
  const { accountSid: _, ...things } = await atTwilio(system, organization);
  return Object.fromEntries(Object.entries(things).map(([kind, items]) => [kind, items.length]));
}

/** Waits until the brand is submitted and its workflow at rest: it will look again in some seconds. */
const withRegistry = (organization: Registering) =>
  eventually(async () => {
    const { timeline } = await read(organization);
    expect(timeline.at(-1)).toMatchObject({ subject: 'brand', event: 'with_registry' });
  });

/** Has the carriers approve, and waits for the end. */
async function toCompletion(organization: Registering): Promise<void> {
  await system.twilio.campaign((await campaignOf(system, organization)).sid, { status: 'VERIFIED' });
  await until(organization, { state: 'completed' });
}

it('goes from the questionnaire to an enabled module by itself, with one of each thing at Twilio and each fee once', async () => {
  const organization = await prepare(system);
  expect(await read(organization)).toMatchObject({
    state: 'draft',
    brand: { status: 'draft', indicator: 'blue' },
    campaign: { status: 'not_started', indicator: 'blue' },
    messagingService: { status: 'not_started', indicator: 'blue' },
    nextStep: { from: 'organization' },
    fees: [],
  });
  await toVerifiedBrand(system, organization);
  expect((await organization.client.get('/v1/module')).body).toEqual({
    state: 'pending_setup',
    missing: ['messagingServiceSid'],
  });
  await toCompletion(organization);

  expect((await organization.client.get('/v1/module')).body).toEqual({ state: 'enabled', missing: [] });
  expect(await read(organization)).toMatchObject({
    brand: { status: 'verified', indicator: 'green' },
    campaign: { status: 'verified', indicator: 'green' },
    messagingService: { status: 'registered', indicator: 'green' },
    nextStep: { from: 'nobody' },
    allowed: [],
    fees: [
      { kind: 'brand_registration', amount: 4 },
      { kind: 'campaign_review', amount: 15 },
    ],
  });
  expect(await counts(organization)).toMatchObject({ ...once, endUsers: 3, documents: 1, sinks: 1, subscriptions: 1 });
  const { timeline } = await read(organization);
  expect(timeline.map(({ subject, event }: { subject: string; event: string }) => `${subject}.${event}`)).toEqual([
    'registration.submitted',
    'registration.subaccount_ready',
    'brand.submitted',
    'brand.with_registry',
    'brand.registered',
    'brand.verified',
    'campaign.in_review',
    'messaging_service.in_progress',
    'campaign.with_carriers',
    'campaign.verified',
    'messaging_service.registered',
    'registration.completed',
  ]);

  const id = await registrationIdOf(system, organization);
  await keepHistory(system.temporal, registrationWorkflowId(organization.id), 'registration.happyPath');
  await keepHistory(system.temporal, brandWorkflowId(id), 'brandVerification.happyPath');
  await keepHistory(system.temporal, campaignWorkflowId(id), 'campaignReview.happyPath');
});

it('what reviewers see of the campaign: cleaned samples, the evidence at its public address, the policies', async () => {
  const organization = await prepare(system, {
    intake: { messageSamples: honestIntake.messageSamples.map((sample, index) => `${index + 1}. "${sample}" `) },
  });
  expect((await read(organization)).changes).toHaveLength(2);
  await toVerifiedBrand(system, organization);
  await campaignOf(system, organization);
  const { submission } = await eventually(async () => {
    const { attempts } = await read(organization);
    const attempt = attempts.find(({ part }: { part: string }) => part === 'campaign');
    expect(attempt?.submission).toBeTruthy();
    return attempt;
  });
  expect(submission).toMatchObject({ messageSamples: honestIntake.messageSamples });
  const [address] = /http\S+\/evidence\/\S+/.exec(submission.messageFlow)!;
  const evidence = await fetch(address);
  expect([evidence.status, evidence.headers.get('content-type')]).toEqual([200, 'image/png']);
  await toCompletion(organization);
});

it('a campaign command before the brand is verified is refused with what is awaited, and from whom', async () => {
  const organization = await prepare(system);
  const early = async () => organization.client.post('/v1/registration/campaign/resubmit');
  expect(await early()).toMatchObject({ status: 409, body: { allowed: ['submit'] } });
  await submit(organization);
  await system.advance('1 minutes');
  const { sid } = await brandOf(system, organization);
  await system.twilio.brand(sid, { status: 'APPROVED' });
  await until(organization, { brand: { status: 'registered' } });
  const refused = await early();
  expect(refused).toMatchObject({ status: 409, body: { type: '/problems/not-in-this-state', allowed: ['cancel'] } });
  expect(refused.body.detail).toMatch(/brand/);
  expect(refused.body.detail).toMatch(/representative/);
  await system.twilio.clickLink(sid);
  await toCompletion(organization);
});

it('two organizations of the same name and different domains have a subaccount each', async () => {
  const name = 'Twin Staffing';
  const twins = [
    await prepare(system, { name, domain: 'twin-one.example' }),
    await prepare(system, { name, domain: 'twin-two.example' }),
  ];
  await Promise.all(twins.map((twin) => submit(twin)));
  await system.advance('1 minutes');
  const accounts = await Promise.all(twins.map(async (twin) => (await brandOf(system, twin)).accountSid));
  expect(new Set(accounts).size).toBe(2);
  const { accounts: all } = await system.twilio.state();
  const names = all.filter(({ sid }) => accounts.includes(sid)).map(({ friendlyName }) => friendlyName);
  expect(names.toSorted()).toEqual(['Twin Staffing (twin-one.example)', 'Twin Staffing (twin-two.example)']);
  for (const twin of twins) {
    await withRegistry(twin);
    expect((await twin.client.post('/v1/registration/cancel')).status).toBe(200);
  }
});

it('an account of that name that exists already is used, and no second one made', async () => {
  const { body: made } = await fetchTwilio('/api/2010-04-01/Accounts.json', { FriendlyName: 'Known Staffing' });
  const organization = await prepare(system, { name: 'Known Staffing' });
  await submit(organization);
  await system.advance('1 minutes');
  expect((await brandOf(system, organization)).accountSid).toBe(made.sid);
  const { accounts } = await system.twilio.state();
  expect(accounts.filter(({ friendlyName }) => friendlyName === 'Known Staffing')).toHaveLength(1);
  await withRegistry(organization);
  expect((await organization.client.post('/v1/registration/cancel')).status).toBe(200);
});

it('a number that Twilio does not take any more holds up nothing; the others are registered with the approval', async () => {
  const organization = await prepare(system);
  await toVerifiedBrand(system, organization);
  const { accountSid } = await campaignOf(system, organization);
  const phoneNumber = '+13125550188';
  const { sid: bought } = await system.twilio.number({ accountSid, phoneNumber });
  const at = new Date(await system.now());
  for (const [index, twilioSid] of [bought, `PN${'0'.repeat(32)}`].entries()) {
    await system.db
      .insertInto('phone_numbers')
      .values({
        id: newId('number', at),
        organization_id: organization.id,
        phone_number: `${phoneNumber.slice(0, -1)}${8 + index}`,
        twilio_sid: twilioSid,
        purchased_at: at,
      })
      .execute();
  }
  await toCompletion(organization);
  const { body } = await organization.client.get('/v1/numbers');
  expect(body.items.map(({ registered }: { registered: boolean }) => registered)).toEqual([true, false]);
  const { messagingServices } = await atTwilio(system, organization);
  const { numbers } = await system.twilio.state();
  expect(numbers.find(({ sid }) => sid === bought)).toMatchObject({ messagingServiceSid: messagingServices[0]!.sid });
});

it('a number that is bought before the approval is registered by it; one found in the account then is adopted', async () => {
  const organization = await prepare(system);
  const { client } = organization;
  await toVerifiedBrand(system, organization);
  const { accountSid } = await campaignOf(system, organization);
  const [userId] = await insertUsers(system, organization.id, ['+13125550110']);
  const { items } = (await client.get('/v1/numbers/available?areaCode=312')).body;
  const bought = await client.post('/v1/numbers', {
    phoneNumber: items[0].phoneNumber,
    userIds: [userId],
    acceptTerms: true,
  });
  expect(bought).toMatchObject({
    status: 201,
    body: { registered: false, registrationError: null, userIds: [userId] },
  });
  // Somebody buys one in Twilio's console.
  const { sid, phoneNumber } = await system.twilio.number({ accountSid, phoneNumber: items[1].phoneNumber });
  await toCompletion(organization);
  const { messagingServices } = await atTwilio(system, organization);
  const messagingServiceSid = messagingServices[0]!.sid;
  const read = async (id: string) => (await client.get(`/v1/numbers/${id}`)).body;
  const atTwilioIs = async (number: string) =>
    (await system.twilio.state()).numbers.find((one) => one.phoneNumber === number);
  expect(await read(bought.body.id)).toMatchObject({ registered: true });
  expect(await atTwilioIs(bought.body.phoneNumber)).toMatchObject({ messagingServiceSid });

  // Accounts are looked through every hour, and when they were not.
  await system.advance('70 minutes');
  const [orphan] = await eventually(async () => {
    const orphans = (await client.get('/v1/numbers?orphan=true')).body.items;
    expect(orphans).toMatchObject([{ phoneNumber, orphan: true, registered: false, userIds: [], poolId: null }]);
    return orphans;
  });
  const { body: pool } = await client.post('/v1/pools', { name: 'Main', purpose: 'promotional' });
  expect(await client.patch(`/v1/numbers/${orphan.id}`, { poolId: pool.id })).toMatchObject({
    status: 200,
    body: { orphan: false, poolId: pool.id },
  });
  await eventually(async () => expect(await read(orphan.id)).toMatchObject({ registered: true }));
  const publicUrl = system.stack.environment['PUBLIC_URL']!;
  expect(await atTwilioIs(phoneNumber)).toMatchObject({
    sid,
    messagingServiceSid,
    voiceUrl: `${publicUrl}/twilio/voice`,
  });
});

it('cancelled while the representative is awaited, and submitted again, it goes on with what exists', async () => {
  const organization = await prepare(system);
  await submit(organization);
  await system.advance('1 minutes');
  const { sid } = await brandOf(system, organization);
  await system.twilio.brand(sid, { status: 'APPROVED' });
  await until(organization, { brand: { status: 'registered' } });

  const cancelled = await organization.client.post('/v1/registration/cancel');
  expect(cancelled).toMatchObject({ status: 200, body: { state: 'cancelled', allowed: ['submit'] } });
  expect((await organization.client.post('/v1/registration/cancel')).status).toBe(409);
  const workflow = system.temporal.workflow.getHandle(registrationWorkflowId(organization.id));
  await eventually(async () => expect((await workflow.describe()).status.name).toBe('COMPLETED'));
  await keepHistory(system.temporal, registrationWorkflowId(organization.id), 'registration.cancelled');
  await keepHistory(
    system.temporal,
    brandWorkflowId(await registrationIdOf(system, organization)),
    'brandVerification.cancelled',
  );

  await submit(organization);
  await system.twilio.clickLink(sid);
  await system.advance('1 minutes');
  await toCompletion(organization);
  expect(await counts(organization)).toMatchObject(once);
});

it('cancelled in the Web UI, the facts say so', async () => {
  const organization = await prepare(system);
  await submit(organization);
  await system.advance('1 minutes');
  await withRegistry(organization);
  await system.temporal.workflow.getHandle(registrationWorkflowId(organization.id)).cancel();
  await until(organization, { state: 'cancelled' });
  const { timeline } = await read(organization);
  expect(timeline.at(-1)).toMatchObject({ event: 'cancelled', actor: 'operator:temporal' });
  await keepHistory(system.temporal, registrationWorkflowId(organization.id), 'registration.cancelledInTheWebUi');
});

it('a workflow that was terminated in mid-review is started anew by the sweep, and makes nothing twice', async () => {
  const organization = await prepare(system);
  await toVerifiedBrand(system, organization);
  await campaignOf(system, organization);
  await until(organization, { campaign: { status: 'in_review' } });
  const id = await registrationIdOf(system, organization);
  for (const workflow of [registrationWorkflowId(organization.id), campaignWorkflowId(id)]) {
    await system.temporal.workflow.getHandle(workflow).terminate('a test');
  }
  // The sweep comes every five minutes, and when a worker starts.
  await system.crash('worker');
  await system.start('worker');
  await toCompletion(organization);
  expect(await counts(organization)).toMatchObject(once);
  expect((await read(organization)).fees).toHaveLength(2);
});

async function fetchTwilio(path: string, form: Record<string, string>) {
  const { TWILIO_ACCOUNT_SID: sid, TWILIO_AUTH_TOKEN: token } = system.stack.environment;
  const response = await fetch(system.simulatorUrl + path, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${sid}:${token}`)}` },
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: (await response.json()) as { sid: string } };
}
