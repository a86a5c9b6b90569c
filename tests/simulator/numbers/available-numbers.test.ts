import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rejection, simulator } from '../support.ts';

type Twin = Awaited<ReturnType<typeof simulator>>;
type Filters = NonNullable<
  Parameters<ReturnType<ReturnType<Twin['client']>['availablePhoneNumbers']>['local']['list']>[0]
>;

async function shop() {
  const twin = await simulator();
  const local = (country = 'US') => twin.client().availablePhoneNumbers(country).local;
  const numbers = async (filters: Filters, country?: string) =>
    (await local(country).list(filters)).map(({ phoneNumber }) => phoneNumber);
  /** The area codes that are found, in the order in which they come. */
  const areaCodes = async (filters: Filters, country?: string) => [
    ...new Set((await numbers({ pageSize: 1_000, ...filters }, country)).map((number) => number.slice(2, 5))),
  ];
  return { ...twin, local, numbers, areaCodes };
}

/** One number in each area code around San Francisco: 408 is 42 miles away, the others are within 25. */
const BAY = { 415: 1, 628: 1, 510: 1, 650: 1, 408: 1 };
const BAY_FILTER = { inRegion: 'CA', inLata: '722' };

test('an offer has all that Twilio documents, and two searches find the same', async () => {
  const { local } = await shop();
  const offers = await local().list({ areaCode: 415 });
  expect(offers[0]?.toJSON()).toEqual({
    phoneNumber: expect.stringMatching(/^\+1415[2-9]\d{6}$/),
    friendlyName: expect.stringMatching(/^\(415\) \d{3}-\d{4}$/),
    locality: 'San Francisco',
    region: 'CA',
    postalCode: '94102',
    isoCountry: 'US',
    lata: '722',
    rateCenter: 'SAN FRANCI',
    latitude: 37.7749,
    longitude: -122.4194,
    addressRequirements: 'none',
    beta: false,
    capabilities: { voice: true, sms: true, mms: true },
  });
  const again = await local().list({ areaCode: 415 });
  expect(again.map((offer) => offer.toJSON())).toEqual(offers.map((offer) => offer.toJSON()));
  const all = (await local().list({ areaCode: 415, pageSize: 1_000 })).map(({ phoneNumber }) => phoneNumber);
  expect(new Set(all).size).toBe(1_000);
  for (const number of all) expect(number).not.toMatch(/^\+1415(555|\d11)/);
});

test('every area code that the product knows has numbers: both have the same table, and neither imports it of the other', async () => {
  const read = (file: string) => readFile(join(import.meta.dirname, '../../..', file), 'utf8');
  expect(await read('simulator/numbers/area-codes-data.ts')).toBe(await read('domain/numbers/area-codes-data.ts'));
});

test('a search answers one page: fifty numbers, or as many as it asks for', async () => {
  const { numbers, raw } = await shop();
  expect(await numbers({ areaCode: 212 })).toHaveLength(50);
  expect(await numbers({ areaCode: 212, pageSize: 7 })).toHaveLength(7);
  expect(await numbers({ areaCode: 212, limit: 3 })).toHaveLength(3);
  const { body } = await raw('GET', `/api/2010-04-01/Accounts/AC${'a'.repeat(32)}/AvailablePhoneNumbers/US/Local.json`);
  expect(Object.keys(body)).toEqual(['available_phone_numbers', 'uri']);
});

test.each([
  ['an area code', { areaCode: 415 }, ['415']],
  ['an area code nobody knows', { areaCode: 999 }, []],
  ['an area code of the other country', { areaCode: 416 }, []],
  ['a region', { inRegion: 'NM' }, ['505']],
  ['a locality, in any case', { inLocality: 'san francisco' }, ['415']],
  ['a postal code', { inPostalCode: '94103' }, ['628']],
  ['the locality of a number', { inLocality: '+12125550100', contains: '+1917' }, ['917']],
  ['the region of a number', { inRegion: '+15055550100' }, ['505']],
  ['a rate center with its LATA', { inRateCenter: 'oakland', inLata: '722' }, ['510']],
  ['two that contradict each other', { inRegion: 'NY', areaCode: 415 }, []],
  ['all that every number can do', { areaCode: 415, smsEnabled: true, voiceEnabled: true, mmsEnabled: true }, ['415']],
  ['what needs no address', { areaCode: 415, excludeAllAddressRequired: true, beta: false }, ['415']],
  ['what cannot text', { areaCode: 415, smsEnabled: false }, []],
  ['what takes a fax', { areaCode: 415, faxEnabled: true }, []],
])('a search for %s', async (_what, filters, expected) => {
  const { areaCodes } = await shop();
  expect(await areaCodes(filters)).toEqual(expected);
});

