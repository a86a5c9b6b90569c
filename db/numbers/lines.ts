/** Lines: the phone numbers of an organization, and who texts from each. */
import { sql } from 'kysely';
import type { Trx } from '../database.ts';
import type { NumberRow } from '../schema.ts';

/** Somebody who texts from a line. */
export interface LineUser {
  id: string;
  name: string;
  active: boolean;
}

export interface Line extends NumberRow {
  /** In the order in which they joined the organization. */
  users: LineUser[];
}

export interface LineFilter {
  userId?: string | undefined;
  poolId?: string | undefined;
  /** Only those that are (or are not) in the account without anybody using them. */
  orphan?: boolean | undefined;
  /** Only those that have users none of whom is active: to be given to somebody else. */
  idle?: boolean | undefined;
}

const usersOf = sql<LineUser[]>`coalesce((
  select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'active', u.active) order by u.id)
  from phone_number_users pu join users u on u.id = pu.user_id where pu.number_id = phone_numbers.id
), '[]')`.as('users');

const live = (trx: Trx, organizationId: string) =>
  trx
    .selectFrom('phone_numbers')
    .selectAll()
    .select(usersOf)
    .where('organization_id', '=', organizationId)
    .where('released_at', 'is', null);

/** Those not released, in order of purchase. */
export async function listNumbers(
  trx: Trx,
  organizationId: string,
  { limit, after, userId, poolId, orphan, idle }: LineFilter & { limit: number; after?: string | undefined },
): Promise<Line[]> {
  const has = (condition: ReturnType<typeof sql<boolean>>) => sql<boolean>`exists (
    select from phone_number_users pu join users u on u.id = pu.user_id
    where pu.number_id = phone_numbers.id and ${condition})`;
  return live(trx, organizationId)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .$if(userId !== undefined, (query) => query.where(has(sql`u.id = ${userId}`)))
    .$if(poolId !== undefined, (query) => query.where('pool_id', '=', poolId!))
    .$if(orphan !== undefined, (query) => query.where('orphan_since', orphan ? 'is not' : 'is', null))
    .$if(idle === true, (query) => query.where(has(sql`true`)).where(sql<boolean>`not ${has(sql`u.active`)}`))
    .$if(idle === false, (query) =>
      query.where((is) => is.or([has(sql`u.active`), sql<boolean>`not ${has(sql`true`)}`])),
    )
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** One that is not released. `lock` keeps others from changing it meanwhile. */
export async function findNumber(
  trx: Trx,
  organizationId: string,
  id: string,
  { lock = false } = {},
): Promise<Line | undefined> {
  const query = live(trx, organizationId).where('id', '=', id);
  return (lock ? query.forUpdate() : query).executeTakeFirst();
}

/** A user as whoever gives out lines sees them. */
export interface Candidate extends LineUser {
  mobile: string | null;
  line: { id: string; phoneNumber: string } | null;
  /** The run that buys a number for this user at the moment. */
  buyingJobId: string | null;
}

/**
 * Locks users, so that nobody else gives them a line before this transaction ends.
 *
 * @returns those that exist, by id
 */
export async function lockCandidates(
  trx: Trx,
  organizationId: string,
  userIds: readonly string[],
): Promise<Map<string, Candidate>> {
  if (userIds.length === 0) return new Map();
  const users = await trx
    .selectFrom('users')
    .select(['id', 'name', 'active', 'mobile'])
    .where('organization_id', '=', organizationId)
    .where('id', 'in', userIds)
    // In one order everywhere: two that lock the same users would otherwise wait for each other.
    .orderBy('id')
    .forUpdate()
    .execute();
  const lines = await trx
    .selectFrom('phone_number_users')
    .innerJoin('phone_numbers', 'phone_numbers.id', 'phone_number_users.number_id')
    .select(['phone_number_users.user_id', 'phone_numbers.id', 'phone_numbers.phone_number'])
    .where('phone_number_users.user_id', 'in', userIds)
    .execute();
  const purchases = await trx
    .selectFrom('number_purchases')
    .select(['job_id', 'user_ids'])
    .where('organization_id', '=', organizationId)
    .where('state', '=', 'waiting')
    .where(sql<boolean>`user_ids && ${[...userIds]}::text[]`)
    .execute();
  const lineOf = new Map(lines.map((row) => [row.user_id, { id: row.id, phoneNumber: row.phone_number }]));
  const jobOf = new Map(purchases.flatMap((row) => row.user_ids.map((id) => [id, row.job_id] as const)));
  return new Map(
    users.map((user) => [
      user.id,
      { ...user, line: lineOf.get(user.id) ?? null, buyingJobId: jobOf.get(user.id) ?? null },
    ]),
  );
}

/** Gives a line to exactly these users; whoever had it before and is not named loses it. */
export async function assignUsers(
  trx: Trx,
  organizationId: string,
  numberId: string,
  userIds: readonly string[],
): Promise<void> {
  await trx.deleteFrom('phone_number_users').where('number_id', '=', numberId).execute();
  if (userIds.length === 0) return;
  await trx
    .insertInto('phone_number_users')
    .values(userIds.map((userId) => ({ organization_id: organizationId, number_id: numberId, user_id: userId })))
    .execute();
}
