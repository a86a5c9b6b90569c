/** Contacts and their lists, consent with its ledger, opt-outs, number pools and lines. */
import { type Kysely, sql } from 'kysely';
import { grantTenantTable } from './row-level-security.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table contacts (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      first_name text,
      last_name text,
      mobile text,
      home_phone text,
      email text,
      postal_code text,
      time_zone text,
      owner_id text collate "C" references users,
      attributes jsonb not null default '{}',
      phone_status text not null check (phone_status in ('valid', 'invalid', 'missing')),
      consent_transactional boolean not null default false,
      consent_promotional boolean not null default false,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create index contacts_organization on contacts (organization_id, id);
    create index contacts_mobile on contacts (organization_id, mobile) where mobile is not null;
    create index contacts_email on contacts (organization_id, lower(email)) where email is not null;

    create table contact_lists (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      name text not null,
      created_at timestamptz not null,
      constraint contact_lists_name unique (organization_id, name)
    );

    create table contact_list_members (
      organization_id text collate "C" not null references organizations,
      list_id text collate "C" not null references contact_lists on delete cascade,
      contact_id text collate "C" not null references contacts on delete cascade,
      -- The order in which contacts were put on the list: its rank, which "limit to top" counts from.
      position bigint generated always as identity,
      primary key (list_id, contact_id)
    );
    create index contact_list_members_position on contact_list_members (list_id, position);
    create index contact_list_members_contact on contact_list_members (contact_id);

    -- No foreign key to contacts: the proof of consent outlives the contact.
    create table consent_ledger (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      contact_id text collate "C" not null,
      phone_number text,
      purpose text not null check (purpose in ('transactional', 'promotional')),
      granted boolean not null,
      method text not null,
      evidence text,
      actor text not null,
      source text,
      at timestamptz not null
    );
    create index consent_ledger_contact on consent_ledger (organization_id, contact_id, id);

    -- organization_id is null for an opt-out that holds for the whole platform; line is set for one that holds for a number.
    create table opt_outs (
      id text collate "C" primary key,
      organization_id text collate "C" references organizations,
      phone_number text not null,
      line text,
      method text not null,
      at timestamptz not null,
      constraint opt_outs_once unique nulls not distinct (phone_number, organization_id, line)
    );

    create table number_pools (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      name text not null,
      purpose text not null check (purpose in ('transactional', 'promotional')),
      created_at timestamptz not null,
      constraint number_pools_name unique (organization_id, name)
    );

    create table phone_numbers (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      phone_number text not null,
      twilio_sid text not null,
      pool_id text collate "C" references number_pools,
      registered boolean not null default false,
      forward_to text,
      purchased_at timestamptz not null,
      released_at timestamptz
    );
    create unique index phone_numbers_live on phone_numbers (phone_number) where released_at is null;
    create index phone_numbers_organization on phone_numbers (organization_id, id);

    create table phone_number_users (
      organization_id text collate "C" not null references organizations,
      number_id text collate "C" not null references phone_numbers,
      user_id text collate "C" not null references users,
      primary key (number_id, user_id),
      constraint phone_number_users_one_line unique (user_id)
    );
  `.execute(db);

  for (const table of [
    'contacts',
    'contact_lists',
    'contact_list_members',
    'number_pools',
    'phone_numbers',
    'phone_number_users',
  ]) {
    await grantTenantTable(db, table);
  }
  await grantTenantTable(db, 'consent_ledger', { privileges: 'select, insert', systemPrivileges: 'select, insert' });
  await grantTenantTable(db, 'opt_outs', { sharedWhenNull: true });
}
