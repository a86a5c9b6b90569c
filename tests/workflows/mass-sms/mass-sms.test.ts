/** Mass SMS through days and weeks: the whole product on one clock that can be moved. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { secretBox } from '../../../db/secrets.ts';
import { allowedActions, massSmsActions, type MassSmsStatus } from '../../../domain/mass-sms/mass-sms.ts';
import { massSmsWorkflowId } from '../../../workflows/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../../harness/system.ts';
import { keepHistory } from '../../replay/record.ts';
import { accepted, byDay, command, create, moveTo, next, nextSpringForward, read, until, zone } from '../support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ timeSkipping: true });
});
afterAll(async () => {
  await system?.stop();
});
afterEach(async () => {
  await system.twilio.reset();
});

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const office = { startTime: '08:00', endTime: '16:00', timeZone: zone, days };
const keep = (id: string, what: string) => keepHistory(system.temporal, massSmsWorkflowId(id), `massSms.${what}`);
const workflowStatus = async (id: string) =>
  (await system.temporal.workflow.getHandle(massSmsWorkflowId(id)).describe()).status.name;

/** Small daily batches: three of ten unless said otherwise. */
async function organizationWith(recipients = 30, given: Parameters<System['enabledOrganization']>[0] = {}) {
  const settings = { sendWindow: office, firstBatchSize: 10, dailyBatchSize: 10, ...given.settings };
  const organization = await system.enabledOrganization({ ...given, settings });
  const contacts = await system.contacts(organization, recipients, { consent: true, list: 'all' });
  return Object.assign(organization, { recipients: contacts.map((contact) => contact.mobile) });
}

async function expectEveryoneOnce(organization: EnabledOrganization & { recipients: string[] }) {
  const to = (await accepted(system, organization)).map((message) => message.to);
  expect(to.toSorted()).toEqual(organization.recipients.toSorted());
}

describe('daily batches', () => {
  it('31,000 recipients over the right calendar days (5,000, then 25,000, then the rest; no weekend; across a daylight-saving change)', async () => {
    const organization = await system.enabledOrganization({ settings: { sendWindow: office, massSmsLimit: 40_000 } });
    // On the Friday before clocks go forward.
    const friday = (await nextSpringForward(system)).minus({ days: 2 }).set({ hour: 10 });
    const [monday, tuesday] = [friday.plus({ days: 3 }), friday.plus({ days: 4 })];
    await moveTo(system, friday.minus({ hours: 1 }));
    // Their reports are another test's matter; without most of them this one takes half as long.
    await system.twilio.behaviour({ callbacks: { dropRate: 0.99 } });
    const contacts = await system.contacts(organization, 31_000, { consent: true, list: 'all' });
    const id = await create(organization, { startAt: friday.toISO() });
    expect((await read(organization, id)).batches).toMatchObject([
      { number: 1, size: 5_000, startAt: `${friday.toISODate()}T16:00:00.000Z` },
      { number: 2, size: 25_000, startAt: `${monday.toISODate()}T15:00:00.000Z` },
      { number: 3, size: 1_000, startAt: `${tuesday.toISODate()}T15:00:00.000Z` },
    ]);
    await moveTo(system, friday.minus({ minutes: 1 }));
    expect((await accepted(system, organization)).length).toBe(0);
    await moveTo(system, monday.minus({ hours: 14 }));
    expect(await read(organization, id)).toMatchObject({ status: 'in_process', sent: 5_000, remaining: 26_000 });
    await moveTo(system, tuesday.plus({ hours: 2 }));
    await until(organization, id, { status: 'completed', sent: 31_000, remaining: 0, endAtIsEstimate: false });
    expect(await byDay(system, organization)).toEqual([
      [`Fri ${friday.toISODate()} 10:00`, 5_000],
      [`Mon ${monday.toISODate()} 10:00`, 25_000],
      [`Tue ${tuesday.toISODate()} 10:00`, 1_000],
    ]);
    const to = (await accepted(system, organization)).map((message) => message.to);
    expect(to.toSorted()).toEqual(contacts.map((contact) => contact.mobile).toSorted());
    await keep(id, 'threeBatches');
  }, 240_000);

  it('asked for on a Saturday without weekends, it begins on Monday at the same time', async () => {
    const organization = await organizationWith(15);
    await moveTo(system, await next(system, 5, '20:00'));
    const saturday = await next(system, 6, '10:00');
    const id = await create(organization, { startAt: saturday.toISO() });
    expect((await read(organization, id)).startAt).toBe(saturday.plus({ days: 2 }).toUTC().toISO());
    await moveTo(system, saturday.plus({ days: 4 }));
    await until(organization, id, { status: 'completed' });
    expect(await byDay(system, organization)).toEqual([
      [`Mon ${saturday.plus({ days: 2 }).toISODate()} 10:00`, 10],
      [`Tue ${saturday.plus({ days: 3 }).toISODate()} 10:00`, 5],
    ]);
  });

  it('asked for on a Saturday with weekends allowed, it begins on Saturday and goes on on Sunday', async () => {
    const organization = await organizationWith(15);
    const saturday = await next(system, 6, '10:00');
    const id = await create(organization, { startAt: saturday.toISO(), allowWeekends: true });
    await moveTo(system, saturday.plus({ days: 2 }));
    await until(organization, id, { status: 'completed' });
    expect(await byDay(system, organization)).toEqual([
      [`Sat ${saturday.toISODate()} 10:00`, 10],
      [`Sun ${saturday.plus({ days: 1 }).toISODate()} 10:00`, 5],
    ]);
  });
});

