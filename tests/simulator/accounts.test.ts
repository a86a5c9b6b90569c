import { expect, test } from 'vitest';
import { ACCOUNT_SID, rejection, simulator } from './support.ts';

test('a wrong auth token is answered 401 with code 20003', async () => {
  const { client, raw } = await simulator();
  expect(await rejection(client(ACCOUNT_SID, 'wrong').messages.list())).toMatchObject({ status: 401, code: 20003 });
  const { status, body } = await raw('GET', `/api/2010-04-01/Accounts/${ACCOUNT_SID}.json`, {}, { authorization: '' });
  expect(status).toBe(401);
  expect(body).toEqual({
    code: 20003,
    detail: expect.any(String),
    message: 'Authenticate',
    more_info: 'https://www.twilio.com/docs/errors/20003',
    status: 401,
  });
});

test('a subaccount has its own token and works with it', async () => {
  const { client } = await simulator();
  const created = await client().api.v2010.accounts.create({ friendlyName: 'Acme' });
  expect(created).toMatchObject({ friendlyName: 'Acme', status: 'active', ownerAccountSid: ACCOUNT_SID, type: 'Full' });
  expect(created.dateCreated).toBeInstanceOf(Date);
  const own = client(created.sid, created.authToken);
  expect(await own.messages.list()).toEqual([]);
  expect((await own.messaging.v1.services.create({ friendlyName: 'S' })).accountSid).toBe(created.sid);
});

test('accounts are found by exact name and by status', async () => {
  const { client } = await simulator();
  const { accounts } = client().api.v2010;
  const acme = await accounts.create({ friendlyName: 'Acme' });
  await accounts.create({ friendlyName: 'Acme Two' });
  expect((await accounts.list({ friendlyName: 'Acme' })).map(({ sid }) => sid)).toEqual([acme.sid]);
  await accounts(acme.sid).update({ status: 'suspended' });
  expect((await accounts.list({ status: 'suspended' })).map(({ sid }) => sid)).toEqual([acme.sid]);
  expect(await accounts.list()).toHaveLength(3);
});

test('parent credentials reach a subaccount on the 2010 API and nowhere else', async () => {
  const { client } = await simulator();
  const sub = await client().api.v2010.accounts.create({ friendlyName: 'Acme' });
  const service = await client(sub.sid, sub.authToken).messaging.v1.services.create({ friendlyName: 'S' });
  const parent = client(undefined, undefined, sub.sid);
  expect(await parent.incomingPhoneNumbers.list()).toEqual([]);
  expect((await parent.incomingPhoneNumbers.create({ phoneNumber: '+14155550100' })).accountSid).toBe(sub.sid);
  const refused = await rejection(client().messaging.v1.services(service.sid).fetch());
  expect(refused).toMatchObject({ status: 404, code: 20404 });
});

test("a subaccount cannot reach its parent's resources, nor a sibling's, nor create accounts", async () => {
  const { client } = await simulator();
  const { accounts } = client().api.v2010;
  const [one, two] = [await accounts.create({ friendlyName: 'One' }), await accounts.create({ friendlyName: 'Two' })];
  for (const sid of [ACCOUNT_SID, two.sid]) {
    const refused = await rejection(client(one.sid, one.authToken, sid).messages.list());
    expect(refused).toMatchObject({ status: 401, code: 20003 });
  }
  const refused = await rejection(client(one.sid, one.authToken).api.v2010.accounts.create({}));
  expect(refused.status).toBe(403);
  expect((await client(one.sid, one.authToken).api.v2010.accounts.list()).map(({ sid }) => sid)).toEqual([one.sid]);
});

test('a suspended account can read and cannot send until it is active again', async () => {
  const { client } = await simulator();
  const { accounts } = client().api.v2010;
  const sub = await accounts.create({ friendlyName: 'Acme' });
  const own = client(sub.sid, sub.authToken);
  await own.incomingPhoneNumbers.create({ phoneNumber: '+14155550100' });
  const send = () => own.messages.create({ from: '+14155550100', to: '+14155550101', body: 'Hello' });
  await accounts(sub.sid).update({ status: 'suspended' });
  expect(await rejection(send())).toMatchObject({ status: 401, code: 20005 });
  expect(await own.messages.list()).toEqual([]);
  await accounts(sub.sid).update({ status: 'active' });
  expect((await send()).status).toBe('queued');
});

test('closing an account releases its numbers, refuses its token and cannot be undone', async () => {
  const { client, control } = await simulator();
  const { accounts } = client().api.v2010;
  const sub = await accounts.create({ friendlyName: 'Acme' });
  await client(undefined, undefined, sub.sid).incomingPhoneNumbers.create({ phoneNumber: '+14155550100' });
  await accounts(sub.sid).update({ status: 'closed' });
  expect((await control('GET', 'state')).body.numbers).toEqual([]);
  expect(await rejection(client(sub.sid, sub.authToken).messages.list())).toMatchObject({ status: 401, code: 20003 });
  expect((await rejection(accounts(sub.sid).update({ status: 'active' }))).status).toBe(400);
});
