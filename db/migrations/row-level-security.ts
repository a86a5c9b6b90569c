/** Not a migration: what every migration that makes a tenant table calls. Frozen like the migrations that use it. */
import { type Kysely, sql } from 'kysely';

interface TenantTableOptions {
  /** The column that names the organization. */
  tenantColumn?: string;
  /** What `longwave_app` may do with its own organization's rows. */
  privileges?: string;
  systemPrivileges?: string;
  /** Rows without an organization belong to the whole platform and are seen by every tenant. */
  sharedWhenNull?: boolean;
}

/**
 * Grants a table to the two roles the product works under and puts row-level security on it.
 *
 * `longwave_app` sees and changes only rows of the organization its transaction has set
 * (`longwave.organization_id`; none set, no rows). `longwave_system` is for work that belongs to no tenant:
 * finding whose key, number or account this is, and sweeps.
 */
export async function grantTenantTable(
  db: Kysely<unknown>,
  table: string,
  {
    tenantColumn = 'organization_id',
    privileges = 'select, insert, update, delete',
    systemPrivileges = 'select, insert, update, delete',
    sharedWhenNull = false,
  }: TenantTableOptions = {},
): Promise<void> {
  // The sub-select makes Postgres read the setting once per statement instead of once per row.
  const own = `${tenantColumn} = (select current_setting('longwave.organization_id', true))`;
  const visible = sharedWhenNull ? `(${tenantColumn} is null or ${own})` : own;
  await sql
    .raw(
      `alter table ${table} enable row level security;
       create policy ${table}_tenant on ${table} to longwave_app using (${visible}) with check (${visible});
       create policy ${table}_system on ${table} to longwave_system using (true) with check (true);
       grant ${privileges} on ${table} to longwave_app;
       grant ${systemPrivileges} on ${table} to longwave_system;`,
    )
    .execute(db);
}
