/** Searching the numbers on sale (B1), against the simulator's. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Organization } from '../support.ts';
import { type ApiWithTwilio, startWithSimulator } from './support.ts';

let twin: ApiWithTwilio;
let acme: Organization;

beforeAll(async () => {
  twin = await startWithSimulator();
});
afterAll(() => twin.stop());
beforeEach(async () => {
  await twin.control.reset();
  acme = await twin.api.organization({ country: 'US' });
  await twin.account(acme);
});

interface Found {
  items: { phoneNumber: string; areaCode: string; locality: string; region: string; postalCode: string }[];
  suggestions: { reason: string; query: Record<string, string> }[];
}

const get = (query: Record<string, string>, { client } = acme) =>
  client.get(`/v1/numbers/available?${new URLSearchParams(query).toString()}`);

async function search(query: Record<string, string>, organization = acme): Promise<Found> {
  const { status, body } = await get(query, organization);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body;
}

const asked = async () => (await twin.control.requests({ operation: 'ListAvailablePhoneNumberLocal' })).total;

describe('a search', () => {
  test('by area code finds numbers there, with where they are', async () => {
    const { items, suggestions } = await search({ areaCode: '415', limit: '3' });
    expect(items).toHaveLength(3);
    for (const item of items) {
      expect(item).toEqual({
        phoneNumber: expect.stringMatching(/^\+1415\d{7}$/),
        areaCode: '415',
        locality: 'San Francisco',
        region: 'CA',
        postalCode: '94102',
      });
    }
    expect(suggestions).toEqual([]);
  });

  test.each([
    [{ region: 'tx' }, { region: 'TX' }],
    [{ postalCode: '94612' }, { areaCode: '510', postalCode: '94612' }],
    [{ postalCode: '94612-1234' }, { areaCode: '510' }],
    [{ areaCode: '512', region: 'TX', postalCode: '78701' }, { areaCode: '512' }],
    [
      { country: 'ca', areaCode: '416' },
      { areaCode: '416', region: 'ON' },
    ],
    [
      { country: 'CA', postalCode: 'm5h2n2' },
      { areaCode: '416', postalCode: 'M5H 2N2' },
    ],
    [{ country: 'CA', region: 'QC' }, { region: 'QC' }],
  ] as const)('%j', async (query, expected) => {
    const { items } = await search(query);
    expect(items).toHaveLength(20);
    for (const item of items) expect(item).toMatchObject(expected);
  });

  test('by pattern finds those that have it; letters are those of the keys', async () => {
    const [first] = (await search({ areaCode: '415', limit: '1' })).items;
    const pattern = first!.phoneNumber.slice(5, 9);
    const { items } = await search({ areaCode: '415', contains: `${pattern}*` });
    expect(items.map(({ phoneNumber }) => phoneNumber)).toContain(first!.phoneNumber);
    for (const { phoneNumber } of items) expect(phoneNumber.slice(2)).toContain(pattern);
    for (const { phoneNumber } of (await search({ contains: 'AB%' })).items) expect(phoneNumber).toContain('22');
  });

  test('without any criterion finds some, 20 unless told and at most 50', async () => {
    expect((await search({})).items).toHaveLength(20);
    expect((await search({ limit: '50' })).items).toHaveLength(50);
    expect(await get({ limit: '51' })).toMatchObject({ status: 400, body: { errors: [{ path: 'limit' }] } });
  });

  test('finds none that somebody else has bought', async () => {
    const [first] = (await search({ areaCode: '415', limit: '1' })).items;
    await twin.control.sell({ phoneNumber: first!.phoneNumber });
    const { items } = await search({ areaCode: '415' });
    expect(items.map(({ phoneNumber }) => phoneNumber)).not.toContain(first!.phoneNumber);
  });

  test("looks in the organization's country, or in that of what is asked for, or in the United States", async () => {
    const canadian = await twin.api.organization({ country: 'CA' });
    await twin.account(canadian);
    expect((await search({}, canadian)).items[0]!.region).toBe('MB');
    const nowhere = await twin.api.organization();
    await twin.account(nowhere);
    expect((await search({ areaCode: '416' }, nowhere)).items[0]!.region).toBe('ON');
    expect((await search({ postalCode: 'M5H 2N2' }, nowhere)).items[0]!.region).toBe('ON');
    expect((await search({}, nowhere)).items[0]!.region).toBe('NJ');
    const british = await twin.api.organization({ country: 'GB' });
    await twin.account(british);
    expect(await get({ areaCode: '415' }, british)).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'country', message: expect.stringContaining('the organization is in GB') }] },
    });
    expect((await search({ country: 'US' }, british)).items).toHaveLength(20);
  });
});

describe('what makes no sense is a 400 that says why, and Twilio is not asked', () => {
  test.each([
    [{ areaCode: '41' }, 'areaCode', 'three digits'],
    [{ areaCode: '800' }, 'areaCode', 'belongs to no place'],
    [{ areaCode: '876' }, 'areaCode', 'belongs to no place'],
    [{ areaCode: '232' }, 'areaCode', 'is not in use'],
    [{ areaCode: '416' }, 'areaCode', 'add country=CA'],
    [{ areaCode: '787' }, 'areaCode', 'territory (PR)'],
    [{ region: 'Texas' }, 'region', 'two letters'],
    [{ region: 'XX' }, 'region', 'must be a state or province'],
    [{ region: 'ON' }, 'region', 'add country=CA'],
    [{ postalCode: '9410' }, 'postalCode', 'must be a ZIP code'],
    [{ postalCode: 'M5H 2N2' }, 'postalCode', 'add country=CA'],
    [{ country: 'CA', postalCode: '94102' }, 'postalCode', 'add country=US'],
    [{ country: 'GB' }, 'country', 'must be US or CA'],
    [{ country: 'constructor' }, 'country', 'must be US or CA'],
    [{ contains: '5' }, 'contains', 'at least 2'],
    [{ contains: '5'.repeat(17) }, 'contains', 'at most 16'],
    [{ contains: '555-1' }, 'contains', 'digits, letters'],
    [{ contains: '**%' }, 'contains', 'at least one digit or letter'],
    [{ postalCode: '00901' }, 'postalCode', 'territory (PR)'],
    [{ areaCode: '415', region: 'TX' }, 'region', 'area code 415 is not in the region TX'],
    [{ region: 'TX', postalCode: '94102' }, 'postalCode', 'the postal code 94102 is not in the region TX'],
    [{ areaCode: '212', postalCode: '94102' }, 'postalCode', 'which area code 212 does not serve'],
    // A criterion that is misspelt would otherwise find numbers anywhere.
    [{ areacode: '415' }, 'areacode', 'is not a field of this request'],
    [{ limit: '0' }, 'limit', ''],
  ] as [Record<string, string>, string, string][])('%j', async (query, path, message) => {
    const { status, body } = await get(query);
    expect({ status, ...body }).toMatchObject({
      status: 400,
      errors: [{ path, message: expect.stringContaining(message) }],
    });
    expect(await asked()).toBe(0);
  });

  test('all of it at once', async () => {
    const { body } = await get({ areaCode: '800', region: 'XX', postalCode: 'x' });
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(['areaCode', 'region', 'postalCode']);
  });
});

describe('when nothing is found', () => {
  test('nearby area codes are suggested that have numbers, and the whole state', async () => {
    // 341 is nearer than 650, but the simulator has nothing there.
    await twin.control.behaviour({ inventory: { '415': 0 } });
    const { items, suggestions } = await search({ areaCode: '415' });
    expect(items).toEqual([]);
    expect(suggestions).toEqual([
      { reason: 'Area code 628 serves the same place.', query: { country: 'US', areaCode: '628' } },
      { reason: 'Area code 341 is 8 miles away.', query: { country: 'US', areaCode: '341' } },
      { reason: 'Area code 510 is 8 miles away.', query: { country: 'US', areaCode: '510' } },
      { reason: 'Area code 650 is 22 miles away.', query: { country: 'US', areaCode: '650' } },
      { reason: 'Area code 925 is 23 miles away.', query: { country: 'US', areaCode: '925' } },
      {
        reason: 'Leave the area code out: there are numbers in the region CA.',
        query: { country: 'US', region: 'CA' },
      },
    ]);
    for (const { query } of suggestions) expect((await search(query)).items).not.toEqual([]);
  });

  test('one search and at most six more are made at Twilio', async () => {
    await twin.control.behaviour({ inventory: { '415': 0 } });
    await search({ areaCode: '415', region: 'CA', postalCode: '94102', contains: '55' });
    expect(await asked()).toBe(7);
    const { items } = await twin.control.requests({ operation: 'ListAvailablePhoneNumberLocal' });
    expect(items.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 200));
  });

  test('a nearby area code that is dry too is not suggested', async () => {
    await twin.control.behaviour({ inventory: { '415': 0, '628': 0, '510': 0 } });
    const { suggestions } = await search({ areaCode: '415' });
    expect(suggestions.map(({ query }) => query['areaCode'])).toEqual(['341', '650', '925', undefined]);
  });

  test.each([
    [{ postalCode: '94103-0001' }, { region: 'CA' }, 'CA'],
    [{ country: 'CA', postalCode: 'M5V 1A1' }, { country: 'CA', region: 'ON' }, 'ON'],
  ])('with the postal code %j, to leave it out for the region around it', async (query, around, region) => {
    await twin.control.behaviour({ inventory: { '628': 0 } });
    const { suggestions } = await search(query);
    expect(suggestions).toEqual([
      {
        reason: `Leave the postal code out: there are numbers in the region ${region}.`,
        query: { country: 'US', ...around },
      },
    ]);
  });

  test('with the postal code of a place we cannot tell, to leave it out', async () => {
    expect((await search({ postalCode: '09001' })).suggestions).toEqual([
      { reason: 'Leave the postal code out: there are numbers in the United States.', query: { country: 'US' } },
    ]);
  });

  test('with a pattern that nothing has, to leave it out', async () => {
    const { suggestions } = await search({ areaCode: '907', contains: '999999999' });
    expect(suggestions).toEqual([
      {
        reason: 'Leave the pattern out: there are numbers in area code 907.',
        query: { country: 'US', areaCode: '907' },
      },
    ]);
  });

  test('and nothing else finds anything either, there is still something to try, and it says that it was not checked', async () => {
    await twin.control.behaviour({ inventory: { '907': 0 } });
    expect((await search({ areaCode: '907', contains: '55' })).suggestions).toEqual([
      {
        reason: 'Leave the area code and the pattern out. Whether that finds numbers was not checked.',
        query: { country: 'US' },
      },
    ]);
  });
});

describe('it is refused', () => {
  test('without a Twilio account: 409, with how to get one', async () => {
    const other = await twin.api.organization({ name: 'Other' });
    expect(await get({ areaCode: '415' }, other)).toMatchObject({
      status: 409,
      body: {
        type: '/problems/no-account',
        allowed: [],
        detail: expect.stringMatching(/registration\/submit.*module\/credentials/),
      },
    });
  });

  test('without numbers:manage: 403', async () => {
    const client = twin.api.client(await twin.api.key(acme.id, { permissions: ['messages:send'] }));
    expect(await get({}, { ...acme, client })).toMatchObject({
      status: 403,
      body: { permission: 'numbers:manage' },
    });
  });

  test('by Twilio: 422 with its code', async () => {
    // Twilio wants two characters beside the wildcards.
    const { status, body } = await get({ contains: '*1*' });
    expect({ status, ...body }).toMatchObject({ status: 422, reason: 'refused_by_twilio', code: 20001 });
    expect(body.detail).toContain('20001');
  });

  test('with a token that is not that of the account any more: 422', async () => {
    await twin.api.database.system
      .updateTable('organizations')
      .set({ auth_token: (await tokenOf(await twin.api.organization({ name: 'Spare' })))! })
      .where('id', '=', acme.id)
      .execute();
    expect(await get({})).toMatchObject({ status: 422, body: { reason: 'wrong_credentials' } });
  });

  test.each([{ http429Rate: 1 }, { http500Rate: 1 }])('while Twilio is away, %j: 503', async (behaviour) => {
    await twin.control.behaviour(behaviour);
    const { status, headers, body } = await get({ areaCode: '415' });
    expect({ status, detail: body.detail }).toEqual({ status: 503, detail: expect.stringContaining('Twilio') });
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
  });
});

/** The encrypted token of an organization that was given an account. */
async function tokenOf(organization: Organization): Promise<string | null> {
  await twin.account(organization);
  const { auth_token: token } = await twin.api.database.system
    .selectFrom('organizations')
    .select('auth_token')
    .where('id', '=', organization.id)
    .executeTakeFirstOrThrow();
  return token;
}
