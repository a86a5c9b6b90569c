import { expect, test } from 'vitest';
import { rejection, simulator } from '../support.ts';

test('a number is created, fetched, found by number and changed', async () => {
  const { client } = await simulator();
  const { incomingPhoneNumbers } = client();
  const created = await incomingPhoneNumbers.create({ phoneNumber: '+14155550100', smsUrl: 'https://example.com/in' });
  expect(created).toMatchObject({
    phoneNumber: '+14155550100',
    friendlyName: '(415) 555-0100',
    smsUrl: 'https://example.com/in',
    capabilities: { sms: true, voice: true },
  });
  await incomingPhoneNumbers.create({ phoneNumber: '+12125550100' });
  const found = async (phoneNumber: string) => (await incomingPhoneNumbers.list({ phoneNumber })).map(({ sid }) => sid);
  expect(await found('+14155550100')).toEqual([created.sid]);
  expect(await found('+1415*******')).toEqual([created.sid]);
  expect(await found('+14155550111')).toEqual([]);
  const changed = await incomingPhoneNumbers(created.sid).update({ voiceUrl: 'https://example.com/voice' });
  expect(changed).toMatchObject({ voiceUrl: 'https://example.com/voice', smsUrl: 'https://example.com/in' });
});

test('all that is documented can be set, and what is not GET, POST or a short name is refused', async () => {
  const { client } = await simulator();
  const { incomingPhoneNumbers } = client();
  const settings = {
    friendlyName: 'Front desk',
    smsUrl: 'https://example.com/sms',
    smsMethod: 'GET',
    smsFallbackUrl: 'https://example.com/sms-fallback',
    smsFallbackMethod: 'GET',
    voiceUrl: 'https://example.com/voice',
    voiceMethod: 'GET',
    voiceFallbackUrl: 'https://example.com/voice-fallback',
    voiceFallbackMethod: 'GET',
    voiceCallerIdLookup: true,
    voiceReceiveMode: 'fax',
    voiceApplicationSid: `AP${'1'.repeat(32)}`,
    smsApplicationSid: `AP${'2'.repeat(32)}`,
    statusCallback: 'https://example.com/status',
    statusCallbackMethod: 'GET',
    addressSid: `AD${'3'.repeat(32)}`,
    bundleSid: `BU${'4'.repeat(32)}`,
    identitySid: `RI${'5'.repeat(32)}`,
    emergencyStatus: 'Active',
    emergencyAddressSid: `AD${'6'.repeat(32)}`,
  } as const;
  const { sid } = await incomingPhoneNumbers.create({ phoneNumber: '+14155550100', ...settings });
  expect(await incomingPhoneNumbers(sid).fetch()).toMatchObject(settings);
  // A trunk and an application exclude each other.
  const trunkSid = `TK${'7'.repeat(32)}`;
  const changed = await incomingPhoneNumbers(sid).update({ trunkSid, voiceUrl: '' });
  expect(changed).toMatchObject({ ...settings, trunkSid, voiceUrl: '', voiceApplicationSid: null });
  // An empty SID takes away what was set.
  const cleared = await incomingPhoneNumbers(sid).update({
    smsApplicationSid: '',
    trunkSid: '',
    voiceApplicationSid: '',
  });
  expect(cleared).toMatchObject({ smsApplicationSid: null, trunkSid: null, voiceApplicationSid: null });

  const wrong = [
    { friendlyName: 'x'.repeat(65) },
    { smsMethod: 'PUT' },
    { voiceUrl: 'example.com' },
    { trunkSid: 'TK1' },
  ];
  for (const change of wrong) {
    const refusal = await rejection(incomingPhoneNumbers(sid).update(change));
    expect(refusal).toMatchObject({ status: 400, code: 20001 });
    const bought = incomingPhoneNumbers.create({ phoneNumber: '+14155550101', ...change });
    expect(await rejection(bought)).toMatchObject({ status: 400, code: 20001 });
  }
  expect(await incomingPhoneNumbers.list()).toHaveLength(1);
});

