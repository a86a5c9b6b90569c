/** The brand: seven days for the representative, reminders, lapses, corrections. Real HTTP to the simulator, on a clock that is moved. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { brandWorkflowId } from '../../../workflows/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import { startSystem, type System } from '../../harness/system.ts';
import { keepHistory } from '../../replay/record.ts';
import {
  brandOf,
  honestIntake,
  mailOf,
  operatorEmail,
  prepare,
  read,
  type Registering,
  registrationIdOf,
  submit,
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

const representative = honestIntake.representative.email;

/** Submits, and brings the brand to where the representative has a link. */
async function toLink(organization: Registering): Promise<string> {
  await submit(organization);
  await system.advance('1 minutes');
  const { sid } = await brandOf(system, organization);
  await system.twilio.brand(sid, { status: 'APPROVED' });
  await until(organization, { brand: { status: 'registered' }, nextStep: { from: 'representative' } });
  return sid;
}

const keep = async (organization: Registering, what: string): Promise<void> =>
  keepHistory(
    system.temporal,
    brandWorkflowId(await registrationIdOf(system, organization)),
    `brandVerification.${what}`,
  );

const mailTo = async (organization: Registering, recipient: string): Promise<string[]> =>
  (await mailOf(system, organization)).filter(([to]) => to === recipient).map(([, subject]) => subject);

it('a representative who clicks on day 6 was told of the link and reminded on days 1, 3 and 6', async () => {
  const organization = await prepare(system);
  const sid = await toLink(organization);
  const expected = ['confirm your identity within 7 days'];
  for (const [days, subject] of [
    ['1 days', '6 days left to confirm your identity'],
    ['2 days', '4 days left to confirm your identity'],
    ['3 days', 'one day left to confirm your identity'],
  ] as const) {
    await system.advance(days);
    expected.push(subject);
    await eventually(async () => expect(await mailTo(organization, representative)).toEqual(expected));
  }
  await system.advance('6 hours');
  expect(await read(organization)).toMatchObject({ brand: { status: 'registered', indicator: 'blue' } });

  await system.twilio.clickLink(sid);
  await until(organization, { brand: { status: 'verified', indicator: 'green' } });
  const { timeline } = await read(organization);
  expect(timeline).toContainEqual(
    expect.objectContaining({ subject: 'brand', event: 'verified', actor: 'representative' }),
  );
  expect(await mailTo(organization, representative)).toEqual(expected);
  await keep(organization, 'clickedOnDay6');
});

it('a link that lapses on day 7 is told to the operator; resent, it lives another 7 days and is clicked on day 3 of them', async () => {
  const organization = await prepare(system);
  const sid = await toLink(organization);

  const early = await organization.client.post('/v1/registration/brand/resend');
  expect(early).toMatchObject({ status: 409, body: { allowed: ['cancel'] } });
  expect(early.body.detail).toMatch(/representative/);

  await system.advance('7 days');
  await until(organization, {
    brand: { status: 'verification_expired', indicator: 'red' },
    nextStep: { from: 'operator' },
    allowed: ['brand/resend', 'cancel'],
  });
  expect((await read(organization)).timeline.at(-1)).toMatchObject({
    event: 'verification_expired',
    detail: 'The identity link was not followed within 7 days.',
    awaiting: 'operator',
  });
  await eventually(async () =>
    expect(await mailTo(organization, operatorEmail)).toContain("the representative's identity link lapsed"),
  );
  await expect(system.twilio.clickLink(sid)).rejects.toThrow('409');

  const resent = await organization.client.post('/v1/registration/brand/resend');
  expect(resent).toMatchObject({ status: 200, body: { brand: { status: 'registered' } } });
  const { until: deadline } = (await read(organization)).nextStep;
  expect(Math.round((Date.parse(deadline) - (await system.now())) / 3_600_000)).toBe(7 * 24);

  await system.advance('3 days');
  await eventually(async () =>
    expect((await mailTo(organization, representative)).at(-1)).toBe('4 days left to confirm your identity'),
  );
  await system.twilio.clickLink(sid);
  await until(organization, { brand: { status: 'verified' } });
  await keep(organization, 'lapsedAndResent');
});

it('a mistyped address is corrected before the link is sent again: the registry writes to the new one', async () => {
  const organization = await prepare(system);
  const sid = await toLink(organization);
  await system.twilio.brand(sid, { status: 'APPROVED', failureReasons: [21738] });
  await until(organization, { brand: { status: 'verification_expired', reasons: [{ code: 21738 }] } });
  const right = 'right@acme-staffing.example';
  const corrected = await organization.client.put('/v1/registration/intake', { representative: { email: right } });
  expect(corrected.status).toBe(200);
  expect((await organization.client.post('/v1/registration/brand/resend')).status).toBe(200);
  const byRegistry = (await system.mail.messages()).filter(({ from }) => from.includes('campaignregistry'));
  expect(byRegistry.map(({ to }) => to.join())).toEqual([representative, right]);
  await eventually(async () =>
    expect(await mailTo(organization, right)).toEqual(['confirm your identity within 7 days']),
  );
  await system.twilio.clickLink(sid);
  await until(organization, { brand: { status: 'verified' } });
  await keep(organization, 'addressCorrected');
});

