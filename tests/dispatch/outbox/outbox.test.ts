/** The outbox against real Postgres: what leaves, in which order, and what must never leave. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requestOptIn } from '../../../db/consent/opt-ins.ts';
import { cancelMessage, isUnsent, lockMessage } from '../../../db/messages/unsent.ts';
import { openOutboxFixture, type OutboxFixture, sid } from './fixture.ts';

let outbox: OutboxFixture;
beforeAll(async () => {
  outbox = await openOutboxFixture();
  // In the morning, whatever the hour: windows of these tests then begin and end on one day, and none is about to close.
  const morning = outbox.clock.now();
  morning.setUTCHours(34, 20, 0, 0);
  outbox.clock.advance(morning.getTime() - outbox.clock.now().getTime());
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
const sentIds = () => outbox.twilio.sent.map(({ id }) => id);
const statusOf = async (id: string) => (await outbox.message(id)).status;
const agreed = (id: string, consent_transactional: boolean) =>
  outbox.database.system.updateTable('contacts').set({ consent_transactional }).where('id', '=', id).execute();
const secondsAway = (at: Date | null) => (at ? (at.getTime() - outbox.clock.now().getTime()) / 1000 : null);

/** A window that is open for the hour that begins `hours` from now, in UTC. */
function windowIn(hours: number) {
  const at = new Date(outbox.clock.now().getTime() + hours * hourMs);
  const clock = (hour: number) => `${String((at.getUTCHours() + hour) % 24).padStart(2, '0')}:00`;
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
  return { sendWindow: { startTime: clock(0), endTime: clock(1), timeZone: 'UTC', days } };
}

describe('what is due', () => {
  it('is sent once, leaves the outbox, and nothing more is to be done', async () => {
    const acme = await outbox.sender();
    const contact = await outbox.contact(acme);
    const id = await outbox.write(acme, contact, { body: 'Hello. STOP ends it.' });
    expect(await outbox.run(acme)).toBeNull();
    expect(outbox.twilio.sent).toMatchObject([
      { id, to: contact.mobile, from: acme.line, body: 'Hello. STOP ends it.' },
    ]);
    expect(await outbox.message(id)).toMatchObject({
      status: 'accepted',
      twilio_sid: expect.stringMatching(/^SM/),
      attempts: 1,
    });
    expect(await outbox.entries(acme)).toEqual([]);
    await outbox.run(acme);
    expect(outbox.twilio.sent).toHaveLength(1);
  });

  it('goes out in order to each contact, one after the other, and to all contacts at once', async () => {
    const acme = await outbox.sender();
    const contacts = await Promise.all(Array.from({ length: 5 }, () => outbox.contact(acme)));
    const threads = new Map<string, string[]>(contacts.map(({ mobile }) => [mobile, []]));
    for (let n = 0; n < 4; n += 1) {
      for (const contact of contacts) threads.get(contact.mobile)!.push(await outbox.write(acme, contact));
    }
    const open = new Map<string, number>();
    let most = 0;
    outbox.twilio.answer = async ({ to }) => {
      open.set(to, (open.get(to) ?? 0) + 1);
      expect(open.get(to)).toBe(1);
      most = Math.max(most, [...open.values()].filter((count) => count > 0).length);
      await sleep(20);
      open.set(to, 0);
      return { kind: 'accepted', sid: sid(), status: 'accepted' };
    };
    await outbox.run(acme);
    for (const [mobile, ids] of threads) {
      expect(outbox.twilio.sent.filter(({ to }) => to === mobile).map(({ id }) => id)).toEqual(ids);
    }
    expect(most).toBeGreaterThan(2);
  });

  it('goes out replies and opt-in requests first', async () => {
    const acme = await outbox.sender();
    const ahead = [
      await outbox.write(acme, await outbox.contact(acme)),
      await outbox.write(acme, await outbox.contact(acme)),
    ];
    const reply = await outbox.write(acme, await outbox.contact(acme), { direct: true });
    const stranger = await outbox.contact(acme);
    await agreed(stranger.id, false);
    const question = await outbox.write(acme, stranger, { source: 'opt_in' });
    await outbox.run(acme);
    expect(sentIds()).toEqual([reply, question, ...ahead]);
  });

  it('says when the next falls due, and leaves it alone until then', async () => {
    const acme = await outbox.sender();
    const sendAt = new Date(outbox.clock.now().getTime() + hourMs);
    const id = await outbox.write(acme, await outbox.contact(acme), { sendAt });
    expect(await outbox.run(acme)).toEqual(sendAt);
    expect(outbox.twilio.sent).toEqual([]);
    outbox.clock.advance(hourMs + 1);
    expect(await outbox.run(acme)).toBeNull();
    expect(sentIds()).toEqual([id]);
  });
});

