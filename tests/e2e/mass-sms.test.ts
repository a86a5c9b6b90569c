/** The main job, end to end on real servers: created, sent, paused, resumed, rescheduled, cancelled. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { massSmsWorkflowId } from '../../workflows/ids.ts';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
});
afterEach(async () => {
  await system.twilio.reset();
});

const message = '{{organization.name}}: Hi {{contact.firstName}}, we are hiring. Reply STOP to opt out.';

async function create(organization: EnabledOrganization, given: Record<string, unknown> = {}): Promise<string> {
  const created = await organization.client.post('/v1/mass-sms', {
    list: 'all',
    body: message,
    immediate: true,
    allowWeekends: true,
    ...given,
  });
  expect({ status: created.status, body: created.body }).toMatchObject({ status: 201, body: { status: 'scheduled' } });
  return created.body.id;
}

const read = async (organization: EnabledOrganization, id: string) =>
  (await organization.client.get(`/v1/mass-sms/${id}`)).body;

const until = (organization: EnabledOrganization, id: string, expected: Record<string, unknown>) =>
  eventually(async () => expect(await read(organization, id)).toMatchObject(expected), { withinMs: 60_000 });

/** What Twilio was given for one organization's line. */
const accepted = async (organization: EnabledOrganization): Promise<string[]> =>
  (await system.twilio.messages({ from: organization.line.phoneNumber, limit: 50_000 })).items.map((item) => item.to);

const numbers = (contacts: readonly { mobile: string }[]) => contacts.map((contact) => contact.mobile).toSorted();

