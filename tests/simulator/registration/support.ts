/** A company on its way through registration, each step with the official SDK. */
import type { BehaviourChange } from '../../../simulator/faults.ts';
import type { SimulatorOptions } from '../../../simulator/start.ts';
import { simulator, until, type twinAt } from '../support.ts';

export const PROFILE_POLICY = 'RNdfbf3fae0e1107f8aded0e7cead80bf5';
export const TRUST_POLICY = 'RNb0d4771c2c98518d916a3d4cd70a8f8b';

export const BUSINESS = {
  business_name: 'Acme Plumbing LLC',
  business_type: 'Limited Liability Corporation',
  business_industry: 'CONSTRUCTION',
  business_registration_identifier: 'EIN',
  business_registration_number: '12-3456789',
  business_identity: 'direct_customer',
  business_regions_of_operation: 'USA_AND_CANADA',
  website_url: 'https://acme.example.com',
};
const REPRESENTATIVE = {
  first_name: 'Ada',
  last_name: 'Acme',
  email: 'ada@acme.example.com',
  phone_number: '+14155550101',
  business_title: 'Owner',
  job_position: 'CEO',
};
export const ADDRESS = {
  customerName: 'Acme Plumbing LLC',
  street: '1 Main St',
  city: 'Portland',
  region: 'OR',
  postalCode: '97201',
  isoCountry: 'US',
};
export const CAMPAIGN = {
  description: 'Appointment reminders for the customers of Acme Plumbing.',
  messageFlow: 'Customers tick a box that is not ticked before on https://acme.example.com/book to get reminders.',
  messageSamples: ['Acme: your plumber comes tomorrow at 9.', 'Acme: your plumber is on the way to you.'],
  usAppToPersonUsecase: 'LOW_VOLUME',
  hasEmbeddedLinks: false,
  hasEmbeddedPhone: false,
  privacyPolicyUrl: 'https://acme.example.com/privacy',
  termsAndConditionsUrl: 'https://acme.example.com/terms',
};

type Twin = ReturnType<typeof twinAt>;
type Client = ReturnType<Twin['client']>;

/** The operator's primary profile, as the main account's credentials list it. */
export async function primaryProfile({ client }: Twin): Promise<string> {
  const [primary] = await client().trusthub.v1.customerProfiles.list({ status: 'twilio-approved' });
  if (primary === undefined) throw new Error('There is no primary profile');
  return primary.sid;
}

/** A draft customer profile with everything it needs; returns its SID. */
export async function draftProfile(twin: Twin, own: Client, attributes: Record<string, unknown> = {}): Promise<string> {
  const { trusthub } = own;
  const profile = await trusthub.v1.customerProfiles.create({
    friendlyName: 'Acme',
    email: 'isv@example.com',
    policySid: PROFILE_POLICY,
  });
  const business = await trusthub.v1.endUsers.create({
    friendlyName: 'business',
    type: 'customer_profile_business_information',
    attributes: { ...BUSINESS, ...attributes },
  });
  const representative = await trusthub.v1.endUsers.create({
    friendlyName: 'representative',
    type: 'authorized_representative_1',
    attributes: REPRESENTATIVE,
  });
  const address = await own.addresses.create(ADDRESS);
  const document = await trusthub.v1.supportingDocuments.create({
    friendlyName: 'address',
    type: 'customer_profile_address',
    attributes: { address_sids: address.sid },
  });
  const assignments = trusthub.v1.customerProfiles(profile.sid).customerProfilesEntityAssignments;
  for (const objectSid of [business.sid, representative.sid, document.sid, await primaryProfile(twin)]) {
    await assignments.create({ objectSid });
  }
  return profile.sid;
}

/** A draft trust product of a profile; returns its SID. */
export async function draftTrustProduct(
  own: Client,
  profileSid: string,
  attributes: Record<string, unknown> = { company_type: 'private' },
): Promise<string> {
  const { trusthub } = own;
  const product = await trusthub.v1.trustProducts.create({
    friendlyName: 'Acme A2P',
    email: 'isv@example.com',
    policySid: TRUST_POLICY,
  });
  const information = await trusthub.v1.endUsers.create({
    friendlyName: 'messaging profile',
    type: 'us_a2p_messaging_profile_information',
    attributes,
  });
  const assignments = trusthub.v1.trustProducts(product.sid).trustProductsEntityAssignments;
  for (const objectSid of [information.sid, profileSid]) await assignments.create({ objectSid });
  return product.sid;
}

/** A simulator with a subaccount whose company can register a brand. */
export async function company({
  options = {},
  review = {},
  trustProduct,
}: {
  options?: Partial<SimulatorOptions>;
  review?: NonNullable<BehaviourChange['review']>;
  trustProduct?: Record<string, unknown>;
} = {}) {
  const twin = await simulator(options);
  await twin.behave({ review: { profileAfter: 0, ...review } });
  const account = await twin.client().api.v2010.accounts.create({ friendlyName: 'Acme' });
  const own = twin.client(account.sid, account.authToken);
  const profileSid = await draftProfile(twin, own);
  const productSid = await draftTrustProduct(own, profileSid, trustProduct);
  await own.trusthub.v1.customerProfiles(profileSid).update({ status: 'pending-review' });
  await own.trusthub.v1.trustProducts(productSid).update({ status: 'pending-review' });
  const isApproved = async () =>
    (await own.trusthub.v1.customerProfiles(profileSid).fetch()).status === 'twilio-approved';
  await until('the profile is approved', isApproved);

  const { brandRegistrations } = own.messaging.v1;
  const bundles = { customerProfileBundleSid: profileSid, a2PProfileBundleSid: productSid };
  return {
    ...twin,
    account,
    own,
    profileSid,
    productSid,
    bundles,
    brand: async (): Promise<string> =>
      (await brandRegistrations.create({ ...bundles, skipAutomaticSecVet: true })).sid,
    fetchBrand: (sid: string) => brandRegistrations(sid).fetch(),
    decideBrand: (sid: string, decision: unknown) => twin.control('POST', `brands/${sid}`, decision),
    decideCampaign: (sid: string, decision: unknown) => twin.control('POST', `campaigns/${sid}`, decision),
    /** What `POST …/2fa` answers; the SDK has no method for it, and this one does not throw. */
    retrigger: (sid: string) =>
      own.request({
        method: 'post',
        uri: `https://messaging.twilio.com/v1/a2p/BrandRegistrations/${sid}/2fa`,
      }),
    state: async () => (await twin.control('GET', 'state')).body,
    /** A new messaging service. */
    service: async (): Promise<string> => (await own.messaging.v1.services.create({ friendlyName: 'S' })).sid,
  };
}

/** A company whose brand is verified and has a service: it may register a campaign. */
export async function verifiedCompany(
  review: NonNullable<BehaviourChange['review']> = {},
  options: Partial<SimulatorOptions> = {},
) {
  const acme = await company({ options });
  const brandSid = await acme.brand();
  await acme.decideBrand(brandSid, { status: 'APPROVED', identityStatus: 'VERIFIED' });
  await acme.behave({ review });
  const serviceSid = await acme.service();
  const { usAppToPerson } = acme.own.messaging.v1.services(serviceSid);
  const form = { ...CAMPAIGN, brandRegistrationSid: brandSid };
  return { ...acme, brandSid, serviceSid, usAppToPerson, form, campaign: () => usAppToPerson.create(form) };
}
