/** What was made at Twilio, and when Twilio was asked to make it: one of each kind per organization. */
import type { Trx } from '../database.ts';
import type { ResourceKind } from '../schema.ts';

export interface Resource {
  /** Null while it is not known to exist. */
  sid: string | null;
  /** When Twilio was last asked to make it. */
  askedAt: Date | null;
}

export async function findResource(trx: Trx, organizationId: string, kind: ResourceKind): Promise<Resource> {
  const row = await trx
    .selectFrom('registration_resources')
    .select(['sid', 'asked_at'])
    .where('organization_id', '=', organizationId)
    .where('kind', '=', kind)
    .executeTakeFirst();
  return { sid: row?.sid ?? null, askedAt: row?.asked_at ?? null };
}

/** The SIDs that are known, by kind. */
export async function resourceSids(trx: Trx, organizationId: string): Promise<Partial<Record<ResourceKind, string>>> {
  const rows = await trx
    .selectFrom('registration_resources')
    .select(['kind', 'sid'])
    .where('organization_id', '=', organizationId)
    .where('sid', 'is not', null)
    .execute();
  return Object.fromEntries(rows.map((row) => [row.kind, row.sid!]));
}

/** Writes that Twilio is about to be asked to make it. */
export async function markResourceAsked(trx: Trx, organizationId: string, kind: ResourceKind, at: Date): Promise<void> {
  await trx
    .insertInto('registration_resources')
    .values({ organization_id: organizationId, kind, asked_at: at })
    .onConflict((conflict) => conflict.columns(['organization_id', 'kind']).doUpdateSet({ asked_at: at }))
    .execute();
}

/** Writes that it exists; null that it is gone. */
export async function recordResource(
  trx: Trx,
  organizationId: string,
  kind: ResourceKind,
  sid: string | null,
): Promise<void> {
  await trx
    .insertInto('registration_resources')
    .values({ organization_id: organizationId, kind, sid })
    .onConflict((conflict) =>
      conflict.columns(['organization_id', 'kind']).doUpdateSet({ sid, ...(sid === null && { asked_at: null }) }),
    )
    .execute();
}
