/** The order of message states (D5), in TypeScript and in Postgres. */
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { type MessageStatus, messageStatuses, statusFromTwilio, statusRank } from '../../../domain/messages/status.ts';
import { cloneDatabase } from '../../harness/infrastructure.ts';

/** What every writer does with a report. */
const move = (current: MessageStatus, reported: MessageStatus): MessageStatus =>
  statusRank[reported] > statusRank[current] ? reported : current;

describe('message status', () => {
  it('never moves backwards, whatever reports come and in whatever order', () => {
    const reports = fc.array(fc.constantFrom(...messageStatuses), { maxLength: 30 });
    fc.assert(
      fc.property(fc.constantFrom(...messageStatuses), reports, (start, sequence) => {
        let status = start;
        for (const reported of sequence) {
          const next = move(status, reported);
          expect(statusRank[next]).toBeGreaterThanOrEqual(statusRank[status]);
          if (statusRank[status] === 7) expect(next).toBe(status);
          status = next;
        }
        const furthest = Math.max(statusRank[start], ...sequence.map((reported) => statusRank[reported]));
        expect(statusRank[status]).toBe(furthest);
      }),
    );
  });

  it('ends the same whatever the order of reports with one final state among them', () => {
    const reports = fc.shuffledSubarray(['accepted', 'sent', 'delivered'] as const, { minLength: 1 });
    fc.assert(
      fc.property(reports, reports, (a, b) => {
        if (a.toSorted().join() !== b.toSorted().join()) return;
        const end = (sequence: readonly MessageStatus[]) => sequence.reduce<MessageStatus>(move, 'sending');
        expect(end(a)).toBe(end(b));
      }),
    );
  });

  it('has the same ranks in Postgres', async () => {
    const own = await cloneDatabase();
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ status: MessageStatus; rank: number }>(
        'select status, message_status_rank(status) as rank from unnest($1::text[]) as s (status)',
        [messageStatuses],
      );
      expect(Object.fromEntries(rows.map(({ status, rank }) => [status, rank]))).toEqual(statusRank);
      // And Postgres stores these states and no others.
      const check = await client.query<{ definition: string }>(
        `select pg_get_constraintdef(oid) as definition from pg_constraint
         where conrelid = 'messages'::regclass and contype = 'c' and pg_get_constraintdef(oid) like '%in_doubt%'`,
      );
      const stored = [...check.rows[0]!.definition.matchAll(/'(\w+)'/g)].map(([, status]) => status!);
      expect(stored.toSorted()).toEqual([...messageStatuses].toSorted());
    } finally {
      await client.end();
      await own.release();
    }
  });

  it.for([
    ['queued', 'accepted'],
    ['accepted', 'accepted'],
    ['sending', 'accepted'],
    ['scheduled', 'accepted'],
    ['sent', 'sent'],
    ['partially_delivered', 'sent'],
    ['delivered', 'delivered'],
    ['read', 'delivered'],
    ['undelivered', 'undelivered'],
    ['failed', 'failed'],
    ['canceled', 'cancelled'],
    ['something new', null],
    ['', null],
  ] as const)("Twilio's %s is our %s", ([word, status]) => {
    expect(statusFromTwilio(word)).toBe(status);
  });
});
