/** F1: who is reached, who is not, and why, each match counted once. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { exclusionReasons } from '../../../db/schema.ts';
import { type Api, type Client, type Organization, startApi } from '../support.ts';

let api: Api;
let acme: Organization;
let client: Client;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await api.organization();
  client = acme.client;
  await api.database.system.deleteFrom('opt_outs').execute();
});

interface Person {
  name: string;
  mobile?: string | null;
  consent?: boolean;
  optOut?: 'platform' | 'organization' | 'line' | 'elsewhere';
  bounced?: boolean;
}

async function people(list: string, persons: Person[]): Promise<void> {
  const other = persons.some(({ optOut }) => optOut === 'elsewhere') ? await api.organization({ name: 'Other' }) : null;
  for (const { name, mobile = null, consent = true, optOut, bounced } of persons) {
    const made = await client.post('/v1/contacts', { firstName: name, mobile, lists: [list] });
    expect(made.status).toBe(201);
    if (consent) {
      await client.post(`/v1/contacts/${made.body.id}/consent`, {
        purpose: 'promotional',
        granted: true,
        method: 'test',
      });
    }
    const { system } = api.database;
    if (bounced)
      await system.updateTable('contacts').set({ phone_status: 'invalid' }).where('id', '=', made.body.id).execute();
    if (optOut) {
      const at = new Date();
      const scope = { platform: null, organization: acme.id, line: acme.id, elsewhere: other?.id ?? null }[optOut];
      await system
        .insertInto('opt_outs')
        .values({
          id: newId('optOut', at),
          organization_id: scope,
          phone_number: made.body.mobile,
          line: optOut === 'line' ? '+14155550100' : null,
          method: 'keyword',
          at,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
  }
}

const none = Object.fromEntries(exclusionReasons.map((reason) => [reason, 0]));
const count = async (body: object) => (await client.post('/v1/mass-sms/audience', body)).body;
const excluded = async (id: string, query = '') =>
  (await client.get(`/v1/mass-sms/audience/${id}/excluded?limit=200${query}`)).body.items;

test('each contact counts once, for the first reason in the documented order', async () => {
  await people('all', [
    { name: 'noPhone', consent: false },
    { name: 'invalid', mobile: '41555', consent: false },
    { name: 'bounced', mobile: '4155550109', bounced: true, optOut: 'platform' },
    { name: 'platform', mobile: '4155550101', optOut: 'platform', consent: false },
    { name: 'organization', mobile: '4155550102', optOut: 'organization' },
    { name: 'noConsent', mobile: '4155550103', consent: false },
    { name: 'first', mobile: '4155550104' },
    { name: 'second', mobile: '4155550104' },
    { name: 'line', mobile: '4155550105', optOut: 'line' },
    { name: 'elsewhere', mobile: '4155550106', optOut: 'elsewhere' },
    { name: 'last', mobile: '4155550107' },
  ]);
  const counted = await count({ list: 'all', limitToTop: 3 });
  expect(counted).toEqual({
    id: expect.stringMatching(/^adn_/),
    matches: 11,
    excluded: { noPhone: 1, invalid: 2, unsubscribed: 2, noConsent: 1, duplicate: 1, overLimit: 1 },
    recipients: 3,
  });
  const rows = await excluded(counted.id);
  expect(rows.map(({ firstName, reason }: Record<string, string>) => `${firstName} ${reason}`)).toEqual([
    'noPhone noPhone',
    'invalid invalid',
    'bounced invalid',
    'platform unsubscribed',
    'organization unsubscribed',
    'noConsent noConsent',
    'second duplicate',
    'last overLimit',
  ]);
  expect((await excluded(counted.id, '&reason=unsubscribed')).map(({ rank }: { rank: number }) => rank)).toEqual([
    4, 5,
  ]);
});

test('without a purpose it is that of the template it is to be made with, or promotional', async () => {
  const transactional = { purpose: 'transactional', granted: true, method: 'test' };
  const made = await client.post('/v1/contacts', { firstName: 'Ann', mobile: '4155550101', lists: ['all'] });
  await client.post(`/v1/contacts/${made.body.id}/consent`, transactional);
  const template = async (more: object) => {
    const given = { name: `T${JSON.stringify(more)}`, body: 'Hi', purpose: 'transactional', published: true, ...more };
    return (await client.post('/v1/templates', given)).body.id;
  };
  const templateId = await template({});
  expect(await count({ list: 'all' })).toMatchObject({ recipients: 0, excluded: { noConsent: 1 } });
  const counted = await count({ list: 'all', templateId });
  expect(counted).toMatchObject({ recipients: 1, excluded: none });
  // Kept with it: who is left out is told for the same purpose.
  expect(await excluded(counted.id)).toEqual([]);

  const refused = (body: object) => client.post('/v1/mass-sms/audience', { list: 'all', ...body });
  expect(await refused({ templateId, purpose: 'promotional' })).toMatchObject({
    status: 422,
    body: { reason: 'other_purpose' },
  });
  const draft = await template({ published: false });
  expect(await refused({ templateId: draft })).toMatchObject({
    status: 422,
    body: { reason: 'template_not_published' },
  });
});

test('a duplicate gives way only to a better-ranked contact that is eligible itself', async () => {
  await people('all', [
    { name: 'no consent', mobile: '4155550101', consent: false },
    { name: 'eligible', mobile: '4155550101' },
    { name: 'again', mobile: '4155550101' },
  ]);
  const { excluded: reasons, recipients } = await count({ list: 'all' });
  expect(reasons).toEqual({ ...none, noConsent: 1, duplicate: 1 });
  expect(recipients).toBe(1);
});

test('the limit is the smaller of limitToTop and the setting, and those left out come last in rank', async () => {
  await people(
    'all',
    Array.from({ length: 5 }, (_, n) => ({ name: `p${n}`, mobile: `415555010${n}` })),
  );
  await client.patch('/v1/settings', { massSmsLimit: 3 });
  expect(await count({ list: 'all', limitToTop: 4 })).toMatchObject({ recipients: 3, excluded: { overLimit: 2 } });
  const top = await count({ list: 'all', limitToTop: 2 });
  expect(top).toMatchObject({ matches: 5, recipients: 2, excluded: { overLimit: 3 } });
  expect((await excluded(top.id)).map(({ firstName }: Record<string, string>) => firstName)).toEqual([
    'p2',
    'p3',
    'p4',
  ]);
});

test('consent is that of the purpose', async () => {
  await people('all', [{ name: 'a', mobile: '4155550101' }]);
  expect(await count({ list: 'all', purpose: 'promotional' })).toMatchObject({ recipients: 1 });
  expect(await count({ list: 'all', purpose: 'transactional' })).toMatchObject({
    recipients: 0,
    excluded: { noConsent: 1 },
  });
});

test('a search matches what GET /contacts?q= finds', async () => {
  await people('all', [
    { name: 'Ada', mobile: '4155550101' },
    { name: 'Adam', mobile: '4155550102' },
    { name: 'Bob', mobile: '2125550103' },
  ]);
  for (const q of ['ada', '(415) 555', 'b', 'nobody']) {
    const found = (await client.get(`/v1/contacts?q=${encodeURIComponent(q)}`)).body.items.length;
    expect(await count({ query: q }), q).toMatchObject({ matches: found, recipients: found });
  }
});

test('a search is limited to its first matches, in the order that GET /contacts?q= has, and shows whom it leaves out', async () => {
  await people('nurses', [
    { name: 'Nurse one', mobile: '4155550101' },
    { name: 'Nurse two', mobile: '4155550102', consent: false },
    { name: 'Nurse three', mobile: '4155550103' },
    { name: 'Nurse four', mobile: '4155550104' },
    { name: 'Welder', mobile: '4155550105' },
  ]);
  const counted = await count({ query: 'nurse', limitToTop: 2 });
  expect(counted).toMatchObject({
    matches: 4,
    recipients: 2,
    excluded: { ...none, noConsent: 1, overLimit: 1 },
  });
  const listed = (await client.get('/v1/contacts?q=nurse')).body.items.map(({ id }: { id: string }) => id);
  const left = await excluded(counted.id);
  expect(left).toMatchObject([
    { contactId: listed[1], rank: 2, reason: 'noConsent', firstName: 'Nurse two' },
    { contactId: listed[3], rank: 4, reason: 'overLimit', firstName: 'Nurse four' },
  ]);
  expect(await excluded(counted.id, '&reason=overLimit')).toEqual([left[1]]);
});

test('the list of exclusions comes in pages', async () => {
  await people(
    'all',
    Array.from({ length: 5 }, (_, n) => ({ name: `p${n}` })),
  );
  const { id } = await count({ list: 'all' });
  const seen: string[] = [];
  let cursor = '';
  do {
    const { body } = await client.get(`/v1/mass-sms/audience/${id}/excluded?limit=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map(({ firstName }: { firstName: string }) => firstName));
    cursor = body.nextCursor ?? '';
  } while (cursor);
  expect(seen).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
});

describe('a definition', () => {
  test.each([[{}], [{ list: 'a', query: 'b' }], [{ list: 'a', limitToTop: 0 }], [{ list: 'a', purpose: 'spam' }]])(
    '%j is a 400',
    async (body) => {
      expect((await client.post('/v1/mass-sms/audience', body)).status).toBe(400);
    },
  );

  test('with an unknown list, or one of another organization, is refused', async () => {
    const other = await api.organization({ name: 'Other' });
    await other.client.post('/v1/contacts', { lists: ['theirs'] });
    for (const list of ['unknown', 'theirs']) {
      expect(await client.post('/v1/mass-sms/audience', { list })).toMatchObject({
        status: 422,
        body: { reason: 'unknown_list' },
      });
    }
  });

  test("another organization's audience is unknown", async () => {
    await people('all', [{ name: 'a' }]);
    const { id } = await count({ list: 'all' });
    const other = await api.organization({ name: 'Other' });
    expect((await other.client.get(`/v1/mass-sms/audience/${id}/excluded`)).status).toBe(404);
  });
});

test('agrees with the rules written out plainly, whatever the contacts', async () => {
  const person = fc.record({
    number: fc.constantFrom(null, 'bad', ...Array.from({ length: 6 }, (_, n) => `415555010${n}`)),
    consent: fc.boolean(),
  });
  const numbersOut = new Set(['4155550104', '4155550105']);
  const at = new Date();
  for (const [n, number] of [...numbersOut].entries()) {
    await api.database.system
      .insertInto('opt_outs')
      .values({ id: `opt_p${n}`, phone_number: `+1${number}`, organization_id: null, line: null, method: 'test', at })
      .execute();
  }
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(person, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      async (persons, limitToTop) => {
        run += 1;
        const list = `run ${run}`;
        const rows = persons.map(({ number, consent }, n) => ({
          id: newId('contact', at),
          organization_id: acme.id,
          first_name: `p${n}`,
          mobile: number === 'bad' ? '415' : number && `+1${number}`,
          phone_status:
            number === null ? ('missing' as const) : number === 'bad' ? ('invalid' as const) : ('valid' as const),
          consent_promotional: consent,
          created_at: at,
          updated_at: at,
        }));
        const listId = newId('list', at);
        const { system } = api.database;
        await system
          .insertInto('contact_lists')
          .values({ id: listId, organization_id: acme.id, name: list, created_at: at })
          .execute();
        await system.insertInto('contacts').values(rows).execute();
        await system
          .insertInto('contact_list_members')
          .values(rows.map(({ id }) => ({ organization_id: acme.id, list_id: listId, contact_id: id })))
          .execute();

        const expected: Record<string, number> = { ...none, recipients: 0 };
        const taken = new Set<string>();
        for (const { number, consent } of persons) {
          let verdict = 'recipients';
          if (number === null) verdict = 'noPhone';
          else if (number === 'bad') verdict = 'invalid';
          else if (numbersOut.has(number)) verdict = 'unsubscribed';
          else if (!consent) verdict = 'noConsent';
          else if (taken.has(number)) verdict = 'duplicate';
          else if (taken.size >= limitToTop) verdict = 'overLimit';
          // One over the limit is still the first of its number.
          if (verdict === 'recipients' || verdict === 'overLimit') taken.add(number!);
          expected[verdict]! += 1;
        }
        const { recipients, excluded: counts, matches } = await count({ list, limitToTop });
        expect({ ...counts, recipients }).toEqual(expected);
        expect(matches).toBe(persons.length);
      },
    ),
    { numRuns: 40 },
  );
});
