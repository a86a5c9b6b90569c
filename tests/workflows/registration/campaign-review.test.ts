/** The campaign: weeks of review, rejections and corrections, with events lost, doubled and too early. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { campaignWorkflowId } from '../../../workflows/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import { startSystem, type System } from '../../harness/system.ts';
import { keepHistory } from '../../replay/record.ts';
import {
  atTwilio,
  brandOf,
  campaignOf,
  mailOf,
  operatorEmail,
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

const keep = async (organization: Registering, what: string): Promise<void> =>
  keepHistory(
    system.temporal,
    campaignWorkflowId(await registrationIdOf(system, organization)),
    `campaignReview.${what}`,
  );

const resubmit = async ({ client }: Registering, corrections: object) => {
  const answer = await client.post('/v1/registration/campaign/resubmit', corrections);
  expect({ status: answer.status, body: answer.body }).toMatchObject({
    status: 200,
    body: { campaign: { indicator: 'blue' } },
  });
};

it('a campaign rejected three times for other reasons each is corrected, overdue since week 10, and verified in week 11', async () => {
  const organization = await prepare(system, { intake: { notificationEmail: 'customer@acme-staffing.example' } });
  await toVerifiedBrand(system, organization);
  const { sid } = await campaignOf(system, organization);
  await until(organization, { campaign: { status: 'in_review' }, messagingService: { status: 'in_progress' } });
  const rejections = [
    {
      code: 30893,
      fields: ['SAMPLE_MESSAGE_1'],
      field: 'messageSamples[0]',
      correction: { messageSamples: samples('one') },
    },
    { code: 30909, fields: ['MESSAGE_FLOW'], field: 'messageFlow', correction: {} },
    { code: 30886, fields: ['USE_CASE_DESCRIPTION'], field: 'description', correction: { description: longer } },
  ];
  for (const [index, { code, fields, field, correction }] of rejections.entries()) {
    await system.advance('5 days');
    await system.twilio.campaign(sid, { status: 'FAILED', errors: [{ code, fields }] });
    await until(organization, {
      campaign: { status: 'failed', indicator: 'red', reasons: [{ code, fields: [field] }] },
      allowed: ['campaign/resubmit', 'cancel'],
    });
    await eventually(async () =>
      expect(await mailOf(system, organization)).toContainEqual([
        operatorEmail,
        `the campaign was rejected${index > 0 ? ` (attempt ${index + 1})` : ''}`,
      ]),
    );
    await resubmit(organization, correction);
    await until(organization, { campaign: { status: 'in_review', reasons: [] } });
    await eventually(async () => expect((await campaignOf(system, organization)).status).toBe('IN_PROGRESS'));
  }

  // 15 days have passed.
  await system.advance('8 days');
  await until(organization, { campaign: { status: 'longer_than_usual', indicator: 'blue' } });
  await system.advance('46 days');
  await until(organization, { campaign: { status: 'longer_than_usual' } });
  await system.advance('2 days');
  await until(organization, { campaign: { status: 'overdue', indicator: 'blue' }, nextStep: { from: 'carriers' } });
  await eventually(async () =>
    expect(await mailOf(system, organization)).toContainEqual([operatorEmail, 'the campaign review is overdue']),
  );
  await system.advance('4 days');
  await system.twilio.campaign(sid, { status: 'VERIFIED' });
  await until(organization, {
    state: 'completed',
    campaign: { status: 'verified', indicator: 'green' },
    messagingService: { status: 'registered', indicator: 'green' },
  });

  const { attempts } = await read(organization);
  expect(attempts.filter(({ part }: { part: string }) => part === 'campaign')).toMatchObject([
    { number: 1, outcome: 'failed', reasons: [{ code: 30893 }] },
    { number: 2, outcome: 'failed', reasons: [{ code: 30909 }] },
    { number: 3, outcome: 'failed', reasons: [{ code: 30886 }] },
    { number: 4, outcome: 'verified', submission: { description: longer } },
  ]);

  // Rejections are the operator's to mend (A7): the customer's address got the good news only.
  const mailToCustomer = async () =>
    (await mailOf(system, organization)).filter(([to]) => to === 'customer@acme-staffing.example');
  const approved = 'The carriers approved the campaign';
  await eventually(async () => expect((await mailToCustomer()).map(([, subject]) => subject)).toContain(approved));
  const toCustomer = await mailToCustomer();
  expect(toCustomer.filter(([, subject]) => /reject|overdue|fail/i.test(subject))).toEqual([]);
  const everybody = (await system.mail.messages()).filter(({ text }) => text.includes('rejected the campaign'));
  expect([...new Set(everybody.flatMap(({ to }) => to))]).toEqual([operatorEmail]);
  await keep(organization, 'rejectedThreeTimesOverdueVerified');
});

it('polling alone finishes it when every event is lost', async () => {
  await system.twilio.behaviour({ callbacks: { dropRate: 1 } });
  const organization = await prepare(system);
  await submit(organization);
  await system.advance('10 minutes');
  const brand = await brandOf(system, organization);
  await system.twilio.brand(brand.sid, { status: 'APPROVED' });
  await system.advance('7 hours');
  await until(organization, { brand: { status: 'registered' } });
  await system.twilio.clickLink(brand.sid);
  await system.advance('7 hours');
  await until(organization, { brand: { status: 'verified' } });
  const campaign = await campaignOf(system, organization);
  await system.advance('20 days');
  await system.twilio.campaign(campaign.sid, { status: 'VERIFIED' });
  await system.advance('13 hours');
  await until(organization, { state: 'completed' });
  const heard = await system.db
    .selectFrom('twilio_event_receipts')
    .select('event_id')
    .where('organization_id', '=', organization.id)
    .execute();
  expect(heard).toEqual([]);
  await keep(organization, 'polledOnly');
});

it('events that come twice, in any order and before their time change nothing but when it is looked at', async () => {
  await system.twilio.behaviour({ callbacks: { duplicateRate: 1, shuffle: true } });
  const organization = await prepare(system);
  await submit(organization);
  await system.advance('1 minutes');
  const brand = await brandOf(system, organization);
  const { accountSid } = await atTwilio(system, organization);
  const early = (type: string, data: object = {}) =>
    system.twilio.event({ accountSid, type, data: { brandsid: brand.sid, ...data } });

  // Of a campaign that nobody has submitted, and a verification that has not happened.
  await early('campaign-registration.campaign-approved', { campaignregistrationstatus: 'approved' });
  await early('brand-registration.brand-verified', { identitystatus: 'VERIFIED' });
  await system.advance('5 minutes');
  expect(await read(organization)).toMatchObject({
    brand: { status: 'submitted' },
    campaign: { status: 'not_started' },
  });

  await system.twilio.brand(brand.sid, { status: 'APPROVED' });
  await until(organization, { brand: { status: 'registered' } });
  await system.twilio.clickLink(brand.sid);
  await until(organization, { brand: { status: 'verified' } });
  const { sid } = await campaignOf(system, organization);
  await early('campaign-registration.campaign-approved', { campaignregistrationstatus: 'approved' });
  await system.advance('5 minutes');
  expect(await read(organization)).toMatchObject({ campaign: { status: 'in_review' } });
  await system.twilio.campaign(sid, { status: 'VERIFIED' });
  await until(organization, { state: 'completed' });

  const { timeline } = await read(organization);
  const events = timeline.map(({ subject, event }: { subject: string; event: string }) => `${subject}.${event}`);
  expect(new Set(events).size).toBe(events.length);
  await keep(organization, 'eventsDoubledAndEarly');
});

it('another use case makes another campaign, because Twilio cannot change it, and is charged again', async () => {
  const organization = await prepare(system);
  await toVerifiedBrand(system, organization);
  const first = await campaignOf(system, organization);
  await system.twilio.campaign(first.sid, { status: 'FAILED', errors: [{ code: 30900 }] });
  await until(organization, { campaign: { status: 'failed' } });
  await resubmit(organization, { useCase: 'CUSTOMER_CARE' });
  const second = await eventually(async () => {
    const campaign = await campaignOf(system, organization);
    expect(campaign.sid).not.toBe(first.sid);
    return campaign;
  });
  await system.twilio.campaign(second.sid, { status: 'VERIFIED' });
  await until(organization, { state: 'completed' });
  const { fees } = await read(organization);
  expect(fees.filter(({ kind }: { kind: string }) => kind === 'campaign_review')).toMatchObject([
    { reference: first.sid },
    { reference: second.sid },
  ]);
  await keep(organization, 'otherUseCase');
});

function samples(word: string): string[] {
  return [
    `Acme Staffing: your interview is on Tuesday at 10:00, floor ${word}. Reply STOP to opt out.`,
    'Acme Staffing: we have a new warehouse position in Springfield. Reply YES to hear more, STOP to opt out.',
  ];
}
const longer =
  'Acme Staffing, a staffing company in Illinois, texts applicants who agreed to it on its website about open positions near them, about interview times and about the papers that they have to bring along.';
