import { describe, expect, test } from 'vitest';
import { company, verifiedCompany } from './support.ts';
import { simulator } from '../support.ts';

const UNKNOWN = '0'.repeat(32);

test.each([
  ['customer-profiles', `BU${UNKNOWN}`],
  ['trust-products', `BU${UNKNOWN}`],
  ['brands', `BN${UNKNOWN}`],
  ['campaigns', `QE${UNKNOWN}`],
])('a SID that %s do not have is 404', async (route, sid) => {
  const { control } = await simulator();
  const { status, body } = await control('POST', `${route}/${sid}`, { status: 'APPROVED' });
  expect([status, body.error]).toEqual([404, expect.stringContaining(sid)]);
});

test('a link or an event of nobody is 404, and a path too long is no route', async () => {
  const { control } = await simulator();
  expect((await control('POST', `brands/BN${UNKNOWN}/click-link`)).status).toBe(404);
  expect((await control('POST', 'events', { accountSid: `AC${UNKNOWN}`, type: 'x' })).status).toBe(404);
  const unknown = await control('POST', 'brands/BN1/nothing');
  expect([unknown.status, unknown.body.routes]).toEqual([404, expect.arrayContaining(['POST /control/brands/{sid}'])]);
});

describe('a wrong body is 400 and says where', () => {
  test.each([
    ['brands', { status: 'FINE' }, 'status'],
    ['brands', { status: 'FAILED', failureReasons: 'why' }, 'failureReasons'],
    ['brands', { status: 'FAILED', reasons: [] }, 'reasons'],
    ['campaigns', { status: 'VERIFIED', errors: [{ code: 'x' }] }, 'errors.0.code'],
  ])('%s %j', async (route, body, where) => {
    const acme = await verifiedCompany();
    const sid = route === 'brands' ? acme.brandSid : (await acme.campaign()).sid;
    const answer = await acme.control('POST', `${route}/${sid}`, body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(where);
  });
});

test('a decision answers the changed thing', async () => {
  const acme = await verifiedCompany();
  const { sid } = await acme.campaign();
  expect((await acme.decideBrand(acme.brandSid, { status: 'IN_REVIEW' })).body).toMatchObject({
    sid: acme.brandSid,
    accountSid: acme.account.sid,
    status: 'IN_REVIEW',
    identityStatus: null,
    customerProfileSid: acme.profileSid,
    resubmissions: 0,
    link: null,
  });
  const errors = [{ code: 30886, fields: ['USE_CASE_DESCRIPTION'] }];
  expect((await acme.decideCampaign(sid, { status: 'FAILED', errors })).body).toMatchObject({
    sid,
    messagingServiceSid: acme.serviceSid,
    brandSid: acme.brandSid,
    status: 'FAILED',
    useCase: 'LOW_VOLUME',
  });
});

test('/control/state shows all that was set up, and a reset keeps it', async () => {
  const acme = await verifiedCompany();
  const { sid } = await acme.campaign();
  await acme.decideCampaign(sid, { status: 'VERIFIED' });
  await acme.control('POST', 'reset');
  const state = await acme.state();
  const accountSid = acme.account.sid;
  expect(state.addresses).toMatchObject([{ accountSid, customerName: 'Acme Plumbing LLC' }]);
  expect(state.endUsers.map(({ type }: { type: string }) => type)).toHaveLength(3);
  expect(state.documents).toMatchObject([{ accountSid, type: 'customer_profile_address' }]);
  expect(state.customerProfiles[1]).toMatchObject({ sid: acme.profileSid, accountSid, status: 'twilio-approved' });
  expect(state.trustProducts).toMatchObject([{ sid: acme.productSid, accountSid, friendlyName: 'Acme A2P' }]);
  expect(state.brands).toMatchObject([{ sid: acme.brandSid, status: 'APPROVED', identityStatus: 'VERIFIED' }]);
  expect(state.campaigns).toMatchObject([{ sid, messagingServiceSid: acme.serviceSid, status: 'VERIFIED' }]);
  expect(state.messagingServices).toMatchObject([{ sid: acme.serviceSid, usAppToPersonRegistered: true }]);
});

test('a decision counts, whatever the automatic mode had in mind', async () => {
  const acme = await company({ review: { mode: 'auto', brandAfter: 0.05, clickAfter: 0.05 } });
  const sid = await acme.brand();
  await acme.decideBrand(sid, { status: 'FAILED', failureReasons: [30799] });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await acme.fetchBrand(sid)).status).toBe('FAILED');
});

test('a company can be registered from the start: approved, verified, and its numbers may send', async () => {
  const twin = await simulator({ smtpPort: 0 });
  const { client, control } = twin;
  const account = await client().api.v2010.accounts.create({ friendlyName: 'Acme' });
  const own = client(account.sid, account.authToken);
  const service = await own.messaging.v1.services.create({ friendlyName: 'Acme' });
  const given = { accountSid: account.sid, messagingServiceSid: service.sid, name: 'Acme' };
  const { status, body } = await control('POST', 'registrations', given);
  expect(status).toBe(201);
  // As Twilio's own API shows it, which checks every answer.
  expect((await own.trusthub.v1.customerProfiles(body.customerProfileSid).fetch()).status).toBe('twilio-approved');
  expect((await own.trusthub.v1.trustProducts(body.trustProductSid).fetch()).status).toBe('twilio-approved');
  expect(await own.messaging.v1.brandRegistrations(body.brandSid).fetch()).toMatchObject({
    status: 'APPROVED',
    identityStatus: 'VERIFIED',
    customerProfileBundleSid: body.customerProfileSid,
  });
  expect(await own.messaging.v1.services(service.sid).usAppToPerson(body.campaignSid).fetch()).toMatchObject({
    campaignStatus: 'VERIFIED',
    brandRegistrationSid: body.brandSid,
  });
  expect((await own.messaging.v1.services(service.sid).fetch()).usAppToPersonRegistered).toBe(true);
  expect((await control('GET', 'mail')).body.total).toBe(0);

  expect((await control('POST', 'registrations', given)).status).toBe(409);
  const unknown = { accountSid: account.sid, messagingServiceSid: `MG${UNKNOWN}` };
  expect((await control('POST', 'registrations', unknown)).status).toBe(404);
});
