/** Registration: the questionnaire and its evidence, where each part stands, what was made at Twilio, fees, emails. */
import { type Kysely, sql } from 'kysely';
import { grantTenantTable } from './row-level-security.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- An account the organization brought itself: we do not know who else holds its token.
    alter table organizations add column own_account boolean not null default false;

    create table registrations (
      id text collate "C" primary key,
      organization_id text collate "C" not null unique references organizations,
      state text not null default 'draft' check (state in ('draft', 'submitted', 'completed', 'cancelled')),
      intake jsonb not null default '{}',
      brand_status text not null default 'draft'
        check (brand_status in ('draft', 'submitted', 'registered', 'verified', 'failed', 'verification_expired')),
      brand_since timestamptz,
      brand_reasons jsonb not null default '[]',
      campaign_status text not null default 'not_started'
        check (campaign_status in ('not_started', 'in_review', 'longer_than_usual', 'overdue', 'failed', 'verified')),
      campaign_since timestamptz,
      campaign_reasons jsonb not null default '[]',
      messaging_service_status text not null default 'not_started'
        check (messaging_service_status in ('not_started', 'in_progress', 'registered', 'failed')),
      messaging_service_since timestamptz,
      submitted_at timestamptz,
      -- The identity link: how many were sent, and when the last one.
      verification_round int not null default 0,
      verification_sent_at timestamptz,
      -- The name its subaccount has or will have: taken before it is made, so that no two organizations can share one.
      subaccount_name text constraint registrations_subaccount_name unique,
      workflow_started_at timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create index registrations_submitted on registrations (id) where state = 'submitted';

    create table registration_declarations (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      declaration text not null check (declaration in ('accurate', 'representative_agrees')),
      actor text not null,
      at timestamptz not null
    );
    create index registration_declarations_organization on registration_declarations (organization_id, id);

    create table registration_evidence (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      -- Of its public address, which reviewers open: nobody can guess it.
      token text not null constraint registration_evidence_token unique,
      file_name text not null,
      media_type text not null check (media_type in ('image/png', 'image/jpeg', 'application/pdf')),
      content bytea not null,
      size int not null,
      sha256 bytea not null,
      actor text not null,
      at timestamptz not null
    );
    -- Pictures are compressed already.
    alter table registration_evidence alter column content set storage external;
    create index registration_evidence_organization on registration_evidence (organization_id, id);

    create table registration_timeline (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      at timestamptz not null,
      subject text not null check (subject in ('registration', 'brand', 'campaign', 'messaging_service')),
      event text not null,
      actor text not null,
      detail text not null,
      awaiting text not null
    );
    create index registration_timeline_organization on registration_timeline (organization_id, id);

    create table registration_attempts (
      organization_id text collate "C" not null references organizations,
      part text not null check (part in ('brand', 'campaign')),
      number int not null,
      actor text not null,
      begun_at timestamptz not null,
      -- Set before Twilio is asked: a crash after it means that Twilio may have been asked.
      asked_at timestamptz,
      submitted_at timestamptz,
      decided_at timestamptz,
      outcome text check (outcome in ('verified', 'failed')),
      reasons jsonb not null default '[]',
      submission jsonb,
      primary key (organization_id, part, number)
    );

    create table registration_resources (
      organization_id text collate "C" not null references organizations,
      kind text not null,
      sid text,
      -- Set before Twilio is asked to make it: a crash after it means that Twilio may have made it.
      asked_at timestamptz,
      primary key (organization_id, kind)
    );
    -- No two organizations ever share a thing at Twilio, their subaccount least of all.
    create unique index registration_resources_sid on registration_resources (sid);

    create table fees (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      kind text not null,
      amount numeric(10, 2) not null,
      currency text not null,
      -- What it was paid for, by Twilio's SID: a fee is recorded once.
      reference text not null,
      description text not null,
      at timestamptz not null,
      constraint fees_once unique (organization_id, kind, reference)
    );

    create table emails (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      -- What it is about: the same is said once.
      key text not null,
      recipient text not null,
      subject text not null,
      body text not null,
      created_at timestamptz not null,
      next_attempt_at timestamptz,
      attempts int not null default 0,
      sent_at timestamptz,
      error text,
      constraint emails_once unique (organization_id, key)
    );
    create index emails_unsent on emails (next_attempt_at) where next_attempt_at is not null;

    create table twilio_event_receipts (
      event_id text primary key,
      organization_id text collate "C" not null references organizations,
      at timestamptz not null
    );
    create index twilio_event_receipts_at on twilio_event_receipts (at);
  `.execute(db);

  const appendOnly = { privileges: 'select, insert', systemPrivileges: 'select, insert' };
  await grantTenantTable(db, 'registrations');
  await grantTenantTable(db, 'registration_declarations', appendOnly);
  await grantTenantTable(db, 'registration_evidence', appendOnly);
  await grantTenantTable(db, 'registration_timeline', appendOnly);
  await grantTenantTable(db, 'registration_attempts');
  await grantTenantTable(db, 'registration_resources');
  await grantTenantTable(db, 'fees', appendOnly);
  await grantTenantTable(db, 'emails');
  await grantTenantTable(db, 'twilio_event_receipts');
}
