/** Messages one by one: what waits to leave and why, conversations, opt-in requests, live events, notifications. */
import { type Kysely, sql } from 'kysely';
import { grantTenantTable } from './row-level-security.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table messages
      -- Asked for by whoever wrote it, for a later moment.
      add column send_at timestamptz,
      -- Somebody of the organization wrote it to this contact now: only the law holds it, and only with a warning.
      add column direct boolean not null default false,
      drop constraint messages_source_check,
      -- 'forward': a contact's reply, passed on to a cell of the organization's own.
      add constraint messages_source_check
        check (source in ('user', 'journey', 'mass_sms', 'opt_in', 'contact', 'forward'));

    -- When the cell that replies are forwarded to was last told that nobody reads what is written back.
    alter table organizations
      add column forwarding_notice_at timestamptz,
      -- How many replies were passed on in the hour of the clock that began then.
      add column forwarded_since timestamptz,
      add column forwarded int not null default 0;

    -- What waits to leave, whoever wrote it, but for mass SMS: a row for as long as the message has not surely left. It is
    -- a table of its own because no index on messages may mention what changes with every step.
    create table outbox (
      message_id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      contact_number text not null,
      line text not null,
      -- Replies and opt-in requests (0) go before what was written ahead (1).
      priority smallint not null,
      due_at timestamptz not null,
      held_reason text check (held_reason in ('scheduled', 'outside_window', 'quiet_hours', 'paced')),
      held_detail text,
      -- By somebody who may: the organization's own window does not hold it any more.
      released boolean not null default false,
      -- By whom it is being sent; null while it waits.
      attempt_id text,
      claimed_at timestamptz
    );
    create index outbox_next on outbox (organization_id, priority, due_at, message_id) where claimed_at is null;
    create index outbox_due on outbox (organization_id, due_at, message_id);
    create index outbox_contact on outbox (organization_id, contact_number, due_at, message_id);
    create index outbox_claimed on outbox (organization_id) where claimed_at is not null;

    create table conversations (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      line text not null,
      contact_number text not null,
      contact_id text collate "C",
      last_message_id text collate "C" not null,
      last_message_at timestamptz not null,
      -- The newest message of the contact; null while the contact has not written.
      last_inbound_id text collate "C",
      -- A message that may mean "stop texting me": a person has to say whether it does (C6).
      revocation_message_id text collate "C",
      constraint conversations_thread unique (organization_id, line, contact_number)
    );
    create index conversations_recent on conversations (organization_id, last_message_at desc, id desc);
    create index conversations_contact on conversations (organization_id, contact_id);

    -- Up to where each user has read each thread; without a row nothing was read.
    create table conversation_reads (
      organization_id text collate "C" not null references organizations,
      conversation_id text collate "C" not null references conversations,
      -- Empty for the organization itself, whose key acts as nobody.
      user_id text collate "C" not null,
      read_up_to text collate "C" not null,
      primary key (conversation_id, user_id)
    );

    create table opt_in_requests (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      user_id text collate "C" not null references users,
      contact_id text collate "C" not null,
      contact_number text not null,
      line text not null,
      message_id text collate "C" not null,
      state text not null check (state in ('waiting', 'accepted', 'declined', 'expired')),
      requested_at timestamptz not null,
      expires_at timestamptz not null,
      ended_at timestamptz,
      -- When what waited for the answer was queued or cancelled.
      settled_at timestamptz,
      workflow_started_at timestamptz
    );
    create index opt_in_requests_organization on opt_in_requests (organization_id, id);
    create index opt_in_requests_contact on opt_in_requests (organization_id, contact_id, user_id, requested_at);
    create index opt_in_requests_waiting on opt_in_requests (organization_id, contact_number) where state = 'waiting';
    -- For the sweep: those without a workflow, those due to expire, those answered.
    create index opt_in_requests_not_started on opt_in_requests (requested_at) where workflow_started_at is null;
    create index opt_in_requests_expiring on opt_in_requests (expires_at) where state = 'waiting';
    create index opt_in_requests_unsettled on opt_in_requests (ended_at) where settled_at is null;

    -- Messages claimed together, for as long as the final status of any of them has not come. A row per claim and not per
    -- message; by when they were claimed, which their ids do not tell: a message is often made long before it leaves.
    create table awaited_reports (
      id bigint generated always as identity primary key,
      organization_id text collate "C" not null references organizations,
      message_ids text[] not null,
      claimed_at timestamptz not null,
      -- When to ask Twilio about those still open.
      look_at timestamptz not null
    );
    create index awaited_reports_due on awaited_reports (organization_id, look_at, id);

    -- What open event streams are told, in an order that a stream which resumes can rely on: ids are given out under a
    -- lock per organization that is held to the end of the transaction.
    create table events (
      organization_id text collate "C" not null references organizations,
      id bigint generated always as identity,
      type text not null,
      data jsonb not null,
      at timestamptz not null,
      primary key (organization_id, id)
    );
    create index events_at on events (at);

    -- Tells the streams of an organization: a list of {type, data}, in order. Under the lock that makes the order one
    -- that can be relied on; the organization's row first, which inserting would otherwise wait for inside of it.
    create function tell_streams(organization text, news jsonb, at timestamptz) returns void language plpgsql as $$
    begin
      perform from organizations where id = organization for key share;
      perform pg_advisory_xact_lock(hashtextextended('events/' || organization, 0));
      insert into events (organization_id, type, data, at)
        select organization, one ->> 'type', one -> 'data', tell_streams.at
        from jsonb_array_elements(news) with ordinality as list (one, position) order by position;
      perform pg_notify('longwave_events', organization);
    end $$;

    -- What changes in the middle of long transactions, on several paths, is told by triggers at their very end.
    create function tell_of_mass_sms() returns trigger language plpgsql as $$
    begin
      perform tell_streams(new.organization_id, jsonb_build_array(jsonb_build_object('type', 'mass_sms.updated',
        'data', jsonb_build_object('massSmsId', new.id, 'status', new.status))), new.updated_at);
      return null;
    end $$;
    create constraint trigger mass_sms_tell after update of status on mass_sms deferrable initially deferred
      for each row when (old.status is distinct from new.status) execute function tell_of_mass_sms();

    create function tell_of_registration() returns trigger language plpgsql as $$
    begin
      perform tell_streams(new.organization_id, jsonb_build_array(jsonb_build_object('type', 'registration.updated',
        'data', jsonb_build_object('subject', new.subject, 'event', new.event))), new.at);
      return null;
    end $$;
    create constraint trigger registration_timeline_tell after insert on registration_timeline
      deferrable initially deferred for each row execute function tell_of_registration();

    create table notifications (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      user_id text collate "C" not null references users,
      kind text not null,
      level text not null check (level in ('info', 'warning', 'error')),
      title text not null,
      body text not null,
      -- What it is about, by id.
      subject text not null,
      created_at timestamptz not null,
      read_at timestamptz,
      -- The email that tells of it too; one email may tell of several.
      email_id text collate "C"
    );
    create index notifications_user on notifications (organization_id, user_id, id desc);
    create index notifications_unread on notifications (organization_id, user_id, id desc) where read_at is null;
    -- Whoever reads a conversation reads what was said of it.
    create index notifications_unread_subject on notifications (organization_id, user_id, subject) where read_at is null;
    create index notifications_emailed on notifications (organization_id, user_id, subject, id desc)
      where email_id is not null;

    create table notification_preferences (
      organization_id text collate "C" not null references organizations,
      user_id text collate "C" not null references users,
      kind text not null,
      delivery text not null check (delivery in ('email', 'digest', 'product')),
      primary key (user_id, kind)
    );
  `.execute(db);

  // What is there already: contacts who wrote have a thread, and messages without a final status are asked about.
  await sql`
    insert into conversations (id, organization_id, line, contact_number, contact_id, last_message_id, last_message_at,
      last_inbound_id)
    select 'cnv_' || uuid_v7(max(created_at)), organization_id, line, contact_number,
      (array_agg(contact_id order by id desc))[1], max(id), max(created_at), max(id)
    from messages where direction = 'inbound' group by organization_id, line, contact_number`.execute(db);
  await sql`
    insert into awaited_reports (organization_id, message_ids, claimed_at, look_at)
    select organization_id, array_agg(id), min(claimed_at), min(claimed_at)
    from (
      select organization_id, id, claimed_at,
        (row_number() over (partition by organization_id order by claimed_at) - 1) / 500 as part
      from messages
      where status in ('sending', 'in_doubt', 'accepted', 'sent') and finished_at is null and claimed_at is not null
    ) open
    group by organization_id, part`.execute(db);

  for (const table of [
    'outbox',
    'conversations',
    'conversation_reads',
    'opt_in_requests',
    'awaited_reports',
    'events',
    'notifications',
    'notification_preferences',
  ]) {
    await grantTenantTable(db, table);
  }
}
