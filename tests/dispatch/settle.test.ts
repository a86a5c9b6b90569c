/** In doubt: found at Twilio, not found, found under another message, or Twilio cannot be asked. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { settleAfterMs, settleDoubts } from '../../activities/dispatch/settle.ts';
import { sendWithinMs } from '../../activities/dispatch/dispatch.ts';
import type { Clock } from '../../clock.ts';
import { unsettledMessages } from '../../db/messages/outgoing.ts';
import type { FoundMessage, TwilioAccount } from '../../twilio/gateway.ts';
import { requestTimeoutMs } from '../../twilio/http-client.ts';
import { type Fixture, openFixture, type Organization, type TestMassSms } from './fixture.ts';

let fixture: Fixture;
let acme: Organization;
beforeAll(async () => {
  fixture = await openFixture();
  acme = await fixture.organization();
});
afterAll(async () => {
  await fixture?.close();
});

const claimedAt = new Date('2026-12-01T15:00:00.500Z');
const ripe = new Date(claimedAt.getTime() + settleAfterMs);
const clockAt = (at: Date): Clock => ({ now: () => at, sync: async () => {} });

/** A Twilio that knows these messages, by number. */
function fakeAccount(known: Record<string, FoundMessage[]> | Error) {
  const asked: Parameters<TwilioAccount['findSent']>[0][] = [];
  const account: TwilioAccount = {
    send: () => Promise.reject(new Error('settling sends nothing')),
    findSent: async (message) => {
      asked.push(message);
      if (known instanceof Error) throw known;
      return known[message.to] ?? [];
    },
  };
  return { account, asked };
}

let massSms: TestMassSms;
let ids: string[];
let to: string[];
beforeEach(async () => {
  massSms = await fixture.massSms(acme, 4);
  ids = massSms.messages.map((message) => message.id);
  to = massSms.messages.map((message) => message.to);
});

const never = new AbortController().signal;
const settle = (account: TwilioAccount, at: Date, signal = never) =>
  settleDoubts(
    { database: fixture.database, clock: clockAt(at), account },
    acme.id,
    (trx) => unsettledMessages(trx, massSms.range),
    signal,
  );
const body = 'Hi , we are hiring.';
const found = (sid: string, status: FoundMessage['status'] = 'delivered'): FoundMessage => ({
  sid,
  body,
  status,
  errorCode: null,
  segments: 1,
});

