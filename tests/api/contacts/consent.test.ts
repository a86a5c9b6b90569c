/** Consent of a contact: its flag, its ledger, and the export of all of it. */
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Api, type Client, startApi } from '../support.ts';

let api: Api;
let client: Client;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  ({ client } = await api.organization());
});

const contact = async (fields: object = {}) => (await client.post('/v1/contacts', fields)).body;

describe('consent', () => {
  test('sets the flag of its purpose and is written down with who, how and for which number', async () => {
    const made = await contact({ mobile: '4155550123' });
    const path = `/v1/contacts/${made.id}/consent`;
    const given = await client.post(path, {
      purpose: 'promotional',
      granted: true,
      method: 'web_form',
      evidence: 'form 7',
    });
    expect(given).toMatchObject({
      status: 201,
      body: {
        contactId: made.id,
        phoneNumber: '+14155550123',
        purpose: 'promotional',
        granted: true,
        method: 'web_form',
        evidence: 'form 7',
        actor: expect.stringMatching(/^organization:key_/),
      },
    });
    expect((await client.get(`/v1/contacts/${made.id}`)).body.consent).toEqual({
      transactional: false,
      promotional: true,
    });
    await client.post(path, { purpose: 'promotional', granted: false, method: 'verbal' });
    expect((await client.get(`/v1/contacts/${made.id}`)).body.consent.promotional).toBe(false);
    const ledger = (await client.get(path)).body.items;
    expect(ledger.map(({ granted }: { granted: boolean }) => granted)).toEqual([true, false]);
  });

  test('is for a number: with another one, or none, both flags fall, and the ledger says so', async () => {
    const made = await contact({ mobile: '4155550123' });
    const path = `/v1/contacts/${made.id}`;
    const give = (purpose: string) => client.post(`${path}/consent`, { purpose, granted: true, method: 'web_form' });
    for (const purpose of ['transactional', 'promotional']) await give(purpose);
    const same = await client.patch(path, { mobile: '+1 (415) 555-0123', firstName: 'Ada' });
    expect(same.body.consent).toEqual({ transactional: true, promotional: true });
    const changed = await client.patch(path, { mobile: '4155550124' });
    expect(changed).toMatchObject({
      status: 200,
      body: { mobile: '+14155550124', consent: { transactional: false, promotional: false } },
    });
    const ledger = async () => (await client.get(`${path}/consent`)).body.items.slice(2);
    const fell = {
      granted: false,
      method: 'number_changed',
      phoneNumber: '+14155550123',
      evidence: 'The number was changed from +14155550123 to +14155550124.',
      actor: expect.stringMatching(/^organization:key_/),
    };
    expect(await ledger()).toMatchObject([
      { ...fell, purpose: 'transactional' },
      { ...fell, purpose: 'promotional' },
    ]);
    await give('promotional');
    expect((await client.patch(path, { mobile: null })).body.consent.promotional).toBe(false);
    expect((await ledger()).slice(3)).toMatchObject([
      { purpose: 'promotional', granted: false, phoneNumber: '+14155550124', method: 'number_changed' },
    ]);
  });

  test('keeps from which number or page it came, by the API and by import, in the ledger and in the export', async () => {
    const page = 'https://acme.example/apply';
    const made = await contact({ mobile: '4155550123' });
    const path = `/v1/contacts/${made.id}/consent`;
    const fact = { purpose: 'promotional', granted: true, method: 'web_form' };
    expect((await client.post(path, { ...fact, source: page })).body).toMatchObject({ source: page });
    expect((await client.post(path, fact)).body).toMatchObject({ source: null });
    expect((await client.post(path, { ...fact, source: ' ' })).body).toMatchObject({ errors: [{ path: 'source' }] });
    const file = 'mobile,consent,consentSource\n4155550123,transactional,+13125550100\n4155550123,transactional,';
    const { body: result } = await client.post('/v1/contacts/import', file, { 'content-type': 'text/csv' });
    expect(result).toMatchObject({ updated: 2, rejectedCount: 0 });
    const sources = [page, null, '+13125550100', null];
    const ledger = (await client.get(path)).body.items;
    expect(ledger.map(({ source }: { source: string | null }) => source)).toEqual(sources);
    const exported = parse((await client.get('/v1/consent/export')).body, { columns: true }) as { source: string }[];
    expect(exported.map(({ source }) => source)).toEqual(sources.map((source) => source ?? ''));
    expect((await client.get(`/v1/contacts/${made.id}`)).body.attributes).toEqual({});
  });

  test('of an unknown contact is a 404, without a purpose a 400', async () => {
    const fact = { purpose: 'promotional', granted: true, method: 'x' };
    expect((await client.post('/v1/contacts/con_1/consent', fact)).status).toBe(404);
    expect((await client.get('/v1/contacts/con_1/consent')).status).toBe(404);
    expect((await client.post('/v1/contacts/con_1/consent', { granted: true, method: 'x' })).status).toBe(400);
  });

  test('is exported as CSV, all of it, quoted where it must be', async () => {
    const made = await contact({ mobile: '4155550123' });
    const evidence = 'said "yes",\nin writing';
    await client.post(`/v1/contacts/${made.id}/consent`, {
      purpose: 'promotional',
      granted: true,
      method: 'paper',
      evidence,
    });
    const numbers = Array.from({ length: 1_200 }, (_, n) => `415556${String(n).padStart(4, '0')},both`);
    await client.post('/v1/contacts/import', `mobile,consent\n${numbers.join('\n')}`, { 'content-type': 'text/csv' });
    const other = await api.organization({ name: 'Other' });
    await other.client.post('/v1/contacts/import', 'mobile,consent\n2125550100,both', { 'content-type': 'text/csv' });
    const { status, headers, body } = await client.get('/v1/consent/export');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/csv');
    const rows = parse(body, { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(2_401);
    expect(rows[0]).toMatchObject({ contactId: made.id, phoneNumber: '+14155550123', granted: 'true', evidence });
    expect(new Set(rows.map(({ id }) => id)).size).toBe(2_401);
    expect(body).not.toContain('+1212555');
  });
});
