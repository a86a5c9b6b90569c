/** Numbers that the sweep puts into a messaging service, as Twilio sees them. */
import type { Twilio } from 'twilio';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkAccount } from '../../../activities/numbers/check.ts';
import { attachOwnAccount, findOrganization } from '../../../db/organizations/organizations.ts';
import { registerAnew } from '../../../db/numbers/registration.ts';
import { numberDuties } from '../../../worker/number-duties.ts';
import { type Numbers, somePhone, startNumbers } from '../../activities/numbers/support.ts';
import { simulator } from '../support.ts';

let numbers: Numbers;
beforeAll(async () => {
  numbers = await startNumbers();
});
afterAll(() => numbers?.stop());

/** An organization with a service and a line that is not in it yet, set as whoever bought it wanted. */
async function organization(settings: object = {}) {
  const twin = await simulator();
  const client: Twilio = twin.client();
  const service = await client.messaging.v1.services.create({ friendlyName: 'One' });
  const number = await client.incomingPhoneNumbers.create({ phoneNumber: somePhone(), ...settings });
  const { id } = await numbers.organization({ messagingServiceSid: service.sid });
  await numbers.line(id, { twilio_sid: number.sid, phone_number: number.phoneNumber });
  const deps = { ...numbers.deps, twilio: { client: () => client } as never };
  const errors: unknown[] = [];
  const [registerWaiting] = numberDuties(deps, (error) => errors.push(error));
  return {
    ...twin,
    id,
    check: () => checkAccount(deps, id),
    number,
    service: service.sid,
    twilio: client,
    register: async () => {
      await registerWaiting!.run();
      expect(errors).toEqual([]);
      return (await numbers.numbersOf(id))[0]!;
    },
    members: async (sid: string) =>
      (await client.messaging.v1.services(sid).phoneNumbers.list()).map(({ phoneNumber }) => phoneNumber),
  };
}

it('they move when the organization sends through another service of its account', async () => {
  const { id, number, service, twilio, register, members } = await organization();
  expect(await register()).toMatchObject({ registered: true });
  const { sid: messagingServiceSid } = await twilio.messaging.v1.services.create({ friendlyName: 'Two' });
  await numbers.database.inOrganization(id, async (trx) => {
    await registerAnew(trx, id);
    const { account_sid: accountSid, auth_token: authToken } = (await findOrganization(trx, id))!;
    const kept = { accountSid: accountSid!, authToken: authToken!, messagingServiceSid, segmentsPerSecond: null };
    await attachOwnAccount(trx, id, kept, numbers.deps.clock.now());
  });
  expect(await register()).toMatchObject({ registered: true, registration_error: null });
  expect([await members(service), await members(messagingServiceSid)]).toEqual([[], [number.phoneNumber]]);
});

it('one that is taken out of its service in the console is put back', async () => {
  const { number, service, twilio, register, members, check } = await organization();
  await register();
  await twilio.messaging.v1.services(service).phoneNumbers(number.sid).remove();
  await check();
  expect(await register()).toMatchObject({ registered: true });
  expect(await members(service)).toEqual([number.phoneNumber]);
});

it.for([
  ['a voice application', { voiceApplicationSid: `AP${'1'.repeat(32)}` }],
  ['an application for messages', { smsApplicationSid: `AP${'2'.repeat(32)}` }],
  ['a trunk', { trunkSid: `TK${'3'.repeat(32)}` }],
] as const)(
  'one that is adopted with %s loses it, so that calls and messages to it come to Longwave',
  async ([, given]) => {
    const { number, twilio, register, control } = await organization(given);
    expect(number).toMatchObject(given);
    expect(await register()).toMatchObject({ registered: true });
    expect(await twilio.incomingPhoneNumbers(number.sid).fetch()).toMatchObject({
      voiceUrl: 'https://longwave.test/twilio/voice',
      voiceApplicationSid: null,
      smsApplicationSid: null,
      trunkSid: null,
    });
    const call = await control('POST', 'calls', { from: somePhone(), to: number.phoneNumber });
    expect(call).toMatchObject({ status: 200 });
  },
);
