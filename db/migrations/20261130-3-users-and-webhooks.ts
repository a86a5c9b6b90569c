/** Keys of requests that were refused are free again. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`grant delete on idempotency_keys to longwave_app`.execute(db);
}
