import { expect, test } from 'vitest';
import { ADDRESS } from './support.ts';
import { rejection, simulator } from '../support.ts';

test('an address is created, fetched, changed, found and deleted, with the credentials of the parent', async () => {
  const { client } = await simulator();
  const account = await client().api.v2010.accounts.create({ friendlyName: 'Acme' });
  const { addresses } = client().api.v2010.accounts(account.sid);
  const created = await addresses.create({ ...ADDRESS, streetSecondary: 'Suite 2' });
  expect(created).toMatchObject({
    ...ADDRESS,
    accountSid: account.sid,
    streetSecondary: 'Suite 2',
    friendlyName: null,
  });
  const changed = await addresses(created.sid).update({ friendlyName: 'Office', street: '2 Main St' });
  expect(changed).toMatchObject({ friendlyName: 'Office', street: '2 Main St', city: 'Portland' });
  expect(await addresses(created.sid).fetch()).toMatchObject({ street: '2 Main St' });
  expect(await addresses.list({ customerName: ADDRESS.customerName, friendlyName: 'Office' })).toHaveLength(1);
  expect(await addresses.list({ isoCountry: 'CA' })).toEqual([]);
  expect(await client().addresses.list()).toEqual([]);
  expect(await addresses(created.sid).remove()).toBe(true);
  expect(await rejection(addresses(created.sid).fetch())).toMatchObject({ status: 404, code: 20404 });
});

test('a country that is none is refused', async () => {
  const { client } = await simulator();
  expect(await rejection(client().addresses.create({ ...ADDRESS, isoCountry: 'USA' }))).toMatchObject({ status: 400 });
});
