/** What an organization has sent in the carriers' day: T-Mobile takes so much of a brand in a day, and no more. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table send_permits
      -- Of Pacific time, and the segments that were permitted in it, over all carriers.
      add column carrier_day date,
      add column day_segments int not null default 0;
  `.execute(db);
}
