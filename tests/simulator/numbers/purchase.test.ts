import { describe, expect, test } from 'vitest';
import { rejection, simulator } from '../support.ts';

async function shop() {
  const twin = await simulator();
  const { incomingPhoneNumbers, availablePhoneNumbers } = twin.client();
  const onSale = async (areaCode = 415) =>
    (await availablePhoneNumbers('US').local.list({ areaCode })).map(({ phoneNumber }) => phoneNumber);
  const first = async (areaCode?: number) => {
    const [phoneNumber = ''] = await onSale(areaCode);
    return phoneNumber;
  };
  const buy = (phoneNumber: string) => incomingPhoneNumbers.create({ phoneNumber });
  const owned = async () =>
    (await incomingPhoneNumbers.list({ pageSize: 1_000 })).map(({ phoneNumber }) => phoneNumber);
  return { ...twin, incomingPhoneNumbers, onSale, first, buy, owned };
}

describe('by number', () => {
  test('what was offered is bought, and is not offered any more', async () => {
    const { buy, first, onSale, owned } = await shop();
    const phoneNumber = await first();
    expect(await buy(phoneNumber)).toMatchObject({ phoneNumber, status: 'in-use', type: 'local' });
    expect(await onSale()).not.toContain(phoneNumber);
    expect(await owned()).toEqual([phoneNumber]);
    expect(await rejection(buy(phoneNumber))).toMatchObject({ status: 400, code: 21422 });
  });

  test.each([
    ['no number', '+1415', 21421],
    ['no number of a country', '4155550100', 21421],
    ['of an area code nobody knows', '+19995550100', 21422],
    ['of another country', '+442079460000', 21422],
    ["Twilio's magic number that is taken", '+15005550000', 21422],
  ])('what is %s is refused', async (_what, phoneNumber, code) => {
    const { buy } = await shop();
    expect(await rejection(buy(phoneNumber))).toMatchObject({ status: 400, code });
  });

  test('a number that search does not show can be bought, unless the inventory says what there is', async () => {
    const { behave, buy, onSale } = await shop();
    await buy('+14155550100');
    await behave({ inventory: { 415: ['+14155550150'] } });
    expect(await onSale()).toEqual(['+14155550150']);
    expect(await rejection(buy('+14155550101'))).toMatchObject({ code: 21422 });
    await buy('+14155550150');
    await buy('+12125550101');
  });

  test('another customer buys it between search and purchase', async () => {
    const { buy, control, first, onSale } = await shop();
    const phoneNumber = await first();
    expect(await control('POST', 'numbers/sell', { phoneNumber })).toEqual({ status: 200, body: { phoneNumber } });
    expect(await onSale()).not.toContain(phoneNumber);
    expect(await rejection(buy(phoneNumber))).toMatchObject({ status: 400, code: 21422 });
    expect((await control('POST', 'numbers', { phoneNumber })).status).toBe(409);
  });

  test('only what no account has can be sold to another', async () => {
    const { buy, control } = await shop();
    await buy('+14155550100');
    expect((await control('POST', 'numbers/sell', { phoneNumber: '+14155550100' })).status).toBe(409);
    expect((await control('POST', 'numbers/sell', { phoneNumber: '415' })).status).toBe(400);
  });

  test('soldBetween: a share of purchases comes too late, and the number is gone for everybody', async () => {
    const { behave, buy, first, onSale } = await shop();
    await behave({ inventory: { 415: 2 }, soldBetween: 1 });
    const lost = await first();
    expect(await rejection(buy(lost))).toMatchObject({ status: 400, code: 21422 });
    await behave({ soldBetween: 0 });
    expect(await rejection(buy(lost))).toMatchObject({ code: 21422 });
    expect(await onSale()).toHaveLength(1);
    await buy(await first());
    expect(await onSale()).toEqual([]);
  });
});

describe('by area code', () => {
  test('runs dry in the middle of a run, for search as well, and other area codes do not', async () => {
    const { behave, incomingPhoneNumbers, onSale, owned } = await shop();
    await behave({ inventory: { 415: 3 } });
    const wanted = await Promise.allSettled(
      Array.from({ length: 5 }, () => incomingPhoneNumbers.create({ areaCode: '415' })),
    );
    expect(wanted.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(wanted.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { status: 400, code: 21452 } },
      { reason: { status: 400, code: 21452 } },
    ]);
    expect(await onSale()).toEqual([]);
    expect((await incomingPhoneNumbers.create({ areaCode: '212' })).phoneNumber).toMatch(/^\+1212/);
    // More came in: as many as it says now, besides those that are taken.
    await behave({ inventory: { 415: 2 } });
    expect(await onSale()).toHaveLength(2);
    expect(await owned()).toHaveLength(4);
  });

  test.each([
    ['415x', 21451],
    ['911', 21451],
    ['115', 21451],
    ['999', 21452],
    ['533', 21452],
  ])('%s is refused with %i', async (areaCode, code) => {
    const { incomingPhoneNumbers } = await shop();
    expect(await rejection(incomingPhoneNumbers.create({ areaCode }))).toMatchObject({ status: 400, code });
  });

  test('neither a number nor an area code, and both, are refused', async () => {
    const { incomingPhoneNumbers } = await shop();
    const both = { areaCode: '415', phoneNumber: '+14155550100' };
    expect(await rejection(incomingPhoneNumbers.create({}))).toMatchObject({ status: 400, code: 400 });
    expect(await rejection(incomingPhoneNumbers.create(both))).toMatchObject({ status: 400, code: 20001 });
  });
});

