/** The module is not enabled yet: what is said to who sends all the same. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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
});

const setDetails = () =>
  api.operator.patch(`/v1/organizations/${acme.id}`, { country: 'US', region: 'TX', organizationNumber: '12-345' });

describe('sending before it is enabled is a 409 that says what is left to do, by which route', () => {
  const change = (set: object) =>
    api.database.system.updateTable('organizations').set(set).where('id', '=', acme.id).execute();
  async function refusal(): Promise<{ detail: string; allowed: string[] }> {
    const { body: user } = await client.post('/v1/users', { name: 'Ada', email: 'ada@acme.example' });
    const { body: contact } = await client.post('/v1/contacts', { mobile: '+14155550100' });
    const message = { contactId: contact.id, body: 'Hello' };
    const { status, body } = await client.post('/v1/messages', message, { 'longwave-user': user.id });
    expect({ status, type: body.type }).toEqual({ status: 409, type: '/problems/not-enabled' });
    return body;
  }

  test('of an organization that has nothing yet', async () => {
    const { detail, allowed } = await refusal();
    expect(detail).toContain(`country, region, organizationNumber with PATCH /v1/organizations/${acme.id}`);
    for (const route of ['POST /v1/module/enable', 'POST /v1/registration/submit', 'PUT /v1/module/credentials']) {
      expect(detail).toContain(route);
    }
    expect(allowed).toEqual(['POST /v1/registration/submit', 'PUT /v1/module/credentials']);
  });

  test('of one whose module is off while all else is there', async () => {
    await setDetails();
    await change({ account_sid: `AC${acme.id}`, auth_token: 'x', messaging_service_sid: 'MG1' });
    const { detail, allowed } = await refusal();
    expect(detail).toBe(
      'The SMS module is disabled: nothing can be sent yet. Left to do: switch the module on with POST /v1/module/enable.',
    );
    expect(allowed).toEqual(['POST /v1/module/enable']);
  });

  test('of one whose registration is under way', async () => {
    await setDetails();
    await client.post('/v1/module/enable');
    await client.put('/v1/registration/intake', { website: 'https://acme.example' });
    await api.database.system
      .updateTable('registrations')
      .set({ state: 'submitted' })
      .where('organization_id', '=', acme.id)
      .execute();
    const { detail, allowed } = await refusal();
    expect(detail).toContain('GET /v1/registration');
    expect(detail).not.toMatch(/POST|PUT/);
    expect(allowed).toEqual([]);
  });
});