describe('when the window closes in mid-batch', () => {
  // Sending ends 30 s before the window closes; begun 7 s before that at 3 a second, some 24 of 40 get out.
  const closing = { settings: { sendWindow: office, firstBatchSize: 40, dailyBatchSize: 40 }, segmentsPerSecond: 3 };

  it('the rest continues at the next opening, and nothing begins in the last 30 seconds', async () => {
    const organization = await organizationWith(40, closing);
    const day = await next(system, 2, '15:59:23');
    // Twilio's queue is slow: what is not delivered within its validity period fails there with 30036.
    const slowQueue = { queueMs: 120_000, latencyMs: 0 };
    await system.twilio.behaviour(slowQueue);
    const id = await create(organization, { startAt: day.toISO() });
    await moveTo(system, day.set({ hour: 17, minute: 0 }));
    await until(organization, id, { status: 'in_process' });
    const first = await accepted(system, organization);
    expect(first.length).toBeGreaterThanOrEqual(10);
    expect(first.length).toBeLessThan(40);
    const lastBeginning = day.set({ minute: 59, second: 30, millisecond: 800 }).toMillis();
    for (const message of first) {
      expect(Date.parse(message.acceptedAt)).toBeLessThan(lastBeginning);
      // Their validity ended with the window at the latest, a minute and a half before they could leave the queue.
      expect(message).toMatchObject({ status: 'failed', errorCode: 30_036 });
    }
    await moveTo(system, day.plus({ days: 1 }).set({ hour: 9, minute: 0 }));
    await until(organization, id, { status: 'completed', sent: 40 });
    const rest = (await accepted(system, organization)).slice(first.length);
    expect(await byDay(system, organization)).toEqual([
      [`Tue ${day.toISODate()} 15:59`, first.length],
      [`Wed ${day.plus({ days: 1 }).toISODate()} 08:00`, 40 - first.length],
    ]);
    // A whole window is before them: the queue is no matter.
    expect(rest.every((message) => message.status === 'delivered')).toBe(true);
    await expectEveryoneOnce(organization);
    await keep(id, 'windowClosed');
  });

  it('the rest expires when that was chosen', async () => {
    const organization = await organizationWith(40, closing);
    const day = await next(system, 4, '15:59:23');
    const id = await create(organization, { startAt: day.toISO(), atWindowClose: 'expire' });
    await moveTo(system, day.plus({ days: 1 }).set({ hour: 12 }));
    await until(organization, id, { status: 'completed', remaining: 0, completePercent: 100 });
    const sent = (await accepted(system, organization)).length;
    expect(sent).toBeGreaterThanOrEqual(10);
    expect(sent).toBeLessThan(40);
    expect((await byDay(system, organization)).length).toBe(1);
    const cancelled = await organization.client.get(`/v1/mass-sms/${id}/recipients?status=cancelled&limit=200`);
    expect(cancelled.body.items).toHaveLength(40 - sent);
    expect(cancelled.body.items[0]).toMatchObject({ cancelReason: 'expired' });
    await keep(id, 'windowExpired');
  });

  it('a whole-day window closes for a batch at the end of its local day', async () => {
    const wholeDay = { ...office, startTime: '00:00', endTime: '00:00', days: ['mon', 'tue'] };
    const organization = await organizationWith(30, {
      ...closing,
      settings: { ...closing.settings, sendWindow: wholeDay, firstBatchSize: 30 },
    });
    const day = await next(system, 2, '23:59:23');
    const id = await create(organization, { startAt: day.toISO(), immediate: false });
    await moveTo(system, day.plus({ days: 1 }).set({ hour: 12 }));
    const first = (await accepted(system, organization)).length;
    expect(first).toBeGreaterThanOrEqual(5);
    expect(first).toBeLessThan(30);
    await moveTo(system, day.plus({ days: 6 }).set({ hour: 12 }));
    await until(organization, id, { status: 'completed', sent: 30 });
    expect((await byDay(system, organization)).map(([when]) => when)).toEqual([
      `Tue ${day.toISODate()} 23:59`,
      `Mon ${day.plus({ days: 6 }).toISODate()} 00:00`,
    ]);
    await expectEveryoneOnce(organization);
  });
});

