/** Status callbacks on real Postgres: late, twice, out of order, before our own answer, and for messages we do not have. */
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { learnFromRefusals } from '../../../db/messages/refusals.ts';
import { recordInbound } from '../../../db/conversations/inbound.ts';
import { applyStatusReports, type StatusReport, takeReports } from '../../../db/messages/status-reports.ts';
import { type MessageStatus, statusRank } from '../../../domain/messages/status.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Fixture, openFixture, type Organization } from '../fixture.ts';

let fixture: Fixture;
let acme: Organization;
beforeAll(async () => {
  fixture = await openFixture();
  acme = await fixture.organization();
});
afterAll(async () => {
  await fixture?.close();
});

const start = Date.parse('2026-12-01T15:00:00Z');
const at = (ms: number) => new Date(start + ms);
const apply = (reports: StatusReport[], organization = acme) =>
  fixture.in(organization, (trx) => applyStatusReports(trx, reports));
const eventsOf = async (messageId: string) => {
  const { rows } = await sql<{ status: string; sid: string }>`
    select status, twilio_sid as sid from message_events where message_id = ${messageId} order by status, twilio_sid`.execute(
    fixture.database.system,
  );
  return rows;
};

async function oneSent(status: MessageStatus = 'sending') {
  const massSms = await fixture.massSms(acme, 1);
  const { id } = massSms.messages[0]!;
  await fixture.force([id], { status, claimedAt: at(0) });
  const read = async () => (await fixture.messagesOf(massSms))[0]!;
  const report = (reported: MessageStatus, ms: number, more: Partial<StatusReport> = {}): StatusReport => ({
    messageId: id,
    sid: 'SM1',
    status: reported,
    errorCode: null,
    at: at(ms),
    ...more,
  });
  return { id, read, report, massSms };
}

const nothing = { refused: [], stopping: [], doubled: [], changed: [] };
const reported = ['accepted', 'sent', 'delivered', 'undelivered', 'failed', 'cancelled'] as const;

