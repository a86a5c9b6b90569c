/** Migrations that have to do with what is there already. */
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
  files = (await readdir(folder)).filter((file) => /^\d{8}-/.test(file)).toSorted();
});
afterAll(async () => {
  await db.destroy();
  await withClient(postgres, (client) => client.query(`drop database ${name}`));
});

const organization = newId('organization', now);
let files: string[];

/** Runs the migrations that are missing, up to and without this one; all of them without one. The tests go through them in order. */
let done = 0;
async function migrateUpTo(suffix?: string): Promise<void> {
  const until = suffix === undefined ? files.length : files.findIndex((file) => file.endsWith(suffix));
  for (const file of files.slice(done, until)) await migrate(file);
  done = until;
}

const row = (direction: string, status: string, at: Date, more: object = {}) => ({
  id: newId('message', at),
  direction,
  status,
  created_at: at,
  claimed_at: direction === 'outbound' ? at : null,
  accepted_at: null,
  finished_at: null,
  error_code: null,
  contact_number: '+14155550100',
  contact_id: null,
  ...more,
});

const insert = (rows: readonly object[]) =>
  sql`
    insert into messages (organization_id, source, purpose, line, contact_number, contact_id, body, segments, id, direction,
      status, created_at, claimed_at, accepted_at, finished_at, error_code)
    select ${organization}, 'user', 'promotional', '+13125550100', r.contact_number, r.contact_id, repeat('x', 200), r.segments,
      r.id, r.direction, r.status, r.created_at, r.claimed_at, r.accepted_at, r.finished_at, r.error_code
    from json_populate_recordset(null::messages, ${JSON.stringify(rows)}) r`.execute(db);

test('usage counts the messages that are there, and the segments that nobody has counted', async () => {
  await migrateUpTo('-usage.ts');
  await sql`insert into organizations (id, name, domain, time_zone, created_at, updated_at)
    values (${organization}, 'Acme', 'acme.example', 'UTC', ${now}, ${now})`.execute(db);
  await insert([
    row('outbound', 'delivered', around(-1), { accepted_at: around(-1) }),
    row('outbound', 'delivered', around(-1), { accepted_at: around(1), segments: 5 }),
    row('outbound', 'failed', around(0), { finished_at: around(0), error_code: 21_211 }),
    row('outbound', 'cancelled', around(0), { finished_at: around(0) }),
    row('outbound', 'queued', around(0), { claimed_at: null }),
    row('inbound', 'received', around(0)),
  ]);
  await migrateUpTo('-conversations.ts');
  const { rows: found } = await sql`
    select to_char(month, 'YYYY-MM') as month, direction, messages::int, segments::int from usage_tallies
    order by 1, 2`.execute(db);
  expect(found).toEqual([
    { month: '2026-11', direction: 'outbound', messages: 1, segments: 2 },
    { month: '2026-12', direction: 'inbound', messages: 1, segments: 2 },
    { month: '2026-12', direction: 'outbound', messages: 2, segments: 7 },
  ]);
});

test('conversations begin with the threads of contacts who have written, and ask about what was never reported', async () => {
  const [first, last] = [
    row('inbound', 'received', around(1)),
    row('inbound', 'received', around(2), { contact_id: 'con_1' }),
  ];
  const other = row('inbound', 'received', around(1), { contact_number: '+14155550199' });
  const open = ['accepted', 'sent', 'in_doubt'].map((status) => row('outbound', status, around(0)));
  const ended = row('outbound', 'sent', around(0), { finished_at: around(0) });
  await insert([first, last, other, ...open, ended]);
  await migrateUpTo('-templates.ts');
  const { rows: threads } = await sql`
    select id ~ '^cnv_' as named, contact_number, contact_id, last_message_id, last_inbound_id, last_message_at from conversations
    order by contact_number`.execute(db);
  expect(threads).toEqual([
    {
      named: true,
      contact_number: '+14155550100',
      contact_id: 'con_1',
      last_message_id: last.id,
      last_inbound_id: last.id,
      last_message_at: around(2),
    },
    expect.objectContaining({ contact_number: '+14155550199', last_inbound_id: other.id }),
  ]);
  const { rows: awaited } = await sql<{ message_ids: string[]; claimed_at: Date }>`
    select message_ids, claimed_at from awaited_reports`.execute(db);
  expect(awaited).toHaveLength(1);
  expect(awaited[0]!.message_ids.toSorted()).toEqual(open.map(({ id }) => id).toSorted());
  expect(awaited[0]!.claimed_at).toEqual(around(0));
});

