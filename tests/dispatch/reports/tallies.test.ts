/** The figures kept by a trigger, against a count of the messages themselves. */
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cancelUnsent,
  claimMessages,
  type SendResult,
  settleAsSent,
  settleAsUnsent,
  unsettledMessages,
  writeResults,
} from '../../../db/messages/outgoing.ts';
import { applyStatusReports } from '../../../db/messages/status-reports.ts';
import { type Fixture, openFixture, type Organization, type TestMassSms } from '../fixture.ts';

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

const claim = (massSms: TestMassSms, limit: number) =>
  fixture.in(acme, (trx) => claimMessages(trx, massSms.range, { attemptId: 'a/1', limit, now }));
const write = (ids: string[], status: SendResult['status']) => {
  const sid = (id: string) => (status === 'accepted' ? `SM${id.slice(-30)}` : null);
  const results = ids.map((id) => ({ id, status, sid: sid(id), errorCode: null, segments: 1 }));
  return fixture.in(acme, (trx) => writeResults(trx, { attemptId: 'a/1', results, now }));
};

/** The tallies the trigger keeps, and the same figures counted. */
async function tallies(massSms: Pick<TestMassSms, 'id'>) {
  const kept = await sql<{ kind: string; batch: number; count: number }>`
    select kind, batch_number as batch, count from mass_sms_tallies
    where mass_sms_id = ${massSms.id} and count <> 0 order by 1, 2`.execute(fixture.database.system);
  const counted = await sql<{ kind: string; batch: number; count: number }>`
    select status as kind, batch_number as batch, count(*) as count from messages where mass_sms_id = ${massSms.id}
    group by 1, 2
    union all
    select 'unsubscribed', batch_number, count(*) from messages
    where mass_sms_id = ${massSms.id} and unsubscribed_at is not null group by 1, 2 order by 1, 2`.execute(
    fixture.database.system,
  );
  return { kept: kept.rows, counted: counted.rows };
}

describe('the tallies of a mass SMS', () => {
  it('equal a count of its messages after any sequence of operations, also at once', async () => {
    const statuses = ['accepted', 'failed', 'in_doubt', 'queued'] as const;
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 12 }) }),
      fc.record({
        kind: fc.constant('write' as const),
        status: fc.constantFrom(...statuses),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({
        kind: fc.constant('report' as const),
        status: fc.constantFrom('accepted' as const, 'sent' as const, 'delivered' as const, 'undelivered' as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.record({ kind: fc.constant('unsubscribe' as const), index: fc.nat(39) }),
      fc.record({ kind: fc.constant('settle' as const), sent: fc.boolean() }),
      fc.record({ kind: fc.constant('cancel' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(operation, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
        async (rounds) => {
          const massSms = await fixture.massSms(acme, 40, { firstBatchSize: 15 });
          const some = (share: number) => massSms.messages.slice(0, Math.ceil(share * 40)).map((message) => message.id);
          const run = async (given: (typeof rounds)[number][number]) => {
            if (given.kind === 'claim') await claim(massSms, given.limit);
            if (given.kind === 'write') await write(some(given.share), given.status);
            if (given.kind === 'report') {
              const reports = some(given.share).map((messageId) => ({
                messageId,
                sid: `SM${messageId.slice(-30)}`,
                status: given.status,
                errorCode: null,
                at: now,
              }));
              await fixture.in(acme, (trx) => applyStatusReports(trx, reports));
            }
            if (given.kind === 'unsubscribe') {
              await fixture.in(acme, (trx) =>
                trx
                  .updateTable('messages')
                  .set({ unsubscribed_at: now })
                  .where('id', '=', massSms.messages[given.index]!.id)
                  .execute(),
              );
            }
            if (given.kind === 'settle') {
              await fixture.in(acme, async (trx) => {
                for (const { id, claimedAt } of await unsettledMessages(trx, massSms.range)) {
                  const found = { sid: `SM${id.slice(-30)}`, status: 'sent' as const, errorCode: null, segments: 1 };
                  if (given.sent) await settleAsSent(trx, id, found, now);
                  else await settleAsUnsent(trx, id, claimedAt);
                }
              });
            }
            if (given.kind === 'cancel') {
              await fixture.in(acme, (trx) => cancelUnsent(trx, massSms.range, { reason: 'cancelled', now }));
            }
          };
          for (const round of rounds) await Promise.all(round.map((one) => retried(() => run(one))));
          const { kept, counted } = await tallies(massSms);
          expect(kept).toEqual(counted);
        },
      ),
      { numRuns: 25 },
    );
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
