/** The main job, end to end on real servers: created, sent, paused, resumed, rescheduled, cancelled. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';
import { eventually } from '../harness/eventually.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
});

const message = '{{organization.name}}: Hi {{contact.firstName}}, we are hiring. Reply STOP to opt out.';

async function create(organization: EnabledOrganization, given: Record<string, unknown>) {
  const created = await organization.client.post('/v1/mass-sms', { body: message, immediate: true, allowWeekends: true, ...given });
  expect(created.body).toMatchObject({ id: expect.stringMatching(/^mms_/) });
  expect(created.status).toBe(201);
  return created.body as { id: string; recipients: number };
}

describe('a mass SMS', () => {
  it('is sent to every recipient once and completes', async () => {
    const organization = await system.enabledOrganization();
    const contacts = await system.contacts(organization, 300, { consent: true, list: 'all' });
    const { id, recipients } = await create(organization, { list: 'all' });
    expect(recipients).toBe(300);
    await eventually(async () => {
      const { body } = await organization.client.get(`/v1/mass-sms/${id}`);
      expect(body).toMatchObject({ status: 'completed', sent: 300, remaining: 0, completePercent: 100 });
    });
    const sent = await system.twilio.messages({ from: organization.line.phoneNumber, limit: 1_000 });
    expect(sent.items.map((item) => item.to).toSorted()).toEqual(contacts.map((contact) => contact.mobile).toSorted());
    expect(sent.items[0]!.body).toMatch(/^Acme .*: Hi First\d+, we are hiring/);
    await eventually(async () => {
      const { body } = await organization.client.get(`/v1/mass-sms/${id}/recipients?status=delivered&limit=200`);
      expect(body.items).toHaveLength(200);
    });
  });
});
