/** Phone numbers an organization has, and the pools they are in. */
import { type Selectable, sql } from 'kysely';
import type { Trx } from './database.ts';
import type { Schema } from './schema.ts';

export interface Line extends Selectable<Schema['phone_numbers']> {
  user_ids: string[];
}

interface Page {
  limit: number;
  after: string | undefined;
}

/** Those not released, in order of purchase. */
export async function listNumbers(trx: Trx, organizationId: string, { limit, after }: Page): Promise<Line[]> {
  return trx
    .selectFrom('phone_numbers')
    .selectAll()
    .select(
      sql<string[]>`array(
        select user_id from phone_number_users where number_id = phone_numbers.id order by user_id
      )`.as('user_ids'),
    )
    .where('organization_id', '=', organizationId)
    .where('released_at', 'is', null)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}

export function listPools(trx: Trx, organizationId: string, { limit, after }: Page) {
  return trx
    .selectFrom('number_pools')
    .select(['id', 'name', 'purpose', 'created_at'])
    .where('organization_id', '=', organizationId)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}