describe('before it leaves, a message is judged once more', () => {
  it.for([
    ['who withdrew consent', 'no_consent', { consent_transactional: false }],
    ['whose number changed', 'contact_changed', { mobile: '+13125550100' }],
  ] as const)('for a contact %s it is cancelled', async ([, reason, change]) => {
    const acme = await outbox.sender();
    const contact = await outbox.contact(acme);
    const id = await outbox.write(acme, contact);
    await outbox.database.system.updateTable('contacts').set(change).where('id', '=', contact.id).execute();
    expect(await outbox.run(acme)).toBeNull();
    expect(outbox.twilio.sent).toEqual([]);
    expect(await outbox.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: reason });
    const told = await outbox.database.system
      .selectFrom('events')
      .select('data')
      .where('organization_id', '=', acme.id)
      .execute();
    expect(told).toContainEqual({ data: { messageId: id, contactId: contact.id, status: 'cancelled' } });
  });

  it('for a contact who was deleted it is cancelled; a reply needs no consent', async () => {
    const acme = await outbox.sender();
    const [ann, bob] = [await outbox.contact(acme), await outbox.contact(acme)];
    const toAnn = await outbox.write(acme, ann, { direct: true });
    const toBob = await outbox.write(acme, bob, { direct: true });
    await outbox.database.system.deleteFrom('contacts').where('id', '=', ann.id).execute();
    await agreed(bob.id, false);
    await outbox.run(acme);
    expect([await statusOf(toAnn), await statusOf(toBob)]).toEqual(['cancelled', 'accepted']);
  });

  it('that answered somebody a day ago it is a reply no more: it needs consent, and waits for the window', async () => {
    const acme = await outbox.sender();
    const [ann, bob] = [await outbox.contact(acme), await outbox.contact(acme)];
    const toAnn = await outbox.write(acme, ann, { direct: true });
    const toBob = await outbox.write(acme, bob, { direct: true });
    await agreed(ann.id, false);
    outbox.clock.advance(25 * hourMs);
    await outbox.database.system
      .updateTable('organizations')
      .set({ settings: JSON.stringify(windowIn(3)) })
      .where('id', '=', acme.id)
      .execute();
    await outbox.run(acme);
    expect(outbox.twilio.sent).toEqual([]);
    expect(await outbox.message(toAnn)).toMatchObject({ status: 'cancelled', cancel_reason: 'no_consent' });
    expect(await outbox.entries(acme)).toMatchObject([{ message_id: toBob, held_reason: 'outside_window' }]);
  });

  it.for([
    ['has agreed', 'contacts', 'id', { consent_transactional: true }],
    ['was given up on', 'opt_in_requests', 'contact_id', { state: 'expired' }],
  ] as const)('a contact who %s meanwhile is not asked any more', async ([, table, key, change]) => {
    const acme = await outbox.sender();
    const contact = await outbox.contact(acme);
    await agreed(contact.id, false);
    const userId = await outbox.user(acme, acme.line);
    const ask = { organizationId: acme.id, userId, contactId: contact.id, at: outbox.clock.now() };
    const asked = await outbox.in(acme, (trx) => requestOptIn(trx, ask));
    if (!asked || 'refusal' in asked) throw new Error('it was not asked');
    await outbox.database.system.updateTable(table).set(change).where(key, '=', contact.id).execute();
    await outbox.run(acme);
    expect(outbox.twilio.sent).toEqual([]);
    expect(await outbox.message(asked.request.message_id)).toMatchObject({ cancel_reason: 'opt_in_settled' });
  });

  it('that is the first after all, and has no room for the disclaimer, is cancelled and says so', async () => {
    const acme = await outbox.sender();
    const [long, short] = ['a'.repeat(1_590), 'Hello.'];
    const contact = await outbox.contact(acme);
    const ids = [await outbox.write(acme, contact, { body: long }), await outbox.write(acme, contact, { body: short })];
    await outbox.run(acme);
    expect(await outbox.message(ids[0]!)).toMatchObject({
      status: 'cancelled',
      cancel_reason: 'no_room_for_disclaimer',
      body: long,
    });
    expect(outbox.twilio.sent).toMatchObject([{ id: ids[1], body: expect.stringMatching(/^Hello\. .*STOP/) }]);
  });

  it('is an opt-in request: its seven days begin when it leaves', async () => {
    const acme = await outbox.sender();
    const contact = await outbox.contact(acme);
    await agreed(contact.id, false);
    const userId = await outbox.user(acme, acme.line);
    const ask = { organizationId: acme.id, userId, contactId: contact.id, at: outbox.clock.now() };
    await outbox.in(acme, (trx) => requestOptIn(trx, ask));
    outbox.clock.advance(48 * hourMs);
    await outbox.run(acme);
    const { claimed_at: leftAt } = await outbox.message(sentIds()[0]!);
    expect(leftAt!.getTime()).toBeGreaterThanOrEqual(ask.at.getTime() + 48 * hourMs);
    const request = outbox.database.system
      .selectFrom('opt_in_requests')
      .select('expires_at')
      .where('contact_id', '=', contact.id);
    expect((await request.executeTakeFirstOrThrow()).expires_at.getTime()).toBe(leftAt!.getTime() + 7 * 24 * hourMs);
  });

  it('that asks leaves twelve hours after the one before, also when something held up both', async () => {
    const acme = await outbox.sender();
    const contact = await outbox.contact(acme);
    await agreed(contact.id, false);
    const userId = await outbox.user(acme, acme.line);
    for (let n = 0; n < 2; n += 1) {
      const ask = { organizationId: acme.id, userId, contactId: contact.id, at: outbox.clock.now() };
      expect(await outbox.in(acme, (trx) => requestOptIn(trx, ask))).toHaveProperty('request');
      outbox.clock.advance(13 * hourMs);
    }
    // Neither has left by now.
    const askedAt = outbox.clock.now();
    const nextAt = await outbox.run(acme);
    expect(outbox.twilio.sent).toHaveLength(1);
    expect(nextAt!.getTime()).toBeGreaterThanOrEqual(askedAt.getTime() + 12 * hourMs);
    outbox.clock.set(nextAt!);
    expect(await outbox.run(acme)).toBeNull();
    expect(outbox.twilio.sent).toHaveLength(2);
  });

  it('that promotes something needs that consent, also in an answer', async () => {
    const acme = await outbox.sender();
    const contact = await outbox.contact(acme);
    const id = await outbox.write(acme, contact, { direct: true, purpose: 'promotional' });
    await outbox.database.system
      .updateTable('contacts')
      .set({ consent_promotional: false })
      .where('id', '=', contact.id)
      .execute();
    await outbox.run(acme);
    expect(outbox.twilio.sent).toEqual([]);
    expect(await outbox.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'no_consent' });
  });

  it('from a line that was given up it is cancelled, and other lines go on', async () => {
    const acme = await outbox.sender();
    await outbox.addLine(acme, '+13125550111');
    const lost = await outbox.write(acme, await outbox.contact(acme), { line: '+13125550111' });
    const kept = await outbox.write(acme, await outbox.contact(acme));
    await outbox.database.system
      .updateTable('phone_numbers')
      .set({ released_at: outbox.clock.now() })
      .where('phone_number', '=', '+13125550111')
      .execute();
    await outbox.run(acme);
    expect(await outbox.message(lost)).toMatchObject({ status: 'cancelled', cancel_reason: 'line_released' });
    expect(sentIds()).toEqual([kept]);
  });

  it('when the window was narrowed meanwhile it waits, and says why', async () => {
    const acme = await outbox.sender();
    const id = await outbox.write(acme, await outbox.contact(acme));
    await outbox.database.system
      .updateTable('organizations')
      .set({ settings: JSON.stringify(windowIn(3)) })
      .where('id', '=', acme.id)
      .execute();
    const nextAt = await outbox.run(acme);
    expect(outbox.twilio.sent).toEqual([]);
    expect(secondsAway(nextAt)).toBeGreaterThan(3_600);
    expect(await outbox.entries(acme)).toMatchObject([
      {
        message_id: id,
        held_reason: 'outside_window',
        held_detail: expect.stringContaining('sending window'),
        due_at: nextAt,
      },
    ]);
    expect(await statusOf(id)).toBe('queued');
  });

  it('released, the window does not hold it', async () => {
    const acme = await outbox.sender(windowIn(3));
    const id = await outbox.write(acme, await outbox.contact(acme));
    await outbox.database.system
      .updateTable('outbox')
      .set({ released: true, due_at: outbox.clock.now() })
      .where('message_id', '=', id)
      .execute();
    await outbox.run(acme);
    expect(sentIds()).toEqual([id]);
  });

  it('carries the disclaimer when the one that had it never left', async () => {
    const acme = await outbox.sender({ disclaimer: 'Reply STOP to opt out.' });
    const contact = await outbox.contact(acme);
    const first = await outbox.write(acme, contact);
    const ids = [
      await outbox.write(acme, contact, { body: 'Second.' }),
      await outbox.write(acme, contact, { body: 'Third.' }),
    ];
    await outbox.in(acme, (trx) => cancelMessage(trx, first, { reason: 'cancelled', now: outbox.clock.now() }));
    await outbox.run(acme);
    expect(outbox.twilio.sent.map(({ body }) => body)).toEqual(['Second. Reply STOP to opt out.', 'Third.']);
    expect(await outbox.message(ids[0]!)).toMatchObject({
      body: 'Second. Reply STOP to opt out.',
      segments: 1,
    });
  });

  it('limits how long Twilio may try to the window', async () => {
    const acme = await outbox.sender(windowIn(0));
    await outbox.write(acme, await outbox.contact(acme));
    await outbox.write(acme, await outbox.contact(acme), { direct: true });
    await outbox.run(acme);
    for (const { validityPeriod } of outbox.twilio.sent.slice(1)) expect(validityPeriod).toBeLessThanOrEqual(3_600);
    expect(outbox.twilio.sent[0]!.validityPeriod).toBe(14_400);
  });
});

describe('somebody who cancels while it is being dispatched', () => {
  it('either cancels a message or is told that it is being sent: never both, never neither', async () => {
    const acme = await outbox.sender();
    const ids: string[] = [];
    for (let n = 0; n < 200; n += 1) ids.push(await outbox.write(acme, await outbox.contact(acme)));
    outbox.twilio.answer = async () => {
      await sleep(5);
      return { kind: 'accepted', sid: sid(), status: 'accepted' };
    };
    const cancelled: string[] = [];
    const cancelAll = async () => {
      for (const id of ids.toReversed()) {
        await outbox.in(acme, async (trx) => {
          const row = (await lockMessage(trx, acme.id, id))!;
          if (!isUnsent(row)) return;
          await cancelMessage(trx, id, { reason: 'cancelled', now: outbox.clock.now() });
          cancelled.push(id);
        });
      }
    };
    await Promise.all([outbox.run(acme), cancelAll()]);
    await outbox.run(acme);
    expect([...sentIds(), ...cancelled].toSorted()).toEqual(ids.toSorted());
    for (const id of cancelled) expect(await statusOf(id)).toBe('cancelled');
  });
});