describe('commands', () => {
  /** Every action that is not allowed is refused with 409 and names those that are. */
  async function expectOthersRefused(organization: EnabledOrganization, id: string, status: MassSmsStatus) {
    const allowed = allowedActions(status);
    for (const action of massSmsActions) {
      if (allowed.includes(action)) continue;
      expect(await command(organization, id, action)).toMatchObject({
        status: 409,
        body: { type: '/problems/not-in-this-state', allowed },
      });
    }
    expect(await read(organization, id)).toMatchObject({ status });
  }

  it('pause between batches holds the next one back for good, and resume starts it when it was asked to', async () => {
    const organization = await organizationWith();
    const monday = await next(system, 1, '10:00');
    const id = await create(organization, { startAt: monday.toISO() });
    await expectOthersRefused(organization, id, 'scheduled');
    await moveTo(system, monday.plus({ hours: 5 }));
    await until(organization, id, { status: 'in_process', sent: 10 });
    await expectOthersRefused(organization, id, 'in_process');

    expect(await command(organization, id, 'pause')).toMatchObject({ status: 200, body: { status: 'paused' } });
    await expectOthersRefused(organization, id, 'paused');
    await moveTo(system, monday.plus({ days: 2 }));
    expect((await accepted(system, organization)).length).toBe(10);

    const chosen = monday.plus({ days: 3 }).set({ hour: 14, minute: 30 });
    const resumed = await command(organization, id, 'resume', { startAt: chosen.toISO() });
    expect(resumed).toMatchObject({ status: 200, body: { status: 'in_process' } });
    expect(resumed.body.batches.slice(1).map((batch: { startAt: string }) => batch.startAt)).toEqual([
      chosen.toUTC().toISO(),
      chosen.plus({ days: 1 }).toUTC().toISO(),
    ]);
    await moveTo(system, chosen.plus({ days: 1, hours: 1 }));
    await until(organization, id, { status: 'completed' });
    await expectOthersRefused(organization, id, 'completed');
    expect(await byDay(system, organization)).toEqual([
      [`Mon ${monday.toISODate()} 10:00`, 10],
      [`Thu ${chosen.toISODate()} 14:30`, 10],
      [`Fri ${chosen.plus({ days: 1 }).toISODate()} 14:30`, 10],
    ]);
    await expectEveryoneOnce(organization);
  });

  it('pause in mid-batch and resume go on with exactly the rest', async () => {
    const organization = await organizationWith(400, { settings: { firstBatchSize: 400 }, segmentsPerSecond: 50 });
    const id = await create(organization, { startAt: (await next(system, 2, '10:00')).toISO() });
    const moving = moveTo(system, await next(system, 2, '10:01'));
    await eventually(async () => expect((await accepted(system, organization)).length).toBeGreaterThan(60), {
      everyMs: 20,
    });
    expect(await command(organization, id, 'pause')).toMatchObject({ status: 200, body: { status: 'paused' } });
    const stoppedAt = (await accepted(system, organization)).length;
    expect(stoppedAt).toBeLessThan(400);
    await moving;
    await sleep(500);
    expect((await accepted(system, organization)).length).toBe(stoppedAt);
    expect(await read(organization, id)).toMatchObject({
      status: 'paused',
      sent: stoppedAt,
      remaining: 400 - stoppedAt,
    });
    expect((await command(organization, id, 'resume')).status).toBe(200);
    await until(organization, id, { status: 'completed', sent: 400 });
    await expectEveryoneOnce(organization);
    await keep(id, 'pausedResumed');
  });

  it('reschedule moves the next batch, and the daily time with it; and weekends can be allowed later', async () => {
    const organization = await organizationWith();
    const thursday = await next(system, 4, '10:00');
    const id = await create(organization, { startAt: thursday.toISO() });
    const friday = thursday.plus({ days: 1 }).set({ hour: 11, minute: 15 });
    const moved = await command(organization, id, 'reschedule', { startAt: friday.toISO() });
    expect(moved.body.batches.map((batch: { startAt: string }) => batch.startAt)).toEqual([
      friday.toUTC().toISO(),
      friday.plus({ days: 3 }).toUTC().toISO(),
      friday.plus({ days: 4 }).toUTC().toISO(),
    ]);
    await moveTo(system, friday.plus({ hours: 2 }));
    await until(organization, id, { status: 'in_process', sent: 10 });
    // Saturday can be asked for in the same breath in which it becomes a day like others.
    const saturday = friday.plus({ days: 1 });
    expect(
      await command(organization, id, 'reschedule', { startAt: saturday.toISO(), allowWeekends: true }),
    ).toMatchObject({ status: 200, body: { allowWeekends: true, status: 'in_process' } });
    await moveTo(system, friday.plus({ days: 2, hours: 1 }));
    await until(organization, id, { status: 'completed' });
    expect(await byDay(system, organization)).toEqual([
      [`Fri ${friday.toISODate()} 11:15`, 10],
      [`Sat ${saturday.toISODate()} 11:15`, 10],
      [`Sun ${saturday.plus({ days: 1 }).toISODate()} 11:15`, 10],
    ]);
    await expectEveryoneOnce(organization);
    await keep(id, 'rescheduled');
  });

  it('cancel between batches is final: nothing more goes out, and nothing remains', async () => {
    const organization = await organizationWith();
    const monday = await next(system, 1, '10:00');
    const id = await create(organization, { startAt: monday.toISO() });
    await moveTo(system, monday.plus({ hours: 1 }));
    await until(organization, id, { status: 'in_process', sent: 10 });
    expect(await command(organization, id, 'cancel')).toMatchObject({
      status: 200,
      body: { status: 'cancelled', sent: 10, remaining: 0, completePercent: 33.3, endAtIsEstimate: false },
    });
    await expectOthersRefused(organization, id, 'cancelled');
    await eventually(async () => expect(await workflowStatus(id)).toBe('COMPLETED'));
    await moveTo(system, monday.plus({ days: 3 }));
    expect((await accepted(system, organization)).length).toBe(10);
    await keep(id, 'cancelled');
  });

  it('cancel in mid-batch leaves nothing queued', async () => {
    const organization = await organizationWith(400, { settings: { firstBatchSize: 400 }, segmentsPerSecond: 50 });
    const start = await next(system, 2, '10:00');
    const id = await create(organization, { startAt: start.toISO() });
    const moving = moveTo(system, start.plus({ minutes: 2 }));
    await eventually(async () => expect((await accepted(system, organization)).length).toBeGreaterThan(50), {
      everyMs: 20,
    });
    const { body } = await command(organization, id, 'cancel');
    const sent = (await accepted(system, organization)).length;
    expect(sent).toBeLessThan(400);
    expect(body).toMatchObject({
      status: 'cancelled',
      sent,
      remaining: 0,
      completePercent: Math.round(sent / 0.4) / 10,
    });
    await moving;
    expect((await accepted(system, organization)).length).toBe(sent);
    await eventually(async () => expect(await workflowStatus(id)).toBe('COMPLETED'));
  });
});

