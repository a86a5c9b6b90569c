/** Phone numbers: purchases that never buy twice, releases, orphans, and senders that stay the same for a contact. */
import { type Kysely, sql } from 'kysely';
import { grantTenantTable } from './row-level-security.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- When the numbers in its account were last compared with ours.
    alter table organizations add column numbers_checked_at timestamptz;

    alter table phone_numbers
      -- It is in the account and nobody uses it: to be adopted or released.
      add column orphan_since timestamptz,
      -- Not in the messaging service: before this nothing is tried again.
      add column register_at timestamptz,
      -- Twilio's code for why it is not in the messaging service.
      add column registration_error int,
      -- No message leaves from it any more.
      add column releasing_since timestamptz;
    create index phone_numbers_to_register on phone_numbers (organization_id)
      where not registered and released_at is null and orphan_since is null;
    create index phone_numbers_pool on phone_numbers (pool_id) where released_at is null;

    -- A run of purchases or of releases: what the workflow numbers/{id} works off.
    create table number_jobs (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      kind text not null check (kind in ('purchase', 'release')),
      state text not null default 'running' check (state in ('running', 'finished')),
      -- 'match-mobile' or an area code; null when each purchase names its number, and for releases.
      area_code text,
      allow_nearby boolean not null default false,
      pool_id text collate "C" references number_pools,
      -- Who asked, and with a purchase agreed to the subscription terms.
      actor text not null,
      -- The same for the same request, so that a repeated one finds the run of the first.
      request_key text,
      created_at timestamptz not null,
      finished_at timestamptz,
      -- Null until Temporal has the workflow: what the sweep looks for when Temporal was away.
      workflow_started_at timestamptz,
      constraint number_jobs_request unique (organization_id, request_key)
    );
    create index number_jobs_running on number_jobs (id) where state = 'running';

    create table number_purchases (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      job_id text collate "C" not null references number_jobs,
      user_ids text[] not null,
      -- E.164, when the caller chose the number.
      wanted text,
      state text not null check (state in ('waiting', 'provisioned', 'failed')),
      -- The number that Twilio was asked for last, and when; kept until it is ours or surely is not.
      candidate text,
      asked_at timestamptz,
      number_id text collate "C" references phone_numbers,
      reason text,
      detail text,
      ended_at timestamptz
    );
    create index number_purchases_job on number_purchases (job_id, id);
    create index number_purchases_waiting on number_purchases (organization_id) where state = 'waiting';
    -- Twilio would let one account ask twice for one number: two purchases must not share it.
    create unique index number_purchases_candidate on number_purchases (organization_id, candidate)
      where candidate is not null and state = 'waiting';

    create table number_releases (
      organization_id text collate "C" not null references organizations,
      job_id text collate "C" not null references number_jobs,
      number_id text collate "C" not null references phone_numbers,
      state text not null check (state in ('waiting', 'released', 'failed')),
      detail text,
      ended_at timestamptz,
      primary key (job_id, number_id)
    );

    -- From which number of a pool a contact hears, for as long as that number is in the pool.
    create table sticky_senders (
      -- That of the pool. Checking it once more would be a quarter of what a row costs, and they come by 25,000.
      organization_id text collate "C" not null,
      pool_id text collate "C" not null references number_pools,
      contact_number text not null,
      line text not null,
      primary key (organization_id, pool_id, contact_number)
    );
  `.execute(db);

  for (const table of ['number_jobs', 'number_purchases', 'number_releases', 'sticky_senders']) {
    await grantTenantTable(db, table);
  }
}
