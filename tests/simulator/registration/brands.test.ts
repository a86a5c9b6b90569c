import { describe, expect, test } from 'vitest';
import { CAMPAIGN, company, draftProfile, draftTrustProduct, verifiedCompany } from './support.ts';
import { rejection, until } from '../support.ts';

test('a company goes all the way: profile, trust product, brand, click, campaign, registered service', async () => {
  const acme = await company({ options: { smtpPort: 0 } });
  const { own, control, fetchBrand } = acme;
  const sid = await acme.brand();
  expect(await fetchBrand(sid)).toMatchObject({
    status: 'PENDING',
    identityStatus: null,
    tcrId: null,
    brandType: 'STANDARD',
    skipAutomaticSecVet: true,
    errors: [],
  });
  await acme.decideBrand(sid, { status: 'APPROVED' });
  const approved = await fetchBrand(sid);
  expect(approved).toMatchObject({ status: 'APPROVED', identityStatus: 'UNVERIFIED' });
  expect(approved.tcrId).toMatch(/^B/);

  const { body: mail } = await control('GET', 'mail');
  expect(mail.items).toEqual([
    expect.objectContaining({
      from: 'noreply@auth.campaignregistry.com',
      to: ['ada@acme.example.com'],
      subject: expect.stringContaining('7 days'),
    }),
  ]);
  const [, link = ''] = /POST (http\S+)/.exec(mail.items[0].text) ?? [];
  expect((await fetch(link, { method: 'POST' })).status).toBe(200);
  expect(await fetchBrand(sid)).toMatchObject({ identityStatus: 'VERIFIED', errors: [] });

  const services = own.messaging.v1.services;
  const service = await services.create({ friendlyName: 'S' });
  const { usAppToPerson } = services(service.sid);
  const campaign = await usAppToPerson.create({ ...CAMPAIGN, brandRegistrationSid: sid });
  expect(campaign).toMatchObject({ campaignStatus: 'IN_PROGRESS', campaignId: null, rateLimits: null, errors: [] });
  await acme.decideCampaign(campaign.sid, { status: 'VERIFIED' });
  const verified = await usAppToPerson(campaign.sid).fetch();
  expect(verified).toMatchObject({ campaignStatus: 'VERIFIED', rateLimits: { att: { msg_class: 'T' } } });
  expect(verified.campaignId).toMatch(/^C/);
  expect((await services(service.sid).fetch()).usAppToPersonRegistered).toBe(true);
});

test('without anybody at the controls the automatic mode does it all', async () => {
  const acme = await company({ review: { mode: 'auto', brandAfter: 0.05, clickAfter: 0.05, campaignAfter: 0.05 } });
  const sid = await acme.brand();
  await until('the brand is verified', async () => (await acme.fetchBrand(sid)).identityStatus === 'VERIFIED');
  const { usAppToPerson } = acme.own.messaging.v1.services(await acme.service());
  const campaign = await usAppToPerson.create({ ...CAMPAIGN, brandRegistrationSid: sid });
  await until('decided', async () => (await usAppToPerson(campaign.sid).fetch()).campaignStatus !== 'IN_PROGRESS');
  expect((await usAppToPerson(campaign.sid).fetch()).campaignStatus).toBe('VERIFIED');
});

test('the mail goes to the contact of a public company', async () => {
  const contact = 'compliance@acme.example.com';
  const acme = await company({
    options: { smtpPort: 0 },
    trustProduct: {
      company_type: 'public',
      stock_exchange: 'NYSE',
      stock_ticker: 'ACME',
      brand_contact_email: contact,
    },
  });
  await acme.decideBrand(await acme.brand(), { status: 'APPROVED' });
  expect((await acme.control('GET', 'mail')).body.items[0].to).toEqual([contact]);
});

describe('a brand is not made', () => {
  test('of a profile that is not approved, or a trust product that is a draft', async () => {
    const acme = await company();
    const { brandRegistrations } = acme.own.messaging.v1;
    const draft = await draftProfile(acme, acme.own);
    const product = await draftTrustProduct(acme.own, draft);
    for (const change of [{ customerProfileBundleSid: draft }, { a2PProfileBundleSid: product }]) {
      const refused = await rejection(brandRegistrations.create({ ...acme.bundles, ...change }));
      expect(refused).toMatchObject({ status: 400, code: 20001 });
    }
    expect(await brandRegistrations.list()).toEqual([]);
  });
});

