/** Webhooks out: whom an organization tells of its events, and what became of each telling (G4). */
import { type Kysely, sql } from 'kysely';
import { grantTenantTable } from './row-level-security.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table webhook_endpoints (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      url text not null,
      events text[] not null,
      -- Encrypted, like the one before it, which signs too until its time is over.
      secret text not null,
      previous_secret text,
      previous_secret_until timestamptz,
      active boolean not null,
      -- Why it is switched off: by the organization, by the answer 410, or because nothing got through for days.
      off_reason text check (off_reason in ('requested', 'gone', 'failing')),
      -- The last event that was made into a delivery, or passed over as none of its types.
      read_up_to bigint not null,
      -- Attempts in a row that failed, whatever they were to deliver, and since when: one that fails holds all behind it.
      failures int not null default 0,
      failing_since timestamptz,
      next_attempt_at timestamptz,
      -- Who delivers now: nobody else does until then.
      lease_id text,
      lease_until timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      constraint webhook_endpoints_off check (active = (off_reason is null))
    );
    create index webhook_endpoints_organization on webhook_endpoints (organization_id, id);

    create table webhook_deliveries (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      endpoint_id text collate "C" not null references webhook_endpoints on delete cascade,
      -- Of the table events, where it is forgotten sooner.
      event_id bigint not null,
      type text not null,
      -- What is signed and sent, byte for byte the same with each attempt.
      body text not null,
      state text not null check (state in ('waiting', 'delivered', 'failed')),
      attempts int not null default 0,
      last_attempt_at timestamptz,
      last_status int,
      last_error text,
      delivered_at timestamptz,
      replay_asked_at timestamptz,
      created_at timestamptz not null,
      constraint webhook_deliveries_once unique (endpoint_id, event_id)
    );
    create index webhook_deliveries_state on webhook_deliveries (endpoint_id, state, event_id);
    create index webhook_deliveries_replays on webhook_deliveries (endpoint_id, replay_asked_at)
      where replay_asked_at is not null;
    create index webhook_deliveries_created on webhook_deliveries (created_at);
  `.execute(db);
  await grantTenantTable(db, 'webhook_endpoints');
  await grantTenantTable(db, 'webhook_deliveries');
}