describe('a mass SMS', () => {
  it('goes to every recipient once, with their own name in it, and its delivery is reported', async () => {
    const organization = await system.enabledOrganization();
    const contacts = await system.contacts(organization, 700, { consent: true, list: 'all' });
    const id = await create(organization);
    await until(organization, id, { status: 'completed', sent: 700, remaining: 0, completePercent: 100 });
    expect((await accepted(organization)).toSorted()).toEqual(numbers(contacts));
    const { items } = await system.twilio.messages({ to: contacts[41]!.mobile });
    expect(items[0]!.body).toMatch(/^Acme [\da-f]+: Hi First\d+, we are hiring/);
    await eventually(async () => {
      const tally = await organization.client.get(`/v1/mass-sms/${id}/recipients?status=delivered&limit=200`);
      expect(tally.body.items).toHaveLength(200);
    });
  });

  it('says how to opt out to those who have had nothing yet, and is refused where that leaves no room', async () => {
    const disclaimer = '{{organization.name}}: reply STOP to opt out.';
    const organization = await system.enabledOrganization({ name: 'Acme', settings: { disclaimer } });
    const [contact] = await system.contacts(organization, 1, { consent: true, list: 'all' });
    for (const body of ['We are hiring.', 'We are still hiring.']) {
      await until(organization, await create(organization, { body }), { status: 'completed', sent: 1 });
    }
    const { items } = await system.twilio.messages({ to: contact!.mobile });
    expect(items.map(({ body }) => body)).toEqual([
      'We are hiring. Acme: reply STOP to opt out.',
      'We are still hiring.',
    ]);
    const long = { list: 'all', body: 'x'.repeat(1_580), immediate: true };
    expect(await organization.client.post('/v1/mass-sms', long)).toMatchObject({
      status: 422,
      body: { reason: 'too_long', characters: 1_609, limit: 1_600, detail: expect.stringContaining('STOP') },
    });
  });

  it('stops within two seconds of a pause in mid-batch, and a resume sends exactly the rest', async () => {
    const organization = await system.enabledOrganization();
    const contacts = await system.contacts(organization, 4_000, { consent: true, list: 'all' });
    // Some 500 a second at most: a hundred at a time, a fifth of a second each.
    await system.twilio.behaviour({ latencyMs: 200 });
    const id = await create(organization);
    await eventually(async () => expect((await accepted(organization)).length).toBeGreaterThan(500), { everyMs: 20 });

    const askedAt = performance.now();
    const paused = await organization.client.post(`/v1/mass-sms/${id}/pause`);
    const answeredMs = performance.now() - askedAt;
    expect(paused).toMatchObject({ status: 200, body: { status: 'paused' } });
    await sleep(Math.max(0, 2_000 - answeredMs));
    const stoppedAt = (await accepted(organization)).length;
    expect(stoppedAt).toBeLessThan(4_000);
    await sleep(1_500);
    expect((await accepted(organization)).length).toBe(stoppedAt);
    expect(await read(organization, id)).toMatchObject({
      status: 'paused',
      sent: stoppedAt,
      remaining: 4_000 - stoppedAt,
    });

    const resumed = await organization.client.post(`/v1/mass-sms/${id}/resume`, {});
    expect(resumed).toMatchObject({ status: 200, body: { status: 'in_process' } });
    await until(organization, id, { status: 'completed', sent: 4_000 });
    expect((await accepted(organization)).toSorted()).toEqual(numbers(contacts));
  });

  it('sends nothing more once it is cancelled in mid-batch, and can then do nothing else', async () => {
    const organization = await system.enabledOrganization();
    await system.contacts(organization, 3_000, { consent: true, list: 'all' });
    await system.twilio.behaviour({ latencyMs: 200 });
    const id = await create(organization);
    await eventually(async () => expect((await accepted(organization)).length).toBeGreaterThan(300), { everyMs: 20 });
    const cancelled = await organization.client.post(`/v1/mass-sms/${id}/cancel`);
    expect(cancelled).toMatchObject({
      status: 200,
      body: { status: 'cancelled', remaining: 0, endAtIsEstimate: false },
    });
    const count = (await accepted(organization)).length;
    await sleep(1_500);
    expect((await accepted(organization)).length).toBe(count);
    expect(await read(organization, id)).toMatchObject({ sent: count });
    const resumed = await organization.client.post(`/v1/mass-sms/${id}/resume`, {});
    expect(resumed).toMatchObject({ status: 409, body: { type: '/problems/not-in-this-state', allowed: [] } });
  });

  it('starts the next batch when it is rescheduled to now instead of tomorrow', async () => {
    const organization = await system.enabledOrganization({ settings: { firstBatchSize: 100, dailyBatchSize: 150 } });
    const contacts = await system.contacts(organization, 250, { consent: true, list: 'all' });
    const id = await create(organization);
    // A batch has ended a moment after its last message was sent.
    await until(organization, id, {
      status: 'in_process',
      sent: 100,
      remaining: 150,
      batches: [
        { number: 1, size: 100, status: 'sent' },
        { number: 2, size: 150, status: 'scheduled' },
      ],
    });
    const before = await read(organization, id);
    expect(Date.parse(before.batches[1].startAt) - Date.now()).toBeGreaterThan(12 * 3_600_000);
    const moved = await organization.client.post(`/v1/mass-sms/${id}/reschedule`, {
      startAt: new Date().toISOString(),
    });
    expect(moved.status).toBe(200);
    await until(organization, id, { status: 'completed', sent: 250 });
    expect((await accepted(organization)).toSorted()).toEqual(numbers(contacts));
  });

  it('refuses a reschedule that leaves no allowed day, and can still be cancelled', async () => {
    const weekends = { startTime: '00:00', endTime: '00:00', timeZone: 'America/Chicago', days: ['sat', 'sun'] };
    const organization = await system.enabledOrganization({ settings: { sendWindow: weekends } });
    await system.contacts(organization, 3, { consent: true, list: 'all' });
    const startAt = new Date(Date.now() + 7 * 86_400_000).toISOString();
    const id = await create(organization, { immediate: false, startAt });
    const refused = await organization.client.post(`/v1/mass-sms/${id}/reschedule`, { allowWeekends: false });
    expect(refused).toMatchObject({ status: 422, body: { reason: 'window_never_opens' } });
    expect(await read(organization, id)).toMatchObject({ status: 'scheduled', allowWeekends: true });
    expect(await organization.client.post(`/v1/mass-sms/${id}/cancel`)).toMatchObject({ status: 200 });
  });

  it('obeys a STOP that arrives in mid-batch, and counts it as unsubscribed', async () => {
    // Slow enough for a STOP to arrive before the last of them is claimed.
    const organization = await system.enabledOrganization({ segmentsPerSecond: 100 });
    const contacts = await system.contacts(organization, 1_000, { consent: true, list: 'all' });
    const id = await create(organization);
    const [first] = await eventually(async () => {
      const sent = await accepted(organization);
      expect(sent.length).toBeGreaterThan(100);
      return sent;
    });
    const last = contacts.at(-1)!.mobile;
    for (const from of [first!, last]) {
      const answer = await system.twilio.inbound({
        from,
        to: organization.line.phoneNumber,
        body: 'Stop.',
        optOutType: 'STOP',
      });
      expect(answer).toMatchObject({ status: 200 });
    }
    await until(organization, id, { status: 'completed', sent: 999, remaining: 0, unsubscribedPercent: 0.1 });
    expect(await accepted(organization)).not.toContain(last);
    const { body } = await organization.client.get(`/v1/mass-sms/${id}/recipients?status=cancelled`);
    expect(body.items).toMatchObject([{ to: last, cancelReason: 'opted_out' }]);
  });

  it('reports undelivered messages with their codes, and does not match dead numbers again', async () => {
    // A quarter is not too much here: otherwise it would be suspended.
    const organization = await system.enabledOrganization({ settings: { dropRateLimit: 0.5 } });
    await system.contacts(organization, 400, { consent: true, list: 'all' });
    await system.twilio.behaviour({
      undeliveredRate: 0.25,
      errorCodes: [30005],
      callbacks: { duplicateRate: 0.5, shuffle: true },
    });
    const id = await create(organization);
    await eventually(async () => {
      const { items } = await system.twilio.messages({ limit: 1_000 });
      const undelivered = items.filter((item) => item.status === 'undelivered').length;
      expect(items.every((item) => ['delivered', 'undelivered'].includes(item.status))).toBe(true);
      expect(undelivered).toBeGreaterThan(50);
      const { body } = await organization.client.get(`/v1/mass-sms/${id}`);
      expect(body.undeliveredPercent).toBe(Math.round((undelivered / 400) * 1000) / 10);
      const again = await organization.client.post('/v1/mass-sms/audience', { list: 'all' });
      expect(again.body).toMatchObject({
        matches: 400,
        recipients: 400 - undelivered,
        excluded: { invalid: undelivered },
      });
    });
  });

  it('is sent once through a storm of refusals and server errors', async () => {
    const organization = await system.enabledOrganization();
    const contacts = await system.contacts(organization, 400, { consent: true, list: 'all' });
    await system.twilio.behaviour({ http429Rate: 0.3, http500Rate: 0.05 });
    const id = await create(organization);
    await eventually(
      async () => expect(await read(organization, id)).toMatchObject({ status: 'completed', sent: 400 }),
      { withinMs: 120_000 },
    );
    expect((await accepted(organization)).toSorted()).toEqual(numbers(contacts));
  }, 150_000);

  it('answers the first result again to a repeated Idempotency-Key, and sends once', async () => {
    const organization = await system.enabledOrganization();
    const contacts = await system.contacts(organization, 50, { consent: true, list: 'all' });
    const body = { list: 'all', body: message, immediate: true, allowWeekends: true };
    const headers = { 'idempotency-key': 'the-spring-campaign' };
    const [first, second] = await Promise.all([
      organization.client.post('/v1/mass-sms', body, headers),
      organization.client.post('/v1/mass-sms', body, headers),
    ]);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.body.id).toBe(second.body.id);
    await until(organization, first.body.id, { status: 'completed' });
    expect((await accepted(organization)).toSorted()).toEqual(numbers(contacts));
  });

  it('is done with once it is over: a command with an Idempotency-Key is refused, and starts nothing', async () => {
    const organization = await system.enabledOrganization();
    await system.contacts(organization, 3, { consent: true, list: 'all' });
    const id = await create(organization);
    await until(organization, id, { status: 'completed' });
    const workflow = system.temporal.workflow.getHandle(massSmsWorkflowId(id));
    const { runId } = await eventually(async () => {
      const described = await workflow.describe();
      expect(described.status.name).toBe('COMPLETED');
      return described;
    });
    for (const action of ['pause', 'resume', 'cancel']) {
      const headers = { 'idempotency-key': `${action}-at-last` };
      expect(await organization.client.post(`/v1/mass-sms/${id}/${action}`, {}, headers)).toMatchObject({
        status: 409,
        body: { type: '/problems/not-in-this-state', allowed: [] },
      });
    }
    expect((await workflow.describe()).runId).toBe(runId);
  });

  it('answers a cancel again whose answer was lost, and no other command', async () => {
    const organization = await system.enabledOrganization();
    await system.contacts(organization, 3, { consent: true, list: 'all' });
    const startAt = new Date(Date.now() + 3_600_000).toISOString();
    const id = await create(organization, { immediate: false, startAt });
    const cancel = (key: string) =>
      organization.client.post(`/v1/mass-sms/${id}/cancel`, undefined, { 'idempotency-key': key });
    expect(await cancel('the-first')).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    const workflow = system.temporal.workflow.getHandle(massSmsWorkflowId(id));
    await eventually(async () => expect((await workflow.describe()).status.name).toBe('COMPLETED'));
    // As if the API had died between the workflow's answer and its own.
    await system.db.deleteFrom('idempotency_keys').where('organization_id', '=', organization.id).execute();
    expect(await cancel('the-first')).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await cancel('another')).toMatchObject({ status: 409, body: { allowed: [] } });
  });
});
