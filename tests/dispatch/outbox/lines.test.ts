/** What waits in the outbox on a line that is released: it leaves from another line of its user, or ends with it. */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { settleAfterMs } from '../../../activities/dispatch/settle.ts';
import { recordInbound } from '../../../db/conversations/inbound.ts';
import { writeDownAsGone } from '../../../db/numbers/orphans.ts';
import { ensureOptInRequest } from '../../../db/consent/opt-ins.ts';
import { settleOptIns } from '../../../db/consent/settling.ts';
import { decide, lockDue, overdueOutboxes } from '../../../db/messages/outbox.ts';
import { failing, releasesOn } from '../../activities/numbers/release-support.ts';
import type { Organization } from '../fixture.ts';
import { type Contact, openOutboxFixture, type OutboxFixture, sid } from './fixture.ts';

let outbox: OutboxFixture;
let releases: ReturnType<typeof releasesOn>;
beforeAll(async () => {
  outbox = await openOutboxFixture();
  releases = releasesOn(outbox);
});
afterAll(async () => {
  await outbox?.close();
});
beforeEach(() => {
  outbox.twilio.sent.length = 0;
  outbox.twilio.answer = async () => ({ kind: 'accepted', sid: sid(), status: 'accepted' });
  outbox.twilio.found = async () => [];
});

const hourMs = 3_600_000;
const inAnHour = () => new Date(outbox.clock.now().getTime() + hourMs);
let nextLine = 4_000_000;

/** Sam, who texts from the organization's line, and another line that nobody has yet. */
async function acmeWithSam() {
  const acme = await outbox.sender();
  const other = `+1312${(nextLine += 1)}`;
  await outbox.addLine(acme, other);
  const sam = await outbox.user(acme, acme.line);
  return { acme, sam, other };
}

async function release(acme: Organization, line: string) {
  const { id, twilio_sid: itsSid } = await outbox.number(line);
  const number = { id, line, sid: itsSid };
  const jobId = await releases.begin(acme, [number]);
  return { number, finish: (answer = async () => {}) => releases.release(acme, jobId, number, answer).outcome };
}

const eventsOf = async ({ id }: Organization) => {
  const events = outbox.database.system.selectFrom('events').select('data').where('organization_id', '=', id);
  return (await events.orderBy('id').execute()).map(({ data }) => data);
};
const threadsOf = ({ id }: Organization, { mobile }: Contact) =>
  outbox.database.system
    .selectFrom('conversations')
    .select(['line', 'last_message_id as last'])
    .where('organization_id', '=', id)
    .where('contact_number', '=', mobile)
    .orderBy('line')
    .execute();

async function hearFrom(acme: Organization, { mobile }: Contact, line: string, body = 'Hello?') {
  const keyword = body === 'STOP' ? 'stop' : null;
  const message = { sid: sid(), from: mobile, to: line, body, mediaUrls: [], at: outbox.clock.now() };
  await outbox.in(acme, (trx) => recordInbound(trx, { organizationId: acme.id, keyword, ...message }));
}