it('a resend that Twilio refuses is refused each time, and nothing is said to have been sent', async () => {
  const organization = await prepare(system);
  const sid = await toLink(organization);
  await system.advance('3 days');
  // The registry mails the link three days later than Twilio said.
  await system.twilio.brand(sid, { status: 'APPROVED' });
  await system.advance('5 days');
  await until(organization, { brand: { status: 'verification_expired' } });
  for (const _time of ['first', 'second']) {
    const refused = await organization.client.post('/v1/registration/brand/resend');
    expect(refused).toMatchObject({ status: 422, body: { reason: 'refused_by_twilio' } });
  }
  expect(await read(organization)).toMatchObject({ brand: { status: 'verification_expired' } });
  // It still counts when it is followed.
  await system.twilio.clickLink(sid);
  await until(organization, { brand: { status: 'verified' } });
  await keep(organization, 'resendRefused');
});

it('a public company without a ticker is refused before any fee; with it, it is registered and its identity check charged', async () => {
  const organization = await prepare(system, {
    intake: { companyType: 'public', brandContactEmail: 'legal@acme-staffing.example' },
  });
  const declared = { accurate: true, representativeAgrees: true };
  const refused = await organization.client.post('/v1/registration/submit', declared);
  expect(refused).toMatchObject({ status: 422, body: { reason: 'preflight_failed' } });
  expect(refused.body.findings.map(({ field }: { field: string }) => field)).toEqual(
    expect.arrayContaining(['stockTicker', 'stockExchange']),
  );
  expect(await read(organization)).toMatchObject({ state: 'draft', fees: [] });

  await organization.client.put('/v1/registration/intake', { stockTicker: 'ACME', stockExchange: 'NYSE' });
  const sid = await toLink(organization);
  await eventually(async () =>
    expect(await mailTo(organization, 'legal@acme-staffing.example')).toEqual(['confirm your identity within 7 days']),
  );
  await system.twilio.clickLink(sid);
  await until(organization, {
    brand: { status: 'verified' },
    fees: [
      { kind: 'brand_registration', amount: 4, currency: 'USD', reference: sid },
      { kind: 'identity_check', amount: 12.5 },
      { kind: 'campaign_review', amount: 15 },
    ],
  });
  await keep(organization, 'publicCompany');
});

it('a brand that failed says why and what to correct, is resubmitted with corrections, and costs its fee once', async () => {
  const organization = await prepare(system, { intake: { registrationNumber: '12-3456780' } });
  await submit(organization);
  await system.advance('1 minutes');
  const { sid } = await brandOf(system, organization);
  await system.twilio.brand(sid, { status: 'FAILED', failureReasons: [30795] });
  await until(organization, {
    brand: { status: 'failed', indicator: 'red', reasons: [{ code: 30795, fixable: true }] },
    nextStep: { from: 'operator' },
    allowed: ['brand/resubmit', 'cancel'],
  });
  const { brand } = await read(organization);
  expect(brand.reasons[0].fields).toContain('registrationNumber');
  await eventually(async () => expect(await mailTo(organization, operatorEmail)).toContain('the brand was rejected'));

  const answer = await organization.client.post('/v1/registration/brand/resubmit', {
    registrationNumber: '98-7654321',
  });
  expect(answer).toMatchObject({ status: 200, body: { brand: { status: 'submitted' } } });
  await system.advance('1 minutes');
  await eventually(async () => expect((await brandOf(system, organization)).status).toBe('PENDING'));
  await system.twilio.brand(sid, { status: 'APPROVED', identityStatus: 'VERIFIED' });
  await until(organization, {
    brand: { status: 'verified' },
    fees: [{ kind: 'brand_registration' }, { kind: 'campaign_review' }],
  });

  const { attempts } = await read(organization);
  expect(attempts.filter(({ part }: { part: string }) => part === 'brand')).toMatchObject([
    { number: 1, outcome: 'failed', reasons: [{ code: 30795 }] },
    { number: 2, outcome: 'verified' },
  ]);
  await keep(organization, 'correctedAndResubmitted');
});

it('a customer profile that Twilio rejects fails the brand before its fee; the corrected one is approved', async () => {
  const organization = await prepare(system);
  await system.twilio.behaviour({ review: { profileAfter: 86_400 } });
  await submit(organization);
  await system.advance('1 hours');
  const profile = await eventually(async () => {
    const { customerProfiles } = await system.twilio.state();
    const pending = customerProfiles.find(({ status }) => status === 'pending-review' || status === 'in-review');
    expect(pending).toBeDefined();
    return pending!;
  });
  await system.twilio.customerProfile(profile.sid, { status: 'twilio-rejected', errors: [{ code: 18601 }] });
  await system.advance('6 hours');
  await until(organization, { brand: { status: 'failed', reasons: [{ code: 18601 }] }, fees: [] });

  await system.twilio.behaviour({ review: { profileAfter: 1 } });
  const answer = await organization.client.post('/v1/registration/brand/resubmit', {
    representative: { title: 'Chief Executive' },
  });
  expect(answer.status).toBe(200);
  await system.advance('10 minutes');
  await system.twilio.brand((await brandOf(system, organization)).sid, {
    status: 'APPROVED',
    identityStatus: 'VERIFIED',
  });
  await until(organization, { brand: { status: 'verified' } });
  await keep(organization, 'profileRejected');
});
