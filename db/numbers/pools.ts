/** Number pools: the numbers an organization sends from, by purpose (B8). */
import type { Trx } from '../database.ts';

export function listPools(
  trx: Trx,
  organizationId: string,
  { limit, after }: { limit: number; after?: string | undefined },
) {
  return trx
    .selectFrom('number_pools')
    .select(['id', 'name', 'purpose', 'created_at'])
    .where('organization_id', '=', organizationId)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}
