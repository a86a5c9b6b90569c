/** The messaging services an organization has sent through before: its numbers may still be in them. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table organizations
      add column former_messaging_services text[] not null default '{}';
  `.execute(db);
}
