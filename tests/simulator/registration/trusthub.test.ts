import twilio from 'twilio';
import { describe, expect, test } from 'vitest';
import {
  BUSINESS,
  company,
  draftProfile,
  draftTrustProduct,
  primaryProfile,
  PROFILE_POLICY,
  TRUST_POLICY,
} from './support.ts';
import { AUTH_TOKEN, receiver, rejection, simulator, until } from '../support.ts';

interface Result {
  object_type: string;
  passed: boolean;
  error_code: number | null;
  invalid: { object_field: string; error_code: number }[];
}
const failures = (results: Result[]) =>
  results
    .filter(({ passed }) => !passed)
    .map(({ object_type, error_code, invalid }) => [object_type, error_code, invalid.map((one) => one.object_field)]);

async function subaccount() {
  const twin = await simulator();
  const account = await twin.client().api.v2010.accounts.create({ friendlyName: 'Acme' });
  return { ...twin, account, own: twin.client(account.sid, account.authToken) };
}

test('end users are created, fetched, listed, changed as a whole and deleted', async () => {
  const { own } = await subaccount();
  const { endUsers } = own.trusthub.v1;
  const type = 'authorized_representative_1';
  const { sid } = await endUsers.create({ friendlyName: 'One', type, attributes: { a: '1', b: '2' } });
  expect(await endUsers(sid).fetch()).toMatchObject({ type, attributes: { a: '1', b: '2' } });
  expect((await endUsers(sid).update({ attributes: { a: '3' } })).attributes).toEqual({ a: '3' });
  expect((await endUsers.list()).map(({ friendlyName }) => friendlyName)).toEqual(['One']);
  expect(await endUsers(sid).remove()).toBe(true);
  expect(await endUsers.list()).toEqual([]);
  expect(await rejection(endUsers.create({ friendlyName: 'x', type: 'a_typo' }))).toMatchObject({ status: 400 });
});

test('supporting documents are created, fetched, listed, changed as a whole and deleted', async () => {
  const { own } = await subaccount();
  const { supportingDocuments } = own.trusthub.v1;
  const type = 'customer_profile_address';
  const { sid } = await supportingDocuments.create({ friendlyName: 'One', type, attributes: { address_sids: 'AD1' } });
  expect(await supportingDocuments(sid).fetch()).toMatchObject({ type, status: 'DRAFT' });
  expect((await supportingDocuments(sid).update({ attributes: {} })).attributes).toEqual({});
  expect((await supportingDocuments.list()).map((document) => document.sid)).toEqual([sid]);
  expect(await supportingDocuments(sid).remove()).toBe(true);
  expect(await supportingDocuments.list()).toEqual([]);
});

test('the main account has one approved primary profile, which a subaccount may assign and not fetch', async () => {
  const twin = await subaccount();
  const primary = await primaryProfile(twin);
  expect(await rejection(twin.own.trusthub.v1.customerProfiles(primary).fetch())).toMatchObject({ status: 404 });
  const profile = await twin.own.trusthub.v1.customerProfiles.create({
    friendlyName: 'Acme',
    email: 'isv@example.com',
    policySid: PROFILE_POLICY,
  });
  const { customerProfilesEntityAssignments: assignments } = twin.own.trusthub.v1.customerProfiles(profile.sid);
  const { sid } = await assignments.create({ objectSid: primary });
  expect(await rejection(assignments.create({ objectSid: primary }))).toMatchObject({ status: 409, code: 20409 });
  expect(await rejection(assignments.create({ objectSid: `IT${'0'.repeat(32)}` }))).toMatchObject({ status: 404 });
  expect(await assignments(sid).fetch()).toMatchObject({ objectSid: primary });
  expect(await assignments(sid).remove()).toBe(true);
  expect(await assignments.list()).toEqual([]);
});

test('assignments and bundles are found by their filters', async () => {
  const twin = await subaccount();
  const { trusthub } = twin.own;
  const sid = await draftProfile(twin, twin.own);
  const { customerProfilesEntityAssignments: assignments } = trusthub.v1.customerProfiles(sid);
  expect(await assignments.list()).toHaveLength(4);
  expect(await assignments.list({ objectType: 'authorized_representative_1' })).toHaveLength(1);
  expect(await trusthub.v1.customerProfiles.list({ friendlyName: 'Acme', policySid: PROFILE_POLICY })).toHaveLength(1);
  expect(await trusthub.v1.customerProfiles.list({ status: 'twilio-approved' })).toEqual([]);
  expect(await trusthub.v1.trustProducts.list()).toEqual([]);
  expect(await rejection(trusthub.v1.trustProducts(sid).fetch())).toMatchObject({ status: 404 });
  expect(await trusthub.v1.customerProfiles(sid).remove()).toBe(true);
  expect(await trusthub.v1.customerProfiles.list()).toEqual([]);
});