test('numbers are listed by part of the number, by exact name, and as local ones', async () => {
  const { client } = await simulator();
  const { incomingPhoneNumbers } = client();
  const make = (phoneNumber: string, friendlyName: string) =>
    incomingPhoneNumbers.create({ phoneNumber, friendlyName });
  await make('+14155550100', 'Sales');
  await make('+14155550200', 'Sales east');
  await incomingPhoneNumbers.local.create({ phoneNumber: '+12125550100', friendlyName: 'Sales' });
  const found = async (filter: { phoneNumber?: string; friendlyName?: string; origin?: string }) => {
    const [all, local] = [await incomingPhoneNumbers.list(filter), await incomingPhoneNumbers.local.list(filter)];
    expect(local.map(({ sid }) => sid)).toEqual(all.map(({ sid }) => sid));
    return all.map(({ phoneNumber }) => phoneNumber);
  };
  expect(await found({ phoneNumber: '+1415***0100' })).toEqual(['+14155550100']);
  expect(await found({ phoneNumber: '5550100' })).toEqual(['+14155550100', '+12125550100']);
  expect(await found({ phoneNumber: '5***200' })).toEqual(['+14155550200']);
  expect(await found({ friendlyName: 'Sales' })).toEqual(['+14155550100', '+12125550100']);
  expect(await found({ friendlyName: 'Sales', phoneNumber: '+1212*******' })).toEqual(['+12125550100']);
  expect(await found({ origin: 'hosted' })).toEqual([]);
});

test('the parent moves a number between subaccounts, out of its service; a subaccount cannot', async () => {
  const { client, control } = await simulator();
  const { accounts } = client().api.v2010;
  const [from, to] = [await accounts.create({ friendlyName: 'From' }), await accounts.create({ friendlyName: 'To' })];
  const [own, other] = [client(from.sid, from.authToken), client(to.sid, to.authToken)];
  const { sid } = await own.incomingPhoneNumbers.create({
    phoneNumber: '+14155550100',
    smsUrl: 'https://example.com/in',
  });
  const service = await own.messaging.v1.services.create({ friendlyName: 'S' });
  await own.messaging.v1.services(service.sid).phoneNumbers.create({ phoneNumberSid: sid });

  expect(await rejection(own.incomingPhoneNumbers(sid).update({ accountSid: to.sid }))).toMatchObject({ code: 20003 });
  const parent = client(undefined, undefined, from.sid).incomingPhoneNumbers(sid);
  const nobody = `AC${'9'.repeat(32)}`;
  expect(await rejection(parent.update({ accountSid: nobody }))).toMatchObject({ status: 400 });
  expect((await control('GET', 'state')).body.numbers).toMatchObject([{ messagingServiceSid: service.sid }]);

  const moved = await parent.update({ accountSid: to.sid, friendlyName: 'Moved' });
  expect(moved).toMatchObject({ sid, accountSid: to.sid, friendlyName: 'Moved', smsUrl: 'https://example.com/in' });
  expect((await control('GET', 'state')).body.numbers).toEqual([
    {
      sid,
      phoneNumber: '+14155550100',
      accountSid: to.sid,
      messagingServiceSid: null,
      friendlyName: 'Moved',
      smsUrl: 'https://example.com/in',
      voiceUrl: '',
    },
  ]);
  expect(await rejection(own.incomingPhoneNumbers(sid).fetch())).toMatchObject({ status: 404 });
  expect((await other.incomingPhoneNumbers(sid).fetch()).accountSid).toBe(to.sid);
});

test('a number has one owner: a second purchase is refused with 21422, what is no number with 21421', async () => {
  const { client } = await simulator();
  const { incomingPhoneNumbers } = client();
  await incomingPhoneNumbers.create({ phoneNumber: '+14155550100' });
  expect(await rejection(incomingPhoneNumbers.create({ phoneNumber: '+14155550100' }))).toMatchObject({ code: 21422 });
  expect(await rejection(incomingPhoneNumbers.create({ phoneNumber: '+15005550000' }))).toMatchObject({ code: 21422 });
  expect(await rejection(incomingPhoneNumbers.create({ phoneNumber: '+1415' }))).toMatchObject({ code: 21421 });
});

test('a number is seeded into an account and a sender pool, and a wrong seed says why', async () => {
  const { client, control } = await simulator();
  const sub = await client().api.v2010.accounts.create({ friendlyName: 'Acme' });
  const service = await client(sub.sid, sub.authToken).messaging.v1.services.create({ friendlyName: 'S' });
  const seed = { accountSid: sub.sid, phoneNumber: '+14155550100', messagingServiceSid: service.sid };
  expect(await control('POST', 'numbers', seed)).toMatchObject({ status: 201, body: seed });
  expect((await control('POST', 'numbers', seed)).status).toBe(409);
  const elsewhere = { phoneNumber: '+14155550101', messagingServiceSid: service.sid };
  expect(await control('POST', 'numbers', elsewhere)).toMatchObject({
    status: 404,
    body: { error: expect.stringContaining('no messaging service') },
  });
});
