/** What waits to be sent from numbers that are about to be released, and releases that must not begin. */
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMassSms, sendingPools } from '../../../db/mass-sms/create.ts';
import { rerouteFromGone } from '../../../db/numbers/reroute.ts';
import { withDefaults } from '../../../domain/settings.ts';
import { lines, releasesOn, type TestNumber } from '../../activities/numbers/release-support.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Fixture, openFixture } from '../fixture.ts';

let fixture: Fixture;
let releases: ReturnType<typeof releasesOn>;
beforeAll(async () => {
  fixture = await openFixture();
  releases = releasesOn(fixture);
});
afterAll(async () => {
  await fixture?.close();
});

describe('a release', () => {
  it.for(['scheduled', 'in_process', 'paused', 'error', 'suspended'] as const)(
    'has what waits of a mass SMS that is %s leave from the other numbers of its pool, where the contacts stay',
    async (status) => {
      const { acme, numbers } = await releases.organization(3);
      const [leaving, ...others] = numbers as [TestNumber, TestNumber, TestNumber];
      const massSms = await fixture.massSms(acme, 90, { status, lines: lines(numbers) });
      const before = await releases.messagesOf(massSms);
      await releases.begin(acme, [leaving]);
      const after = await releases.messagesOf(massSms);
      expect(new Set(after.map((message) => message.line))).toEqual(new Set(lines(others)));
      for (const [index, message] of before.entries()) {
        if (message.line !== leaving.line) expect(after[index]).toEqual(message);
      }
      const { rows: kept } = await sql<{ to: string; line: string }>`
        select contact_number as "to", line from sticky_senders where organization_id = ${acme.id}`.execute(
        fixture.database.system,
      );
      expect(new Map(kept.map((row) => [row.to, row.line]))).toEqual(new Map(after.map((row) => [row.to, row.line])));
    },
  );

  it.for([
    { what: 'waits', status: 'queued' },
    { what: 'is being sent and may come back', status: 'sending' },
    { what: 'is in doubt', status: 'in_doubt' },
  ])(
    'of the last number of a pool is refused while something of a mass SMS $what, and changes nothing',
    async (given) => {
      const { acme, numbers } = await releases.organization(2);
      const massSms = await fixture.massSms(acme, 5, { lines: lines(numbers) });
      await fixture.force(
        massSms.messages.map(({ id }) => id),
        { status: given.status },
      );
      const before = await releases.messagesOf(massSms);
      const refusal = { kind: 'in_use', massSms: [{ id: massSms.id, name: 'Test' }] };
      await expect(releases.begin(acme, numbers)).rejects.toMatchObject(refusal);
      expect(await releases.messagesOf(massSms)).toEqual(before);
      for (const number of numbers) expect(await releases.rowOf(number)).toMatchObject({ releasing_since: null });
      const jobs = fixture.database.system.selectFrom('number_jobs').select('id');
      expect(await jobs.where('organization_id', '=', acme.id).execute()).toEqual([]);
    },
  );

  it('names numbers that are not of this organization, and begins none', async () => {
    const { acme, numbers } = await releases.organization(1);
    const { numbers: foreign } = await releases.organization(1);
    const given = [...numbers, ...foreign];
    await expect(releases.begin(acme, given)).rejects.toMatchObject({ kind: 'unknown', numberIds: [foreign[0]!.id] });
    for (const number of given) expect(await releases.rowOf(number)).toMatchObject({ releasing_since: null });
  });
});

it('a line that is gone keeps nothing from moving: only what has no other line waits on it', async () => {
  const { acme, numbers } = await releases.organization(2);
  const [gone, other] = numbers as [TestNumber, TestNumber];
  const [stranded, moved] = [
    await fixture.massSms(acme, 5, { lines: [gone.line] }),
    await fixture.massSms(acme, 5, { lines: [gone.line] }),
  ];
  const pool = { id: `pol_${acme.id}`, organization_id: acme.id, name: 'Empty', purpose: 'promotional' as const };
  const { system } = fixture.database;
  await system
    .insertInto('number_pools')
    .values({ ...pool, created_at: new Date() })
    .execute();
  await system.updateTable('mass_sms').set({ pool_id: pool.id }).where('id', '=', stranded.id).execute();
  await fixture.in(acme, (trx) => rerouteFromGone(trx, acme.id, { lines: [gone.line], now: new Date() }));
  expect(await releases.linesOf(stranded)).toEqual(new Set([gone.line]));
  expect(await releases.linesOf(moved)).toEqual(new Set([other.line]));
});

describe('two at once', () => {
  it('releases do not each count on the number of the other', async () => {
    const { acme, numbers } = await releases.organization(2);
    const massSms = await fixture.massSms(acme, 20, { lines: lines(numbers) });
    const both = await Promise.allSettled(numbers.map((number) => releases.begin(acme, [number])));
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await releases.linesOf(massSms)).toHaveLength(1);
  });

  it('a release waits for a mass SMS that is being made, and moves it; the next one goes without the number', async () => {
    const { acme, numbers } = await releases.organization(2);
    const [leaving, staying] = numbers as [TestNumber, TestNumber];
    const known = await fixture.massSms(acme, 30, { status: 'completed', lines: lines(numbers) });
    const { audience } = await fixture.database.system
      .selectFrom('mass_sms')
      .select('audience')
      .where('id', '=', known.id)
      .executeTakeFirstOrThrow();
    const chosen = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const create = (wait: () => Promise<void>) =>
      fixture.in(acme, async (trx) => {
        const [pool] = await sendingPools(trx, acme.id);
        await wait();
        const at = new Date();
        const created = await createMassSms(trx, {
          organizationId: acme.id,
          name: 'Made meanwhile',
          audience,
          pool: pool!,
          body: 'We are hiring.',
          values: {},
          timeZone: 'UTC',
          startAt: at,
          allowWeekends: true,
          atWindowClose: 'continue',
          createdBy: 'test',
          settings: withDefaults({}),
          segmentsPerSecond: null,
          now: at,
        });
        return { id: (created as { id: string }).id };
      });
    const creating = create(async () => {
      chosen.resolve();
      await commit.promise;
    });
    await chosen.promise;
    const beginning = releases.begin(acme, [leaving]);
    const owner = new pg.Client({ connectionString: fixture.url });
    await owner.connect();
    await eventually(async () => {
      const { rows } = await owner.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(1);
    }).finally(commit.resolve);
    await owner.end();
    const made = await creating;
    await beginning;
    const next = await create(async () => {});
    for (const massSms of [made, next]) {
      expect(new Set((await releases.messagesOf(massSms)).map((message) => message.line))).toEqual(
        new Set([staying.line]),
      );
    }
  });
});