describe('an evaluation', () => {
  test('finds a complete profile and a complete trust product compliant', async () => {
    const twin = await subaccount();
    const { trusthub } = twin.own;
    const profileSid = await draftProfile(twin, twin.own);
    const profile = trusthub.v1.customerProfiles(profileSid).customerProfilesEvaluations;
    const { sid, status } = await profile.create({ policySid: PROFILE_POLICY });
    expect(status).toBe('compliant');
    expect(await profile(sid).fetch()).toMatchObject({ status: 'compliant' });
    expect(await profile.list()).toHaveLength(1);
    const product = trusthub.v1.trustProducts(await draftTrustProduct(twin.own, profileSid)).trustProductsEvaluations;
    expect(await product.create({ policySid: TRUST_POLICY })).toMatchObject({ status: 'compliant' });
    expect(await rejection(product.create({ policySid: PROFILE_POLICY }))).toMatchObject({ status: 400 });
  });

  test('names each missing object, and refuses to submit the bundle', async () => {
    const { own } = await subaccount();
    const profiles = own.trusthub.v1.customerProfiles;
    const form = { friendlyName: 'Acme', email: 'isv@example.com' };
    const { sid } = await profiles.create({ ...form, policySid: PROFILE_POLICY });
    const { status, results } = await profiles(sid).customerProfilesEvaluations.create({ policySid: PROFILE_POLICY });
    expect(status).toBe('noncompliant');
    expect(failures(results)).toEqual([
      ['customer_profile_business_information', 22214, Object.keys(BUSINESS)],
      ['authorized_representative_1', 22214, expect.arrayContaining(['first_name', 'job_position'])],
      ['customer_profile_address', 22216, ['address_sids']],
      ['primary_customer_profile', 22214, ['bundle_sid']],
    ]);
    const refused = await rejection(profiles(sid).update({ status: 'pending-review' }));
    expect(refused).toMatchObject({ status: 400, message: expect.stringContaining('not compliant') });
    expect((await profiles(sid).fetch()).status).toBe('draft');
  });

  test('names each missing and each wrong attribute, and an address that is gone', async () => {
    const twin = await subaccount();
    const { own } = twin;
    const sid = await draftProfile(twin, own, { website_url: '', business_industry: 'PLUMBING' });
    const [address] = await own.addresses.list();
    await own.addresses(address?.sid ?? '').remove();
    const evaluations = own.trusthub.v1.customerProfiles(sid).customerProfilesEvaluations;
    const { results } = await evaluations.create({ policySid: PROFILE_POLICY });
    expect(failures(results)).toEqual([
      ['customer_profile_business_information', 22218, ['business_industry', 'website_url']],
      ['customer_profile_address', 22219, ['address_sids']],
    ]);
  });

  test.each([
    ['a company type that is none (22218)', { company_type: 'non_profit' }, [22218, ['company_type']]],
    [
      'a public company without its stock and its contact (22215)',
      { company_type: 'public', stock_ticker: 'ACME' },
      [22215, ['stock_exchange', 'brand_contact_email']],
    ],
  ])('finds %s', async (_what, attributes, expected) => {
    const twin = await subaccount();
    const product = await draftTrustProduct(twin.own, await draftProfile(twin, twin.own), attributes);
    const { trustProductsEvaluations } = twin.own.trusthub.v1.trustProducts(product);
    const { status, results } = await trustProductsEvaluations.create({ policySid: TRUST_POLICY });
    expect(status).toBe('noncompliant');
    expect(failures(results)).toEqual([['us_a2p_messaging_profile_information', ...expected]]);
  });
});

describe('a review', () => {
  test('goes from pending over in-review to approved, and tells all but that it began', async () => {
    const twin = await subaccount();
    const { url, received } = await receiver();
    await twin.behave({ review: { profileAfter: 3 } });
    const sid = await draftProfile(twin, twin.own);
    const profile = twin.own.trusthub.v1.customerProfiles(sid);
    const submitted = await profile.update({ status: 'pending-review', statusCallback: `${url}/cb` });
    expect(submitted.status).toBe('pending-review');
    await until('in review', async () => (await profile.fetch()).status === 'in-review');
    expect(await rejection(profile.update({ status: 'draft' }))).toMatchObject({ status: 400 });
    await until('approved', async () => (await profile.fetch()).status === 'twilio-approved');
    await until('told', () => received.length === 2);
    expect(received.map(({ params }) => params)).toEqual(
      ['pending-review', 'twilio-approved'].map((status) => ({
        AccountSid: twin.account.sid,
        BundleSid: sid,
        Status: status,
        FailureReason: '',
      })),
    );
    for (const { headers, params } of received) {
      const signature = String(headers['x-twilio-signature']);
      expect(twilio.validateRequest(twin.account.authToken, signature, `${url}/cb`, params)).toBe(true);
      expect(twilio.validateRequest(AUTH_TOKEN, signature, `${url}/cb`, params)).toBe(false);
    }
  });

  test('is decided by the control side instead, and a rejected profile can be submitted again', async () => {
    const { own, control, profileSid, productSid, behave } = await company();
    await behave({ review: { profileAfter: 3_600 } });
    const product = own.trusthub.v1.trustProducts(productSid);
    await until('approved', async () => (await product.fetch()).status === 'twilio-approved');
    const decision = { status: 'twilio-rejected', errors: [{ code: 18601 }] };
    expect((await control('POST', `trust-products/${productSid}`, decision)).body).toMatchObject(decision);
    expect(await product.fetch()).toMatchObject(decision);
    expect(await product.update({ status: 'pending-review' })).toMatchObject({
      status: 'pending-review',
      errors: null,
    });
    expect((await control('POST', `customer-profiles/${profileSid}`, decision)).status).toBe(200);
    expect((await control('POST', `customer-profiles/${productSid}`, decision)).status).toBe(404);
    expect((await control('POST', `trust-products/${productSid}`, { status: 'fine' })).status).toBe(400);
    expect(await rejection(product.update({ status: 'twilio-approved' }))).toMatchObject({ status: 400 });
  });
});
