/** Messages and what Twilio says of them, both partitioned by month; mass SMS, their batches and tallies; send permits. */
import { type Kysely, sql } from 'kysely';
import { grantTenantTable } from './row-level-security.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table mass_sms (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      name text not null,
      status text not null check (status in
        ('scheduled', 'in_process', 'paused', 'error', 'completed', 'cancelled', 'suspended')),
      audience jsonb not null,
      excluded jsonb not null,
      recipients int not null,
      pool_id text collate "C" not null references number_pools,
      purpose text not null check (purpose in ('transactional', 'promotional')),
      body text not null,
      time_zone text not null,
      start_at timestamptz not null,
      end_at timestamptz not null,
      end_at_is_estimate boolean not null default true,
      allow_weekends boolean not null,
      at_window_close text not null check (at_window_close in ('continue', 'expire')),
      first_batch_size int not null,
      daily_batch_size int not null,
      cause jsonb,
      created_by text not null,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      -- Null until Temporal has the workflow: what the sweep looks for when Temporal was away at creation.
      workflow_started_at timestamptz
    );
    create index mass_sms_start on mass_sms (organization_id, start_at desc, id desc);
    create index mass_sms_name on mass_sms (organization_id, lower(name), id);
    create index mass_sms_not_started on mass_sms (created_at) where workflow_started_at is null;

    create table mass_sms_batches (
      organization_id text collate "C" not null references organizations,
      mass_sms_id text collate "C" not null references mass_sms,
      number int not null,
      size int not null,
      start_at timestamptz not null,
      status text not null check (status in ('scheduled', 'sending', 'sent', 'expired', 'cancelled')),
      primary key (mass_sms_id, number)
    );

    -- How many messages of a batch are in each state; kept by a trigger, so that no path can forget it.
    create table mass_sms_tallies (
      organization_id text collate "C" not null references organizations,
      mass_sms_id text collate "C" not null,
      batch_number int not null,
      kind text not null,
      count bigint not null,
      primary key (mass_sms_id, batch_number, kind)
    ) with (fillfactor = 50);

    create table audiences (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      definition jsonb not null,
      created_at timestamptz not null
    );

    create table send_permits (
      organization_id text collate "C" primary key references organizations,
      tokens double precision not null,
      refilled_at timestamptz not null
    );

    -- One row per message, whatever made it. The id is a UUIDv7, so a range of ids is a range of time:
    -- it is the partition key, and looking a message up by id touches one partition.
    -- No index may mention status, claims or times of sending: with room on the page (fillfactor) every change of
    -- state is then a heap-only update that touches no index.
    create table messages (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      direction text not null check (direction in ('inbound', 'outbound')),
      source text not null check (source in ('user', 'journey', 'mass_sms', 'opt_in', 'contact')),
      purpose text not null check (purpose in ('transactional', 'promotional')),
      status text not null check (status in ('held', 'scheduled', 'queued', 'sending', 'in_doubt', 'accepted', 'sent',
        'delivered', 'undelivered', 'failed', 'cancelled', 'receiving', 'received')),
      line text not null,
      contact_number text not null,
      contact_id text collate "C",
      user_id text collate "C",
      body text not null,
      segments int,
      media_urls text[],
      mass_sms_id text collate "C",
      batch_number int,
      rank int,
      attempt_id text,
      attempts int not null default 0,
      claimed_at timestamptz,
      twilio_sid text,
      error_code int,
      cancel_reason text,
      created_at timestamptz not null,
      accepted_at timestamptz,
      sent_at timestamptz,
      finished_at timestamptz,
      unsubscribed_at timestamptz
    ) partition by range (id);
    create index messages_organization on messages (organization_id, id);
    create index messages_contact on messages (organization_id, contact_number, id);
    create index messages_mass_sms on messages (mass_sms_id, rank) where mass_sms_id is not null;

    -- What Twilio told us, once per message, status and SID however often it was told.
    create table message_events (
      message_id text collate "C" not null,
      organization_id text collate "C" not null references organizations,
      status text not null,
      twilio_sid text not null,
      error_code int,
      at timestamptz not null,
      primary key (message_id, status, twilio_sid)
    ) partition by range (message_id);

    -- Twilio may deliver an inbound message twice: the SID makes the second time harmless.
    create table inbound_receipts (
      message_sid text primary key,
      organization_id text collate "C" not null references organizations,
      message_id text collate "C" not null,
      at timestamptz not null
    );

    -- The order of domain/messages/status.ts: a message only moves to a state of higher rank.
    create function message_status_rank(status text) returns int language sql immutable parallel safe as $$
      select case status
        when 'held' then 0 when 'scheduled' then 1 when 'queued' then 2 when 'sending' then 3 when 'in_doubt' then 4
        when 'accepted' then 5 when 'sent' then 6 when 'receiving' then 1 else 7 end
    $$;

    create function ensure_message_partitions(from_month timestamptz, months int) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
    declare
      month timestamptz;
      suffix text;
      bound_from text;
      bound_to text;
    begin
      perform pg_advisory_xact_lock(hashtext('message_partitions'));
      for i in 0 .. least(months, 24) - 1 loop
        month := date_trunc('month', from_month at time zone 'UTC') at time zone 'UTC' + make_interval(months => i);
        suffix := to_char(month at time zone 'UTC', 'YYYY_MM');
        continue when to_regclass('messages_' || suffix) is not null;
        bound_from := 'msg_' || lpad(to_hex(floor(extract(epoch from month) * 1000)::bigint), 12, '0');
        bound_to := 'msg_' || lpad(to_hex(floor(extract(epoch from month + interval '1 month') * 1000)::bigint), 12, '0');
        -- As in the text of a UUID: eight digits, a hyphen, four digits.
        bound_from := overlay(bound_from placing '-' from 13 for 0);
        bound_to := overlay(bound_to placing '-' from 13 for 0);
        execute format('create table %I partition of messages for values from (%L) to (%L) with (fillfactor = 50)',
          'messages_' || suffix, bound_from, bound_to);
        execute format('create table %I partition of message_events for values from (%L) to (%L)',
          'message_events_' || suffix, bound_from, bound_to);
      end loop;
    end $$;

    create function tally_mass_sms() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' then
        insert into mass_sms_tallies as t (organization_id, mass_sms_id, batch_number, kind, count)
        select organization_id, mass_sms_id, batch_number, status, count(*)
        from new_rows where mass_sms_id is not null
        group by 1, 2, 3, 4 order by 2, 3, 4
        on conflict (mass_sms_id, batch_number, kind) do update set count = t.count + excluded.count;
      else
        -- Sorted, so that two statements at once take the locks in the same order.
        insert into mass_sms_tallies as t (organization_id, mass_sms_id, batch_number, kind, count)
        select organization_id, mass_sms_id, batch_number, kind, sum(delta) from (
          select organization_id, mass_sms_id, batch_number, status as kind, 1 as delta
            from new_rows where mass_sms_id is not null
          union all
          select organization_id, mass_sms_id, batch_number, status, -1 from old_rows where mass_sms_id is not null
          union all
          select organization_id, mass_sms_id, batch_number, 'unsubscribed', 1
            from new_rows where mass_sms_id is not null and unsubscribed_at is not null
          union all
          select organization_id, mass_sms_id, batch_number, 'unsubscribed', -1
            from old_rows where mass_sms_id is not null and unsubscribed_at is not null
        ) changes
        group by 1, 2, 3, 4 having sum(delta) <> 0 order by 2, 3, 4
        on conflict (mass_sms_id, batch_number, kind) do update set count = t.count + excluded.count;
      end if;
      return null;
    end $$;
    create trigger messages_tally_insert after insert on messages
      referencing new table as new_rows for each statement execute function tally_mass_sms();
    create trigger messages_tally_update after update on messages
      referencing old table as old_rows new table as new_rows for each statement execute function tally_mass_sms();

    create table messages_other partition of messages default;
    create table message_events_other partition of message_events default;
    select ensure_message_partitions(now(), 14);
    -- Autovacuum looks once a minute. Until it has looked at a new month's partition, Postgres believes the partition all
    -- but empty and reads every message of an organization to find 250 by id.
    create function analyze_new_messages(at timestamptz) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
    declare
      name text := 'messages_' || to_char(at at time zone 'UTC', 'YYYY_MM');
      stale boolean;
    begin
      select c.reltuples < 0 or s.n_mod_since_analyze > greatest(c.reltuples, 1000) into stale
      from pg_class c join pg_stat_user_tables s on s.relid = c.oid where c.oid = to_regclass(name);
      if stale then execute format('analyze %I', name); end if;
    end $$;
    revoke execute on function analyze_new_messages from public;
    grant execute on function analyze_new_messages to longwave_system;
    revoke execute on function ensure_message_partitions from public;
    grant execute on function ensure_message_partitions to longwave_system;
  `.execute(db);

  await grantTenantTable(db, 'messages', { privileges: 'select, insert, update' });
  await grantTenantTable(db, 'message_events', { privileges: 'select, insert' });
  for (const table of [
    'mass_sms',
    'mass_sms_batches',
    'mass_sms_tallies',
    'audiences',
    'send_permits',
    'inbound_receipts',
  ]) {
    await grantTenantTable(db, table);
  }
}