test('a mass SMS keeps the time of day of its batches, in its own time zone', async () => {
  await migrateUpTo('-mass-sms-times.ts');
  const pool = newId('pool', now);
  await sql`insert into number_pools (id, organization_id, name, purpose, created_at)
    values (${pool}, ${organization}, 'Main', 'promotional', ${now})`.execute(db);
  const make = async (zone: string, startAt: string, batches: readonly string[]): Promise<string> => {
    const id = newId('massSms', now);
    await sql`insert into mass_sms (id, organization_id, name, status, audience, excluded, recipients, pool_id, purpose, body,
        time_zone, start_at, end_at, allow_weekends, at_window_close, first_batch_size, daily_batch_size, created_by,
        created_at, updated_at)
      values (${id}, ${organization}, 'Spring', 'scheduled', '{}', '{}', 1, ${pool}, 'promotional', 'Hi', ${zone}, ${startAt},
        ${startAt}, false, 'continue', 1, 1, 'test', ${now}, ${now})`.execute(db);
    for (const [index, at] of batches.entries()) {
      await sql`insert into mass_sms_batches (organization_id, mass_sms_id, number, size, start_at, status)
        values (${organization}, ${id}, ${index + 1}, 1, ${at}, 'scheduled')`.execute(db);
    }
    return id;
  };
  const ids = [
    // Put off by a weekend to the opening, and moved by hand: the last batch is at the time that was chosen.
    await make('america/chicago', '2026-12-07T14:00:00Z', ['2026-12-07T14:00:00Z', '2026-12-08T16:30:00Z']),
    await make('Asia/Kolkata', '2026-12-07T04:30:00Z', []),
    await make('Mars/Olympus', '2026-12-07T04:30:00Z', []),
  ];
  await migrateUpTo('20261130-2-conversations.ts');
  const { rows } = await sql<{ id: string; at: string }>`select id, daily_at as at from mass_sms`.execute(db);
  const found = new Map(rows.map(({ id, at }) => [id, at]));
  expect(ids.map((id) => found.get(id))).toEqual(['10:30', '10:00', '04:30']);
});

test('what waits for lawful hours waits for the window that they narrow', async () => {
  for (const reason of ['quiet_hours', 'paced', null]) {
    await sql`insert into outbox (message_id, organization_id, contact_number, line, priority, due_at, held_reason)
      values (${newId('message', now)}, ${organization}, '+14155550100', '+13125550100', 1, ${now}, ${reason})`.execute(
      db,
    );
  }
  await migrateUpTo('-users-and-webhooks.ts');
  const { rows } = await sql`select held_reason from outbox order by message_id`.execute(db);
  expect(rows).toEqual([{ held_reason: 'outside_window' }, { held_reason: 'paced' }, { held_reason: null }]);
});

test('users whose emails differ in case only stop the migration, which names them; webhooks go on as they were', async () => {
  await migrateUpTo('-users-and-webhooks.ts');
  // What an endpoint that is off has not read, it is not told; whether it happened before is not known.
  await sql`insert into webhook_endpoints (id, organization_id, url, events, secret, active, off_reason, read_up_to,
      created_at, updated_at)
    values ('whe_on', ${organization}, 'https://a.example', '{}', 'x', true, null, 7, ${now}, ${now}),
      ('whe_off', ${organization}, 'https://a.example', '{}', 'x', false, 'gone', 7, ${now}, ${now})`.execute(db);
  const addUser = (id: string, email: string) =>
    sql`insert into users (id, organization_id, name, email, created_at, updated_at)
      values (${id}, ${organization}, 'Ada', ${email}, ${now}, ${now})`.execute(db);
  await addUser('usr_1', 'ada@acme.example');
  await addUser('usr_2', 'Ada@acme.example');
  await expect(migrate(files[done]!)).rejects.toThrow(`usr_1 and usr_2 of ${organization}`);
  await sql`update users set email = 'lovelace@acme.example' where id = 'usr_2'`.execute(db);
  await migrate(files[done]!);
  await expect(addUser('usr_3', 'LOVELACE@acme.example')).rejects.toMatchObject({ constraint: 'users_email' });
  const { rows: endpoints } = await sql`select id, skipped from webhook_endpoints order by id`.execute(db);
  expect(endpoints).toEqual([
    { id: 'whe_off', skipped: '{[8,)}' },
    { id: 'whe_on', skipped: '{}' },
  ]);
});
