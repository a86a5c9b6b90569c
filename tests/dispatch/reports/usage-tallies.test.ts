/** Usage as the trigger keeps it, against a count of the messages themselves. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { recordInbound } from '../../../db/conversations/inbound.ts';
import {
  cancelUnsent,
  claimMessages,
  type SendResult,
  settleAsSent,
  settleAsUnknown,
  unsettledMessages,
  writeResults,
} from '../../../db/messages/outgoing.ts';
import { applyStatusReports } from '../../../db/messages/status-reports.ts';
import { type Fixture, openFixture, type Organization, type TestMassSms } from '../fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(async () => {
  await fixture?.close();
});

const boundary = Date.parse('2026-12-01T00:00:00.000Z');
const around = (ms: number) => new Date(boundary + ms);
const now = around(3_600_000);
const sidOf = (id: string) => `SM${id.slice(-30)}`;

/** `month line user purpose direction` → messages and segments. */
type Usage = Record<string, [messages: number, segments: number]>;

async function kept(organization: Organization): Promise<Usage> {
  const { rows } = await sql<{ key: string; messages: number; segments: number }>`
    select concat_ws(' ', to_char(month, 'YYYY-MM'), line, user_id, purpose, direction) as key, messages, segments
    from usage_tallies where organization_id = ${organization.id} and (messages <> 0 or segments <> 0)`.execute(
    fixture.database.system,
  );
  return Object.fromEntries(rows.map(({ key, messages, segments }) => [key, [messages, segments]]));
}

async function counted(organization: Organization): Promise<Usage> {
  const rows = await fixture.database.system
    .selectFrom('messages')
    .selectAll('messages')
    .leftJoin('mass_sms', 'mass_sms.id', 'mass_sms_id')
    .select('created_by')
    .where('messages.organization_id', '=', organization.id)
    .execute();
  const usage: Usage = {};
  for (const row of rows) {
    const isRefused = (row.status === 'failed' || row.status === 'undelivered') && row.error_code !== null;
    const attempted = row.accepted_at ?? (isRefused ? row.finished_at : null);
    const at = row.direction === 'inbound' ? row.created_at : attempted;
    if (!at) continue;
    const user = row.user_id ?? /^user:(.*)/.exec(row.created_by ?? '')?.[1] ?? '';
    const key = [at.toISOString().slice(0, 7), row.line, user, row.purpose, row.direction].join(' ');
    const sum = (usage[key] ??= [0, 0]);
    sum[0] += 1;
    sum[1] += row.segments ?? 0;
  }
  return usage;
}

const claim = (organization: Organization, massSms: TestMassSms, limit: number) =>
  fixture.in(organization, (trx) =>
    claimMessages(trx, massSms.range, { attemptId: 'a/1', limit, now: around(-2_000) }),
  );
const write = (organization: Organization, results: SendResult[], at: Date) =>
  fixture.in(organization, (trx) => writeResults(trx, { attemptId: 'a/1', results, now: at }));
const accepted = (id: string, segments: number | null = 1): SendResult => ({
  id,
  status: 'accepted',
  sid: sidOf(id),
  errorCode: null,
  segments,
});
const report = (organization: Organization, ids: readonly string[], status: SendResult['status'], at: Date) =>
  fixture.in(organization, (trx) =>
    applyStatusReports(
      trx,
      ids.map((messageId) => ({
        messageId,
        sid: sidOf(messageId),
        status,
        errorCode: status === 'undelivered' || status === 'failed' ? 30_003 : null,
        at,
      })),
    ),
  );
const receive = (organization: Organization, from: string, given: { at: Date; segments?: number }) =>
  fixture.in(organization, (trx) =>
    recordInbound(trx, {
      organizationId: organization.id,
      sid: `SM${randomUUID()}`,
      from,
      to: organization.line,
      body: 'Hello',
      mediaUrls: [],
      keyword: null,
      ...given,
    }),
  );
