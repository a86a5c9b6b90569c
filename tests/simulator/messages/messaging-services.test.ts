import { expect, test } from 'vitest';
import { rejection, simulator } from '../support.ts';

test('a service is created, fetched, listed, changed and deleted', async () => {
  const { client } = await simulator();
  const { services } = client().messaging.v1;
  const created = await services.create({
    friendlyName: 'One',
    statusCallback: 'https://example.com/s',
    stickySender: false,
  });
  expect(created).toMatchObject({
    friendlyName: 'One',
    statusCallback: 'https://example.com/s',
    stickySender: false,
    inboundRequestUrl: null,
    validityPeriod: 36_000,
    usAppToPersonRegistered: false,
  });
  const changed = await services(created.sid).update({
    inboundRequestUrl: 'https://example.com/in',
    validityPeriod: 600,
  });
  expect(changed).toMatchObject({
    friendlyName: 'One',
    inboundRequestUrl: 'https://example.com/in',
    validityPeriod: 600,
  });
  expect((await services(created.sid).update({ statusCallback: '' })).statusCallback).toBeNull();
  expect(await services(created.sid).fetch()).toMatchObject({ sid: created.sid, stickySender: false });
  expect(await services.list()).toHaveLength(1);
  expect(await services(created.sid).remove()).toBe(true);
  expect(await rejection(services(created.sid).fetch())).toMatchObject({ status: 404, code: 20404 });
});

test('the SDK pages through services', async () => {
  const { client } = await simulator();
  const { services } = client().messaging.v1;
  for (let index = 0; index < 5; index += 1) await services.create({ friendlyName: `Service ${index}` });
  expect((await services.list({ pageSize: 2 })).map(({ friendlyName }) => friendlyName)).toHaveLength(5);
});

test.each([
  ['a name longer than 64 characters', { friendlyName: 'x'.repeat(65) }],
  ['a validity period beyond ten hours', { friendlyName: 'x', validityPeriod: 36_001 }],
  ['an address that is no URL', { friendlyName: 'x', inboundRequestUrl: 'example.com' }],
])('%s is refused', async (_what, options) => {
  const { client } = await simulator();
  expect(await rejection(client().messaging.v1.services.create(options))).toMatchObject({ status: 400, code: 20001 });
});

test('numbers join a sender pool and leave it', async () => {
  const { client, control } = await simulator();
  const { services } = client().messaging.v1;
  const { sid } = await services.create({ friendlyName: 'One' });
  const number = await client().incomingPhoneNumbers.create({ phoneNumber: '+14155550100' });
  const { phoneNumbers } = services(sid);
  const joined = await phoneNumbers.create({ phoneNumberSid: number.sid });
  expect(joined).toMatchObject({ sid: number.sid, serviceSid: sid, phoneNumber: '+14155550100' });
  expect((await control('GET', 'state')).body.numbers[0].messagingServiceSid).toBe(sid);
  expect((await phoneNumbers.list()).map((sender) => sender.sid)).toEqual([number.sid]);
  expect((await phoneNumbers(number.sid).fetch()).phoneNumber).toBe('+14155550100');
  expect(await phoneNumbers(number.sid).remove()).toBe(true);
  expect(await phoneNumbers.list()).toEqual([]);
});

test('a number cannot join a service twice (21710) or another service as well (21712)', async () => {
  const { client } = await simulator();
  const { services } = client().messaging.v1;
  const [one, two] = [await services.create({ friendlyName: 'One' }), await services.create({ friendlyName: 'Two' })];
  const phoneNumberSid = (await client().incomingPhoneNumbers.create({ phoneNumber: '+14155550100' })).sid;
  await services(one.sid).phoneNumbers.create({ phoneNumberSid });
  expect(await rejection(services(one.sid).phoneNumbers.create({ phoneNumberSid }))).toMatchObject({ code: 21710 });
  expect(await rejection(services(two.sid).phoneNumbers.create({ phoneNumberSid }))).toMatchObject({ code: 21712 });
  await services(one.sid).remove();
  expect((await services(two.sid).phoneNumbers.create({ phoneNumberSid })).serviceSid).toBe(two.sid);
});

test('a full pool takes no more (21714) until a number has left', async () => {
  const { behave, client } = await simulator();
  await behave({ poolLimit: 2 });
  const service = client().messaging.v1.services(
    (await client().messaging.v1.services.create({ friendlyName: 'S' })).sid,
  );
  const join = async () => {
    const { sid } = await client().incomingPhoneNumbers.create({ areaCode: '415' });
    return service.phoneNumbers.create({ phoneNumberSid: sid });
  };
  const { sid } = await join();
  await join();
  expect(await rejection(join())).toMatchObject({ status: 412, code: 21714 });
  await service.phoneNumbers(sid).remove();
  await join();
  expect(await service.phoneNumbers.list()).toHaveLength(2);
});

test('a released number leaves its sender pool', async () => {
  const { client } = await simulator();
  const { services } = client().messaging.v1;
  const { sid } = await services.create({ friendlyName: 'One' });
  const number = await client().incomingPhoneNumbers.create({ phoneNumber: '+14155550100' });
  await services(sid).phoneNumbers.create({ phoneNumberSid: number.sid });
  await client().incomingPhoneNumbers(number.sid).remove();
  expect(await services(sid).phoneNumbers.list()).toEqual([]);
});