test('two brands of one profile are seen as two', async () => {
  const acme = await company();
  await acme.brand();
  await acme.brand();
  const { brands } = await acme.state();
  expect(brands.map((brand: { customerProfileSid: string }) => brand.customerProfileSid)).toEqual([
    acme.profileSid,
    acme.profileSid,
  ]);
  expect(await acme.own.messaging.v1.brandRegistrations.list()).toHaveLength(2);
});

describe('a failed brand', () => {
  test('says why, by code, by text, or in full', async () => {
    const acme = await company();
    const sid = await acme.brand();
    await acme.decideBrand(sid, {
      status: 'FAILED',
      failureReasons: [
        30795,
        'Nobody knows this company',
        { code: 30701, description: 'Invalid region', fields: ['business_regions_of_operation'] },
      ],
    });
    expect(await acme.fetchBrand(sid)).toMatchObject({
      status: 'FAILED',
      identityStatus: null,
      tcrId: null,
      failureReason: 'Error 30795; Nobody knows this company; Invalid region',
      errors: [
        { error_code: 30795, fields: [], url: 'https://www.twilio.com/docs/api/errors/30795' },
        { error_code: 30799, description: 'Nobody knows this company' },
        { error_code: 30701, description: 'Invalid region', fields: ['business_regions_of_operation'] },
      ],
    });
  });

  test('is submitted again three times and no more (21724)', async () => {
    const acme = await company();
    const sid = await acme.brand();
    const brand = acme.own.messaging.v1.brandRegistrations(sid);
    for (let round = 1; round <= 3; round += 1) {
      await acme.decideBrand(sid, { status: 'FAILED', failureReasons: [30799] });
      expect(await brand.update()).toMatchObject({ status: 'PENDING', errors: [], failureReason: null });
    }
    await acme.decideBrand(sid, { status: 'FAILED' });
    expect(await rejection(brand.update())).toMatchObject({ status: 400, code: 21724 });
    expect((await acme.state()).brands[0]).toMatchObject({ status: 'FAILED', resubmissions: 3 });
  });
});

describe('a brand is not submitted again', () => {
  test('while it is pending or verified (21725), or suspended (21731)', async () => {
    const acme = await company();
    const sid = await acme.brand();
    const brand = acme.own.messaging.v1.brandRegistrations(sid);
    expect(await rejection(brand.update())).toMatchObject({ status: 400, code: 21725 });
    await acme.decideBrand(sid, { status: 'APPROVED', identityStatus: 'VERIFIED' });
    expect(await rejection(brand.update())).toMatchObject({ status: 400, code: 21725 });
    await acme.decideBrand(sid, { status: 'SUSPENDED' });
    expect(await rejection(brand.update())).toMatchObject({ status: 400, code: 21731 });
    await acme.decideBrand(sid, { status: 'APPROVED', identityStatus: 'UNVERIFIED' });
    expect((await brand.update()).status).toBe('PENDING');
  });

  test('while a campaign of it exists', async () => {
    const acme = await verifiedCompany();
    const { sid } = await acme.campaign();
    await acme.decideBrand(acme.brandSid, { status: 'FAILED' });
    const brand = acme.own.messaging.v1.brandRegistrations(acme.brandSid);
    expect(await rejection(brand.update())).toMatchObject({
      status: 400,
      message: expect.stringContaining('campaign'),
    });
    await acme.usAppToPerson(sid).remove();
    expect((await brand.update()).status).toBe('PENDING');
  });
});

test('closing the account takes its registration with it', async () => {
  const acme = await verifiedCompany();
  await acme.campaign();
  await acme.client().api.v2010.accounts(acme.account.sid).update({ status: 'closed' });
  const state = await acme.state();
  const kept = ['addresses', 'endUsers', 'documents', 'trustProducts', 'brands', 'campaigns', 'messagingServices'];
  for (const name of kept) expect([name, state[name]]).toEqual([name, []]);
  expect(state.customerProfiles).toHaveLength(1);
});
