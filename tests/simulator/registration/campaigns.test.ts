import { describe, expect, test } from 'vitest';
import { CAMPAIGN, company, verifiedCompany } from './support.ts';
import { rejection, until } from '../support.ts';

test.each([
  ['a brand that is only approved (21717)', 21717, { status: 'APPROVED' }],
  ['a brand that is pending (21717)', 21717, { status: 'PENDING' }],
])('a campaign of %s is refused', async (_what, code, decision) => {
  const acme = await company();
  const brandRegistrationSid = await acme.brand();
  await acme.decideBrand(brandRegistrationSid, decision);
  const { usAppToPerson } = acme.own.messaging.v1.services(await acme.service());
  expect(await rejection(usAppToPerson.create({ ...CAMPAIGN, brandRegistrationSid }))).toMatchObject({
    status: 400,
    code,
  });
  expect((await usAppToPerson.list()).length).toBe(0);
});

test('what Twilio refuses at once is refused, with its code', async () => {
  const { usAppToPerson, form } = await verifiedCompany();
  const cases: [number, Partial<typeof form> & Record<string, unknown>][] = [
    [21717, { brandRegistrationSid: `BN${'0'.repeat(32)}` }],
    [21720, { usAppToPersonUsecase: 'SOLE_PROPRIETOR' }],
    [21720, { usAppToPersonUsecase: 'NONSENSE' }],
    [20001, { description: 'too short' }],
    [20001, { messageFlow: 'x'.repeat(2_049) }],
    [20001, { messageSamples: [CAMPAIGN.messageSamples[0] ?? ''] }],
    [20001, { messageSamples: ['too short', 'short as well'] }],
    [20001, { optInKeywords: ['not one word'] }],
    [20001, { helpMessage: 'too short' }],
    [30933, { privacyPolicyUrl: '' }],
    [30934, { termsAndConditionsUrl: '' }],
  ];
  for (const [code, change] of cases) {
    const refused = await rejection(usAppToPerson.create({ ...form, ...change }));
    expect([change, refused]).toEqual([change, expect.objectContaining({ status: 400, code })]);
  }
});

test('a service has one campaign, until it is deleted', async () => {
  const { campaign, usAppToPerson, own, serviceSid, decideCampaign } = await verifiedCompany();
  const { sid } = await campaign();
  expect(await rejection(campaign())).toMatchObject({ status: 409, code: 20409 });
  expect((await usAppToPerson.list()).map((one) => one.sid)).toEqual([sid]);
  await decideCampaign(sid, { status: 'SUSPENDED' });
  expect(await rejection(usAppToPerson(sid).remove())).toMatchObject({ status: 400, code: 21729 });
  await decideCampaign(sid, { status: 'VERIFIED' });
  expect(await usAppToPerson(sid).remove()).toBe(true);
  expect((await own.messaging.v1.services(serviceSid).fetch()).usAppToPersonRegistered).toBe(false);
  expect(await rejection(usAppToPerson(sid).fetch())).toMatchObject({ status: 404 });
  expect((await campaign()).campaignStatus).toBe('IN_PROGRESS');
});

test('the addresses of policy and terms are answered only where a version is asked for', async () => {
  const { campaign, usAppToPerson } = await verifiedCompany();
  const { sid } = await campaign();
  expect((await usAppToPerson(sid).fetch()).privacyPolicyUrl).toBeUndefined();
  const { privacyPolicyUrl } = await usAppToPerson(sid).fetch({ xTwilioApiVersion: 'v1.2' });
  expect(privacyPolicyUrl).toBe(CAMPAIGN.privacyPolicyUrl);
});

test('a verified brand may choose any use case, another none', async () => {
  const acme = await verifiedCompany();
  const usecases = acme.own.messaging.v1.services(acme.serviceSid).usAppToPersonUsecases;
  const codes = async (brandRegistrationSid: string) =>
    (await usecases.fetch({ brandRegistrationSid })).usAppToPersonUsecases.map(({ code }) => code);
  expect(await codes(acme.brandSid)).toContain('LOW_VOLUME');
  expect(await codes(await acme.brand())).toEqual([]);
});

describe('a rejected campaign', () => {
  const CHANGES = { ...CAMPAIGN, ageGated: false, directLending: false };

  test('says why, and is submitted again with all its fields', async () => {
    const { campaign, usAppToPerson, decideCampaign } = await verifiedCompany();
    const { sid } = await campaign();
    expect(await rejection(usAppToPerson(sid).update(CHANGES))).toMatchObject({ status: 400 });
    const errors = [{ code: 30886, fields: ['USE_CASE_DESCRIPTION'], description: 'Say more' }];
    await decideCampaign(sid, { status: 'FAILED', errors });
    expect(await usAppToPerson(sid).fetch()).toMatchObject({
      campaignStatus: 'FAILED',
      errors: [
        {
          error_code: 30886,
          fields: ['USE_CASE_DESCRIPTION'],
          description: 'Say more',
          url: 'https://www.twilio.com/docs/api/errors/30886',
        },
      ],
    });
    const { privacyPolicyUrl: _, ...without } = CHANGES;
    expect(await rejection(usAppToPerson(sid).update(without))).toMatchObject({ code: 30933 });
    const description = 'Reminders of appointments that customers made with Acme Plumbing.';
    expect(await usAppToPerson(sid).update({ ...CHANGES, description })).toMatchObject({
      campaignStatus: 'IN_PROGRESS',
      description,
      errors: [],
    });
  });

  test.each([
    ['a number of rejections', 2, [30909, 30886]],
    ['a list of rejections', [{ code: 30893, fields: ['SAMPLE_MESSAGE_1'] }, { code: 30897 }], [30893, 30897]],
  ])('in the automatic mode by %s, one per submission, then verified', async (_what, campaignRejections, codes) => {
    const acme = await verifiedCompany({ mode: 'auto', campaignAfter: 0.02, campaignRejections });
    const { sid } = await acme.campaign();
    const status = async () => (await acme.usAppToPerson(sid).fetch()).campaignStatus;
    for (const code of codes) {
      await until(`rejected with ${code}`, async () => (await status()) === 'FAILED');
      expect((await acme.usAppToPerson(sid).fetch()).errors).toMatchObject([{ error_code: code }]);
      await acme.usAppToPerson(sid).update(CHANGES);
    }
    await until('verified', async () => (await status()) === 'VERIFIED');
  });

  test('is not spared its rejections by being deleted and made anew', async () => {
    const acme = await verifiedCompany({ mode: 'auto', campaignAfter: 0.02, campaignRejections: 1 });
    const { sid } = await acme.campaign();
    await until('rejected', async () => (await acme.usAppToPerson(sid).fetch()).campaignStatus === 'FAILED');
    await acme.usAppToPerson(sid).remove();
    const again = await acme.campaign();
    await until('decided', async () => (await acme.usAppToPerson(again.sid).fetch()).campaignStatus !== 'IN_PROGRESS');
    expect((await acme.usAppToPerson(again.sid).fetch()).campaignStatus).toBe('VERIFIED');
  });
});
