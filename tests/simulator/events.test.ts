import twilio from 'twilio';
import { describe, expect, test } from 'vitest';
import { verifiedCompany } from './registration/support.ts';
import { AUTH_TOKEN, receiver, rejection, simulator, until, type ReceivedWebhook } from './support.ts';

const PREFIX = 'com.twilio.messaging.compliance.';
const TYPES = [
  'brand-registration.brand-registered',
  'brand-registration.brand-failure',
  'brand-registration.brand-verified',
  'brand-registration.brand-unverified',
  'brand-registration.email-2fa-clicked',
  'campaign-registration.campaign-submitted',
  'campaign-registration.campaign-approved',
  'campaign-registration.campaign-failure',
  'campaign-registration.campaign-deleted',
  'number-registration.pending',
  'number-registration.successful',
].map((type) => PREFIX + type);

interface CloudEvent {
  id: string;
  type: string;
  data: Record<string, unknown>;
}
const eventsOf = (webhooks: ReceivedWebhook[]): CloudEvent[] =>
  webhooks.flatMap(({ body }) => JSON.parse(body) as CloudEvent[]);
/** Type without the prefix → data. */
const told = (webhooks: ReceivedWebhook[]) =>
  Object.fromEntries(eventsOf(webhooks).map(({ type, data }) => [type.slice(PREFIX.length), data]));

type Client = ReturnType<Awaited<ReturnType<typeof simulator>>['client']>;

/** Subscribes an account to all types; returns the SIDs. */
async function subscribe({ events }: Client, destination: string) {
  const sink = await events.v1.sinks.create({
    description: 'Ours',
    sinkType: 'webhook',
    sinkConfiguration: { destination, method: 'POST', batch_events: true },
  });
  const subscription = await events.v1.subscriptions.create({
    description: 'A2P',
    sinkSid: sink.sid,
    types: TYPES.map((type) => ({ type, schema_version: 1 })),
  });
  return { sinkSid: sink.sid, subscriptionSid: subscription.sid };
}

/** The main account with a subscription, and a way to make an event. */
async function subscribed(reply?: Parameters<typeof receiver>[0]) {
  const twin = await simulator();
  const { url, received } = await receiver(reply);
  const sids = await subscribe(twin.client(), `${url}/events`);
  const accountSid = twin.client().accountSid;
  const emit = () =>
    twin.control('POST', 'events', { accountSid, type: 'brand-registration.brand-verified', data: {} });
  return { ...twin, url, received, emit, accountSid, ...sids };
}

test('sinks and subscriptions are created, found, changed and deleted; a sink in use is not (91007)', async () => {
  const { client, sinkSid, subscriptionSid } = await subscribed();
  const { sinks, subscriptions } = client().events.v1;
  await until('the sink is active', async () => (await sinks(sinkSid).fetch()).status === 'active');
  expect(await sinks(sinkSid).update({ description: 'New' })).toMatchObject({
    description: 'New',
    sinkType: 'webhook',
  });
  expect(await sinks.list({ inUse: true, status: 'active' })).toHaveLength(1);
  expect(await sinks.list({ inUse: false })).toEqual([]);
  expect(await subscriptions.list({ sinkSid })).toHaveLength(1);
  expect(await subscriptions.list({ sinkSid: `DG${'0'.repeat(32)}` })).toEqual([]);
  expect((await subscriptions(subscriptionSid).update({ description: 'New' })).description).toBe('New');
  expect(await rejection(sinks(sinkSid).remove())).toMatchObject({ status: 409, code: 91007 });
  expect(await subscriptions(subscriptionSid).remove()).toBe(true);
  expect(await sinks(sinkSid).remove()).toBe(true);
  expect(await rejection(subscriptions(subscriptionSid).fetch())).toMatchObject({ status: 404 });
});

test('a sink without a destination and a type that is not Twilio’s are refused', async () => {
  const { client, sinkSid } = await subscribed();
  const { sinks, subscriptions } = client().events.v1;
  const form = { description: 'x', sinkType: 'webhook' as const };
  expect(await rejection(sinks.create({ ...form, sinkConfiguration: {} }))).toMatchObject({ status: 400 });
  const types = [{ type: 'brand-verified', schema_version: 1 }];
  expect(await rejection(subscriptions.create({ description: 'x', sinkSid, types }))).toMatchObject({ status: 400 });
});