describe('a message whose user has another line by now', () => {
  it('leaves from that one, at its own time and in its order; streams are told', async () => {
    const { acme, sam, other } = await acmeWithSam();
    const contact = await outbox.contact(acme);
    const sendAt = inAnHour();
    const ids = [
      await outbox.write(acme, contact, { userId: sam }),
      await outbox.write(acme, contact, { userId: sam }),
      await outbox.write(acme, contact, { userId: sam, sendAt }),
    ];
    const before = await outbox.entries(acme);
    await outbox.putOn(sam, other);
    const { finish } = await release(acme, acme.line);
    expect(await outbox.entries(acme)).toEqual(before.map((entry) => Object.assign(entry, { line: other })));
    expect(await finish()).toBe('released');
    expect(await outbox.run(acme)).toEqual(sendAt);
    expect(outbox.twilio.sent.map(({ id, from }) => ({ id, from }))).toEqual(
      ids.slice(0, 2).map((id) => ({ id, from: other })),
    );
    expect(await eventsOf(acme)).toContainEqual({ messageId: ids[2], contactId: contact.id, status: 'scheduled' });
    expect(await outbox.message(ids[2]!)).toMatchObject({ status: 'scheduled', line: other });
  });

  it('is in the thread of that line, and no more in the one it would have been said in', async () => {
    const { acme, sam, other } = await acmeWithSam();
    const [ann, bob] = [await outbox.contact(acme), await outbox.contact(acme)];
    await hearFrom(acme, ann, acme.line);
    const [heard] = await threadsOf(acme, ann);
    const toAnn = await outbox.write(acme, ann, { userId: sam, sendAt: inAnHour() });
    const toBob = await outbox.write(acme, bob, { userId: sam, sendAt: inAnHour() });
    await outbox.putOn(sam, other);
    await (await release(acme, acme.line)).finish();
    const expected = [heard, { line: other, last: toAnn }].toSorted((a, b) => (a!.line < b!.line ? -1 : 1));
    expect(await threadsOf(acme, ann)).toEqual(expected);
    expect(await threadsOf(acme, bob)).toEqual([{ line: other, last: toBob }]);
  });

  it('stays where that one cannot send, and with the line when only its users change', async () => {
    const { acme, sam, other } = await acmeWithSam();
    const id = await outbox.write(acme, await outbox.contact(acme), { userId: sam, sendAt: inAnHour() });
    await outbox.putOn(sam, other);
    const set = (registered: boolean) =>
      outbox.database.system
        .updateTable('phone_numbers')
        .set({ registered })
        .where('phone_number', '=', other)
        .execute();
    expect((await outbox.message(id)).line).toBe(acme.line);
    await set(false);
    const { finish } = await release(acme, acme.line);
    expect((await outbox.message(id)).line).toBe(acme.line);
    // Registered before the number is gone, it is not too late.
    await set(true);
    await finish();
    expect(await outbox.message(id)).toMatchObject({ status: 'scheduled', line: other });
  });
});

describe('a message whose user has no other line', () => {
  it('neither leaves nor ends while the release goes on, and ends with the line, told and counted', async () => {
    const { acme, sam } = await acmeWithSam();
    const contact = await outbox.contact(acme);
    const due = await outbox.write(acme, contact, { userId: sam });
    const later = await outbox.write(acme, contact, { userId: sam, sendAt: inAnHour() });
    const { number, finish } = await release(acme, acme.line);
    expect(await outbox.run(acme)).toEqual((await outbox.message(later)).send_at);
    expect(outbox.twilio.sent).toEqual([]);
    expect((await outbox.message(due)).status).toBe('queued');
    expect(await finish()).toBe('released');
    for (const id of [due, later]) {
      expect(await outbox.message(id)).toMatchObject({
        status: 'cancelled',
        cancel_reason: 'line_released',
        line: acme.line,
        finished_at: expect.any(Date),
      });
      expect(await eventsOf(acme)).toContainEqual({ messageId: id, contactId: contact.id, status: 'cancelled' });
    }
    expect(await outbox.entries(acme)).toEqual([]);
    expect((await releases.auditOf(number)).at(-1)).toMatchObject({
      action: 'number.released',
      detail: { cancelledMessages: 2 },
    });
  });

  it('leaves after all when the release fails: the sweep finds it, and not before', async () => {
    const { acme, sam } = await acmeWithSam();
    const id = await outbox.write(acme, await outbox.contact(acme), { userId: sam });
    const { finish } = await release(acme, acme.line);
    const overdue = async () => {
      const all = await overdueOutboxes(outbox.database.system, new Date(outbox.clock.now().getTime() + 1_000));
      return all.includes(acme.id);
    };
    expect(await overdue()).toBe(false);
    expect(await outbox.run(acme)).toBeNull();
    expect(await finish(failing({ status: 400, code: 21_729 }))).toBe('failed');
    expect(await overdue()).toBe(true);
    expect(await outbox.run(acme)).toBeNull();
    expect(outbox.twilio.sent).toMatchObject([{ id, from: acme.line }]);
  });

  it('of a shared line ends, while that of a colleague who has one leaves from it', async () => {
    const { acme, sam, other } = await acmeWithSam();
    const kim = await outbox.user(acme, acme.line);
    const contact = await outbox.contact(acme);
    const ofSam = await outbox.write(acme, contact, { userId: sam });
    const ofKim = await outbox.write(acme, contact, { userId: kim });
    await outbox.putOn(sam, other);
    expect(await (await release(acme, acme.line)).finish()).toBe('released');
    await outbox.run(acme);
    expect(outbox.twilio.sent).toMatchObject([{ id: ofSam, from: other }]);
    expect(await outbox.message(ofKim)).toMatchObject({ status: 'cancelled', cancel_reason: 'line_released' });
  });

  it('of a line that is found gone at Twilio ends at once', async () => {
    const { acme, sam } = await acmeWithSam();
    const id = await outbox.write(acme, await outbox.contact(acme), { userId: sam, sendAt: inAnHour() });
    const { id: numberId } = await outbox.number(acme.line);
    const gone = { id: numberId, at: outbox.clock.now() };
    await outbox.in(acme, (trx) => writeDownAsGone(trx, acme.id, gone));
    expect(await outbox.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'line_released' });
  });
});

