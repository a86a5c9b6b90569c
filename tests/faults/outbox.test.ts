/**
 * Thousands of messages that waited for the window overnight go out while workers are killed. The simulator's own list is
 * the judge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { DateTime } from 'luxon';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { outboxWorkflowId } from '../../workflows/ids.ts';
import type { SimulatedMessage } from '../harness/control.ts';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';

/** Requests under way at once. */
const concurrency = 40;

let system: System;
beforeAll(async () => {
  system = await startSystem({ own: ['temporal'], environment: { SEND_CONCURRENCY: String(concurrency) } });
});
afterAll(async () => {
  await system?.stop();
});
afterEach(async () => {
  await system.twilio.reset();
});

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
/** What everybody gets, in this order. */
const bodies = [
  'Acme: new shifts are open. Reply STOP to opt out.',
  'Acme: and here is how to sign up for one.',
] as const;
const asUser = ({ key, user }: EnabledOrganization) => system.client(key, { user: user.id });

/** A window that is shut until the day after tomorrow. */
function shutWindow() {
  const day = DateTime.utc().plus({ days: 2 }).weekday - 1;
  return { startTime: '10:00', endTime: '14:00', timeZone: 'UTC', days: [days[day]!] };
}

/** A window that opens at the next full minute that is at least so far away, where the day is not about to end. */
function windowThatOpens(inSeconds: number) {
  const isLate = DateTime.now().setZone('America/Chicago').hour >= 22;
  const timeZone = isLate ? 'Pacific/Honolulu' : 'America/Chicago';
  const opening = DateTime.now()
    .setZone(timeZone)
    .plus({ seconds: inSeconds + 60 })
    .startOf('minute');
  const startTime = opening.toFormat('HH:mm');
  return { opening, sendWindow: { startTime, endTime: '23:59', timeZone, days } };
}

const accepted = async ({ line }: EnabledOrganization, limit = 50_000) =>
  system.twilio.messages({ from: line.phoneNumber, limit });

/** What Temporal keeps of an organization's outbox, all runs together. */
async function eventsOf({ id }: EnabledOrganization): Promise<{ runs: number; events: number }> {
  const workflowId = outboxWorkflowId(id);
  const { runId: current } = await system.temporal.workflow.getHandle(workflowId).describe();
  const listed = await eventually(async () => {
    const runs: string[] = [];
    for await (const { runId } of system.temporal.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      runs.push(runId);
    }
    expect(runs).toContain(current);
    return runs;
  });
  let events = 0;
  for (const runId of listed) {
    events += (await system.temporal.workflow.getHandle(workflowId, runId).describe()).historyLength;
  }
  return { runs: listed.length, events };
}

/** Somebody is written to. @returns after how many seconds the message was with Twilio */
async function secondsToSend(organization: EnabledOrganization): Promise<number> {
  const [contact] = await system.contacts(organization, 1, { consent: true });
  const begun = performance.now();
  const answer = await asUser(organization).post('/v1/messages', { contactId: contact!.id, body: bodies[0] });
  expect(answer.status).toBe(202);
  await eventually(async () => expect((await system.twilio.messages({ to: contact!.mobile })).total).toBe(1), {
    everyMs: 50,
  });
  return (performance.now() - begun) / 1000;
}

async function killWorkerAt(organization: EnabledOrganization, count: number): Promise<void> {
  await eventually(async () => expect((await accepted(organization, 1)).total).toBeGreaterThan(count), {
    withinMs: 120_000,
    everyMs: 20,
  });
  await system.crash('worker');
  await sleep(1_000);
  await system.start('worker');
}

type Contact = Awaited<ReturnType<System['contacts']>>[number];

/** Through the API, fifty at a time: the first text to all, then the second. */
async function writeToAll(organization: EnabledOrganization, contacts: readonly Contact[]): Promise<void> {
  for (const body of bodies) {
    for (let from = 0; from < contacts.length; from += 50) {
      const contactIds = contacts.slice(from, from + 50).map(({ id }) => id);
      const { status, body: answer } = await asUser(organization).post('/v1/messages/bulk', { contactIds, body });
      expect(status).toBe(202);
      expect(answer.results.every((result: { messageId?: string }) => result.messageId)).toBe(true);
    }
  }
}

