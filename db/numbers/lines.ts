/** Lines: the phone numbers of an organization, and who texts from each. */
import { sql } from 'kysely';
import type { Db, Trx } from '../database.ts';
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
  /** Only those that are (or are not) of use to nobody: no active user, and no pool unless somebody had them. */
  idle?: boolean | undefined;
  /** Only those that were released, in place of those that were not. */
  released?: boolean | undefined;
}

const usersOf = sql<LineUser[]>`coalesce((
  select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'active', u.active) order by u.id)
  from phone_number_users pu join users u on u.id = pu.user_id where pu.number_id = phone_numbers.id
), '[]')`.as('users');

const numbersOf = (trx: Trx, organizationId: string) =>
  trx.selectFrom('phone_numbers').selectAll().select(usersOf).where('organization_id', '=', organizationId);

/** In order of purchase. */
export async function listNumbers(
  trx: Trx,
  organizationId: string,
  filter: LineFilter & { limit: number; after?: string | undefined },
): Promise<Line[]> {
  const { limit, after, userId, poolId, orphan, idle, released = false } = filter;
  const has = (condition: ReturnType<typeof sql<boolean>>) => sql<boolean>`exists (
    select from phone_number_users pu join users u on u.id = pu.user_id
    where pu.number_id = phone_numbers.id and ${condition})`;
  const isOrphan = sql<boolean>`(orphan_since is not null and released_at is null)`;
  const isIdle = sql<boolean>`(orphan_since is null and released_at is null
    and not ${has(sql`u.active`)} and (pool_id is null or ${has(sql`true`)}))`;
  return numbersOf(trx, organizationId)
    .where('released_at', released ? 'is not' : 'is', null)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .$if(userId !== undefined, (query) => query.where(has(sql`u.id = ${userId}`)))
    .$if(poolId !== undefined, (query) => query.where('pool_id', '=', poolId!))
    .$if(orphan !== undefined, (query) => query.where(orphan ? isOrphan : sql<boolean>`not ${isOrphan}`))
    .$if(idle !== undefined, (query) => query.where(idle ? isIdle : sql<boolean>`not ${isIdle}`))
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** One number, also when it was released. `lock` keeps others from changing it meanwhile. */
export async function findNumber(
  trx: Trx,
  organizationId: string,
  id: string,
  { lock = false } = {},
): Promise<Line | undefined> {
  const query = numbersOf(trx, organizationId).where('id', '=', id);
  // First the lock and then the look: a statement that waited for a lock sees the users from before its wait.
  if (lock) await query.clearSelect().select('id').forUpdate().execute();
  return query.executeTakeFirst();
}

/** The organization's live line with this number, E.164. */
export async function findNumberByPhone(
  trx: Trx,
  organizationId: string,
  phoneNumber: string,
): Promise<Line | undefined> {
  return numbersOf(trx, organizationId)
    .where('phone_number', '=', phoneNumber)
    .where('released_at', 'is', null)
    .executeTakeFirst();
}

/** Whether a number, E.164, is a live line of any organization. */
export async function isLive(system: Db, phoneNumber: string): Promise<boolean> {
  const row = await system
    .selectFrom('phone_numbers')
    .select('id')
    .where('phone_number', '=', phoneNumber)
    .where('released_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
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

/**
 * Gives a line to exactly these users; whoever had it before and is not named loses it. Who stays is not touched: a row
 * put back would lock its user once more, out of order.
 */
export async function assignUsers(
  trx: Trx,
  organizationId: string,
  numberId: string,
  userIds: readonly string[],
): Promise<void> {
  const before = await trx
    .selectFrom('phone_number_users')
    .select('user_id')
    .where('number_id', '=', numberId)
    .execute();
  const from = before.map((row) => row.user_id);
  const leaving = from.filter((userId) => !userIds.includes(userId));
  const joining = userIds.filter((userId) => !from.includes(userId)).toSorted();
  if (leaving.length > 0) {
    await trx
      .deleteFrom('phone_number_users')
      .where('number_id', '=', numberId)
      .where('user_id', 'in', leaving)
      .execute();
  }
  if (joining.length === 0) return;
  await trx
    .insertInto('phone_number_users')
    .values(joining.map((userId) => ({ organization_id: organizationId, number_id: numberId, user_id: userId })))
    .execute();
}

export interface LineChanges {
  forwardTo?: string | null | undefined;
  poolId?: string | null | undefined;
  /** When somebody began to use what was an orphan; it is put into the messaging service from then on. */
  adoptedAt?: Date | undefined;
}

/** Changes a line; what is absent stays. At least one change. */
export async function changeLine(
  trx: Trx,
  organizationId: string,
  id: string,
  { forwardTo, poolId, adoptedAt }: LineChanges,
): Promise<void> {
  await trx
    .updateTable('phone_numbers')
    .set({
      ...(forwardTo !== undefined && { forward_to: forwardTo }),
      ...(poolId !== undefined && { pool_id: poolId }),
      ...(adoptedAt && { orphan_since: null, register_at: adoptedAt }),
    })
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .execute();
}
