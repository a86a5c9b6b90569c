/** What becomes of messages of the outbox when Twilio refuses, answers late or not at all, and when workers die. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { settleAfterMs } from '../../../activities/dispatch/settle.ts';
import { applyStatusReports } from '../../../db/messages/status-reports.ts';
import type { Organization } from '../fixture.ts';
import { openOutboxFixture, type OutboxFixture, sid } from './fixture.ts';

let outbox: OutboxFixture;
beforeAll(async () => {
  outbox = await openOutboxFixture();
});
afterAll(async () => {
  await outbox?.close();
});
beforeEach(() => {
  outbox.twilio.sent.length = 0;
  outbox.twilio.answer = async () => ({ kind: 'accepted', sid: sid(), status: 'accepted' });
  outbox.twilio.found = async () => [];
});

const sentIds = () => outbox.twilio.sent.map(({ id }) => id);
const statusOf = async (id: string) => (await outbox.message(id)).status;
const heldDetailOf = async (organization: Organization) =>
  (await outbox.entries(organization)).map((one) => one.held_detail);
const secondsAway = (at: Date | null) => (at ? (at.getTime() - outbox.clock.now().getTime()) / 1000 : null);

describe('when Twilio', () => {
  it('refuses one, the others go on and the refusal is kept', async () => {
    const acme = await outbox.sender();
    const bad = await outbox.contact(acme);
    const ids = [await outbox.write(acme, bad), await outbox.write(acme, await outbox.contact(acme))];
    outbox.twilio.answer = async ({ to }) =>
      to === bad.mobile
        ? { kind: 'refused', code: 21614, detail: 'no mobile' }
        : { kind: 'accepted', sid: sid(), status: 'accepted' };
    await outbox.run(acme);
    expect(await outbox.message(ids[0]!)).toMatchObject({ status: 'failed', error_code: 21614 });
    expect(await statusOf(ids[1]!)).toBe('accepted');
    expect(await outbox.entries(acme)).toEqual([]);
  });

  it('refuses a line, that message fails and other lines go on', async () => {
    const acme = await outbox.sender();
    await outbox.addLine(acme, '+13125550122');
    const ids = [
      await outbox.write(acme, await outbox.contact(acme), { line: '+13125550122' }),
      await outbox.write(acme, await outbox.contact(acme)),
    ];
    outbox.twilio.answer = async ({ from }) =>
      from === acme.line
        ? { kind: 'accepted', sid: sid(), status: 'accepted' }
        : { kind: 'blocked', code: 21606, detail: 'not usable' };
    expect(await outbox.run(acme)).toBeNull();
    expect(await outbox.message(ids[0]!)).toMatchObject({ status: 'failed', error_code: 21606 });
    expect(await statusOf(ids[1]!)).toBe('accepted');
  });

  it('refuses everything, all is kept and tried again a minute later, not at once', async () => {
    const acme = await outbox.sender();
    const ids = await Promise.all(
      Array.from({ length: 50 }, async () => outbox.write(acme, await outbox.contact(acme))),
    );
    outbox.twilio.answer = async () => ({ kind: 'blocked', code: 20003, detail: 'authenticate' });
    const nextAt = await outbox.run(acme);
    expect(secondsAway(nextAt)).toBeGreaterThan(50);
    expect(outbox.twilio.sent.length).toBeLessThan(50);
    expect(await heldDetailOf(acme)).toEqual(ids.map(() => expect.stringContaining('20003: authenticate')));
    outbox.twilio.answer = async () => ({ kind: 'accepted', sid: sid(), status: 'accepted' });
    expect(await outbox.run(acme)).toBeNull();
    for (const id of ids) expect(await statusOf(id)).toBe('accepted');
  });

  it('asks to come back later, nothing is lost and nothing sent twice', async () => {
    const acme = await outbox.sender();
    const ids = await Promise.all(
      Array.from({ length: 30 }, async () => outbox.write(acme, await outbox.contact(acme))),
    );
    let calls = 0;
    const accepted: string[] = [];
    outbox.twilio.answer = async ({ id }) => {
      calls += 1;
      if (calls <= 40) return { kind: 'later', detail: 'HTTP 429' };
      accepted.push(id);
      return { kind: 'accepted', sid: sid(), status: 'accepted' };
    };
    expect(await outbox.run(acme)).toBeNull();
    expect(accepted.toSorted()).toEqual(ids.toSorted());
  });
});

describe('an organization that cannot send', () => {
  it('is looked at again after a minute, and keeps what waits', async () => {
    const acme = await outbox.sender();
    const id = await outbox.write(acme, await outbox.contact(acme));
    const set = (module_on: boolean) =>
      outbox.database.system.updateTable('organizations').set({ module_on }).where('id', '=', acme.id).execute();
    await set(false);
    expect(secondsAway(await outbox.run(acme))).toBeGreaterThan(50);
    expect(await heldDetailOf(acme)).toEqual([expect.stringContaining('The organization cannot send')]);
    await set(true);
    expect(await outbox.run(acme)).toBeNull();
    expect(sentIds()).toEqual([id]);
  });

  it('with nothing waiting is not looked at again', async () => {
    const acme = await outbox.organization();
    expect(await outbox.run(acme)).toBeNull();
  });
});

describe('in doubt', () => {
  /** A message whose answer was lost, with one behind it in its thread and one to somebody else. */
  async function lost() {
    const acme = await outbox.sender();
    const contact = await outbox.contact(acme);
    const first = await outbox.write(acme, contact, { body: 'First. Reply STOP.' });
    const second = await outbox.write(acme, contact, { body: 'Second.' });
    const other = await outbox.write(acme, await outbox.contact(acme));
    outbox.twilio.answer = async ({ id }) =>
      id === first ? { kind: 'unknown', detail: 'HTTP 500' } : { kind: 'accepted', sid: sid(), status: 'accepted' };
    const nextAt = await outbox.run(acme);
    outbox.twilio.answer = async () => ({ kind: 'accepted', sid: sid(), status: 'accepted' });
    return { acme, contact, first, second, other, nextAt };
  }

  it('holds up its own thread only, and is looked at when its time has come', async () => {
    const { acme, first, second, other, nextAt } = await lost();
    expect(sentIds().toSorted()).toEqual([first, other].toSorted());
    expect([await statusOf(first), await statusOf(second)]).toEqual(['in_doubt', 'queued']);
    expect(secondsAway(nextAt)).toBeGreaterThan(20);
    expect(secondsAway(nextAt)).toBeLessThanOrEqual(settleAfterMs / 1000);
    // Woken meanwhile, it neither sends nor spins.
    expect(secondsAway(await outbox.run(acme))).toBeGreaterThan(20);
    expect(outbox.twilio.sent).toHaveLength(2);
  });

  it('found at Twilio it is not sent again, and the thread goes on', async () => {
    const { acme, first, second } = await lost();
    outbox.clock.advance(settleAfterMs + 1_000);
    const own = sid();
    outbox.twilio.found = async () => [
      { sid: own, body: 'First. Reply STOP.', status: 'sent', errorCode: null, segments: 1 },
    ];
    expect(await outbox.run(acme)).toBeNull();
    expect(outbox.twilio.sent.filter(({ id }) => id === first)).toHaveLength(1);
    expect(await outbox.message(first)).toMatchObject({ status: 'sent', twilio_sid: own });
    expect(await statusOf(second)).toBe('accepted');
  });

  it('unknown to Twilio it is sent again, before the next of its thread', async () => {
    const { acme, first, second } = await lost();
    outbox.clock.advance(settleAfterMs + 1_000);
    expect(await outbox.run(acme)).toBeNull();
    expect(sentIds().slice(2)).toEqual([first, second]);
  });

  it('while Twilio cannot be asked it stays, and after two minutes holds up nobody', async () => {
    const { acme, first, second } = await lost();
    outbox.twilio.found = async () => {
      throw new Error('away');
    };
    outbox.clock.advance(60_000);
    await outbox.run(acme);
    expect(await statusOf(second)).toBe('queued');
    outbox.clock.advance(70_000);
    await outbox.run(acme);
    expect([await statusOf(first), await statusOf(second)]).toEqual(['in_doubt', 'accepted']);
  });

  it('reported after all by a callback, it leaves the outbox at once', async () => {
    const { acme, first, second } = await lost();
    await outbox.in(acme, (trx) =>
      applyStatusReports(trx, [
        { messageId: first, sid: sid(), status: 'delivered', errorCode: null, at: outbox.clock.now() },
      ]),
    );
    expect(await outbox.run(acme)).toBeNull();
    expect(sentIds().slice(2)).toEqual([second]);
    expect(await statusOf(first)).toBe('delivered');
  });
});

