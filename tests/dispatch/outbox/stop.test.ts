/** A STOP against the outbox on real Postgres: nothing unsent goes out, whatever stands between the two. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordInbound } from '../../../db/conversations/inbound.ts';
import { optedOut } from '../../../db/messages/outgoing.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Organization } from '../fixture.ts';
import { openOutboxFixture, type OutboxFixture, sid } from './fixture.ts';

let outbox: OutboxFixture;
beforeAll(async () => {
  outbox = await openOutboxFixture();
  // In the morning, whatever the hour: no window is about to close.
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
});

const hourMs = 3_600_000;
const sentIds = () => outbox.twilio.sent.map(({ id }) => id);
const secondsAway = (at: Date | null) => (at ? (at.getTime() - outbox.clock.now().getTime()) / 1000 : null);

describe('a STOP', () => {
  const stop = (acme: Organization, from: string, to = acme.line) =>
    outbox.in(acme, (trx) =>
      recordInbound(trx, {
        organizationId: acme.id,
        sid: sid(),
        from,
        to,
        body: 'STOP',
        mediaUrls: [],
        keyword: 'stop',
        at: outbox.clock.now(),
      }),
    );

  it('while three wait: none goes out, and all are cancelled', async () => {
    const acme = await outbox.sender();
    const contact = await outbox.contact(acme);
    const sendAt = new Date(outbox.clock.now().getTime() + hourMs);
    const ids = [
      await outbox.write(acme, contact),
      await outbox.write(acme, contact, { direct: true }),
      await outbox.write(acme, contact, { sendAt }),
    ];
    await stop(acme, contact.mobile);
    await outbox.run(acme);
    outbox.clock.advance(2 * hourMs);
    await outbox.run(acme);
    expect(outbox.twilio.sent.filter(({ id }) => ids.includes(id))).toEqual([]);
    for (const id of ids)
      expect(await outbox.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'opted_out' });
    expect((await outbox.entries(acme)).filter((entry) => ids.includes(entry.message_id))).toEqual([]);
  });

  it('to another organization of the platform counts too', async () => {
    const [acme, other] = [await outbox.sender(), await outbox.sender()];
    const contact = await outbox.contact(acme);
    const id = await outbox.write(acme, contact);
    await stop(other, contact.mobile);
    await outbox.run(acme);
    expect(outbox.twilio.sent.filter((one) => one.to === contact.mobile && one.id === id)).toEqual([]);
    expect(await outbox.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'opted_out' });
  });

  it('that is being written at the moment of the claim keeps its messages from being claimed', async () => {
    const acme = await outbox.sender();
    const contact = await outbox.contact(acme);
    const ids = [await outbox.write(acme, contact), await outbox.write(acme, contact)];
    const other = await outbox.write(acme, await outbox.contact(acme));
    let nextAt: Date | null = null;
    await outbox.in(acme, async (trx) => {
      await sql`update messages set status = 'cancelled' where id = any(${ids})`.execute(trx);
      nextAt = await outbox.run(acme);
    });
    expect(sentIds()).toEqual([other]);
    expect(secondsAway(nextAt)).toBeLessThanOrEqual(1);
    expect(await outbox.run(acme)).toBeNull();
    expect(sentIds()).toEqual([other]);
    expect(await outbox.entries(acme)).toEqual([]);
  });

  it('after the claim and before the request keeps it from leaving', async () => {
    const acme = await outbox.sender();
    const contacts = await Promise.all(Array.from({ length: 40 }, () => outbox.contact(acme)));
    const ids: string[] = [];
    for (const contact of contacts) ids.push(await outbox.write(acme, contact));
    const answered = Promise.withResolvers<void>();
    outbox.twilio.answer = async () => {
      await answered.promise;
      return { kind: 'accepted', sid: sid(), status: 'accepted' };
    };
    const run = outbox.run(acme);
    // As many as may be under way at once; the rest is claimed and in hand.
    await eventually(async () => expect(outbox.twilio.sent).toHaveLength(20), { everyMs: 5 });
    const late = ids.find((id) => !sentIds().includes(id))!;
    expect(await outbox.message(late)).toMatchObject({ status: 'sending' });
    await stop(acme, (await outbox.message(late)).contact_number);
    // Longer than a look at opt-outs is good for.
    await sleep(300);
    answered.resolve();
    await run;
    expect(sentIds().toSorted()).toEqual(ids.filter((id) => id !== late).toSorted());
    expect(await outbox.message(late)).toMatchObject({
      status: 'cancelled',
      cancel_reason: 'opted_out',
      finished_at: expect.any(Date),
      twilio_sid: null,
    });
    expect(await outbox.entries(acme)).toEqual([]);
    const told = outbox.database.system.selectFrom('events').select('data').where('organization_id', '=', acme.id);
    expect((await told.execute()).map(({ data }) => data)).toContainEqual(
      expect.objectContaining({ messageId: late, status: 'cancelled' }),
    );
  });

  it('counts in hand as far as it reaches: on the platform, here, or for one line; a START takes it back', async () => {
    const settings = { optOutScope: 'number' } as const;
    const [acme, other] = [await outbox.sender(settings), await outbox.sender()];
    const contact = await outbox.contact(acme);
    const lines = [acme.line, '+13125550123'];
    await outbox.addLine(acme, lines[1]!);
    const inHand = lines.map((from, rank) => ({ id: `msg_${rank}`, rank, to: contact.mobile, from, body: 'Hi' }));
    const found = async () => [...(await outbox.in(acme, (trx) => optedOut(trx, inHand)))];
    expect(await found()).toEqual([]);
    await stop(acme, contact.mobile, lines[1]);
    expect(await found()).toEqual(['msg_1']);
    await stop(other, contact.mobile, other.line);
    expect(await found()).toEqual(['msg_0', 'msg_1']);
    await outbox.database.system.deleteFrom('opt_outs').where('phone_number', '=', contact.mobile).execute();
    expect(await found()).toEqual([]);
  });
});
