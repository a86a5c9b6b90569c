import { expect, test } from 'vitest';
import { rejection, simulator } from './support.ts';

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
