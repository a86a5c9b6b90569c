/** What T-Mobile takes of a brand in a day (B9): bulk stops there and goes on after midnight Pacific; replies are not held. */
import { DateTime } from 'luxon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../db/database.ts';
import { days } from '../../../domain/send-window.ts';
import { type BatchesFixture, openBatchesFixture } from './fixture.ts';
import { openOutboxFixture, type OutboxFixture, sid } from '../outbox/fixture.ts';

/** At 12 segments a second T-Mobile takes 2,000 a day, which are 6,000 over all carriers. */
const rate = 12;
const limit = 6_000;
/** 1 December 2026 is a Tuesday. */
const local = (text: string): Date => DateTime.fromISO(text, { zone: 'America/New_York' }).toJSDate();
const sendWindow = { startTime: '08:00', endTime: '16:00', timeZone: 'America/New_York', days };
const wholeDay = { ...sendWindow, startTime: '00:00', endTime: '00:00' };

/** As if so much had been sent since midnight Pacific. */
const sentToday = (database: Database, organizationId: string, segments: number) =>
  database.system
    .insertInto('send_permits')
    .values({
      organization_id: organizationId,
      tokens: 100,
      refilled_at: local('2026-12-01T09:00'),
      carrier_day: '2026-12-01',
      day_segments: segments,
    })
    .execute();

describe('a mass SMS', () => {
  let fixture: BatchesFixture;
  beforeAll(async () => {
    fixture = await openBatchesFixture();
  });
  afterAll(async () => {
    await fixture?.close();
  });
  const people = Array.from({ length: 25 }, () => ({}));
  const sent = () => fixture.twilio.sent.length;

  it("sends what is left of the day, and the rest at the next opening after the carriers' midnight", async () => {
    fixture.clock.set(local('2026-12-01T10:00'));
    const organization = await fixture.sender({ sendWindow, firstBatchSize: 25 }, rate);
    await sentToday(fixture.database, organization.id, limit - 10);
    const massSms = await fixture.massSmsTo(organization, people);
    expect(await fixture.run(massSms)).toEqual({ status: 'in_process', runAt: local('2026-12-02T08:00') });
    expect(sent()).toBe(10);
    const { end_at: end } = await fixture.database.system
      .selectFrom('mass_sms')
      .select('end_at')
      .where('id', '=', massSms.id)
      .executeTakeFirstOrThrow();
    expect(DateTime.fromJSDate(end).toSeconds()).toBeCloseTo(
      DateTime.fromJSDate(local('2026-12-02T08:00')).toSeconds() + 1,
      -1,
    );

    fixture.clock.set(local('2026-12-02T08:00'));
    expect(await fixture.run(massSms)).toEqual({ status: 'completed', runAt: null });
    expect(sent()).toBe(25);
  });

  it('in a window that is open then goes on at three in the morning of New York', async () => {
    fixture.clock.set(local('2026-12-01T10:00'));
    const organization = await fixture.sender({ sendWindow: wholeDay, firstBatchSize: 25 }, rate);
    await sentToday(fixture.database, organization.id, limit);
    const massSms = await fixture.massSmsTo(organization, people);
    expect(await fixture.run(massSms)).toEqual({ status: 'in_process', runAt: local('2026-12-02T03:00') });
    expect(sent()).toBe(0);
  });

  it('whose rest expires with its window ends with it', async () => {
    fixture.clock.set(local('2026-12-01T10:00'));
    const organization = await fixture.sender({ sendWindow, firstBatchSize: 25 }, rate);
    await sentToday(fixture.database, organization.id, limit - 5);
    const massSms = await fixture.massSmsTo(organization, people, { atWindowClose: 'expire' });
    const { runAt } = await fixture.run(massSms);
    expect(runAt).toEqual(local('2026-12-01T15:59:30'));
    fixture.clock.set(runAt!);
    expect((await fixture.run(massSms)).status).toBe('completed');
    expect(sent()).toBe(5);
  });
});

describe('what waits one by one', () => {
  let outbox: OutboxFixture;
  beforeAll(async () => {
    outbox = await openOutboxFixture();
  });
  afterAll(async () => {
    await outbox?.close();
  });

  it('says why it waits and until when, keeps its order, and lets replies pass', async () => {
    outbox.clock.set(local('2026-12-01T10:00'));
    outbox.twilio.answer = async () => ({ kind: 'accepted', sid: sid(), status: 'accepted' });
    const acme = await outbox.sender();
    const { system } = outbox.database;
    await system.updateTable('organizations').set({ segments_per_second: rate }).where('id', '=', acme.id).execute();
    await sentToday(outbox.database, acme.id, limit - 2);
    const contacts = await Promise.all(Array.from({ length: 4 }, () => outbox.contact(acme)));
    const ids: string[] = [];
    for (const contact of [...contacts, ...contacts]) ids.push(await outbox.write(acme, contact));

    const midnight = local('2026-12-02T03:00');
    const nextAt = await outbox.run(acme);
    expect(Math.floor(nextAt!.getTime() / 1000) * 1000).toBe(midnight.getTime());
    expect(outbox.twilio.sent).toHaveLength(2);
    const waiting = await outbox.entries(acme);
    expect(waiting.map((entry) => entry.message_id)).toEqual(
      ids.filter((id) => !outbox.twilio.sent.some((one) => one.id === id)),
    );
    for (const entry of waiting) {
      expect(entry).toMatchObject({
        held_reason: 'paced',
        held_detail: expect.stringMatching(/T-Mobile takes 2,000 segments/),
      });
    }

    const reply = await outbox.write(acme, await outbox.contact(acme), { direct: true });
    await outbox.run(acme);
    expect(outbox.twilio.sent.map(({ id }) => id)).toContain(reply);
    expect(outbox.twilio.sent).toHaveLength(3);

    // Written, and put off, later than what waits already.
    const [contact] = contacts;
    const last = await outbox.write(acme, contact!);
    await outbox.run(acme);
    expect((await outbox.entries(acme)).at(-1)).toMatchObject({ message_id: last, held_reason: 'paced' });

    outbox.clock.set(new Date(midnight.getTime() + 1_000));
    expect(await outbox.run(acme)).toBeNull();
    expect(outbox.twilio.sent.map(({ id }) => id).toSorted()).toEqual([...ids, reply, last].toSorted());
  });
});
