/** F7: with 100,000 mass SMS, every page of the list is read from an index, whatever is asked for. */
import { type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Trx } from '../../../db/database.ts';
import { newId } from '../../../db/ids.ts';
import { type MassSmsFilter, pageOfIds, readFromIndexes } from '../../../db/mass-sms/list.ts';
import { exclusionReasons } from '../../../db/schema.ts';
import { massSmsStatuses } from '../../../domain/mass-sms/mass-sms.ts';
import { type Api, type Organization, startApi } from '../support.ts';

const none = Object.fromEntries(exclusionReasons.map((reason) => [reason, 0]));
const total = 100_000;
const from = Date.parse('2026-01-01T00:00:00Z');
const minute = (count: number) => new Date(from + count * 60_000);

let api: Api;
let acme: Organization;
let senders: string[];

beforeAll(async () => {
  api = await startApi();
  acme = await api.organization();
  const at = api.clock.now();
  senders = [newId('pool', at), newId('pool', at)];
  const { system } = api.database;
  for (const [index, id] of senders.entries()) {
    await system
      .insertInto('number_pools')
      .values({
        id,
        organization_id: acme.id,
        name: ['Nursing', 'Rare'][index]!,
        purpose: 'promotional',
        created_at: at,
      })
      .execute();
  }
  // One a minute. Nearly all are completed, as in an organization that has texted for years.
  await sql`
    insert into mass_sms (id, organization_id, name, status, audience, excluded, recipients, pool_id, purpose, body, time_zone,
      start_at, daily_at, end_at, allow_weekends, at_window_close, first_batch_size, daily_batch_size, created_by, created_at,
      updated_at)
    select 'mms_' || uuid_v7(${at}), ${acme.id}, case when i % 1000 = 0 then 'Welders' else 'Nurses' end || ' ' || i,
      case when i % 100 = 0 then (${[...massSmsStatuses]}::text[])[1 + (i / 100) % ${massSmsStatuses.length}] else 'completed' end,
      '{}', ${JSON.stringify(none)}, 1, case when i % 5000 = 0 then ${senders[1]!} else ${senders[0]!} end, 'promotional', 'Hi', 'UTC',
      t, '10:00', t, true, 'continue', 1, 1, 'user:x', t, t
    from generate_series(0, ${total - 1}) i, lateral (select ${minute(0)}::timestamptz + i * interval '1 minute' as t) x
  `.execute(system);
});
afterAll(() => api.stop());

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  Plans?: Node[];
}

/** The nodes of the plan that read mass SMS or sort, under row-level security as in the product. */
async function planOf(trx: Trx, query: RawBuilder<unknown>): Promise<{ all: Node[]; scans: Node[] }> {
  const { rows } = await sql<{ 'QUERY PLAN': [{ Plan: Node }] }>`explain (analyze, format json) ${query}`.execute(trx);
  const all: Node[] = [];
  const visit = (node: Node): void => {
    all.push(node);
    node.Plans?.forEach(visit);
  };
  visit(rows[0]!['QUERY PLAN'][0].Plan);
  return { all, scans: all.filter((node) => node['Relation Name'] === 'mass_sms') };
}

/** How many rows are put into sorts. */
const sortedRows = (nodes: readonly Node[]): number =>
  nodes
    .filter((node) => node['Node Type'].includes('Sort'))
    .flatMap((node) => node.Plans ?? [])
    .reduce((sum, node) => sum + (node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 1), 0);

/** How many index entries a scan has looked at. */
const touched = (node: Node): number =>
  ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 1);

const limit = 26;
const sorts = ['-startAt', 'name'] as const;
const statusSets = {
  'the default': ['scheduled', 'in_process', 'paused', 'error'],
  one: ['suspended'],
  completed: ['completed'],
  all: [...massSmsStatuses],
} satisfies Record<string, MassSmsFilter['statuses']>;
const searches = { none: undefined, many: 'nurses', few: 'welders', nobody: 'plumbers', short: 'n', sender: 'rare' };
const ranges = { always: {}, 'a day': { startFrom: minute(50_000), startTo: minute(51_440) } };
const pages = { first: undefined, deep: true } as const;

const cases = sorts.flatMap((sort) =>
  Object.entries(statusSets).flatMap(([statusName, statuses]) =>
    Object.entries(searches).flatMap(([searchName, q]) =>
      Object.entries(ranges).flatMap(([rangeName, range]) =>
        Object.entries(pages).map(([pageName, deep]) => ({
          name: `${sort}, status ${statusName}, search ${searchName}, ${rangeName}, ${pageName} page`,
          filter: {
            sort,
            statuses,
            q,
            ...range,
            limit,
            after: deep && { key: sort === 'name' ? 'nurses 5' : minute(50_700).toISOString(), id: 'mms_' },
          } satisfies MassSmsFilter,
        })),
      ),
    ),
  ),
);

