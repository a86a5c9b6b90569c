/** Organizations, their settings, and whether their SMS module is on. */
import { sql } from 'kysely';
import { type Settings, withDefaults } from '../../domain/settings.ts';
import type { Changes } from '../changes.ts';
import type { Db, Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { OrganizationRow } from '../schema.ts';
import { containing } from '../search.ts';

export interface OrganizationFields {
  name: string;
  domain: string;
  country: string | null;
  region: string | null;
  organizationNumber: string | null;
  timeZone: string;
}

const columns = ({ name, domain, country, region, organizationNumber, timeZone }: Changes<OrganizationFields>) => ({
  ...(name !== undefined && { name }),
  ...(domain !== undefined && { domain }),
  ...(country !== undefined && { country }),
  ...(region !== undefined && { region }),
  ...(organizationNumber !== undefined && { organization_number: organizationNumber }),
  // The daily digest goes by local time: its workflow has to look anew.
  ...(timeZone !== undefined && { time_zone: timeZone, digest_at: null }),
});

/** For the operator: no tenant can make one. */
export async function insertOrganization(db: Db, fields: OrganizationFields, at: Date): Promise<OrganizationRow> {
  const { name, domain, timeZone, ...rest } = fields;
  return db
    .insertInto('organizations')
    .values({
      id: newId('organization', at),
      ...columns(rest),
      name,
      domain,
      time_zone: timeZone,
      created_at: at,
      updated_at: at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function updateOrganization(
  db: Db,
  id: string,
  changes: Changes<OrganizationFields>,
  at: Date,
): Promise<OrganizationRow | undefined> {
  return db
    .updateTable('organizations')
    .set({ ...columns(changes), updated_at: at })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Locks an organization: nothing that belongs to it is begun before this transaction ends. */
export async function lockOrganization(trx: Trx, id: string): Promise<void> {
  await trx.selectFrom('organizations').select('id').where('id', '=', id).forUpdate().execute();
}

export async function findOrganization(db: Db, id: string): Promise<OrganizationRow | undefined> {
  return db.selectFrom('organizations').selectAll().where('id', '=', id).executeTakeFirst();
}

/** In order of creation. @param q part of a name or domain */
export async function listOrganizations(
  db: Db,
  { q, limit, after }: { q?: string | undefined; limit: number; after?: string | undefined },
): Promise<OrganizationRow[]> {
  return db
    .selectFrom('organizations')
    .selectAll()
    .$if(Boolean(q), (query) =>
      query.where((eb) => eb.or([eb('name', 'ilike', containing(q!)), eb('domain', 'ilike', containing(q!))])),
    )
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** An organization's settings with the defaults filled in. @throws when there is no such organization */
export async function readSettings(trx: Trx, organizationId: string): Promise<Settings> {
  const { settings } = await trx
    .selectFrom('organizations')
    .select('settings')
    .where('id', '=', organizationId)
    .executeTakeFirstOrThrow();
  return withDefaults(settings);
}

/** Only the fields that are there. */
const given = <T extends object>(fields: T): { [Field in keyof T]?: Exclude<T[Field], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;

/** Changes settings under a lock, so that two changes at once both count. */
export async function changeSettings(
  trx: Trx,
  organizationId: string,
  change: (current: Settings) => Changes<Settings>,
  at: Date,
): Promise<Settings> {
  const { settings } = await trx
    .selectFrom('organizations')
    .select('settings')
    .where('id', '=', organizationId)
    // Not more: who inserts rows of the organization would wait for it, maybe with what this one waits for.
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const changed = { ...settings, ...given(change(withDefaults(settings))) };
  await trx
    .updateTable('organizations')
    .set({
      settings: JSON.stringify(changed),
      updated_at: at,
      ...(changed.digestTime !== settings.digestTime && { digest_at: null }),
    })
    .where('id', '=', organizationId)
    .execute();
  return withDefaults(changed);
}

export type ModuleState = 'disabled' | 'pending_setup' | 'enabled';

/** Whether an organization can send (A8), and what it still lacks (A11), by the names of the API's fields. */
export function moduleState(organization: OrganizationRow): { state: ModuleState; missing: string[] } {
  const { module_on: on, account_sid, auth_token, messaging_service_sid, country, region } = organization;
  const ready = account_sid !== null && auth_token !== null && messaging_service_sid !== null;
  if (on && ready) return { state: 'enabled', missing: [] };
  const needed = {
    country,
    region,
    organizationNumber: organization.organization_number,
    accountSid: account_sid,
    authToken: auth_token,
    messagingServiceSid: messaging_service_sid,
  };
  const missing = Object.entries(needed).flatMap(([name, value]) => (value === null ? [name] : []));
  return { state: on ? 'pending_setup' : 'disabled', missing };
}

/** Switches the module on or off. @throws when there is no such organization */
export async function switchModule(trx: Trx, organizationId: string, on: boolean, at: Date): Promise<OrganizationRow> {
  return trx
    .updateTable('organizations')
    .set({ module_on: on, updated_at: at })
    .where('id', '=', organizationId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export interface OwnAccount {
  accountSid: string;
  /** Encrypted. */
  authToken: string;
  messagingServiceSid: string;
  /** Null when nothing is known of its campaign. */
  segmentsPerSecond: number | null;
}

/**
 * Keeps the account that an organization brought itself; the service that it has sent through until now is remembered.
 *
 * @throws when there is no such organization
 */
export async function attachOwnAccount(
  trx: Trx,
  organizationId: string,
  account: OwnAccount,
  at: Date,
): Promise<OrganizationRow> {
  return trx
    .updateTable('organizations')
    .set({
      account_sid: account.accountSid,
      auth_token: account.authToken,
      messaging_service_sid: account.messagingServiceSid,
      former_messaging_services: sql<string[]>`case when messaging_service_sid <> ${account.messagingServiceSid}
        then array_remove(former_messaging_services, messaging_service_sid) || messaging_service_sid
        else former_messaging_services end`,
      segments_per_second: account.segmentsPerSecond,
      own_account: true,
      numbers_checked_at: null,
      updated_at: at,
    })
    .where('id', '=', organizationId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Whose Twilio account this is; the token is encrypted. Across organizations: a webhook names an account, not a tenant. */
export async function organizationByAccount(
  system: Db,
  accountSid: string,
): Promise<Pick<OrganizationRow, 'id' | 'auth_token'> | undefined> {
  return system
    .selectFrom('organizations')
    .select(['id', 'auth_token'])
    .where('account_sid', '=', accountSid)
    .executeTakeFirst();
}
