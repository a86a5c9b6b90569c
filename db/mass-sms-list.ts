/** Reading mass SMS: the list with its filters (F7), and the recipients of one. */
import { sql } from 'kysely';
import type { MassSmsStatus } from '../domain/mass-sms.ts';
import type { MessageStatus } from '../domain/message-status.ts';
import type { Trx } from './database.ts';
import type { MassSmsRow } from './schema.ts';
import { containing } from './search.ts';

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
export type ListedMassSms = MassSmsRow & { pool_name: string; name_key: string };

/** Mass SMS with their sender's name: newest start first, or by name. */
export async function listMassSms(trx: Trx, organizationId: string, filter: MassSmsFilter): Promise<ListedMassSms[]> {
  const { statuses, q, startFrom, startTo, sort, after, limit } = filter;
  const byName = sort === 'name';
  return trx
    .selectFrom('mass_sms')
    .innerJoin('number_pools', 'number_pools.id', 'mass_sms.pool_id')
    .selectAll('mass_sms')
    .select(['number_pools.name as pool_name', sql<string>`lower(mass_sms.name)`.as('name_key')])
    .where('mass_sms.organization_id', '=', organizationId)
    .where('mass_sms.status', 'in', statuses)
    .$if(startFrom !== undefined, (query) => query.where('mass_sms.start_at', '>=', startFrom!))
    .$if(startTo !== undefined, (query) => query.where('mass_sms.start_at', '<', startTo!))
    .$if(q !== undefined, (query) =>
      query.where((or) =>
        or.or([or('mass_sms.name', 'ilike', containing(q!)), or('number_pools.name', 'ilike', containing(q!))]),
      ),
    )
    .$if(after !== undefined, (query) =>
      query.where(
        byName
          ? sql<boolean>`(lower(mass_sms.name), mass_sms.id) > (${after!.key}, ${after!.id})`
          : sql<boolean>`(mass_sms.start_at, mass_sms.id) < (${after!.key}::timestamptz, ${after!.id})`,
      ),
    )
    .$if(byName, (query) => query.orderBy(sql`lower(mass_sms.name)`).orderBy('mass_sms.id'))
    .$if(!byName, (query) => query.orderBy('mass_sms.start_at', 'desc').orderBy('mass_sms.id', 'desc'))
    .limit(limit)
    .execute();
}

/** One mass SMS with its sender's name. */
export async function findListedMassSms(trx: Trx, id: string): Promise<ListedMassSms | undefined> {
  return trx
    .selectFrom('mass_sms')
    .innerJoin('number_pools', 'number_pools.id', 'mass_sms.pool_id')
    .selectAll('mass_sms')
    .select(['number_pools.name as pool_name', sql<string>`lower(mass_sms.name)`.as('name_key')])
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
