/** Organizations, users, keys, the audit log, idempotency; the two roles and the row-level security all later tables use. */
import { type Kysely, sql } from 'kysely';
import { grantTenantTable } from './row-level-security.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Roles belong to the whole cluster: another database, or another migration at this moment, may have made them already.
  for (const role of ['longwave_app', 'longwave_system']) {
    await sql`
      do $$ begin
        create role ${sql.raw(role)} nologin nosuperuser nobypassrls;
      exception when duplicate_object or unique_violation then null;
      end $$`.execute(db);
    await sql`
      do $$ begin
        execute format('grant ${sql.raw(role)} to %I', current_user);
      exception when unique_violation then null;
      end $$`.execute(db);
    await sql`grant usage on schema public to ${sql.raw(role)}`.execute(db);
  }

  await sql`
    create function uuid_v7(at timestamptz) returns uuid language sql volatile parallel safe as $$
      -- RFC 9562: 48 bits of milliseconds, version 7, the rest random. The instant is the product's, not the server's.
      select encode(
        set_bit(set_bit(
          overlay(uuid_send(gen_random_uuid())
            placing substring(int8send(floor(extract(epoch from at) * 1000)::bigint) from 3) from 1 for 6),
          52, 1), 53, 1), 'hex')::uuid
    $$`.execute(db);

  await sql`
    create table organizations (
      id text collate "C" primary key,
      name text not null,
      domain text not null,
      country text,
      region text,
      organization_number text,
      time_zone text not null,
      settings jsonb not null default '{}',
      module_on boolean not null default false,
      account_sid text unique,
      auth_token text,
      messaging_service_sid text,
      segments_per_second double precision,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create index organizations_name on organizations (lower(name));
    create index organizations_domain on organizations (lower(domain));

    create table users (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      name text not null,
      email text not null,
      mobile text,
      time_zone text,
      active boolean not null default true,
      permissions text[] not null default '{}',
      created_at timestamptz not null,
      updated_at timestamptz not null,
      constraint users_email unique (organization_id, email)
    );

    create table api_keys (
      id text collate "C" primary key,
      organization_id text collate "C" references organizations,
      kind text not null check (kind in ('operator', 'organization', 'user')),
      user_id text collate "C" references users,
      permissions text[] not null default '{}',
      key_hash bytea not null unique,
      created_at timestamptz not null,
      revoked_at timestamptz,
      constraint api_keys_tenant check ((kind = 'operator') = (organization_id is null)),
      constraint api_keys_user check ((kind = 'user') = (user_id is not null))
    );
    create index api_keys_organization on api_keys (organization_id);

    create table audit_log (
      id text collate "C" primary key,
      organization_id text collate "C" references organizations,
      actor text not null,
      action text not null,
      subject text not null,
      detail jsonb not null default '{}',
      at timestamptz not null
    );
    create index audit_log_organization on audit_log (organization_id, id);

    create table idempotency_keys (
      scope text not null,
      key text not null,
      organization_id text collate "C" references organizations,
      request_hash bytea not null,
      status int not null,
      body jsonb,
      created_at timestamptz not null,
      primary key (scope, key)
    );
    create index idempotency_keys_created on idempotency_keys (created_at);
  `.execute(db);

  await grantTenantTable(db, 'organizations', { tenantColumn: 'id', privileges: 'select, update' });
  await grantTenantTable(db, 'users');
  await grantTenantTable(db, 'api_keys', { privileges: 'select, insert, update' });
  // What was done stays written: nobody but the owner of the database can change or delete it.
  await grantTenantTable(db, 'audit_log', { privileges: 'select, insert', systemPrivileges: 'select, insert' });
  await grantTenantTable(db, 'idempotency_keys', { privileges: 'select, insert, update' });
}