describe('a release waits', () => {
  const stillSending = { type: 'StillSending' };

  it('for a message in doubt, which then leaves from the other line', async () => {
    const { acme, sam, other } = await acmeWithSam();
    const id = await outbox.write(acme, await outbox.contact(acme), { userId: sam });
    outbox.twilio.answer = async () => ({ kind: 'unknown', detail: 'HTTP 500' });
    await outbox.run(acme);
    await outbox.putOn(sam, other);
    const { finish } = await release(acme, acme.line);
    await expect(finish()).rejects.toMatchObject(stillSending);
    expect((await outbox.message(id)).line).toBe(acme.line);
    outbox.clock.advance(settleAfterMs + 1_000);
    outbox.twilio.answer = async () => ({ kind: 'accepted', sid: sid(), status: 'accepted' });
    await outbox.run(acme);
    expect(outbox.twilio.sent).toHaveLength(1);
    expect(await finish()).toBe('released');
    await outbox.run(acme);
    expect(outbox.twilio.sent.map(({ from }) => from)).toEqual([acme.line, other]);
  });

  it('for a claim that began before it', async () => {
    const { acme, sam } = await acmeWithSam();
    await outbox.write(acme, await outbox.contact(acme), { userId: sam });
    const claimed = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const now = outbox.clock.now();
    const claiming = outbox.in(acme, async (trx) => {
      const candidates = await lockDue(trx, acme.id, { priority: 1, limit: 10, now });
      const sending = candidates.map(({ id }) => ({ id, text: null }));
      await decide(trx, { sending, cancelled: [], later: [], gone: [] }, { attemptId: 'a', now });
      claimed.resolve();
      await commit.promise;
    });
    await claimed.promise;
    const { finish } = await release(acme, acme.line);
    const outcome = finish();
    const blocked = outcome.then(
      () => 'over',
      () => 'over',
    );
    expect(await Promise.race([blocked, sleepsFor(300)])).toBe('blocked');
    commit.resolve();
    await claiming;
    await expect(outcome).rejects.toMatchObject(stillSending);
  });
});

const sleepsFor = (millis: number) => new Promise<string>((resolve) => setTimeout(() => resolve('blocked'), millis));