describe('what stops it', () => {
  it('a token that Twilio refuses puts it in Error with the cause; after the fix a resume loses nothing', async () => {
    const organization = await organizationWith(20, { settings: { firstBatchSize: 20 } });
    const row = system.db.updateTable('organizations').where('id', '=', organization.id);
    const { auth_token: right } = await system.db
      .selectFrom('organizations')
      .select('auth_token')
      .where('id', '=', organization.id)
      .executeTakeFirstOrThrow();
    const secrets = secretBox(system.stack.environment['SECRETS_KEYS']!);
    await row.set({ auth_token: secrets.encrypt('0'.repeat(32)) }).execute();
    const start = await next(system, 3, '10:00');
    const id = await create(organization, { startAt: start.toISO() });
    await moveTo(system, start.plus({ minutes: 10 }));
    await until(organization, id, {
      status: 'error',
      sent: 0,
      remaining: 20,
      cause: { code: '20003', detail: expect.stringMatching(/[Aa]uth/) },
    });
    expect((await organization.client.get('/v1/mass-sms')).body.items).toMatchObject([{ id, status: 'error' }]);
    for (const action of ['pause', 'reschedule']) {
      const answer = await command(organization, id, action);
      expect(answer).toMatchObject({ status: 409, body: { allowed: ['resume', 'cancel'] } });
    }
    await row.set({ auth_token: right }).execute();
    const resumed = await command(organization, id, 'resume');
    expect(resumed).toMatchObject({ status: 200, body: { status: 'in_process' } });
    expect(resumed.body.cause).toBeUndefined();
    await until(organization, id, { status: 'completed', sent: 20 });
    await expectEveryoneOnce(organization);
    await keep(id, 'errorResumed');
  });

  it('an organization that was disabled puts it in Error, which says what is missing', async () => {
    const organization = await organizationWith(5);
    const start = await next(system, 3, '10:00');
    const id = await create(organization, { startAt: start.toISO() });
    const row = system.db.updateTable('organizations').where('id', '=', organization.id);
    await row.set({ module_on: false }).execute();
    await moveTo(system, start.plus({ minutes: 1 }));
    await until(organization, id, { status: 'error', cause: { code: 'not_enabled', detail: /module is off/ } });
    await row.set({ module_on: true }).execute();
    expect((await command(organization, id, 'resume')).status).toBe(200);
    await until(organization, id, { status: 'completed', sent: 5 });
  });
});

