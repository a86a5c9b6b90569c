/** Number pools: the numbers an organization sends from, by purpose (B8). */
import type { Purpose } from '../../domain/purpose.ts';
import type { Changes } from '../changes.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { PoolRow } from '../schema.ts';

export interface PoolFields {
  name: string;
  purpose: Purpose;
}

/** In order of creation. */
export async function listPools(
  trx: Trx,
  organizationId: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<PoolRow[]> {
  return trx
    .selectFrom('number_pools')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}

export async function findPool(trx: Trx, organizationId: string, id: string): Promise<PoolRow | undefined> {
  return trx
    .selectFrom('number_pools')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** @returns undefined when the organization has a pool of this name already */
export async function insertPool(
  trx: Trx,
  organizationId: string,
  fields: PoolFields,
  at: Date,
): Promise<PoolRow | undefined> {
  return trx
    .insertInto('number_pools')
    .values({ id: newId('pool', at), organization_id: organizationId, ...fields, created_at: at })
    .onConflict((conflict) => conflict.constraint('number_pools_name').doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** @throws when another pool of the organization has the name, and when there is no such pool */
export async function updatePool(
  trx: Trx,
  organizationId: string,
  id: string,
  { name, purpose }: Changes<PoolFields>,
): Promise<PoolRow> {
  return trx
    .updateTable('number_pools')
    .set({ ...(name !== undefined && { name }), ...(purpose !== undefined && { purpose }) })
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
