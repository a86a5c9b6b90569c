/** Writing results and settling on real Postgres. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cancelUnsent,
  claimMessages,
  countLeft,
  type RankRange,
  type SendResult,
  settleAsSent,
  settleAsUnsent,
  unsettledMessages,
  writeResults,
} from '../../db/messages/outgoing.ts';
import { applyStatusReports } from '../../db/messages/status-reports.ts';
import { type MessageStatus, messageStatuses, statusRank } from '../../domain/messages/status.ts';
import { type Fixture, openFixture, type Organization } from './fixture.ts';

let fixture: Fixture;
let acme: Organization;
beforeAll(async () => {
  fixture = await openFixture();
  acme = await fixture.organization();
});
afterAll(async () => {
  await fixture?.close();
});

const now = new Date('2026-12-01T15:00:00.000Z');
const later = (ms: number) => new Date(now.getTime() + ms);

const claim = (range: RankRange, limit: number, given: { attemptId?: string; at?: Date } = {}) =>
  fixture.in(acme, (trx) =>
    claimMessages(trx, range, { attemptId: given.attemptId ?? 'a/1', limit, now: given.at ?? now }),
  );
const result = (id: string, status: MessageStatus, more: Partial<SendResult> = {}): SendResult => ({
  id,
  status,
  sid: status === 'accepted' ? `SM${id.slice(-30)}` : null,
  errorCode: status === 'failed' ? 21_211 : null,
  segments: 1,
  ...more,
});
const write = (results: SendResult[], given: { attemptId?: string; at?: Date } = {}) =>
  fixture.in(acme, (trx) => writeResults(trx, { attemptId: given.attemptId ?? 'a/1', results, now: given.at ?? now }));
const report = (id: string, status: MessageStatus, sid: string, at = now) =>
  fixture.in(acme, (trx) => applyStatusReports(trx, [{ messageId: id, sid, status, errorCode: null, at }]));

describe('writing results', () => {
  it('writes what became of each: SID, error, segments and times', async () => {
    const massSms = await fixture.massSms(acme, 5);
    const ids = massSms.messages.map((message) => message.id);
    await claim(massSms.range, 5);
    await write([
      result(ids[0]!, 'accepted', { sid: 'SMa' }),
      result(ids[1]!, 'failed'),
      result(ids[2]!, 'in_doubt'),
      result(ids[3]!, 'queued'),
    ]);
    const rows = await fixture.messagesOf(massSms);
    expect(rows.map((row) => row.status)).toEqual(['accepted', 'failed', 'in_doubt', 'queued', 'sending']);
    expect(rows[0]).toMatchObject({ twilio_sid: 'SMa', accepted_at: now, finished_at: null });
    expect(rows[1]).toMatchObject({ error_code: 21_211, finished_at: now, accepted_at: null });
    expect(await fixture.in(acme, (trx) => countLeft(trx, massSms.range))).toEqual({ queued: 1, unsettled: 2 });
  });

  it('names the numbers that were refused, once', async () => {
    const massSms = await fixture.massSms(acme, 2);
    const [refused, taken] = massSms.messages.map((message) => message.id);
    await claim(massSms.range, 2);
    const results = [result(refused!, 'failed'), result(taken!, 'accepted')];
    expect(await write(results)).toEqual([{ contactNumber: massSms.messages[0]!.to, errorCode: 21_211 }]);
    expect(await write(results)).toEqual([]);
  });

  it('is harmless to repeat', async () => {
    const massSms = await fixture.massSms(acme, 4);
    const ids = massSms.messages.map((message) => message.id);
    await claim(massSms.range, 4);
    const results = (['accepted', 'failed', 'in_doubt', 'queued'] as const).map((status, i) => result(ids[i]!, status));
    await write(results);
    const once = await fixture.messagesOf(massSms);
    await write(results, { at: later(500) });
    expect(await fixture.messagesOf(massSms)).toEqual(once);
  });

  it('takes the SID of an answer that a callback overtook, and leaves the status as the callback has it', async () => {
    const massSms = await fixture.massSms(acme, 1);
    const { id } = massSms.messages[0]!;
    await claim(massSms.range, 1);
    await report(id, 'delivered', 'SMx');
    await fixture.database.system.updateTable('messages').set({ twilio_sid: null }).where('id', '=', id).execute();
    await write([result(id, 'accepted', { sid: 'SMx' })], { at: later(900) });
    expect(await fixture.messagesOf(massSms)).toMatchObject([
      { status: 'delivered', twilio_sid: 'SMx', finished_at: now },
    ]);
  });

  it('gives back only what the same attempt still holds', async () => {
    const massSms = await fixture.massSms(acme, 1);
    const { id } = massSms.messages[0]!;
    await claim(massSms.range, 1, { attemptId: 'a/1' });
    await write([result(id, 'queued')], { attemptId: 'a/1' });
    await claim(massSms.range, 1, { attemptId: 'a/2' });
    await write([result(id, 'queued')], { attemptId: 'a/1' });
    expect(await fixture.messagesOf(massSms)).toMatchObject([{ status: 'sending', attempt_id: 'a/2', attempts: 2 }]);
  });

  it.for([
    ['that Twilio accepted moves a message forward only', true],
    ['that Twilio did not accept changes only what is being sent', false],
  ] as const)('of one %s, whatever the state and the result', async ([, sids]) => {
    const states = messageStatuses.filter((status) => status !== 'receiving' && status !== 'received');
    const massSms = await fixture.massSms(acme, states.length * states.length);
    const pairs = states.flatMap((from) => states.map((to) => ({ from, to })));
    for (const from of states) {
      const ids = pairs.flatMap((pair, index) => (pair.from === from ? [massSms.messages[index]!.id] : []));
      await fixture.force(ids, { status: from, claimedAt: now, attemptId: 'a/1' });
    }
    await write(
      pairs.map(({ to }, index) => result(massSms.messages[index]!.id, to, { sid: sids ? `SM${index}` : null })),
    );
    const rows = await fixture.messagesOf(massSms);
    pairs.forEach(({ from, to }, index) => {
      // Without a SID only what is still being sent changes; with one, a message moves forward only.
      const moves = sids ? statusRank[to] > statusRank[from] : from === 'sending';
      const expected = moves ? to : from;
      expect(`${from} + ${to} = ${rows[index]!.status}`).toBe(`${from} + ${to} = ${expected}`);
    });
  });
});

describe('settling', () => {
  it('lists what is unsettled, oldest claim first', async () => {
    const massSms = await fixture.massSms(acme, 4);
    const ids = massSms.messages.map((message) => message.id);
    await fixture.force([ids[0]!], { status: 'sending', claimedAt: later(2_000) });
    await fixture.force([ids[1]!], { status: 'in_doubt', claimedAt: later(1_000) });
    await fixture.force([ids[2]!], { status: 'accepted', claimedAt: now });
    const found = await fixture.in(acme, (trx) => unsettledMessages(trx, massSms.range));
    expect(found.map((item) => item.id)).toEqual([ids[1], ids[0]]);
  });

  it("as sent takes Twilio's SID and state, unless a callback has done so already", async () => {
    const massSms = await fixture.massSms(acme, 2);
    const [open, done] = massSms.messages.map((message) => message.id) as [string, string];
    await fixture.force([open], { status: 'in_doubt', claimedAt: now });
    await fixture.force([done], { status: 'delivered', claimedAt: now, sid: 'SMdone' });
    const found = { sid: 'SMfound', status: 'undelivered', errorCode: 30_003, segments: 2 } as const;
    for (const id of [open, done]) await fixture.in(acme, (trx) => settleAsSent(trx, id, found, later(60_000)));
    expect(await fixture.messagesOf(massSms)).toMatchObject([
      { status: 'undelivered', twilio_sid: 'SMfound', error_code: 30_003, finished_at: later(60_000) },
      { status: 'delivered', twilio_sid: 'SMdone', error_code: null },
    ]);
  });

  it('as unsent queues it again, unless a newer attempt or a report has it', async () => {
    const massSms = await fixture.massSms(acme, 3);
    const [open, newer, reported] = massSms.messages.map((message) => message.id) as [string, string, string];
    await fixture.force([open], { status: 'in_doubt', claimedAt: now });
    await fixture.force([newer], { status: 'sending', claimedAt: later(30_000) });
    await fixture.force([reported], { status: 'sent', claimedAt: now });
    for (const id of [open, newer, reported]) await fixture.in(acme, (trx) => settleAsUnsent(trx, id, now));
    expect((await fixture.messagesOf(massSms)).map((row) => row.status)).toEqual(['queued', 'sending', 'sent']);
  });

  it('finds the claim time exactly as it was written, to the millisecond', async () => {
    const massSms = await fixture.massSms(acme, 1);
    await claim(massSms.range, 1, { at: new Date('2026-12-01T15:00:00.123Z') });
    const [found] = await fixture.in(acme, (trx) => unsettledMessages(trx, massSms.range));
    await fixture.in(acme, (trx) => settleAsUnsent(trx, found!.id, found!.claimedAt));
    expect((await fixture.messagesOf(massSms))[0]!.status).toBe('queued');
  });
});

it('cancelling takes what is queued and leaves what may have left', async () => {
  const massSms = await fixture.massSms(acme, 4);
  const ids = massSms.messages.map((message) => message.id);
  await fixture.force([ids[0]!], { status: 'sending' });
  await fixture.force([ids[1]!], { status: 'accepted' });
  const cancelled = await fixture.in(acme, (trx) => cancelUnsent(trx, massSms.range, { reason: 'expired', now }));
  expect(cancelled).toBe(2);
  expect((await fixture.messagesOf(massSms)).map((row) => row.status)).toEqual([
    'sending',
    'accepted',
    'cancelled',
    'cancelled',
  ]);
});
