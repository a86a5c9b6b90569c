/** Claiming on real Postgres: what a claim takes, passes over, refuses and leaves. */
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../db/ids.ts';
import { sendingOrganization } from '../../db/mass-sms/mass-sms.ts';
import { type Chosen, claimMessages, type RankRange } from '../../db/messages/outgoing.ts';
import { eventually } from '../harness/eventually.ts';
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

describe('a claim', () => {
  it('takes messages in order of rank, makes them sending before any request leaves, and says where it stopped', async () => {
    const massSms = await fixture.massSms(acme, 30);
    const { claimed, lastRank } = await claim(massSms.range, 20, { attemptId: 'act/7' });
    expect(claimed.map((item) => item.rank)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(claimed[0]).toMatchObject({
      id: massSms.messages[0]!.id,
      rank: 1,
      to: massSms.messages[0]!.to,
      from: acme.line,
      body: 'Hi , we are hiring.',
    });
    expect(lastRank).toBe(20);
    const rows = await fixture.messagesOf(massSms);
    expect(rows.slice(0, 20).every((row) => row.status === 'sending' && row.attempt_id === 'act/7')).toBe(true);
    expect(rows.slice(0, 20).every((row) => row.attempts === 1)).toBe(true);
    expect(rows.slice(20).every((row) => row.status === 'queued' && row.attempts === 0)).toBe(true);
    expect(await claim({ ...massSms.range, first: 21 }, 20)).toMatchObject({ lastRank: 30 });
    expect(await claim(massSms.range, 20)).toEqual({ claimed: [], lastRank: null });
  });

  it('keeps to the ranks of its batch', async () => {
    const massSms = await fixture.massSms(acme, 30);
    const { claimed } = await claim({ ...massSms.range, first: 11, last: 20 }, 100);
    expect(claimed.map((item) => item.rank)).toEqual(Array.from({ length: 10 }, (_, index) => index + 11));
  });

  it.for(['scheduled', 'paused', 'error', 'completed', 'cancelled', 'suspended'] as const)(
    'takes nothing of a mass SMS that is %s',
    async (status) => {
      const massSms = await fixture.massSms(acme, 3, { status });
      expect(await claim(massSms.range, 10)).toEqual({ claimed: [], lastRank: null });
    },
  );

  it('passes over rows that another claim holds', async () => {
    await using owner = await ownerClient();
    const massSms = await fixture.massSms(acme, 10);
    const held = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const holding = fixture.in(acme, async (trx) => {
      const first = await claimMessages(trx, massSms.range, { attemptId: 'a/1', limit: 4, now });
      held.resolve();
      await release.promise;
      return first;
    });
    await held.promise;
    // It has chosen its rows when it waits: not for the rows, but for its turn at the tallies.
    const other = claim(massSms.range, 10, { attemptId: 'b/1' });
    await eventually(async () => {
      const { rows } = await owner.query<{ query: string }>(
        `select query from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows.map((row) => row.query.trim().slice(0, 15))).toEqual(['update messages']);
    });
    release.resolve();
    expect((await holding).claimed.map((item) => item.rank)).toEqual([1, 2, 3, 4]);
    expect((await other).claimed.map((item) => item.rank)).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it('never gives two claimers the same message', async () => {
    const massSms = await fixture.massSms(acme, 600);
    const claimers = Array.from({ length: 6 }, async (_, index) => {
      const got: string[] = [];
      for (;;) {
        const { claimed, lastRank } = await claim(massSms.range, 17, { attemptId: `c${index}/1` });
        // Nothing found: another one may hold the last rows, and then they are its own.
        if (lastRank === null) return got;
        got.push(...claimed.map((item) => item.id));
      }
    });
    const all = (await Promise.all(claimers)).flat();
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(600);
    expect((await fixture.messagesOf(massSms)).every((row) => row.attempts === 1)).toBe(true);
  });

  it('waits for a pause that is being committed, and then takes nothing', async () => {
    const massSms = await fixture.massSms(acme, 5);
    const paused = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const pausing = fixture.in(acme, async (trx) => {
      await trx.updateTable('mass_sms').set({ status: 'paused' }).where('id', '=', massSms.id).execute();
      paused.resolve();
      await commit.promise;
    });
    await paused.promise;
    const claiming = claim(massSms.range, 5);
    commit.resolve();
    await pausing;
    expect(await claiming).toEqual({ claimed: [], lastRank: null });
  });

  it('takes nothing by settings that are not those of the organization any more', async () => {
    const other = await fixture.organization({ firstBatchSize: 7 });
    const massSms = await fixture.massSms(other, 2);
    const claimBy = (settings: string) =>
      fixture.in(other, (trx) => claimMessages(trx, massSms.range, { attemptId: 'a/1', limit: 1, now, settings }));
    const { settingsAsStored } = await fixture.in(other, (trx) => sendingOrganization(trx, other.id));
    expect((await claimBy(settingsAsStored)).claimed).toHaveLength(1);
    const changed = JSON.stringify({ firstBatchSize: 8 });
    await fixture.database.system
      .updateTable('organizations')
      .set({ settings: changed })
      .where('id', '=', other.id)
      .execute();
    expect(await claimBy(settingsAsStored)).toEqual({ claimed: [], lastRank: null });
  });

  it('takes of those chosen who are queued still, cancels who never may, and goes on behind all that were looked at', async () => {
    const massSms = await fixture.massSms(acme, 6);
    await fixture.force([massSms.messages[2]!.id], { status: 'accepted' });
    const until = later(60_000);
    const claimOf = (chosen: Chosen) =>
      fixture.in(acme, (trx) => claimMessages(trx, massSms.range, { attemptId: 'a/1', limit: 10, now, chosen }));
    const open = new Map([2, 3, 5].map((rank) => [rank, until]));
    const { claimed, lastRank } = await claimOf({ open, never: new Set([4]), lastRank: 6 });
    expect(claimed).toMatchObject([
      { rank: 2, closesAt: until },
      { rank: 5, closesAt: until },
    ]);
    expect(lastRank).toBe(6);
    const rows = await fixture.messagesOf(massSms);
    expect(rows.map(({ status }) => status)).toEqual([
      'queued',
      'sending',
      'accepted',
      'cancelled',
      'sending',
      'queued',
    ]);
    expect(rows[3]!.cancel_reason).toBe('never_lawful');
    // Everybody must wait.
    const nobody = { open: new Map<number, Date>(), never: new Set<number>(), lastRank: 6 };
    expect(await claimOf(nobody)).toEqual({ claimed: [], lastRank: 6 });
  });

  describe('judges each message once more', () => {
    const optOut = (phoneNumber: string, given: { organization?: string; line?: string } = {}) =>
      fixture.database.system
        .insertInto('opt_outs')
        .values({
          id: newId('optOut', now),
          organization_id: given.organization ?? null,
          phone_number: phoneNumber,
          line: given.line ?? null,
          method: 'reply',
          at: now,
        })
        .execute();

    it('and cancels those to contacts who opted out, in whatever scope holds here', async () => {
      const other = await fixture.organization();
      const massSms = await fixture.massSms(acme, 6);
      const to = massSms.messages.map((message) => message.to);
      await optOut(to[0]!);
      await optOut(to[1]!, { organization: acme.id });
      await optOut(to[2]!, { organization: acme.id, line: acme.line });
      await optOut(to[3]!, { organization: acme.id, line: '+13125550000' });
      await optOut(to[4]!, { organization: other.id });
      const { claimed, lastRank } = await claim(massSms.range, 6);
      expect(claimed.map((item) => item.rank)).toEqual([4, 5, 6]);
      expect(lastRank).toBe(6);
      const rows = await fixture.messagesOf(massSms);
      for (const row of rows.slice(0, 3))
        expect(row).toMatchObject({ status: 'cancelled', cancel_reason: 'opted_out', finished_at: now });
    });

    it.for(['promotional', 'transactional'] as const)(
      'and cancels those whose consent to %s messages was withdrawn',
      async (purpose) => {
        const massSms = await fixture.massSms(acme, 3, { purpose });
        const [withdrawn, otherPurpose] = massSms.messages.map((message) => message.contactId);
        const withdraw = (contact: string, which: string) =>
          sql`update contacts set ${sql.ref(`consent_${which}`)} = false where id = ${contact}`.execute(
            fixture.database.system,
          );
        await withdraw(withdrawn!, purpose);
        await withdraw(otherPurpose!, purpose === 'promotional' ? 'transactional' : 'promotional');
        const { claimed } = await claim(massSms.range, 3);
        expect(claimed.map((item) => item.rank)).toEqual([2, 3]);
        expect((await fixture.messagesOf(massSms))[0]).toMatchObject({
          status: 'cancelled',
          cancel_reason: 'no_consent',
        });
      },
    );

    it('and goes on past a chunk of nothing but refusals', async () => {
      const massSms = await fixture.massSms(acme, 6);
      for (const message of massSms.messages.slice(0, 3)) await optOut(message.to);
      expect(await claim(massSms.range, 3)).toEqual({ claimed: [], lastRank: 3 });
      expect((await claim({ ...massSms.range, first: 4 }, 3)).claimed).toHaveLength(3);
    });
  });
});

async function ownerClient() {
  const client = new pg.Client({ connectionString: fixture.url });
  await client.connect();
  return {
    query: <Row extends pg.QueryResultRow>(text: string) => client.query<Row>(text),
    [Symbol.asyncDispose]: () => client.end(),
  };
}