describe('a report of Twilio', () => {
  it('that overtakes the answer to the request stands', async () => {
    const acme = await outbox.sender();
    const id = await outbox.write(acme, await outbox.contact(acme));
    const own = sid();
    outbox.twilio.answer = async () => {
      await outbox.in(acme, (trx) =>
        applyStatusReports(trx, [
          { messageId: id, sid: own, status: 'delivered', errorCode: null, at: outbox.clock.now() },
        ]),
      );
      return { kind: 'accepted', sid: own, status: 'accepted' };
    };
    expect(await outbox.run(acme)).toBeNull();
    expect(await outbox.message(id)).toMatchObject({ status: 'delivered', twilio_sid: own });
    expect(await outbox.entries(acme)).toEqual([]);
  });

  it('of a message that was queued again takes it out of the outbox', async () => {
    const acme = await outbox.sender();
    const id = await outbox.write(acme, await outbox.contact(acme));
    await outbox.in(acme, (trx) =>
      applyStatusReports(trx, [{ messageId: id, sid: sid(), status: 'sent', errorCode: null, at: outbox.clock.now() }]),
    );
    expect(await outbox.run(acme)).toBeNull();
    expect(outbox.twilio.sent).toEqual([]);
    expect(await outbox.entries(acme)).toEqual([]);
  });
});