describe('what is in doubt', () => {
  it('is listed as such, settled from Twilio half a minute later, and nobody gets the message twice', async () => {
    const organization = await organizationWith(60, { settings: { firstBatchSize: 60 } });
    // Some answers are lost after Twilio has taken the message, some requests fail before; and Twilio reports nothing.
    await system.twilio.behaviour({ dropResponseRate: 0.3, http500Rate: 0.3, callbacks: { dropRate: 1 } });
    const start = await next(system, 2, '10:00');
    const id = await create(organization, { startAt: start.toISO() });
    // To the moment it is due and no further: the batch then runs, and its time is the real one.
    await moveTo(system, start);
    await eventually(async () => {
      const doubts = await organization.client.get(`/v1/mass-sms/${id}/recipients?status=in_doubt&limit=200`);
      expect(doubts.body.items.length).toBeGreaterThan(5);
      expect(await read(organization, id)).toMatchObject({ status: 'in_process', remaining: doubts.body.items.length });
    });
    await system.twilio.behaviour({ dropResponseRate: 0, http500Rate: 0 });
    await moveTo(system, start.plus({ minutes: 5 }));
    await until(organization, id, { status: 'completed', sent: 60, remaining: 0 });
    await expectEveryoneOnce(organization);
    await keep(id, 'doubtsSettled');
  });
});