describe('settling doubts', () => {
  it('waits until no request of the claim can be under way any more', async () => {
    expect(settleAfterMs).toBeGreaterThan(sendWithinMs + requestTimeoutMs);
    await fixture.force(ids.slice(0, 2), { status: 'sending', claimedAt });
    const { account, asked } = fakeAccount({});
    const at = new Date(ripe.getTime() - 10_000);
    expect(await settle(account, at)).toEqual({ sent: 0, unsent: 0, left: 2, lookAgainAt: ripe });
    expect(asked).toEqual([]);
    expect((await fixture.messagesOf(massSms)).map((row) => row.status).slice(0, 2)).toEqual(['sending', 'sending']);
  });

  it("takes over Twilio's SID and state for a message that is found", async () => {
    await fixture.force([ids[0]!], { status: 'in_doubt', claimedAt });
    const { account, asked } = fakeAccount({ [to[0]!]: [found('SM1', 'sent')] });
    expect(await settle(account, ripe)).toEqual({ sent: 1, unsent: 0, left: 0, lookAgainAt: null });
    expect(asked).toEqual([{ to: to[0], from: acme.line, since: claimedAt }]);
    expect((await fixture.messagesOf(massSms))[0]).toMatchObject({
      status: 'sent',
      twilio_sid: 'SM1',
      accepted_at: ripe,
    });
  });

  it('queues a message again that Twilio does not know', async () => {
    await fixture.force(ids.slice(0, 2), { status: 'sending', claimedAt });
    const { account } = fakeAccount({ [to[1]!]: [found('SM2')] });
    expect(await settle(account, ripe)).toEqual({ sent: 1, unsent: 1, left: 0, lookAgainAt: null });
    expect((await fixture.messagesOf(massSms)).slice(0, 2)).toMatchObject([
      { status: 'queued', attempt_id: null, twilio_sid: null },
      { status: 'delivered', twilio_sid: 'SM2' },
    ]);
  });

  it('does not take the SID of another message to the same number for its own', async () => {
    const other = await fixture.massSms(acme, 1);
    await fixture.database.system
      .updateTable('messages')
      .set({ contact_number: to[0]!, twilio_sid: 'SMother', status: 'delivered' })
      .where('id', '=', other.messages[0]!.id)
      .execute();
    await fixture.force([ids[0]!], { status: 'in_doubt', claimedAt });
    const { account } = fakeAccount({ [to[0]!]: [found('SMother')] });
    expect(await settle(account, ripe)).toMatchObject({ sent: 0, unsent: 1 });
    await fixture.force([ids[0]!], { status: 'in_doubt', claimedAt });
    const both = fakeAccount({ [to[0]!]: [found('SMother'), found('SMown')] });
    expect(await settle(both.account, ripe)).toMatchObject({ sent: 1, unsent: 0 });
    expect((await fixture.messagesOf(massSms))[0]).toMatchObject({ twilio_sid: 'SMown' });
  });

  it('gives a SID to one of two that read the same and are settled at once', async () => {
    const [first, second] = ids as [string, string];
    for (let round = 0; round < 5; round += 1) {
      await fixture.database.system
        .updateTable('messages')
        .set({ contact_number: to[0]!, twilio_sid: null })
        .where('id', 'in', [first, second])
        .execute();
      await fixture.force([first, second], { status: 'in_doubt', claimedAt });
      const { account } = fakeAccount({});
      const bothAsked = Promise.withResolvers<void>();
      let asked = 0;
      account.findSent = async () => {
        asked += 1;
        if (asked === 2) bothAsked.resolve();
        await bothAsked.promise;
        return [found(`SMonly${round}`)];
      };
      expect(await settle(account, ripe)).toMatchObject({ sent: 1, unsent: 1, left: 0 });
      const sids = (await fixture.messagesOf(massSms)).slice(0, 2).map((row) => row.twilio_sid);
      expect(sids.filter((sid) => sid !== null)).toEqual([`SMonly${round}`]);
    }
  });

  it('leaves a message in doubt when Twilio has one to that number that nobody knows and that reads differently', async () => {
    await fixture.force([ids[0]!], { status: 'in_doubt', claimedAt });
    const { account } = fakeAccount({ [to[0]!]: [{ ...found('SMstrange'), body: 'Something else' }] });
    expect(await settle(account, ripe)).toMatchObject({ sent: 0, unsent: 0, left: 1 });
    expect((await fixture.messagesOf(massSms))[0]).toMatchObject({ status: 'in_doubt', twilio_sid: null });
  });

  it('ends such a message as failed after four hours, looking for it more and more rarely until then', async () => {
    await fixture.force([ids[0]!], { status: 'in_doubt', claimedAt });
    const { account } = fakeAccount({ [to[0]!]: [{ ...found('SMstrange'), body: 'Something else' }] });
    const hours = (count: number) => new Date(claimedAt.getTime() + count * 3_600_000);
    const early = await settle(account, hours(0.1));
    expect(early.lookAgainAt).toEqual(new Date(hours(0.1).getTime() + 90_000));
    const late = await settle(account, hours(3));
    expect(late.lookAgainAt).toEqual(new Date(hours(3).getTime() + 15 * 60_000));
    expect(await settle(account, hours(4.01))).toMatchObject({ sent: 0, unsent: 0, left: 0, lookAgainAt: null });
    expect((await fixture.messagesOf(massSms))[0]).toMatchObject({
      status: 'failed',
      cancel_reason: 'outcome_unknown',
    });
  });

  it('stops asking when it is told to stop, and leaves the rest', async () => {
    await fixture.force(ids, { status: 'in_doubt', claimedAt });
    const { account, asked } = fakeAccount({});
    const report = await settle(account, ripe, AbortSignal.abort());
    expect(report).toMatchObject({ sent: 0, unsent: 0, left: 4 });
    expect(asked).toEqual([]);
  });

  it('leaves everything as it is while Twilio cannot be asked, and says when to look again', async () => {
    await fixture.force(ids, { status: 'in_doubt', claimedAt });
    const { account, asked } = fakeAccount(new Error('HTTP 503'));
    const report = await settle(account, ripe);
    expect(report).toMatchObject({ sent: 0, unsent: 0, left: 4 });
    expect(report.lookAgainAt!.getTime()).toBeGreaterThan(ripe.getTime());
    expect(asked).toHaveLength(4);
    expect((await fixture.messagesOf(massSms)).every((row) => row.status === 'in_doubt')).toBe(true);
  });

  it('lets a callback that came meanwhile stand', async () => {
    await fixture.force([ids[0]!], { status: 'in_doubt', claimedAt });
    const { account } = fakeAccount({});
    account.findSent = async () => {
      await fixture.force([ids[0]!], { status: 'delivered', sid: 'SMcallback' });
      return [];
    };
    await settle(account, ripe);
    expect((await fixture.messagesOf(massSms))[0]).toMatchObject({ status: 'delivered', twilio_sid: 'SMcallback' });
  });

  it('asks about each message once however many there are, at most twenty at a time', async () => {
    const many = await fixture.massSms(acme, 150);
    await fixture.force(
      many.messages.map((message) => message.id),
      { status: 'sending', claimedAt },
    );
    let active = 0;
    let most = 0;
    const asked: string[] = [];
    const account: TwilioAccount = {
      send: () => Promise.reject(new Error('settling sends nothing')),
      findSent: async (message) => {
        asked.push(message.to);
        most = Math.max(most, ++active);
        await new Promise((resolve) => setTimeout(resolve, 2));
        active -= 1;
        return [];
      },
    };
    const report = await settleDoubts(
      { database: fixture.database, clock: clockAt(ripe), account },
      acme.id,
      (trx) => unsettledMessages(trx, many.range),
      never,
    );
    expect(report.unsent).toBe(150);
    expect(asked.toSorted()).toEqual(many.messages.map((message) => message.to).toSorted());
    expect(most).toBeLessThanOrEqual(20);
  });
});
