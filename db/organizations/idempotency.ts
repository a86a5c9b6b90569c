/** What was answered to a request with an `Idempotency-Key`, kept in the transaction of its effect. */
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

/** Keys are remembered this long on the product's clock. */
const lifetimeMillis = 24 * 60 * 60 * 1000;

/** In place of the status of a request that was begun and is not answered yet. */
export const begun = 0;

export interface IdempotencyClaim {
  /** Whose key it is: keys of different tenants never meet. */
  scope: string;
  key: string;
  organizationId: string | null;
}

export interface StoredAnswer {
  hash: Buffer;
  status: number;
  body: unknown;
}

/**
 * Takes the key for the transaction that calls it. A second request with the same key waits here until the first one's
 * transaction ends.
 *
 * @returns null when the key is the caller's now; else what was answered to it, or what was {@link begun} under it
 */
export async function claimKey(
  db: Kysely<Schema>,
  { scope, key, organizationId }: IdempotencyClaim,
  hash: Buffer,
  now: Date,
): Promise<StoredAnswer | null> {
  const expired = new Date(now.getTime() - lifetimeMillis);
  const { rows } = await sql`
    insert into idempotency_keys (scope, key, organization_id, request_hash, status, created_at)
    values (${scope}, ${key}, ${organizationId}, ${hash}, ${begun}, ${now})
    on conflict (scope, key) do update
      set request_hash = excluded.request_hash, status = excluded.status, body = null, created_at = excluded.created_at
      where idempotency_keys.created_at < ${expired}
    returning key`.execute(db);
  if (rows.length) return null;
  return findAnswer(db, { scope, key }, now);
}

/** Frees the key of a request that was begun and refused, unless the same request has been answered meanwhile. */
export async function freeKey(
  db: Kysely<Schema>,
  { scope, key }: Pick<IdempotencyClaim, 'scope' | 'key'>,
  hash: Buffer,
): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where('scope', '=', scope)
    .where('key', '=', key)
    .where('request_hash', '=', hash)
    .where('status', '=', begun)
    .execute();
}

/** Writes the answer of a key that {@link claimKey} has taken. */
export async function storeAnswer(
  db: Kysely<Schema>,
  { scope, key }: Pick<IdempotencyClaim, 'scope' | 'key'>,
  { hash, status, body }: StoredAnswer,
): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set({ request_hash: hash, status, body: JSON.stringify(body ?? null) })
    .where('scope', '=', scope)
    .where('key', '=', key)
    .execute();
}

async function findAnswer(
  db: Kysely<Schema>,
  { scope, key }: Pick<IdempotencyClaim, 'scope' | 'key'>,
  now: Date,
): Promise<StoredAnswer | null> {
  const row = await db
    .selectFrom('idempotency_keys')
    .select(['request_hash as hash', 'status', 'body'])
    .where('scope', '=', scope)
    .where('key', '=', key)
    .where('created_at', '>=', new Date(now.getTime() - lifetimeMillis))
    .executeTakeFirst();
  return row ?? null;
}