test.each([
  ['an area code nobody knows', { 999: 3 }, 'inventory.999: should be an area code of the United States or Canada'],
  ['a number of another area code', { 415: ['+12125550100'] }, 'inventory: should list numbers under their own area'],
])('an inventory with %s is refused', async (_what, inventory, error) => {
  const { behave, control } = await shop();
  expect(await behave({ inventory })).toMatchObject({ status: 400, body: { error: expect.stringContaining(error) } });
  expect((await control('GET', 'behaviour')).body.inventory).toEqual({});
});

test('a released number is on sale again, and another account buys it', async () => {
  const { behave, client, first, incomingPhoneNumbers, onSale } = await shop();
  await behave({ inventory: { 415: 1 } });
  const phoneNumber = await first();
  const { sid } = await incomingPhoneNumbers.create({ areaCode: '415' });
  expect(await onSale()).toEqual([]);
  expect(await incomingPhoneNumbers(sid).remove()).toBe(true);
  expect(await rejection(incomingPhoneNumbers(sid).fetch())).toMatchObject({ status: 404 });
  expect(await onSale()).toEqual([phoneNumber]);

  const { accounts } = client().api.v2010;
  const sub = await accounts.create({ friendlyName: 'Acme' });
  const again = await client(sub.sid, sub.authToken).incomingPhoneNumbers.create({ phoneNumber });
  expect(again.sid).not.toBe(sid);
  await accounts(sub.sid).update({ status: 'closed' });
  expect(await onSale()).toEqual([phoneNumber]);
});

test('a released number that was on no shelf goes to the one of its area code', async () => {
  const { behave, buy, incomingPhoneNumbers, onSale } = await shop();
  const { sid } = await buy('+14155550100');
  await behave({ inventory: { 415: 0 } });
  await incomingPhoneNumbers(sid).remove();
  expect(await onSale()).toEqual(['+14155550100']);
});

test('what was bought and sold stays so after a reset, and the shelves are full again', async () => {
  const { behave, buy, control, first, onSale, owned } = await shop();
  await behave({ inventory: { 415: 1 } });
  const bought = await first();
  await buy(bought);
  await control('POST', 'numbers/sell', { phoneNumber: '+12125550100' });
  await control('POST', 'reset');
  expect(await onSale()).toHaveLength(50);
  expect(await onSale()).not.toContain(bought);
  expect(await owned()).toEqual([bought]);
  expect(await rejection(buy('+12125550100'))).toMatchObject({ code: 21422 });
});

test('in a storm of 429 each number is bought by the requests that were answered 201, and by no other', async () => {
  const { behave, client, control, owned } = await shop();
  await behave({ http429Rate: 0.5 });
  const bought: string[] = [];
  const refusals: unknown[] = [];
  const buy = async () => {
    try {
      bought.push((await client().incomingPhoneNumbers.create({ areaCode: '415' })).phoneNumber);
    } catch (error) {
      refusals.push(error);
    }
  };
  await Promise.all(Array.from({ length: 100 }, buy));
  await behave({ http429Rate: 0 });
  expect(bought.length).toBeGreaterThan(0);
  expect(refusals.length).toBe(100 - bought.length);
  for (const refusal of refusals) expect(refusal).toMatchObject({ status: 429, code: 20429 });
  expect((await owned()).toSorted()).toEqual(bought.toSorted());
  const { items } = (await control('GET', 'requests?operation=CreateIncomingPhoneNumber')).body;
  expect(items.filter(({ status }: { status: number }) => status === 201)).toHaveLength(bought.length);
});

test.each(['347', '630', '972', '867', '902'])(
  'area code %s has numbers that are found and bought',
  async (areaCode) => {
    const { behave, client, incomingPhoneNumbers } = await shop();
    const { local } = client().availablePhoneNumbers(['867', '902'].includes(areaCode) ? 'CA' : 'US');
    const [offer] = await local.list({ areaCode: Number(areaCode) });
    expect(offer).toMatchObject({ phoneNumber: expect.stringMatching(`^\\+1${areaCode}`), region: expect.any(String) });
    expect(await incomingPhoneNumbers.create({ phoneNumber: offer!.phoneNumber })).toMatchObject({ status: 'in-use' });
    await behave({ inventory: { [areaCode]: 2 } });
    expect(await local.list({ areaCode: Number(areaCode) })).toHaveLength(2);
  },
);
