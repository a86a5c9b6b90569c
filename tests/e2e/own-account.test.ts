/** An organization that is registered already brings its own Twilio account: verified, used, and kept to itself. */
import twilio from 'twilio';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TwilioHttpClient } from '../../twilio/http-client.ts';
import type { ApiClient } from '../harness/api-client.ts';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';

let system: System;
let httpClient: TwilioHttpClient;
beforeAll(async () => {
  system = await startSystem();
  httpClient = new TwilioHttpClient({ baseUrl: system.simulatorUrl, connections: 2 });
});
afterAll(async () => {
  await httpClient?.close();
  await system?.stop();
});

/** An account with a messaging service and a number, made outside Longwave. */
async function accountElsewhere(phoneNumber: string) {
  const { TWILIO_ACCOUNT_SID: sid, TWILIO_AUTH_TOKEN: token } = system.stack.environment;
  const made = await twilio(sid, token, { httpClient }).api.v2010.accounts.create({ friendlyName: 'Elsewhere' });
  const account = twilio(made.sid, made.authToken, { httpClient });
  const service = await account.messaging.v1.services.create({ friendlyName: 'Texts' });
  const number = await account.incomingPhoneNumbers.create({ phoneNumber });
  await account.messaging.v1.services(service.sid).phoneNumbers.create({ phoneNumberSid: number.sid });
  return { accountSid: made.sid, authToken: made.authToken, messagingServiceSid: service.sid };
}

async function organization(name: string): Promise<{ id: string; client: ApiClient }> {
  const fields = {
    name,
    domain: `${name.toLowerCase()}.example`,
    country: 'US',
    region: 'IL',
    organizationNumber: '1',
  };
  const { body } = await system.operator.post('/v1/organizations', fields);
  const { body: key } = await system.operator.post(`/v1/organizations/${body.id}/keys`, { kind: 'organization' });
  return { id: body.id, client: system.client(key.key) };
}

const stopsOf = async (mobile: string) =>
  system.db.selectFrom('opt_outs').select(['organization_id']).where('phone_number', '=', mobile).execute();

it('an account is attached when Twilio knows it, by one organization only, and enables a module that waited for it', async () => {
  const credentials = await accountElsewhere('+13125550160');
  const { client } = await organization('Bringer');
  expect((await client.post('/v1/module/enable')).body).toMatchObject({ state: 'pending_setup' });
  const put = (change: object) => client.put('/v1/module/credentials', { ...credentials, ...change });

  expect(await put({ authToken: '0'.repeat(32) })).toMatchObject({
    status: 422,
    body: { reason: 'wrong_credentials' },
  });
  expect(await put({ messagingServiceSid: `MG${'0'.repeat(32)}` })).toMatchObject({
    status: 422,
    body: { reason: 'no_such_messaging_service' },
  });
  expect((await client.get('/v1/module')).body).toMatchObject({ state: 'pending_setup' });

  const attached = await put({});
  expect(attached).toMatchObject({ status: 200, body: { state: 'enabled', missing: [] } });
  expect(attached.body.warnings).toEqual([expect.stringContaining('no verified campaign')]);
  const { messagingServices } = await system.twilio.state();
  expect(messagingServices.find(({ sid }) => sid === credentials.messagingServiceSid)).toMatchObject({
    inboundRequestUrl: expect.stringContaining('/twilio/inbound'),
  });

  const other = await organization('Borrower');
  expect(await other.client.put('/v1/module/credentials', credentials)).toMatchObject({
    status: 422,
    body: { reason: 'account_in_use' },
  });
});

it('a STOP through such an account stops its own organization only, and its START lifts no other STOP', async () => {
  const line = '+13125550161';
  const credentials = await accountElsewhere(line);
  const { id, client } = await organization('Forger');
  expect((await client.put('/v1/module/credentials', credentials)).status).toBe(200);
  const ours: EnabledOrganization = await system.enabledOrganization();

  const mobile = '+12125550170';
  expect(await system.twilio.inbound({ from: mobile, to: line, body: 'STOP' })).toMatchObject({ status: 200 });
  await eventually(async () => expect(await stopsOf(mobile)).toEqual([{ organization_id: id }]));

  expect(await system.twilio.inbound({ from: mobile, to: ours.line.phoneNumber, body: 'STOP' })).toMatchObject({
    status: 200,
  });
  // The platform's, and one for the organization it was said to: neither is the other's to lift.
  const stops = [{ organization_id: ours.id }, { organization_id: null }];
  await eventually(async () => expect(await stopsOf(mobile)).toEqual(expect.arrayContaining(stops)));
  expect(await system.twilio.inbound({ from: mobile, to: line, body: 'START' })).toMatchObject({ status: 200 });
  await eventually(async () => expect(new Set(await stopsOf(mobile))).toEqual(new Set(stops)));
});