test("an event is a JSON array of one CloudEvent, signed with the account's token over URL and hash of the body", async () => {
  const { emit, received, url, accountSid } = await subscribed();
  expect((await emit()).body).toMatchObject({ sinks: 1, event: { specversion: '1.0' } });
  await until('told', () => received.length === 1);
  const [webhook] = received;
  const { body = '', path = '' } = webhook ?? {};
  expect(webhook?.headers['content-type']).toBe('application/json');
  const signature = String(webhook?.headers['x-twilio-signature']);
  expect(path).toMatch(/^\/events\?bodySHA256=[0-9a-f]{64}$/);
  expect(twilio.validateRequestWithBody(AUTH_TOKEN, signature, url + path, body)).toBe(true);
  expect(twilio.validateRequestWithBody(AUTH_TOKEN, signature, url + path, `${body} `)).toBe(false);
  expect(twilio.validateRequestWithBody('another', signature, url + path, body)).toBe(false);
  expect(JSON.parse(body)).toEqual([
    {
      specversion: '1.0',
      type: `${PREFIX}brand-registration.brand-verified`,
      source: accountSid,
      id: expect.stringMatching(/^NO[0-9a-f]{32}$/),
      dataschema: expect.stringMatching(/^https:\/\/events-schemas\.twilio\.com\/A2P\.\w+\/1$/),
      datacontenttype: 'application/json',
      time: expect.stringMatching(/Z$/),
      data: { accountsid: accountSid },
    },
  ]);
});