describe('a message that is held for an opt-in', () => {
  /** Sam has asked, and has something to say after a YES. */
  async function asked() {
    const { acme, sam, other } = await acmeWithSam();
    const contact = await outbox.contact(acme);
    const { system } = outbox.database;
    await system.updateTable('contacts').set({ consent_transactional: false }).where('id', '=', contact.id).execute();
    const ask = { organizationId: acme.id, contact, userId: sam, line: acme.line, at: outbox.clock.now() };
    const ensured = await outbox.in(acme, (trx) => ensureOptInRequest(trx, ask));
    if ('refused' in ensured) throw new Error(ensured.refused);
    const held = await outbox.write(acme, contact, { userId: sam, source: 'journey', held: true });
    const request = () =>
      system.selectFrom('opt_in_requests').selectAll().where('id', '=', ensured.requestId).executeTakeFirstOrThrow();
    const settle = () =>
      outbox.in(acme, (trx) =>
        settleOptIns(trx, { organizationId: acme.id, userId: sam, contactId: contact.id }, outbox.clock.now()),
      );
    return { acme, sam, other, contact, held, request, settle };
  }

  it('moves with a question that has not left: the YES is given to the other line', async () => {
    const { acme, sam, other, contact, held, request, settle } = await asked();
    await outbox.putOn(sam, other);
    await (await release(acme, acme.line)).finish();
    expect(await request()).toMatchObject({ state: 'waiting', line: other });
    expect(await outbox.message(held)).toMatchObject({ status: 'held', line: other });
    await outbox.run(acme);
    await hearFrom(acme, contact, other, 'YES');
    await settle();
    await outbox.run(acme);
    expect(outbox.twilio.sent.map(({ id, from }) => ({ id, from }))).toContainEqual({ id: held, from: other });
  });

  it('ends with the line when the question was asked from there: nobody would hear the answer', async () => {
    const { acme, sam, other, contact, held, request, settle } = await asked();
    await outbox.run(acme);
    await outbox.putOn(sam, other);
    const { finish } = await release(acme, acme.line);
    expect(await request()).toMatchObject({ state: 'waiting', line: acme.line });
    await finish();
    expect(await request()).toMatchObject({ state: 'expired', ended_at: expect.any(Date), settled_at: null });
    expect(await outbox.message(held)).toMatchObject({ status: 'cancelled', cancel_reason: 'line_released' });
    expect(await eventsOf(acme)).toContainEqual({ messageId: held, contactId: contact.id, status: 'cancelled' });
    // What was being held at that very moment is settled by the request's workflow.
    const late = await outbox.write(acme, contact, { userId: sam, source: 'journey', held: true });
    await settle();
    expect((await outbox.message(late)).status).toBe('cancelled');
  });

  it('leaves from the other line after a YES that came before the line was released', async () => {
    const { acme, sam, other, contact, held, settle } = await asked();
    await outbox.run(acme);
    await hearFrom(acme, contact, acme.line, 'YES');
    await outbox.putOn(sam, other);
    await (await release(acme, acme.line)).finish();
    await settle();
    await outbox.run(acme);
    expect(outbox.twilio.sent.map(({ id, from }) => ({ id, from }))).toContainEqual({ id: held, from: other });
  });

  it('ends with the line when its user has no other, the question with it', async () => {
    const { acme, held, request } = await asked();
    await (await release(acme, acme.line)).finish();
    const { state, message_id: question } = await request();
    expect(state).toBe('expired');
    for (const id of [held, question]) {
      expect(await outbox.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'line_released' });
    }
  });
});

describe('at once with a release', () => {
  it('STOPs of those whose messages move all get through, and nothing more leaves to them', async () => {
    const { acme, sam, other } = await acmeWithSam();
    const contacts = await Promise.all(Array.from({ length: 60 }, () => outbox.contact(acme)));
    const ids: string[] = [];
    for (const contact of contacts) {
      await hearFrom(acme, contact, acme.line);
      await hearFrom(acme, contact, other);
      for (let n = 0; n < 3; n += 1) ids.push(await outbox.write(acme, contact, { userId: sam, sendAt: inAnHour() }));
    }
    await outbox.putOn(sam, other);
    const stopping = contacts
      .toReversed()
      .map((contact, n) => hearFrom(acme, contact, n % 2 === 0 ? acme.line : other, 'STOP'));
    const [released] = await Promise.all([
      release(acme, acme.line).then(({ finish }) => finish()),
      Promise.all(stopping),
    ]);
    expect(released).toBe('released');
    const { rows } = await sql<{ reason: string; count: number }>`
      select cancel_reason as reason, count(*) as count from messages where id = any(${ids}::text[])
      group by cancel_reason`.execute(outbox.database.system);
    expect(rows).toEqual([{ reason: 'opted_out', count: 180 }]);
    expect(await outbox.entries(acme)).toEqual([]);
  });

  it('a worker that sends loses and repeats nothing', async () => {
    const { acme, sam, other } = await acmeWithSam();
    // Of each thread one at a time is claimed, so that the release comes upon some that wait.
    const contacts = await Promise.all(Array.from({ length: 40 }, () => outbox.contact(acme)));
    const ids: string[] = [];
    for (const contact of [...contacts, ...contacts, ...contacts]) {
      ids.push(await outbox.write(acme, contact, { userId: sam }));
    }
    await outbox.putOn(sam, other);
    // The release comes when the first request has reached Twilio, and before any of them is answered.
    const [reached, answers] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    outbox.twilio.answer = async () => {
      reached.resolve();
      await answers.promise;
      return { kind: 'accepted', sid: sid(), status: 'accepted' };
    };
    const sending = outbox.run(acme);
    await reached.promise;
    const { finish } = await release(acme, acme.line);
    answers.resolve();
    await sending;
    expect(await finish()).toBe('released');
    await outbox.run(acme);
    expect(outbox.twilio.sent.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(new Set(outbox.twilio.sent.map(({ from }) => from))).toEqual(new Set([acme.line, other]));
  });
});
