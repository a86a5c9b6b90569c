/** What was made at Twilio, and when Twilio was asked to make it: one of each kind per organization. */
import type { Trx } from '../database.ts';
import type { ResourceKind } from '../schema/registration.ts';

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

/**
 * Writes that Twilio is about to be asked to make it, unless somebody else asked, or recorded it, since it was read.
 *
 * @param known what was read
 * @returns whether it was written: only then may Twilio be asked
 */
export async function claimResource(
  trx: Trx,
  { organizationId, kind, known, at }: { organizationId: string; kind: ResourceKind; known: Resource; at: Date },
): Promise<boolean> {
  const result = await trx
    .insertInto('registration_resources')
    .values({ organization_id: organizationId, kind, asked_at: at })
    .onConflict((conflict) =>
      conflict
        .columns(['organization_id', 'kind'])
        .doUpdateSet({ asked_at: at })
        .where('registration_resources.sid', 'is', null)
        .where('registration_resources.asked_at', 'is not distinct from', known.askedAt),
    )
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Writes that it exists, unless one is on record. @returns whether it was written */
export async function recordResource(
  trx: Trx,
  organizationId: string,
  kind: ResourceKind,
  sid: string,
): Promise<boolean> {
  const result = await trx
    .insertInto('registration_resources')
    .values({ organization_id: organizationId, kind, sid })
    .onConflict((conflict) =>
      conflict
        .columns(['organization_id', 'kind'])
        .doUpdateSet({ sid })
        .where('registration_resources.sid', 'is', null),
    )
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Forgets it: it is gone, it was refused, or another one takes its place. */
export async function forgetResource(trx: Trx, organizationId: string, kind: ResourceKind): Promise<void> {
  await trx
    .deleteFrom('registration_resources')
    .where('organization_id', '=', organizationId)
    .where('kind', '=', kind)
    .execute();
}