/** As so many requests would have left it: those of the API take eight milliseconds for each message. */
async function writeInBulk({ id, line, user }: EnabledOrganization, contacts: readonly Contact[]): Promise<void> {
  const ids = contacts.map((contact) => contact.id);
  const mobiles = contacts.map(({ mobile }) => mobile);
  const inTwoDays = DateTime.utc().plus({ days: 2 }).toJSDate();
  await system.database.inOrganization(id, async (trx) => {
    for (const [index, body] of bodies.entries()) {
      const at = new Date(Date.now() + index);
      await sql`
        with written as (
          insert into messages (id, organization_id, direction, source, purpose, status, line, contact_number, contact_id,
            user_id, body, segments, created_at)
          select 'msg_' || uuid_v7(${at}), ${id}, 'outbound', 'user', 'transactional', 'queued', ${line.phoneNumber},
            c.mobile, c.id, ${user.id}, ${body}, 1, ${at}
          from unnest(${ids}::text[], ${mobiles}::text[]) as c (id, mobile)
          returning *), threads as (
          insert into conversations (id, organization_id, line, contact_number, contact_id, last_message_id,
            last_message_at)
          select 'cnv_' || uuid_v7(${at}), ${id}, line, contact_number, contact_id, id, ${at} from written
          on conflict on constraint conversations_thread do update set last_message_id = excluded.last_message_id)
        insert into outbox (message_id, organization_id, contact_number, line, priority, due_at, held_reason)
        select id, organization_id, contact_number, line, 1, ${inTwoDays}, 'outside_window' from written`.execute(trx);
    }
  });
}

async function untilNothingWaits({ id }: EnabledOrganization): Promise<void> {
  await eventually(
    async () => {
      const left = await system.db
        .selectFrom('outbox')
        .select(sql<number>`count(*)`.as('count'))
        .where('organization_id', '=', id)
        .executeTakeFirstOrThrow();
      expect(left.count).toBe(0);
    },
    { withinMs: 240_000, everyMs: 500 },
  );
}

/** By Twilio's own list: nobody was left out, nobody got a text twice, and everybody the first one first. */
function expectBothInOrder(items: readonly SimulatedMessage[], contacts: readonly Contact[]): void {
  const texts = Map.groupBy(items, ({ to }) => to);
  const wrong = contacts.filter(({ mobile }) => {
    const its = (texts.get(mobile) ?? []).map(({ body }) => body);
    return its.length !== bodies.length || its.some((body, index) => body !== bodies[index]);
  });
  expect(wrong.map(({ mobile }) => (texts.get(mobile) ?? []).map(({ body }) => body))).toEqual([]);
  expect(items).toHaveLength(bodies.length * contacts.length);
}

/** The most that were accepted within any span of so many seconds. */
function mostWithin(items: readonly SimulatedMessage[], seconds: number): number {
  const times = items.map(({ acceptedAt }) => Date.parse(acceptedAt)).toSorted((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last += 1) {
    while (times[last]! - times[first]! >= seconds * 1_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

describe("at the window's opening", () => {
  const rate = 300;
  const count = 20_000;
  /** Beside the rate: a full bucket, a quarter of a second's worth that the worker has fetched, and what is under way. */
  const burst = rate * 1.25 + concurrency;

  it(`${count} messages go out once each, paced and in order, although the worker is killed twice, and nobody else waits`, async () => {
    const settings = { sendWindow: shutWindow() };
    const organization = await system.enabledOrganization({ segmentsPerSecond: rate, settings });
    const other = await system.enabledOrganization();
    const contacts = await system.contacts(organization, count / bodies.length, { consent: true });
    // Of the callbacks few arrive, each of them twice: all of them would be more than a small machine can take.
    await system.twilio.behaviour({
      dropResponseRate: 0.02,
      latencyMs: 20,
      callbacks: { dropRate: 0.8, duplicateRate: 1, shuffle: true },
    });
    await writeToAll(organization, contacts.slice(0, 300));
    await writeInBulk(organization, contacts.slice(300));
    // Only now, however long the writing took: all that waits is judged anew.
    const { opening, sendWindow } = windowThatOpens(5);
    expect(await organization.client.patch('/v1/settings', { sendWindow })).toMatchObject({ status: 200 });
    expect((await accepted(organization, 1)).total).toBe(0);

    await killWorkerAt(organization, 3_000);
    await killWorkerAt(organization, 9_000);
    expect(await secondsToSend(other)).toBeLessThan(10);
    await eventually(async () => expect((await accepted(organization, 1)).total).toBeGreaterThan(12_000), {
      withinMs: 60_000,
    });
    expect(await secondsToSend(other)).toBeLessThan(5);
    await untilNothingWaits(organization);

    const { items } = await accepted(organization);
    expectBothInOrder(items, contacts);
    expect(Date.parse(items[0]!.acceptedAt)).toBeGreaterThanOrEqual(opening.toMillis());
    expect(mostWithin(items, 5)).toBeLessThanOrEqual(5 * rate + burst);
    const { runs, events } = await eventsOf(organization);
    const seconds = (Date.parse(items.at(-1)!.acceptedAt) - opening.toMillis()) / 1_000;
    console.log(
      `${count} held messages, two workers killed: ${seconds} s, at most ${mostWithin(items, 5)} in 5 s, ${events} events in ${runs} runs`,
    );
    expect(events).toBeLessThan(2_000);
  }, 400_000);
});
