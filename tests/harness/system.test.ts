/** What tests rely on: the harness does what it says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isoDuration } from './duration.ts';
import { type EnabledOrganization, startSystem, type System } from './system.ts';

let system: System;
let acme: EnabledOrganization;

beforeAll(async () => {
  system = await startSystem({ timeSkipping: true });
  // A month ahead of the machine: what is written with the wrong clock shows.
  await system.advance('30 days');
  acme = await system.enabledOrganization();
});
afterAll(() => system.stop());

const inOrganization = (id: string) => ({ 'longwave-organization': id });

describe('an enabled organization', () => {
  it('is registered, here and at the simulator', async () => {
    const { body } = await acme.client.get('/v1/registration');
    expect(body).toMatchObject({
      state: 'completed',
      brand: { status: 'verified', indicator: 'green' },
      campaign: { status: 'verified', indicator: 'green' },
      messagingService: { status: 'registered', indicator: 'green' },
      nextStep: { from: 'nobody' },
      allowed: [],
    });
    const { account_sid: accountSid, messaging_service_sid: messagingServiceSid } = await system.db
      .selectFrom('organizations')
      .selectAll()
      .where('id', '=', acme.id)
      .executeTakeFirstOrThrow();
    const { brands, campaigns, customerProfiles, numbers } = await system.twilio.state();
    const own = <T extends { accountSid: string }>(all: T[]) => all.filter((one) => one.accountSid === accountSid);
    expect(own(brands)).toMatchObject([{ status: 'APPROVED', identityStatus: 'VERIFIED' }]);
    expect(own(campaigns)).toMatchObject([{ status: 'VERIFIED', messagingServiceSid }]);
    expect(own(customerProfiles)).toMatchObject([{ status: 'twilio-approved' }]);
    expect(own(numbers)).toMatchObject([{ phoneNumber: acme.line.phoneNumber, messagingServiceSid }]);
  });

  it("has its line since now by the product's clock, and nobody was notified of anything", async () => {
    const { items } = (await acme.client.get('/v1/numbers')).body;
    expect(items).toMatchObject([{ id: acme.line.id, registered: true, userIds: [acme.user.id] }]);
    expect(Math.abs(Date.parse(items[0].purchasedAt) - (await system.now()))).toBeLessThan(3_600_000);
    const user = system.client(acme.key, { user: acme.user.id });
    expect((await user.get('/v1/notifications')).body.items).toEqual([]);
  });

  it('is as the overrides say; what the API does not take is refused', async () => {
    const given = {
      name: 'Northern Staffing',
      country: 'CA',
      region: 'ON',
      organizationNumber: '7',
      timeZone: 'America/Toronto',
    };
    const other = await system.enabledOrganization({ ...given, settings: { massSmsLimit: 77 } });
    expect((await system.operator.get(`/v1/organizations/${other.id}`)).body).toMatchObject(given);
    expect((await other.client.get('/v1/settings')).body).toMatchObject({
      massSmsLimit: 77,
      sendWindow: { startTime: '00:00', endTime: '00:00', timeZone: 'America/Toronto' },
    });
    const misspelt: Record<string, unknown> = { organisationNumber: '7' };
    await expect(system.enabledOrganization(misspelt)).rejects.toThrow('organisationNumber');
  });

  it('gets its line although the simulator has nothing on sale', async () => {
    await system.twilio.behaviour({ inventory: { 312: 0 } });
    try {
      expect((await system.enabledOrganization()).line.phoneNumber).toMatch(/^\+1312/);
    } finally {
      await system.twilio.behaviour({ inventory: {} });
    }
  });
});

describe('the client', () => {
  it('takes a path, a body and headers with every method', async () => {
    const { operator } = system;
    expect((await operator.get('/v1/settings')).status).toBe(400);
    expect((await operator.get('/v1/settings', undefined, inOrganization(acme.id))).status).toBe(200);
    const contact = await acme.client.post('/v1/contacts', { firstName: 'Ada' });
    const path = `/v1/contacts/${contact.body.id}`;
    expect((await operator.delete(path)).status).toBe(400);
    expect((await operator.delete(path, undefined, inOrganization(acme.id))).status).toBe(204);
  });
});

describe('webhooks', () => {
  it('may go to a receiver of the test', async () => {
    const endpoint = { url: 'http://127.0.0.1:4000/longwave', events: ['message.received'] };
    expect(await acme.client.post('/v1/webhook-endpoints', endpoint)).toMatchObject({ status: 201, body: endpoint });
  });
});

describe('contacts', () => {
  it('are distinct, valid and have consented, unless they have not', async () => {
    const contacts = await system.contacts(acme, 20, { list: 'some' });
    expect(new Set(contacts.map(({ mobile }) => mobile)).size).toBe(20);
    const { items } = (await acme.client.get('/v1/contacts?list=some&limit=200')).body;
    expect(items).toHaveLength(20);
    for (const contact of items)
      expect(contact).toMatchObject({ phoneStatus: 'valid', consent: { transactional: true, promotional: true } });
    const [without] = await system.contacts(acme, 1, { consent: false });
    const { body } = await acme.client.get(`/v1/contacts/${without!.id}`);
    expect(body.consent).toEqual({ transactional: false, promotional: false });
  });
});

describe('the clock', () => {
  it('is moved by all of a duration, however it is written', async () => {
    for (const [duration, hours] of [
      ['1 day 2 hours', 26],
      ['P1DT3H', 27],
    ] as const) {
      const before = await system.now();
      await system.advance(duration);
      const moved = (await system.now()) - before - hours * 3_600_000;
      expect(moved).toBeGreaterThanOrEqual(0);
      // The clock goes on while the test waits.
      expect(moved).toBeLessThan(1_800_000);
    }
  });

  it.each([
    ['7 days', 'P7D'],
    ['90 minutes', 'PT90M'],
    ['1 day, 2 hours and 3 minutes', 'P1DT2H3M'],
    ['1.5 hours', 'PT1.5H'],
    ['P7D', 'P7D'],
  ])('knows %s', (text, iso) => {
    expect(isoDuration(text)).toBe(iso);
  });

  it.each(['', '7', 'days', '7 fortnights', '1 day 2', 'a week', '-1 day', 'P7', '7 days!'])('refuses %o', (text) => {
    expect(() => isoDuration(text)).toThrow('is no duration');
  });
});
