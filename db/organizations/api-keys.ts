/** API keys: whose they are, and making and revoking them. Only hashes are kept. */
import type { Db, Trx } from '../database.ts';

export interface KeyOwner {
  id: string;
  kind: 'operator' | 'organization' | 'user';
  organizationId: string | null;
  userId: string | null;
  /** Empty: not limited by the key. */
  permissions: string[];
}

/** The key with this hash, unless it was revoked. */
export async function findKey(db: Db, hash: Buffer): Promise<KeyOwner | undefined> {
  return db
    .selectFrom('api_keys')
    .select(['id', 'kind', 'organization_id as organizationId', 'user_id as userId', 'permissions'])
    .where('key_hash', '=', hash)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
}

export async function organizationExists(db: Db, id: string): Promise<boolean> {
  return Boolean(await db.selectFrom('organizations').select('id').where('id', '=', id).executeTakeFirst());
}

/** What authentication needs to know of a user. */
export async function findUserState(
  db: Db,
  organizationId: string,
  userId: string,
): Promise<{ active: boolean; permissions: string[] } | undefined> {
  return db
    .selectFrom('users')
    .select(['active', 'permissions'])
    .where('organization_id', '=', organizationId)
    .where('id', '=', userId)
    .executeTakeFirst();
}

export interface NewApiKey {
  id: string;
  kind: 'organization' | 'user';
  organizationId: string;
  userId: string | null;
  permissions: readonly string[];
  hash: Buffer;
  at: Date;
}

export async function insertKey(trx: Trx, key: NewApiKey): Promise<void> {
  await trx
    .insertInto('api_keys')
    .values({
      id: key.id,
      kind: key.kind,
      organization_id: key.organizationId,
      user_id: key.userId,
      permissions: [...key.permissions],
      key_hash: key.hash,
      created_at: key.at,
    })
    .execute();
}

/** @returns whether there was such a key; revoking twice keeps the first time */
export async function revokeKey(trx: Trx, organizationId: string, keyId: string, at: Date): Promise<boolean> {
  const row = await trx
    .updateTable('api_keys')
    .set((build) => ({ revoked_at: build.fn.coalesce('revoked_at', build.val(at)) }))
    .where('organization_id', '=', organizationId)
    .where('id', '=', keyId)
    .returning('id')
    .executeTakeFirst();
  return Boolean(row);
}

/**
 * Makes the operator key of the environment valid. It has one fixed row, so that changing the variable replaces the
 * key that it held before.
 */
export async function upsertEnvironmentKey(db: Db, hash: Buffer, at: Date): Promise<void> {
  const known = await findKey(db, hash);
  if (known?.kind === 'operator') return;
  await db
    .insertInto('api_keys')
    .values({ id: 'key_environment', kind: 'operator', key_hash: hash, created_at: at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ key_hash: hash, created_at: at, revoked_at: null }))
    .execute();
}

/** In order of creation, revoked ones included. */
export function listKeys(
  db: Db,
  organizationId: string,
  { limit, after }: { limit: number; after?: string | undefined },
) {
  return db
    .selectFrom('api_keys')
    .select(['id', 'kind', 'user_id', 'permissions', 'created_at', 'revoked_at'])
    .where('organization_id', '=', organizationId)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}