test('Canada has its own', async () => {
  const { areaCodes, client, numbers } = await shop();
  expect(await areaCodes({ inPostalCode: 'm5h2n2' }, 'CA')).toEqual(['416']);
  expect(await areaCodes({ areaCode: 415 }, 'CA')).toEqual([]);
  const countries = await client().availablePhoneNumbers.list();
  expect(countries.map(({ countryCode, country }) => [countryCode, country])).toEqual([
    ['US', 'United States'],
    ['CA', 'Canada'],
  ]);
  expect((await client().availablePhoneNumbers('CA').fetch()).subresourceUris).toEqual({
    local: expect.stringMatching(/AvailablePhoneNumbers\/CA\/Local\.json$/),
  });
  expect(await rejection(client().availablePhoneNumbers('DK').fetch())).toMatchObject({ status: 404 });
  expect(await rejection(numbers({}, 'DK'))).toMatchObject({ status: 404 });
});

describe('Contains', () => {
  const SHELF = ['+14152220123', '+14157846323', '+14159990199', '+14157740000'];

  test.each([
    ['digits anywhere', '222', ['+14152220123']],
    ['nothing that begins in the middle', '+415', []],
    ['the beginning', '+14157', ['+14157846323', '+14157740000']],
    ['the end', '0199$', ['+14159990199']],
    ['letters as on the keys of a phone', 'QTIMeAd', ['+14157846323']],
    ['one character for each *', '415774****', ['+14157740000']],
    ['nothing where a character is missing', '0000*', []],
    ['* before', '***0123', ['+14152220123']],
    ['any characters for %', '%999%', ['+14159990199']],
    ['the whole number', '+14157740000', ['+14157740000']],
  ])('finds %s', async (_what, contains, expected) => {
    const { behave, numbers } = await shop();
    await behave({ inventory: { 415: SHELF } });
    expect(await numbers({ areaCode: 415, contains })).toEqual(expected);
  });

  test.each([
    ['too short', '4'],
    ['too long', '+1415222012345678'],
    ['a wildcard within', '415*222'],
    ['unlike meta-characters side by side', '*%415'],
    ['a wildcard and one digit', '*4*'],
    ['other characters', '(415)'],
  ])('refuses what is %s', async (_what, contains) => {
    const { numbers } = await shop();
    expect(await rejection(numbers({ contains }))).toMatchObject({ status: 400, code: 20001 });
  });
});

describe('Near', () => {
  test('a number finds the nearest first, within 25 miles unless it says otherwise', async () => {
    const { areaCodes, behave } = await shop();
    await behave({ inventory: BAY });
    const near = { ...BAY_FILTER, nearNumber: '+14155550100' };
    expect(await areaCodes({ ...near, distance: 5 })).toEqual(['415', '628']);
    expect(await areaCodes(near)).toEqual(['415', '628', '510', '650']);
    expect(await areaCodes({ ...near, distance: 50 })).toEqual(['415', '628', '510', '650', '408']);
  });

  test('a point finds what is around it', async () => {
    const { areaCodes } = await shop();
    expect(await areaCodes({ nearLatLong: '40.71,-74.01', distance: 2, pageSize: 1, contains: '+1212' })).toEqual([
      '212',
    ]);
    expect(await areaCodes({ nearLatLong: '0,0', distance: 500 })).toEqual([]);
  });

  test('a number of an area code nobody knows finds nothing', async () => {
    const { areaCodes } = await shop();
    expect(await areaCodes({ nearNumber: '+19995550100' })).toEqual([]);
  });

  test.each([
    ['a distance of more than 500 miles', { nearNumber: '+14155550100', distance: 501 }],
    ['what is no number', { nearNumber: '415' }],
    ['what is no point', { nearLatLong: 'here' }],
    ['a rate center without its LATA', { inRateCenter: 'OAKLAND' }],
  ])('refuses %s', async (_what, filters) => {
    const { numbers } = await shop();
    expect(await rejection(numbers(filters))).toMatchObject({ status: 400, code: 20001 });
  });
});
