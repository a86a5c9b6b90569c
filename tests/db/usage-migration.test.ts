/** The migration that brings usage to a database with messages in it. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { newId } from '../../db/ids.ts';
import { createDatabase, withClient } from '../../launcher/postgres.ts';

const { postgres } = inject('servers');
const name = `test_${randomUUID().slice(0, 8)}`;
const folder = path.join(import.meta.dirname, '../../db/migrations');
const boundary = Date.parse('2026-12-01T00:00:00.000Z');
const around = (ms: number) => new Date(boundary + ms);
const now = around(3_600_000);
let db: Kysely<unknown>;

const migrate = (file: string) =>
  db.transaction().execute(async (trx) => {
    const migration: { up(db: Kysely<unknown>): Promise<void> } = await import(path.join(folder, file));
    await migration.up(trx);
  });

beforeAll(async () => {
  await createDatabase(postgres, name);
  const url = Object.assign(new URL(postgres), { pathname: `/${name}` }).href;
  db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) });
});
afterAll(async () => {
  await db.destroy();
  await withClient(postgres, (client) => client.query(`drop database ${name}`));
});

const row = (direction: string, status: string, at: Date, more: object = {}) => ({
  id: newId('message', at),
  direction,
  status,
  created_at: at,
  claimed_at: direction === 'outbound' ? at : null,
  accepted_at: null,
  finished_at: null,
  error_code: null,
  ...more,
});

test('counts the messages that are there, and the segments that nobody has counted', async () => {
  const files = (await readdir(folder)).filter((file) => /^\d{8}-/.test(file)).toSorted();
  const usage = files.findIndex((file) => file.endsWith('-usage.ts'));
  for (const file of files.slice(0, usage)) await migrate(file);
  const organization = newId('organization', now);
  const rows = [
    row('outbound', 'delivered', around(-1), { accepted_at: around(-1) }),
    row('outbound', 'delivered', around(-1), { accepted_at: around(1), segments: 5 }),
    row('outbound', 'failed', around(0), { finished_at: around(0), error_code: 21_211 }),
    row('outbound', 'cancelled', around(0), { finished_at: around(0) }),
    row('outbound', 'queued', around(0), { claimed_at: null }),
    row('inbound', 'received', around(0)),
  ];
  await sql`insert into organizations (id, name, domain, time_zone, created_at, updated_at)
    values (${organization}, 'Acme', 'acme.example', 'UTC', ${now}, ${now})`.execute(db);
  await sql`
    insert into messages (organization_id, source, purpose, line, contact_number, body, segments, id, direction, status,
      created_at, claimed_at, accepted_at, finished_at, error_code)
    select ${organization}, 'user', 'promotional', '+13125550100', '+14155550100', repeat('x', 200), r.segments, r.id,
      r.direction, r.status, r.created_at, r.claimed_at, r.accepted_at, r.finished_at, r.error_code
    from json_populate_recordset(null::messages, ${JSON.stringify(rows)}) r`.execute(db);
  await migrate(files[usage]!);
  const { rows: found } = await sql`
    select to_char(month, 'YYYY-MM') as month, direction, messages::int, segments::int from usage_tallies
    order by 1, 2`.execute(db);
  expect(found).toEqual([
    { month: '2026-11', direction: 'outbound', messages: 1, segments: 2 },
    { month: '2026-12', direction: 'inbound', messages: 1, segments: 2 },
    { month: '2026-12', direction: 'outbound', messages: 2, segments: 7 },
  ]);
});