test('user and password of a destination become Basic auth, and its query is kept', async () => {
  const twin = await simulator();
  const { url, received } = await receiver();
  await subscribe(twin.client(), `${url.replace('://', '://ada:s%40cret@')}/events?a=b`);
  const type = 'brand-registration.brand-verified';
  await twin.control('POST', 'events', { accountSid: twin.client().accountSid, type });
  await until('told', () => received.length === 1);
  expect(received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ada:s@cret').toString('base64')}`);
  expect(received[0]?.path).toMatch(/^\/events\?a=b&bodySHA256=/);
});

describe('registration', () => {
  test('tells of a brand that fails, is registered, clicked and verified', async () => {
    const acme = await verifiedCompany();
    const { url, received } = await receiver();
    await subscribe(acme.own, url);
    const brandsid = await acme.brand();
    await acme.decideBrand(brandsid, {
      status: 'FAILED',
      failureReasons: [{ code: 30795, description: 'No match', fields: ['business_name'] }],
    });
    await acme.decideBrand(brandsid, { status: 'APPROVED' });
    await acme.control('POST', `brands/${brandsid}/click-link`);
    await until('told', () => received.length === 5);
    const common = { accountsid: acme.account.sid, brandsid, createddate: expect.any(Number) };
    expect(told(received)).toEqual({
      'brand-registration.brand-failure': expect.objectContaining({
        ...common,
        brandstatus: 'registration_failed',
        brandregistrationerrors: [
          {
            registrationerrorcode: 30795,
            registrationerrordescription: 'No match',
            registrationerrorfields: ['business_name'],
            registrationerrorurl: 'https://www.twilio.com/docs/api/errors/30795',
          },
        ],
      }),
      'brand-registration.brand-registered': expect.objectContaining({ ...common, brandstatus: 'registered' }),
      'brand-registration.brand-unverified': expect.objectContaining({ ...common, identitystatus: 'unverified' }),
      'brand-registration.email-2fa-clicked': expect.objectContaining(common),
      'brand-registration.brand-verified': expect.objectContaining({ ...common, identitystatus: 'verified' }),
    });
  });

  test('tells of a campaign by a SID of its own, and of the numbers of its service', async () => {
    const acme = await verifiedCompany();
    const { url, received } = await receiver();
    await subscribe(acme.own, url);
    const number = await acme.own.incomingPhoneNumbers.create({ phoneNumber: '+14155550100' });
    await acme.own.messaging.v1.services(acme.serviceSid).phoneNumbers.create({ phoneNumberSid: number.sid });
    const { sid } = await acme.campaign();
    await acme.decideCampaign(sid, { status: 'FAILED', errors: [{ code: 30886 }] });
    await acme.decideCampaign(sid, { status: 'VERIFIED' });
    await until('the number is registered', () => received.length === 5);
    await acme.usAppToPerson(sid).remove();
    await until('told', () => received.length === 6);
    const data = told(received);
    const registration = (change: string) => data[`campaign-registration.campaign-${change}`];
    expect(registration('submitted')).toMatchObject({
      accountsid: acme.account.sid,
      brandsid: acme.brandSid,
      campaignsid: expect.stringMatching(/^CM[0-9a-f]{32}$/),
      messagingservicesid: acme.serviceSid,
      a2pusecase: 'LOW_VOLUME',
      campaignregistrationstatus: 'pending',
    });
    expect(registration('failure')).toMatchObject({ campaignregistrationstatus: 'failure', errorcode: 30886 });
    expect(registration('approved')).toMatchObject({ externalcampaignid: expect.stringMatching(/^C/) });
    expect(registration('deleted')).toBeDefined();
    const campaignsid = registration('submitted')?.['campaignsid'];
    expect(data['number-registration.pending']).toMatchObject({ phonenumbersid: number.sid, campaignsid });
    expect(data['number-registration.successful']).toMatchObject({ externalstatus: 'registered' });
  });
});

test('a number that joins after the approval is registered, and one that has left before is not', async () => {
  const acme = await verifiedCompany();
  const { url, received } = await receiver();
  const { sid: campaign } = await acme.campaign();
  await acme.decideCampaign(campaign, { status: 'VERIFIED' });
  await subscribe(acme.own, url);
  const [stays, leaves] = [
    await acme.own.incomingPhoneNumbers.create({ areaCode: '415' }),
    await acme.own.incomingPhoneNumbers.create({ areaCode: '415' }),
  ];
  const { phoneNumbers } = acme.own.messaging.v1.services(acme.serviceSid);
  await phoneNumbers.create({ phoneNumberSid: leaves.sid });
  await acme.own.incomingPhoneNumbers(leaves.sid).remove();
  await phoneNumbers.create({ phoneNumberSid: stays.sid });
  await until('the number is registered', () => received.length === 3);
  const told = received.map(({ body }) => JSON.parse(body)[0]);
  expect(told.map(({ type, source }) => [type.split('.').at(-1), source])).toEqual([
    ['pending', leaves.sid],
    ['pending', stays.sid],
    ['successful', stays.sid],
  ]);
});

describe('delivery', () => {
  test('is tried again after an error and after no answer, with the same event', async () => {
    const { emit, received } = await subscribed((_webhook, index) =>
      index === 0 ? { status: 500 } : index === 1 ? 'hang up' : { status: 204 },
    );
    await emit();
    await until('arrived at the third try', () => received.length === 3);
    expect(new Set(eventsOf(received).map(({ id }) => id)).size).toBe(1);
  });

  test('is doubled, delayed and dropped as the behaviour says', async () => {
    const { emit, received, behave } = await subscribed();
    await behave({ callbacks: { duplicateRate: 1, delayMs: 300 } });
    const started = Date.now();
    await emit();
    await until('told twice', () => received.length === 2);
    expect(Date.now() - started).toBeGreaterThanOrEqual(290);
    expect(new Set(eventsOf(received).map(({ id }) => id)).size).toBe(1);
    await behave({ callbacks: { duplicateRate: 0, delayMs: 0, dropRate: 1 } });
    await emit();
    await behave({ callbacks: { dropRate: 0 } });
    await emit();
    await until('told', () => received.length === 3);
    expect(new Set(eventsOf(received).map(({ id }) => id)).size).toBe(2);
  });

  test('reaches only accounts that subscribed, and ends with the subscription, the sink or a reset', async () => {
    const { emit, received, control, client, subscriptionSid } = await subscribed(() => ({ status: 503 }));
    const other = await client().api.v2010.accounts.create({ friendlyName: 'Other' });
    const type = 'brand-registration.brand-verified';
    expect((await control('POST', 'events', { accountSid: other.sid, type })).body.sinks).toBe(0);
    await emit();
    await until('tried', () => received.length === 1);
    await control('POST', 'reset');
    await client().events.v1.subscriptions(subscriptionSid).remove();
    expect((await emit()).body.sinks).toBe(0);
    // The retry would come a second after the first try.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(received).toHaveLength(1);
  });
});