describe.each([
  ['never analyzed', null],
  ['vacuumed and analyzed', 'vacuum analyze mass_sms'],
] as const)('a table %s', (_, upkeep) => {
  beforeAll(async () => {
    if (upkeep === null) return;
    // As the owner: what autovacuum does by itself.
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: api.databaseUrl });
    await client.connect();
    await client.query(upkeep);
    await client.end();
  });

  test('is read through an index in every combination, in order, and no further than the page', async () => {
    const bad: string[] = [];
    await api.database.inOrganization(acme.id, async (trx) => {
      await readFromIndexes(trx);
      for (const { name, filter } of cases) {
        const pools = filter.q === 'rare' ? [senders[1]!] : [];
        const { all, scans } = await planOf(trx, pageOfIds(acme.id, filter, pools));
        const isGood =
          scans.length === filter.statuses.length &&
          scans.every(
            (node) =>
              node['Node Type'].startsWith('Index') &&
              ['mass_sms_start', 'mass_sms_name'].includes(node['Index Name']!) &&
              node['Index Cond']?.includes('status'),
          ) &&
          // Unless few are left by a condition that the other index answers, nothing is sorted.
          (sortedRows(all) === 0 || (filter.sort === 'name' && sortedRows(all) <= 1_440 * scans.length));
        if (!isGood)
          bad.push(`${name}: ${all.map((node) => `${node['Node Type']} ${node['Index Name'] ?? ''}`).join(' < ')}`);
        if (filter.q === undefined && !('startFrom' in filter)) {
          const most = Math.max(...scans.map(touched));
          if (most > limit) bad.push(`${name}: reads ${most} entries for a page of ${limit}`);
        }
      }
    });
    expect(bad).toEqual([]);
  });
});

describe('walking the pages', () => {
  const list = async (query: string) => {
    const answer = await acme.client.get(`/v1/mass-sms?${query}`);
    expect(answer.status).toBe(200);
    return answer.body as { items: { name: string; startAt: string; status: string }[]; nextCursor: string | null };
  };
  const walk = async (query: string) => {
    const items = [];
    for (let cursor = ''; ;) {
      const page = await list(`${query}${cursor}`);
      items.push(...page.items);
      if (page.nextCursor === null) return items;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  };
  const shownByDefault = 4 * Math.floor(total / 100 / massSmsStatuses.length);

  test('by start meets each once, newest first', async () => {
    const items = await walk('limit=200');
    const starts = items.map(({ startAt }) => startAt);
    expect(new Set(starts).size).toBe(starts.length);
    expect(starts).toEqual(starts.toSorted().toReversed());
    expect(Math.abs(starts.length - shownByDefault)).toBeLessThanOrEqual(4);
  });

  test('by name meets each once, in order', async () => {
    const names = (await walk('limit=200&sort=name')).map(({ name }) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(names.toSorted());
    expect(Math.abs(names.length - shownByDefault)).toBeLessThanOrEqual(4);
  });

  test('finds by name, sender, status and start, whatever the case', async () => {
    const status = `status=${massSmsStatuses.join(',')}`;
    expect(await walk(`limit=200&${status}&q=WELD`)).toHaveLength(100);
    expect(await walk(`limit=200&${status}&q=rare`)).toHaveLength(20);
    expect(await walk(`limit=200&${status}&q=%25`)).toEqual([]);
    const [startFrom, startTo] = [minute(10), minute(15)].map((at) => at.toISOString());
    const found = await walk(`limit=2&${status}&startFrom=${startFrom}&startTo=${startTo}`);
    expect(found.map(({ name }) => name)).toEqual([14, 13, 12, 11, 10].map((n) => `Nurses ${n}`));
  });
});

test('a cursor of the list by name is refused in the list by start, also where the name ends like a date', async () => {
  const { body } = await acme.client.get('/v1/mass-sms?sort=name&limit=1&q=Welders');
  expect(body.items[0].name).toMatch(/^Welders \d+$/);
  const answer = await acme.client.get(`/v1/mass-sms?sort=-startAt&cursor=${body.nextCursor}`);
  expect(answer).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'cursor', message: expect.stringContaining('belongs to another sort order') }] },
  });
});