describe('status reports', () => {
  it('take a message forward, with the times of being sent and of its end', async () => {
    const { id, read, report } = await oneSent();
    await apply([report('accepted', 10)]);
    expect(await read()).toMatchObject({
      status: 'accepted',
      twilio_sid: 'SM1',
      accepted_at: at(10),
      finished_at: null,
    });
    await apply([report('sent', 20)]);
    await apply([report('delivered', 30)]);
    expect(await read()).toMatchObject({
      status: 'delivered',
      accepted_at: at(10),
      sent_at: at(20),
      finished_at: at(30),
    });
    expect(await eventsOf(id)).toHaveLength(3);
  });

  it('never take it backwards, in whatever order, grouping and repetition they come', async () => {
    const sequence = fc.array(fc.array(fc.constantFrom(...reported), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(sequence, async (groups) => {
        const { id, read, report } = await oneSent();
        let expected: MessageStatus = 'sending';
        let ms = 0;
        for (const group of groups) {
          let best: MessageStatus | undefined;
          for (const status of group) if (!best || statusRank[status] > statusRank[best]) best = status;
          if (statusRank[best!] > statusRank[expected]) expected = best!;
          await apply(group.map((status) => report(status, (ms += 10))));
          expect((await read()).status).toBe(expected);
        }
        expect(await eventsOf(id)).toHaveLength(new Set(groups.flat()).size);
      }),
      { numRuns: 40 },
    );
  });

  it('count once however often they are delivered', async () => {
    const { id, read, report } = await oneSent();
    await apply([report('delivered', 10), report('delivered', 10), report('delivered', 12)]);
    const once = await read();
    await apply([report('delivered', 500)]);
    expect(await read()).toEqual(once);
    expect(await eventsOf(id)).toEqual([{ status: 'delivered', sid: 'SM1' }]);
  });

  it('of a message in doubt settle it', async () => {
    const { read, report } = await oneSent('in_doubt');
    await apply([report('accepted', 10)]);
    expect(await read()).toMatchObject({ status: 'accepted', twilio_sid: 'SM1' });
  });

  it('keep the time of being sent also when the delivery is in the same group', async () => {
    const { read, report } = await oneSent();
    await apply([report('delivered', 30), report('sent', 20)]);
    expect(await read()).toMatchObject({ status: 'delivered', sent_at: at(20), finished_at: at(30) });
  });

  it('name the numbers that were refused, which are then matched by no audience', async () => {
    const { read, report, massSms } = await oneSent();
    const applied = await apply([report('undelivered', 10, { errorCode: 30_006 })]);
    expect(applied.refused).toMatchObject([{ contactNumber: massSms.messages[0]!.to, errorCode: 30_006 }]);
    expect(await read()).toMatchObject({ status: 'undelivered', error_code: 30_006 });
    await fixture.in(acme, (trx) => learnFromRefusals(trx, acme.id, applied.refused, at(20)));
    const contact = await fixture.database.system
      .selectFrom('contacts')
      .select('phone_status')
      .where('id', '=', massSms.messages[0]!.contactId)
      .executeTakeFirst();
    expect(contact).toEqual({ phone_status: 'invalid' });
  });

  it('that come too late to count teach nothing but an opt-out: no error, no dead number, no mass SMS stopped', async () => {
    const { id, read, report, massSms } = await oneSent();
    await apply([report('delivered', 10)]);
    const take = (errorCode: number, ms: number) =>
      takeReports(fixture.database, acme.id, [report('undelivered', ms, { errorCode })], at(ms));
    for (const errorCode of [30_006, 30_002]) await take(errorCode, 20);
    expect(await read()).toMatchObject({ status: 'delivered', error_code: null, finished_at: at(10) });
    const { system } = fixture.database;
    const contact = system
      .selectFrom('contacts')
      .select('phone_status')
      .where('id', '=', massSms.messages[0]!.contactId);
    expect(await contact.executeTakeFirst()).toEqual({ phone_status: 'valid' });
    const status = system.selectFrom('mass_sms').select('status').where('id', '=', massSms.id);
    expect(await status.executeTakeFirst()).toEqual({ status: 'in_process' });
    await take(21_610, 30);
    const opted = system.selectFrom('opt_outs').select('method').where('phone_number', '=', massSms.messages[0]!.to);
    expect(await opted.execute()).toEqual([{ method: 'twilio_21610' }]);
    expect(await read()).toMatchObject({ status: 'delivered', error_code: null });
    expect(await eventsOf(id)).toHaveLength(2);
  });

  it('that repeat the state it is in add its error, which the first one left out', async () => {
    const { read, report } = await oneSent();
    await apply([report('undelivered', 10)]);
    await apply([report('undelivered', 20, { errorCode: 30_003 })]);
    expect(await read()).toMatchObject({ status: 'undelivered', error_code: 30_003, finished_at: at(10) });
  });

  it('under a second SID are told apart: Twilio has the message twice', async () => {
    const { id, read, report } = await oneSent();
    expect((await apply([report('sent', 10)])).doubled).toEqual([]);
    expect((await apply([report('delivered', 20, { sid: 'SM2' })])).doubled).toEqual([id]);
    expect(await read()).toMatchObject({ twilio_sid: 'SM1' });
    expect(await eventsOf(id)).toEqual([
      { status: 'delivered', sid: 'SM2' },
      { status: 'sent', sid: 'SM1' },
    ]);
  });

  it("of messages the organization does not have change nothing, not even another organization's", async () => {
    const other = await fixture.organization();
    const { id, read, report } = await oneSent();
    const before = await read();
    const unknown = report('delivered', 10, { messageId: 'msg_01a20368-534e-785e-8b65-000000000000' });
    expect(await apply([unknown])).toEqual(nothing);
    expect(await apply([report('delivered', 10)], other)).toEqual(nothing);
    expect(await read()).toEqual(before);
    expect(await eventsOf(id)).toEqual([]);
  });

  it('of many messages are applied together, each for itself', async () => {
    const massSms = await fixture.massSms(acme, 200);
    await fixture.force(
      massSms.messages.map((message) => message.id),
      { status: 'sending', claimedAt: at(0) },
    );
    const reports = massSms.messages.map(({ id, rank }) => ({
      messageId: id,
      sid: `SM${rank}`,
      status: reported[rank % reported.length]!,
      errorCode: null,
      at: at(rank),
    }));
    await apply(reports);
    const rows = await fixture.messagesOf(massSms);
    expect(rows.map((row) => row.status)).toEqual(reports.map((report) => report.status));
    expect(rows.map((row) => row.twilio_sid)).toEqual(reports.map((report) => report.sid));
  });
});

describe('at the same moment', () => {
  const waitingForLocks = async (): Promise<number> => {
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from pg_locks where not granted and pid in (
        select pid from pg_locks where database = (select oid from pg_database where datname = current_database()))`.execute(
      fixture.database.system,
    );
    return rows[0]!.count;
  };

  it('a STOP and the report that Twilio blocks the number do not end each other', async () => {
    const organization = await fixture.organization({ optOutScope: 'organization' });
    const massSms = await fixture.massSms(organization, 1);
    const { id, to } = massSms.messages[0]!;
    const sent = { status: 'accepted', accepted_at: at(0), twilio_sid: 'SM1' } as const;
    await fixture.database.system.updateTable('messages').set(sent).where('id', '=', id).execute();
    const applied = Promise.withResolvers<void>();
    const reporting = fixture.in(organization, async (trx) => {
      const blocked = { messageId: id, sid: 'SM1', status: 'failed', errorCode: 21_610, at: at(10) } as const;
      const { refused } = await applyStatusReports(trx, [blocked]);
      applied.resolve();
      await eventually(async () => expect(await waitingForLocks()).toBeGreaterThan(0), { everyMs: 10 });
      await learnFromRefusals(trx, organization.id, refused, at(10));
    });
    await applied.promise;
    const said = { organizationId: organization.id, sid: `SMstop${id}`, from: to, to: organization.line, body: 'STOP' };
    const stopping = fixture.in(organization, (trx) =>
      recordInbound(trx, { ...said, mediaUrls: [], keyword: 'stop', at: at(20) }),
    );
    await Promise.all([reporting, stopping]);
    const opted = fixture.database.system.selectFrom('opt_outs').select('method').where('phone_number', '=', to);
    expect(await opted.execute()).toEqual([{ method: 'twilio_21610' }]);
    expect((await fixture.messagesOf(massSms))[0]).toMatchObject({ status: 'failed', unsubscribed_at: at(20) });
  });

  it('the same reports in opposite orders, to two processes, are both taken', async () => {
    const massSms = await fixture.massSms(acme, 300);
    const ids = massSms.messages.map((message) => message.id);
    await fixture.force(ids, { status: 'sending', claimedAt: at(0) });
    for (const sid of ['SMa', 'SMb', 'SMc', 'SMd']) {
      const reports = ids.map(
        (messageId) => ({ messageId, sid, status: 'sent', errorCode: 21_610, at: at(10) }) as const,
      );
      const take = (some: readonly StatusReport[]) =>
        fixture.in(acme, async (trx) => {
          const { refused } = await applyStatusReports(trx, some);
          await learnFromRefusals(trx, acme.id, refused, at(10));
        });
      await Promise.all([take(reports), take(reports.toReversed())]);
    }
    expect(await eventsOf(ids[0]!)).toHaveLength(4);
  });

  it('the same refusals in opposite orders are both learned from', async () => {
    for (let round = 0; round < 10; round += 1) {
      const numberOf = (index: number) => `+1628${2_000_000 + round * 1_000 + index}`;
      const refused = Array.from({ length: 300 }, (_, n) => ({ contactNumber: numberOf(n), errorCode: 21_610 }));
      const learn = (some: typeof refused) => fixture.in(acme, (trx) => learnFromRefusals(trx, acme.id, some, at(10)));
      await Promise.all([learn(refused), learn(refused.toReversed())]);
      const numbers = refused.map((one) => one.contactNumber);
      const { rows } = await sql`select from opt_outs where phone_number = any(${numbers})`.execute(
        fixture.database.system,
      );
      expect(rows).toHaveLength(300);
    }
  });
});
