/** Usage: what was attempted and what came in, by month, line, user and purpose, kept by triggers on messages. */
import { type Kysely, sql } from 'kysely';
import { countSegments } from '../../domain/messages/segments.ts';
import { grantTenantTable } from './row-level-security.ts';

/** What the tallies need of the rows of a statement. @param sign `-` for the rows as they were */
const rowsOf = (table: string, sign: '' | '-' = '') => `
  select organization_id, mass_sms_id, batch_number, status, unsubscribed_at is not null as unsubscribed, line, user_id,
    purpose, direction, attempted_at(direction, status, error_code, created_at, accepted_at, finished_at) as attempted,
    ${sign}1 as messages, ${sign}segments as segments
  from ${table}`;

const changesIn = (rows: string) => `
  with changes as materialized (
    select organization_id, mass_sms_id, batch_number, status, unsubscribed, line, user_id, purpose, direction, attempted,
      sum(messages) as messages, coalesce(sum(segments), 0) as segments
    from (${rows}) every
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 having sum(messages) <> 0 or sum(segments) <> 0
  )`;

/** A message of a mass SMS is its creator's. Sorted, so that two statements at once take the locks in the same order. */
const addUsage = `
  insert into usage_tallies as t (organization_id, month, line, user_id, purpose, direction, messages, segments)
  select organization_id, date_trunc('month', attempted at time zone 'UTC')::date, line,
    coalesce(user_id, (select substring(created_by from '^user:(.*)') from mass_sms where id = mass_sms_id), ''),
    purpose, direction, sum(messages)::bigint, sum(segments)::bigint
  from changes where attempted is not null
  group by 1, 2, 3, 4, 5, 6 having sum(messages) <> 0 or sum(segments) <> 0 order by 1, 2, 3, 4, 5, 6
  on conflict (organization_id, month, line, user_id, purpose, direction)
    do update set messages = t.messages + excluded.messages, segments = t.segments + excluded.segments`;

/**
 * One pass over the rows of a statement for both tallies: it is most of what either costs. A trigger of its own for usage
 * made writing results 7 % slower; this makes it 5 %.
 */
const tally = (rows: string) => `
  begin
    ${changesIn(rows)},
    mass_sms_changes as (
      insert into mass_sms_tallies as t (organization_id, mass_sms_id, batch_number, kind, count)
      select organization_id, mass_sms_id, batch_number, kind, sum(messages)::bigint
      from changes cross join lateral (values (status), (case when unsubscribed then 'unsubscribed' end)) kinds (kind)
      where mass_sms_id is not null and kind is not null
      group by 1, 2, 3, 4 having sum(messages) <> 0 order by 2, 3, 4
      on conflict (mass_sms_id, batch_number, kind) do update set count = t.count + excluded.count
    )
    ${addUsage};
    return null;
  end`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table usage_tallies (
      organization_id text collate "C" not null references organizations,
      -- The first day of a month of UTC, as on Twilio's invoice.
      month date not null,
      line text not null,
      -- Empty where no user is known.
      user_id text collate "C" not null,
      purpose text not null,
      direction text not null,
      messages bigint not null,
      segments bigint not null,
      primary key (organization_id, month, line, user_id, purpose, direction)
    ) with (fillfactor = 50);

    -- When Twilio accepted or refused a message, or when one came in; null for what was never attempted.
    create function attempted_at(direction text, status text, error_code int, created_at timestamptz,
      accepted_at timestamptz, finished_at timestamptz) returns timestamptz language sql immutable parallel safe as $$
      select case
        when accepted_at is not null then accepted_at
        when direction = 'inbound' then created_at
        when error_code is not null and status in ('failed', 'undelivered') then finished_at
      end
    $$;

    -- From here on nobody changes messages until the new triggers are there: what exists is counted once.
    lock table messages in share row exclusive mode;
  `.execute(db);
  await estimateSegments(db);
  await sql
    .raw(
      `create function tally_inserted_messages() returns trigger language plpgsql as $$ ${tally(rowsOf('new_rows'))} $$;
       create function tally_updated_messages() returns trigger language plpgsql as
         $$ ${tally(`${rowsOf('new_rows')} union all ${rowsOf('old_rows', '-')}`)} $$;
       drop trigger messages_tally_insert on messages;
       drop trigger messages_tally_update on messages;
       drop function tally_mass_sms;
       create trigger messages_tally_insert after insert on messages
         referencing new table as new_rows for each statement execute function tally_inserted_messages();
       create trigger messages_tally_update after update on messages
         referencing old table as old_rows new table as new_rows for each statement execute function tally_updated_messages();
       ${changesIn(rowsOf('messages'))} ${addUsage};`,
    )
    .execute(db);
  await grantTenantTable(db, 'usage_tallies', { privileges: 'select, insert, update' });
}

/** Of what came in, and of what was sent by a worker that died before it wrote the result, nobody had counted them. */
async function estimateSegments(db: Kysely<unknown>): Promise<void> {
  const most = 5_000;
  let after = '';
  let found: number;
  do {
    const { rows } = await sql<{ id: string; body: string }>`
      select id, body from messages
      where segments is null and (direction = 'inbound' or claimed_at is not null) and id > ${after}
      order by id limit ${most}`.execute(db);
    found = rows.length;
    after = rows.at(-1)?.id ?? after;
    await sql`
      update messages m set segments = r.segments
      from unnest(${rows.map((row) => row.id)}::text[],
        ${rows.map((row) => countSegments(row.body).segments)}::int[]) as r (id, segments)
      where m.id = r.id`.execute(db);
  } while (found === most);
}
