/** Reading mass SMS: the list with its filters (F7), and the recipients of one. */
import { type RawBuilder, sql } from 'kysely';
import type { MassSmsStatus } from '../../domain/mass-sms/mass-sms.ts';
import type { MessageStatus } from '../../domain/messages/status.ts';
import type { Trx } from '../database.ts';
import type { MassSmsRow } from '../schema.ts';
import { containing } from '../search.ts';

export interface MassSmsFilter {
  statuses: readonly MassSmsStatus[];
  /** Part of the name or of the sender's name. */
  q?: string | undefined;
  startFrom?: Date | undefined;
  startTo?: Date | undefined;
  sort: '-startAt' | 'name';
  /** The sort key of the last row of the page before. */
  after?: { key: string; id: string } | undefined;
  limit: number;
}

/** `name_key` is what the list by name is sorted by: lower case as Postgres makes it. */
export type ListedMassSms = MassSmsRow & { pool_name: string };

/** Mass SMS with their sender's name: newest start first, or by name. */
export async function listMassSms(trx: Trx, organizationId: string, filter: MassSmsFilter): Promise<ListedMassSms[]> {
  const pools = filter.q === undefined ? [] : await poolsNamed(trx, organizationId, filter.q);
  if (filter.q !== undefined) await readFromIndexes(trx);
  const { rows } = await sql<ListedMassSms>`
    select m.*, p.name as pool_name
    from (${pageOfIds(organizationId, filter, pools)}) page
    join mass_sms m on m.id = page.id
    join number_pools p on p.id = m.pool_id
    order by ${orders[filter.sort](sql.raw('m.'))}`.execute(trx);
  return rows;
}

/**
 * For the rest of the transaction. Where nearly all of a table is one organization's and of one status, Postgres would search
 * all of it and sort what it finds; the indexes hold the same in order, in a fraction of the pages.
 */
export const readFromIndexes = (trx: Trx): Promise<unknown> =>
  sql`select set_config('enable_seqscan', 'off', true)`.execute(trx);

async function poolsNamed(trx: Trx, organizationId: string, q: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('number_pools')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('name', 'ilike', containing(q))
    .execute();
  return rows.map(({ id }) => id);
}

/** @param of whose columns */
const orders: Readonly<Record<MassSmsFilter['sort'], (of: RawBuilder<unknown>) => RawBuilder<unknown>>> = {
  name: (of) => sql`${of}name_key, ${of}id`,
  '-startAt': (of) => sql`${of}start_at desc, ${of}id desc`,
};

/**
 * The ids of a page. Each status is read from an index in the order asked for, no further than the page reaches, and the
 * statuses are merged; whatever is searched for is in the index too, so that what does not match is never fetched.
 */
export function pageOfIds(
  organizationId: string,
  { statuses, q, startFrom, startTo, sort, after, limit }: MassSmsFilter,
  pools: readonly string[],
): RawBuilder<unknown> {
  const conditions = [
    ...(startFrom ? [sql`start_at >= ${startFrom}`] : []),
    ...(startTo ? [sql`start_at < ${startTo}`] : []),
    ...(q === undefined ? [] : [sql`(name_key like lower(${containing(q)}::text) or pool_id = any(${pools}::text[]))`]),
    ...(after && sort === 'name' ? [sql`(name_key, id) > (${after.key}, ${after.id})`] : []),
    ...(after && sort === '-startAt' ? [sql`(start_at, id) < (${after.key}::timestamptz, ${after.id})`] : []),
  ].map((condition) => sql` and ${condition}`);
  const own = sql.raw('');
  const ofStatus = [...new Set(statuses)].map(
    (status) => sql`(
      select id, name_key, start_at from mass_sms
      where organization_id = ${organizationId} and status = ${status}${sql.join(conditions, sql``)}
      order by ${orders[sort](own)} limit ${limit})`,
  );
  return sql`
    select id from (${sql.join(ofStatus, sql` union all `)}) matching order by ${orders[sort](own)} limit ${limit}`;
}

/** One mass SMS with its sender's name. */
export async function findListedMassSms(trx: Trx, id: string): Promise<ListedMassSms | undefined> {
  return trx
    .selectFrom('mass_sms')
    .innerJoin('number_pools', 'number_pools.id', 'mass_sms.pool_id')
    .selectAll('mass_sms')
    .select('number_pools.name as pool_name')
    .where('mass_sms.id', '=', id)
    .executeTakeFirst();
}

export interface Recipient {
  id: string;
  contact_id: string | null;
  contact_number: string;
  line: string;
  status: MessageStatus;
  batch_number: number;
  rank: number;
  error_code: number | null;
  cancel_reason: string | null;
  unsubscribed_at: Date | null;
}

/** Recipients in order of rank. */
export async function listRecipients(
  trx: Trx,
  massSms: Pick<MassSmsRow, 'id'>,
  ids: { from: string; to: string },
  { status, afterRank, limit }: { status?: MessageStatus | undefined; afterRank: number; limit: number },
): Promise<Recipient[]> {
  return trx
    .selectFrom('messages')
    .select([
      'id',
      'contact_id',
      'contact_number',
      'line',
      'status',
      'error_code',
      'cancel_reason',
      'unsubscribed_at',
      sql<number>`batch_number`.as('batch_number'),
      sql<number>`rank`.as('rank'),
    ])
    .where('mass_sms_id', '=', massSms.id)
    .where('id', '>=', ids.from)
    .where('id', '<', ids.to)
    .where('rank', '>', afterRank)
    .$if(status !== undefined, (query) => query.where('status', '=', status!))
    .orderBy('rank')
    .limit(limit)
    .execute();
}
