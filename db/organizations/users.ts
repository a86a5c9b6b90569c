/** Users: the persons of an organization who text. */
import { sql } from 'kysely';
import type { Changes } from '../changes.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { UserRow } from '../schema.ts';

export interface UserFields {
  name: string;
  email: string;
  mobile: string | null;
  timeZone: string | null;
  active: boolean;
  permissions: string[];
}

const columns = ({ name, email, mobile, timeZone, active, permissions }: Changes<UserFields>) => ({
  ...(name !== undefined && { name }),
  ...(email !== undefined && { email }),
  ...(mobile !== undefined && { mobile }),
  ...(active !== undefined && { active }),
  ...(permissions !== undefined && { permissions }),
  ...(timeZone !== undefined && { time_zone: timeZone }),
});

/** @returns undefined when the organization has a user with this email already, in whatever case */
export async function insertUser(
  trx: Trx,
  organizationId: string,
  { timeZone, ...fields }: UserFields,
  at: Date,
): Promise<UserRow | undefined> {
  return trx
    .insertInto('users')
    .values({
      id: newId('user', at),
      organization_id: organizationId,
      ...fields,
      time_zone: timeZone,
      created_at: at,
      updated_at: at,
    })
    .onConflict((conflict) => conflict.expression(sql`organization_id, lower(email)`).doNothing())
    .returningAll()
    .executeTakeFirst();
}

export async function findUser(trx: Trx, organizationId: string, id: string): Promise<UserRow | undefined> {
  return trx
    .selectFrom('users')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
}

export async function updateUser(
  trx: Trx,
  organizationId: string,
  id: string,
  changes: Changes<UserFields>,
  at: Date,
): Promise<UserRow | undefined> {
  return trx
    .updateTable('users')
    .set({ ...columns(changes), updated_at: at })
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** In order of creation. */
export async function listUsers(
  trx: Trx,
  organizationId: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<UserRow[]> {
  return trx
    .selectFrom('users')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Names by id. */
export async function userNames(
  trx: Trx,
  organizationId: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  const rows = await trx
    .selectFrom('users')
    .select(['id', 'name'])
    .where('organization_id', '=', organizationId)
    .where('id', 'in', wanted)
    .execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}
