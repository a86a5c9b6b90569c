/** Registrations on a system whose clock the tests move. */
import { expect } from 'vitest';
import type { ApiClient } from '../../harness/api-client.ts';
import type { SimulatedBrand, SimulatedCampaign } from '../../harness/control.ts';
import { eventually } from '../../harness/eventually.ts';
import type { System } from '../../harness/system.ts';

/** The address of the embedded stack's operator. */
export const operatorEmail = 'operator@longwave.test';

/** A staffing company's honest answers. */
export const honestIntake = {
  legalName: 'Acme Staffing',
  businessType: 'Corporation',
  registrationIdentifier: 'EIN',
  registrationNumber: '12-3456789',
  industry: 'PROFESSIONAL_SERVICES',
  website: 'https://acme-staffing.example',
  regionsOfOperation: ['USA_AND_CANADA'],
  companyType: 'private',
  address: { street: '100 Main Street', city: 'Springfield', region: 'IL', postalCode: '62701', country: 'US' },
  representative: {
    firstName: 'Robin',
    lastName: 'Reyes',
    email: 'robin@acme-staffing.example',
    phone: '+13125550142',
    title: 'Chief Executive Officer',
    jobPosition: 'CEO',
  },
  useCase: 'LOW_VOLUME',
  description:
    'Acme Staffing texts applicants who asked for it about open positions, interview times and the papers they have to bring.',
  messageFlow:
    'Applicants type their mobile number into the form at https://acme-staffing.example/apply and tick an unticked box: "I agree to receive text messages from Acme Staffing about jobs. Message frequency varies. Message and data rates may apply. Reply HELP for help, STOP to opt out."',
  messageSamples: [
    'Acme Staffing: Hi {{name}}, your interview is on Tuesday at 10:00. Reply STOP to opt out.',
    'Acme Staffing: we have a new warehouse position in Springfield. Reply YES to hear more, STOP to opt out.',
  ],
  hasEmbeddedLinks: false,
  hasEmbeddedPhone: false,
  ageGated: false,
  directLending: false,
  privacyPolicyUrl: 'https://acme-staffing.example/privacy',
  termsUrl: 'https://acme-staffing.example/terms',
};

/** The smallest PNG there is. */
const screenshot = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

export interface Registering {
  id: string;
  name: string;
  key: string;
  client: ApiClient;
}

let made = 0;

/** A new organization with its SMS module switched on (waiting for a registration) and a complete questionnaire. */
export async function prepare(
  system: System,
  { name = `Acme ${(made += 1)}`, domain, intake = {} }: { name?: string; domain?: string; intake?: object } = {},
): Promise<Registering> {
  const { body: organization } = await system.operator.post('/v1/organizations', {
    name,
    domain: domain ?? `acme-${made}.example`,
    country: 'US',
    region: 'IL',
    organizationNumber: '12-3456789',
  });
  const { body: key } = await system.operator.post(`/v1/organizations/${organization.id}/keys`, {
    kind: 'organization',
  });
  const client = system.client(key.key);
  expect((await client.post('/v1/module/enable')).body).toMatchObject({ state: 'pending_setup' });
  const saved = await client.put('/v1/registration/intake', { ...honestIntake, ...intake });
  expect(saved).toMatchObject({ status: 200 });
  await uploadEvidence(system, key.key);
  return { id: organization.id, name, key: key.key, client };
}

async function uploadEvidence(system: System, key: string): Promise<void> {
  const form = new FormData();
  form.set('file', new Blob([screenshot], { type: 'image/png' }), 'opt-in.png');
  const response = await fetch(`${system.url}/v1/registration/evidence`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: form,
  });
  expect(response.status).toBe(201);
}

/** Declares what has to be declared, and submits. */
export async function submit({ client }: Registering): Promise<void> {
  const answer = await client.post('/v1/registration/submit', { accurate: true, representativeAgrees: true });
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202, body: { state: 'submitted' } });
}

export const read = async ({ client }: Pick<Registering, 'client'>) => (await client.get('/v1/registration')).body;

/** Waits until the registration reads as expected, moving no clock. */
export const until = (organization: Pick<Registering, 'client'>, expected: Record<string, unknown>) =>
  eventually(async () => expect(await read(organization)).toMatchObject(expected), { withinMs: 60_000 });

export const registrationIdOf = async (system: System, { id }: Pick<Registering, 'id'>): Promise<string> =>
  (await system.db.selectFrom('registrations').select('id').where('organization_id', '=', id).executeTakeFirstOrThrow())
    .id;

/** What the simulator holds of the organization's subaccount. */
export async function atTwilio(system: System, { id }: Pick<Registering, 'id'>) {
  const { account_sid: accountSid } = await system.db
    .selectFrom('organizations')
    .select('account_sid')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const state = await system.twilio.state();
  const own = <T extends { accountSid: string }>(items: T[]): T[] =>
    items.filter((one) => one.accountSid === accountSid);
  return {
    accountSid: accountSid!,
    customerProfiles: own(state.customerProfiles),
    trustProducts: own(state.trustProducts),
    brands: own(state.brands),
    campaigns: own(state.campaigns),
    messagingServices: own(state.messagingServices),
    addresses: own(state.addresses),
    endUsers: own(state.endUsers),
    documents: own(state.documents),
    sinks: own(state.sinks),
    subscriptions: own(state.subscriptions),
  };
}

/** The one brand, once Twilio has it. */
export const brandOf = (system: System, organization: Registering): Promise<SimulatedBrand> =>
  eventually(async () => {
    const { brands } = await atTwilio(system, organization);
    expect(brands).toHaveLength(1);
    return brands[0]!;
  });

/** The one campaign, once Twilio has it. */
export const campaignOf = (system: System, organization: Registering): Promise<SimulatedCampaign> =>
  eventually(async () => {
    const { campaigns } = await atTwilio(system, organization);
    expect(campaigns).toHaveLength(1);
    return campaigns[0]!;
  });

/** Submits, and has the registry and the representative do at once what they have to. */
export async function toVerifiedBrand(system: System, organization: Registering): Promise<void> {
  await submit(organization);
  await system.advance('1 minutes');
  const { sid } = await brandOf(system, organization);
  await system.twilio.brand(sid, { status: 'APPROVED' });
  await until(organization, { brand: { status: 'registered' } });
  await system.twilio.clickLink(sid);
  await until(organization, { brand: { status: 'verified' } });
}

/** The emails that speak of the organization, as `[recipient, subject]`, in the order in which they came. */
export async function mailOf(system: System, { name }: Registering): Promise<[string, string][]> {
  const mails = await system.mail.messages();
  return mails
    .filter(({ from }) => !from.includes('campaignregistry'))
    .filter(({ subject }) => subject.startsWith(`${name}:`))
    .map(({ to, subject }) => [to.join(), subject.slice(name.length + 2)]);
}
