/** What counts as dropped (F6), and when: on real rows, with reports as they come. */
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { whileFewAreDropped } from '../../../activities/mass-sms/suspension.ts';
import { dropsByArea, dropsByCode, dropStretches } from '../../../db/mass-sms/drop-rate.ts';
import { batchesOf, findMassSms, rankRange } from '../../../db/mass-sms/mass-sms.ts';
import { eventually } from '../../harness/eventually.ts';
import { type BatchesFixture, openBatchesFixture, type Person, type TestBatches } from './fixture.ts';

let fixture: BatchesFixture;
beforeAll(async () => {
  fixture = await openBatchesFixture();
});
afterAll(async () => {
  await fixture?.close();
});

const wholeDay = {
  startTime: '00:00',
  endTime: '00:00',
  timeZone: 'America/New_York',
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const,
};
const people = (count: number, areaCode = '212'): Person[] => Array.from({ length: count }, () => ({ areaCode }));

/** Reports of some messages by rank, as they are written. */
const report = (
  { id }: TestBatches,
  from: number,
  to: number,
  set: { status: string; code?: number; reason?: string },
) =>
  sql`update messages set status = ${set.status}, error_code = ${set.code ?? null}, cancel_reason = ${set.reason ?? null}
    where mass_sms_id = ${id} and rank between ${from} and ${to}`.execute(fixture.database.system);

async function counted(massSms: TestBatches, batch = 1, since: Date | null = null) {
  return fixture.database.inOrganization(massSms.organization.id, async (trx) => {
    const row = (await findMassSms(trx, massSms.id))!;
    const what = { range: rankRange(row, await batchesOf(trx, massSms.id), batch), since };
    const stretches = await dropStretches(trx, what);
    return { stretches, codes: await dropsByCode(trx, what), areas: await dropsByArea(trx, what) };
  });
}

it('every message that may have left counts, as dropped only when Twilio has said so, and by its own code', async () => {
  const organization = await fixture.sender({ sendWindow: wholeDay });
  const massSms = await fixture.massSmsTo(organization, [...people(40, '212'), ...people(60, '305')]);
  await fixture.run(massSms);
  await report(massSms, 1, 10, { status: 'undelivered', code: 30_007 });
  await report(massSms, 11, 14, { status: 'failed', code: 30_005 });
  await report(massSms, 15, 15, { status: 'undelivered' });
  // Twilio knew of an opt-out; nobody can tell; still under way; never left.
  await report(massSms, 16, 20, { status: 'failed', code: 21_610 });
  await report(massSms, 21, 22, { status: 'failed', reason: 'outcome_unknown' });
  await report(massSms, 23, 24, { status: 'in_doubt' });
  // Our own validity period ran out while they waited at Twilio.
  await report(massSms, 25, 30, { status: 'failed', code: 30_036 });
  await report(massSms, 91, 95, { status: 'cancelled', reason: 'opted_out' });
  await report(massSms, 96, 100, { status: 'queued' });
  const { stretches, codes, areas } = await counted(massSms);
  expect(stretches).toEqual([
    { attempted: 50, dropped: 15, filtered: 10 },
    { attempted: 40, dropped: 0, filtered: 0 },
  ]);
  expect(codes).toEqual([
    { code: 30_007, count: 10 },
    { code: 30_036, count: 6 },
    { code: 21_610, count: 5 },
    { code: 30_005, count: 4 },
    { code: null, count: 1 },
  ]);
  expect(areas).toEqual([
    { areaCode: '212', attempted: 40, dropped: 15 },
    { areaCode: '305', attempted: 50, dropped: 0 },
  ]);
});

it('what was claimed before a release does not count any more', async () => {
  const organization = await fixture.sender({ sendWindow: wholeDay });
  const massSms = await fixture.massSmsTo(organization, people(60));
  await fixture.run(massSms);
  await report(massSms, 1, 30, { status: 'undelivered', code: 30_007 });
  expect((await counted(massSms)).stretches[0]).toMatchObject({ attempted: 50, dropped: 30 });
  const { stretches, codes } = await counted(massSms, 1, fixture.clock.now());
  expect({ stretches, codes }).toEqual({ stretches: [], codes: [] });
});

it('a count that a release has overtaken does not suspend again', async () => {
  const organization = await fixture.sender({ sendWindow: wholeDay, firstBatchSize: 150, dailyBatchSize: 150 });
  const massSms = await fixture.massSmsTo(organization, people(300));
  await fixture.run(massSms);
  await report(massSms, 1, 60, { status: 'undelivered', code: 30_003 });
  const { system } = fixture.database;
  const watched = { organizationId: organization.id, massSmsId: massSms.id, batch: 1 };
  const look = () =>
    whileFewAreDropped(fixture, watched, new AbortController().signal, (stop) => Promise.resolve(stop.aborted));
  const owner = new pg.Client({ connectionString: fixture.url });
  await owner.connect();
  let looked: Promise<boolean> | undefined;
  // As of a worker that was cut off, while another one has suspended it and a person has released it.
  await system.transaction().execute(async (trx) => {
    await sql`select id from mass_sms where id = ${massSms.id} for update`.execute(trx);
    looked = look();
    await eventually(async () => {
      const { rows } = await owner.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(1);
    });
    await sql`update mass_sms set drop_rate_since = ${fixture.clock.now()} where id = ${massSms.id}`.execute(trx);
  });
  await owner.end();
  expect(await looked).toBe(false);
  await sql`update mass_sms set drop_rate_since = null where id = ${massSms.id}`.execute(system);
  expect(await look()).toBe(true);
});

it('reports that come after the end of a batch suspend the mass SMS before the next one begins', async () => {
  const organization = await fixture.sender({ sendWindow: wholeDay, firstBatchSize: 150, dailyBatchSize: 150 });
  const massSms = await fixture.massSmsTo(organization, people(300));
  const { runAt } = await fixture.run(massSms);
  expect(await fixture.batches(massSms)).toEqual(['sent', 'scheduled']);
  await report(massSms, 1, 60, { status: 'undelivered', code: 30_003 });
  fixture.clock.set(runAt!);
  fixture.twilio.sent.length = 0;
  expect(await fixture.run(massSms)).toMatchObject({ status: 'suspended' });
  expect(fixture.twilio.sent).toEqual([]);
  // At rest there is nothing to do.
  expect(await fixture.run(massSms)).toEqual({ status: 'suspended', runAt: null });
  expect((await fixture.messages(massSms)).filter(({ status }) => status === 'queued')).toHaveLength(150);
});