describe('a worker that', () => {
  it('died after its claim: what it held is settled, then sent by another, once', async () => {
    const acme = await outbox.sender();
    const id = await outbox.write(acme, await outbox.contact(acme));
    const at = outbox.clock.now();
    await outbox.in(acme, async (trx) => {
      await sql`update outbox set claimed_at = ${at}, attempt_id = 'dead' where message_id = ${id}`.execute(trx);
      await sql`update messages set status = 'sending', claimed_at = ${at}, attempt_id = 'dead' where id = ${id}`.execute(
        trx,
      );
    });
    expect(secondsAway(await outbox.run(acme))).toBeGreaterThan(20);
    expect(outbox.twilio.sent).toEqual([]);
    outbox.clock.advance(settleAfterMs + 1_000);
    expect(await outbox.run(acme)).toBeNull();
    expect(sentIds()).toEqual([id]);
  });

  it('comes back from the dead cannot give back what another one is sending', async () => {
    const acme = await outbox.sender();
    const id = await outbox.write(acme, await outbox.contact(acme));
    const frozen = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    outbox.twilio.answer = async () => {
      // Until it has claimed all it will: what it claims later would be its own.
      await sleep(1_000);
      begun.resolve();
      await frozen.promise;
      return { kind: 'later', detail: 'HTTP 429' };
    };
    const stopping = new AbortController();
    const zombie = outbox
      .worker(stopping.signal)(acme)
      .catch(() => null);
    await begun.promise;
    outbox.clock.advance(settleAfterMs + 1_000);
    // Meanwhile another worker has found that Twilio does not know it, and sends it.
    const slow = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    outbox.twilio.answer = async () => {
      second.resolve();
      await slow.promise;
      return { kind: 'accepted', sid: sid(), status: 'accepted' };
    };
    const living = outbox.worker()(acme);
    await second.promise;
    stopping.abort();
    frozen.resolve();
    await zombie;
    expect(await statusOf(id)).toBe('sending');
    slow.resolve();
    expect(await living).toBeNull();
    expect(await statusOf(id)).toBe('accepted');
    expect(sentIds()).toEqual([id, id]);
  });

  it('works beside another one takes what that one does not: everything once', async () => {
    const acme = await outbox.sender();
    const contacts = await Promise.all(Array.from({ length: 60 }, () => outbox.contact(acme)));
    const ids: string[] = [];
    for (const contact of contacts) for (let n = 0; n < 5; n += 1) ids.push(await outbox.write(acme, contact));
    outbox.twilio.answer = async () => {
      await sleep(2);
      return { kind: 'accepted', sid: sid(), status: 'accepted' };
    };
    const workers = [outbox.worker(), outbox.worker(), outbox.worker()];
    await Promise.all(workers.map((run) => run(acme)));
    await outbox.run(acme);
    expect(sentIds().toSorted()).toEqual(ids.toSorted());
    for (const { mobile } of contacts) {
      const inOrder = outbox.twilio.sent.filter(({ to }) => to === mobile).map(({ id }) => id);
      expect(inOrder).toEqual(inOrder.toSorted());
    }
  }, 60_000);

  it('is told to stop finishes what is in flight and gives back the rest', async () => {
    const acme = await outbox.sender();
    for (let n = 0; n < 60; n += 1) await outbox.write(acme, await outbox.contact(acme));
    const stopping = new AbortController();
    outbox.twilio.answer = async () => {
      stopping.abort();
      await sleep(20);
      return { kind: 'accepted', sid: sid(), status: 'accepted' };
    };
    await expect(outbox.worker(stopping.signal)(acme)).rejects.toThrow('shutting down');
    const inFlight = outbox.twilio.sent.length;
    expect(inFlight).toBeLessThanOrEqual(20);
    const entries = await outbox.entries(acme);
    expect(entries).toHaveLength(60 - inFlight);
    expect(entries.every((entry) => entry.claimed_at === null)).toBe(true);
  });
});
