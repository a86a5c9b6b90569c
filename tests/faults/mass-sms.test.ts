/**
 * A batch of 5,000 while everything it depends on is killed, and Twilio cuts two of a hundred answers off after having
 * accepted the message. The simulator's own list is the judge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Component } from '../../launcher/stack.ts';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';

const recipients = 5_000;

let system: System;
let organization: EnabledOrganization;
let mobiles: string[];

beforeAll(async () => {
  system = await startSystem({ own: ['postgres', 'temporal'] });
  // Some 250 a second: the batch takes long enough to be hit four times.
  organization = await system.enabledOrganization({ segmentsPerSecond: 250 });
  mobiles = (await system.contacts(organization, recipients, { consent: true, list: 'all' })).map((one) => one.mobile);
  await system.twilio.behaviour({
    dropResponseRate: 0.02,
    latencyMs: 20,
    callbacks: { duplicateRate: 0.1, shuffle: true },
  });
});
afterAll(async () => {
  await system?.stop();
});

const accepted = async () => (await system.twilio.messages({ limit: 1 })).total;

/** Kills the part once so many messages are with Twilio, leaves it dead for a moment, and brings it back. */
async function killAt(part: Component, count: number): Promise<void> {
  await eventually(async () => expect(await accepted()).toBeGreaterThan(count), { withinMs: 120_000, everyMs: 20 });
  expect(await accepted()).toBeLessThan(recipients);
  await system.crash(part);
  await sleep(1_500);
  await system.start(part);
  // A worker gives up when Temporal stays away; under `npm start` the launcher brings it back, here the test does.
  if (system.stack.pid('worker') === undefined) await system.start('worker');
  if (system.stack.pid('api') === undefined) await system.start('api');
}

it('every recipient gets the message exactly once although worker, API, Temporal and Postgres are killed in mid-batch', async () => {
  const created = await organization.client.post('/v1/mass-sms', {
    list: 'all',
    body: 'Acme: we are hiring. Reply STOP to opt out.',
    immediate: true,
    allowWeekends: true,
  });
  expect(created.status).toBe(201);

  await killAt('worker', 500);
  await killAt('api', 1_400);
  await killAt('temporal', 2_300);
  await killAt('postgres', 3_200);

  await eventually(
    async () => {
      const { body } = await organization.client.get(`/v1/mass-sms/${created.body.id}`);
      expect(body).toMatchObject({ status: 'completed', remaining: 0, sent: recipients });
    },
    { withinMs: 240_000, everyMs: 500 },
  );
  const { items } = await system.twilio.messages({ limit: 20_000 });
  const times = new Map<string, number>();
  for (const { to } of items) times.set(to, (times.get(to) ?? 0) + 1);
  expect({
    missing: mobiles.filter((mobile) => !times.has(mobile)),
    twice: [...times].filter(([, count]) => count > 1),
    strangers: [...times.keys()].filter((to) => !mobiles.includes(to)).length,
  }).toEqual({ missing: [], twice: [], strangers: 0 });

  // What the product believes is what Twilio has.
  const rows = await system.db
    .selectFrom('messages')
    .select(['twilio_sid', 'contact_number'])
    .where('mass_sms_id', '=', created.body.id)
    .execute();
  const sids = new Map(items.map((item) => [item.to, item.sid]));
  expect(rows.filter((row) => row.twilio_sid !== sids.get(row.contact_number))).toEqual([]);
}, 400_000);
