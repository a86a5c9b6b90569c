/** A mass SMS of which too much is dropped (F6), on real servers: Twilio's own reports suspend it while it is being sent. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { massSmsActions } from '../../../domain/mass-sms/mass-sms.ts';
import { massSmsWorkflowId } from '../../../workflows/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import { startSystem, type System } from '../../harness/system.ts';
import { keepHistory } from '../../replay/record.ts';
import { accepted, command, create, read, until } from '../support.ts';

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

const recipients = 1_000;

/** One that is being sent, 60 messages a second, of which Twilio reports this share as dropped. */
async function underWay(undeliveredRate: number, errorCodes: number[]) {
  const organization = await system.enabledOrganization({ segmentsPerSecond: 60 });
  const contacts = await system.contacts(organization, recipients, { consent: true, list: 'all' });
  await system.twilio.behaviour({ undeliveredRate, errorCodes });
  const id = await create(organization, { immediate: true, allowWeekends: true });
  return { organization, contacts, id };
}

it('is suspended within the first few hundred messages, says why, and is released by somebody who has read it', async () => {
  const { organization, contacts, id } = await underWay(0.3, [...Array<number>(8).fill(30_007), 30_005]);
  await until(organization, id, { status: 'suspended' });
  // What was under way is written, and what was claimed is given back.
  const stopped = await eventually(async () => {
    const suspended = await read(organization, id);
    expect((await accepted(system, organization)).length).toBe(suspended.sent);
    expect(suspended.sent + suspended.remaining).toBe(recipients);
    return suspended;
  });
  expect(stopped.sent).toBeLessThan(700);
  expect(stopped.cause).toMatchObject({
    code: 'drop_rate',
    detail: expect.stringMatching(
      /messages \([\d.]+ %\) were stopped by carriers' filters\. Most often \(\d+\): 30007\./,
    ),
    drops: { carriers: [] },
  });
  // Of some 30 drops, one in nine of the second code: there is mostly one, and not always.
  const codes = stopped.cause.drops.codes as { code: number; counted: boolean }[];
  expect(codes[0]).toMatchObject({ code: 30_007 });
  expect(codes.every(({ code, counted }) => counted && [30_007, 30_005].includes(code))).toBe(true);
  expect(stopped.cause.drops.dropped).toBeGreaterThan(5);

  for (const action of massSmsActions.filter((one) => one === 'pause' || one === 'reschedule')) {
    expect(await command(organization, id, action)).toMatchObject({
      status: 409,
      body: { allowed: ['resume', 'cancel'] },
    });
  }
  expect(await command(organization, id, 'resume')).toMatchObject({
    status: 409,
    body: { type: '/problems/acknowledgement-required', allowed: ['resume', 'cancel'] },
  });
  expect(await read(organization, id)).toMatchObject({ status: 'suspended', sent: stopped.sent });

  await system.twilio.behaviour({ undeliveredRate: 0.01 });
  const released = await command(organization, id, 'resume', { acknowledge: true });
  expect(released).toMatchObject({ status: 200, body: { status: 'in_process' } });
  expect(released.body.cause).toBeUndefined();
  // What was dropped before the release does not count any more.
  await until(organization, id, { status: 'completed', sent: recipients, remaining: 0 });
  const to = (await accepted(system, organization)).map((message) => message.to);
  expect(to.toSorted()).toEqual(contacts.map((contact) => contact.mobile).toSorted());
  const { body: log } = await organization.client.get('/v1/audit-log');
  const entries = log.items.filter((entry: { subject: string }) => entry.subject === id);
  expect(entries.map((entry: { action: string }) => entry.action)).toEqual([
    'mass_sms.resume',
    'mass_sms.suspend',
    expect.stringMatching(/^mass_sms\./),
  ]);
  expect(entries[0]).toMatchObject({ detail: { acknowledge: true } });
  await keepHistory(system.temporal, massSmsWorkflowId(id), 'massSms.suspendedReleased');
}, 120_000);

it('can be cancelled for good', async () => {
  const { organization, id } = await underWay(0.4, [30_003]);
  await until(organization, id, {
    status: 'suspended',
    cause: { detail: expect.stringContaining('were not delivered') },
  });
  const cancelled = await command(organization, id, 'cancel');
  expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelled', remaining: 0 } });
  expect(cancelled.body.completePercent).toBe(Math.round((cancelled.body.sent / recipients) * 1_000) / 10);
  expect(await command(organization, id, 'resume', { acknowledge: true })).toMatchObject({ status: 409 });
}, 120_000);

it('is sent to its end at a usual drop rate', async () => {
  const { organization, id } = await underWay(0.03, [30_003, 30_005, 30_006, 30_008]);
  await until(organization, id, { status: 'completed', sent: recipients });
  expect((await read(organization, id)).cause).toBeUndefined();
}, 120_000);

it('is suspended at a lower rate where the organization has set a lower limit', async () => {
  const organization = await system.enabledOrganization({ segmentsPerSecond: 60, settings: { dropRateLimit: 0.02 } });
  await system.contacts(organization, recipients, { consent: true, list: 'all' });
  await system.twilio.behaviour({ undeliveredRate: 0.09, errorCodes: [30_003] });
  const id = await create(organization, { immediate: true, allowWeekends: true });
  await until(organization, id, { status: 'suspended' });
  expect((await read(organization, id)).sent).toBeLessThan(recipients);
}, 120_000);