/** Sets columns behind the product's back. */
const change = (ids: readonly string[], set: { segments?: number; line?: string }) =>
  fixture.database.system
    .updateTable('messages')
    .set(set)
    .where(sql<boolean>`id = any(${[...ids]})`)
    .execute();

describe('usage', () => {
  it('equals a count of the messages after any sequence of operations, also at once and across a month', async () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const ms = fc.integer({ min: -2_000, max: 2_000 });
    const segments = fc.integer({ min: 1, max: 5 });
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 15 }) }),
      fc.record({
        kind: fc.constant('write' as const),
        status: fc.constantFrom('accepted' as const, 'failed' as const, 'in_doubt' as const, 'queued' as const),
        share,
        ms,
        segments: fc.option(segments),
      }),
      fc.record({
        kind: fc.constant('report' as const),
        status: fc.constantFrom('accepted', 'sent', 'delivered', 'undelivered', 'failed', 'cancelled'),
        share,
        ms,
      }),
      fc.record({ kind: fc.constant('settle' as const), sent: fc.boolean(), ms, segments }),
      fc.record({ kind: fc.constant('inbound' as const), ms, segments, stop: fc.boolean(), index: fc.nat(29) }),
      fc.record({ kind: fc.constant('recount' as const), share, segments }),
      fc.record({ kind: fc.constant('reroute' as const), share }),
      fc.record({ kind: fc.constant('cancel' as const) }),
    );
    const rounds = fc.array(fc.array(operation, { minLength: 1, maxLength: 3 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(rounds, fc.boolean(), async (given, byUser) => {
        const acme = await fixture.organization();
        const lines = [acme.line, `${acme.line.slice(0, -1)}x`];
        const [first, second] = [
          await fixture.massSms(acme, 30, { lines, at: around(-86_400_000) }),
          await fixture.massSms(acme, 10, { lines, at: around(-1), purpose: 'transactional' }),
        ];
        if (byUser) {
          const createdBy = { created_by: `user:${newId('user', now)}` };
          await fixture.database.system.updateTable('mass_sms').set(createdBy).where('id', '=', first.id).execute();
        }
        const messages = [...first.messages, ...second.messages];
        const some = (part: number) => messages.slice(0, Math.ceil(part * 40)).map(({ id }) => id);
        const run = async (one: (typeof given)[number][number]) => {
          if (one.kind === 'claim') await claim(acme, first, one.limit);
          if (one.kind === 'claim') await claim(acme, second, one.limit);
          if (one.kind === 'write') {
            const { status, segments } = one;
            const errorCode = status === 'failed' ? 21_211 : null;
            const sid = (id: string) => (status === 'accepted' ? sidOf(id) : null);
            const results = some(one.share).map((id) => ({ id, status, sid: sid(id), errorCode, segments }));
            await write(acme, results, around(one.ms));
          }
          if (one.kind === 'report') await report(acme, some(one.share), one.status, around(one.ms));
          if (one.kind === 'settle') {
            for (const { id } of await fixture.in(acme, (trx) => unsettledMessages(trx, first.range))) {
              const found = { sid: sidOf(id), status: 'sent' as const, errorCode: null, segments: one.segments };
              await fixture.in(acme, (trx) =>
                one.sent ? settleAsSent(trx, id, found, around(one.ms)) : settleAsUnknown(trx, id, around(one.ms)),
              );
            }
          }
          if (one.kind === 'inbound') {
            const keyword = one.stop ? { body: 'STOP', keyword: 'stop' as const } : {};
            await receive(acme, messages[one.index]!.to, { at: around(one.ms), segments: one.segments, ...keyword });
          }
          if (one.kind === 'recount') await change(some(one.share), { segments: one.segments });
          if (one.kind === 'reroute') await change(some(one.share), { line: lines[1]! });
          if (one.kind === 'cancel') {
            await fixture.in(acme, (trx) => cancelUnsent(trx, first.range, { reason: 'cancelled', now }));
          }
        };
        for (const round of given) await Promise.all(round.map((one) => retried(() => run(one))));
        expect(await kept(acme)).toEqual(await counted(acme));
      }),
      { numRuns: 30 },
    );
  });

  it('counts what Twilio accepted or refused, and nothing that was cancelled, given back or of unknown outcome', async () => {
    const acme = await fixture.organization();
    const massSms = await fixture.massSms(acme, 6);
    const ids = massSms.messages.map(({ id }) => id);
    await claim(acme, massSms, 5);
    const other = { sid: null, segments: 2 };
    await write(
      acme,
      [
        accepted(ids[0]!, 3),
        { ...other, id: ids[1]!, status: 'failed', errorCode: 21_211 },
        { ...other, id: ids[2]!, status: 'in_doubt', errorCode: null },
        { ...other, id: ids[3]!, status: 'in_doubt', errorCode: null },
        { ...other, id: ids[4]!, status: 'queued', errorCode: null },
      ],
      now,
    );
    await fixture.in(acme, (trx) => settleAsUnknown(trx, ids[3]!, now));
    await fixture.in(acme, (trx) => cancelUnsent(trx, massSms.range, { reason: 'expired', now }));
    expect(await kept(acme)).toEqual({ [`2026-12 ${acme.line}  promotional outbound`]: [2, 5] });
  });

  it('stays in the month of the attempt, whenever it is delivered', async () => {
    const acme = await fixture.organization();
    const massSms = await fixture.massSms(acme, 2);
    const [late, early] = massSms.messages.map(({ id }) => id) as [string, string];
    await claim(acme, massSms, 2);
    await write(acme, [accepted(late)], around(-1));
    await write(acme, [accepted(early)], around(0));
    await report(acme, [late, early], 'undelivered', around(86_400_000));
    const key = (month: string) => `${month} ${acme.line}  promotional outbound`;
    expect(await kept(acme)).toEqual({ [key('2026-11')]: [1, 1], [key('2026-12')]: [1, 1] });
  });

  it('counts a mass SMS for the user who created it', async () => {
    const acme = await fixture.organization();
    const massSms = await fixture.massSms(acme, 1);
    const user = newId('user', now);
    const created = { created_by: `user:${user}` };
    await fixture.database.system.updateTable('mass_sms').set(created).where('id', '=', massSms.id).execute();
    await claim(acme, massSms, 1);
    await write(acme, [accepted(massSms.messages[0]!.id)], now);
    expect(Object.keys(await kept(acme))).toEqual([`2026-12 ${acme.line} ${user} promotional outbound`]);
  });

  it('is kept by organization', async () => {
    const [acme, other] = [await fixture.organization(), await fixture.organization()];
    await receive(acme, '+14155550100', { at: now });
    expect(await kept(other)).toEqual({});
  });

  it('is added up by many writers at once, who never deadlock over its lines', async () => {
    const acme = await fixture.organization();
    const lines = Array.from({ length: 5 }, (_, n) => `+1312555010${n}`);
    const all = await Promise.all(Array.from({ length: 6 }, () => fixture.massSms(acme, 60, { lines })));
    for (const massSms of all) await claim(acme, massSms, 60);
    const parts = all.flatMap(({ messages }) => [0, 20, 40].map((from) => messages.slice(from, from + 20)));
    const results = parts.map((part) => part.map(({ id }) => accepted(id, 2)));
    await Promise.all(results.map((some) => write(acme, some, now)));
    const usage = Object.values(await kept(acme));
    expect(usage).toHaveLength(lines.length);
    const sum = (index: 0 | 1) => usage.reduce((total, figures) => total + figures[index], 0);
    expect([sum(0), sum(1)]).toEqual([360, 720]);
  });
});

/** Deadlocks end one of two transactions; the callers of these functions repeat them. */
async function retried(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if ((error as { code?: string }).code !== '40P01') throw error;
    }
  }
}
