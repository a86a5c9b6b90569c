/** Suspension by drop rate: from when on messages count. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Null until somebody has released it: then what was dropped before must not suspend it again.
  await sql`alter table mass_sms add column drop_rate_since timestamptz`.execute(db);
}
