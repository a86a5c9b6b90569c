/** The list of mass SMS reads each of its pages from an index, whatever is asked for (F7). */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // A column and not an expression: under row-level security an index cannot look for what lower() makes. Each index
  // begins with the status, of which a page reads several in order, and holds all that a search looks at.
  await sql`
    alter table mass_sms add column name_key text collate "C" generated always as (lower(name)) stored;
    drop index mass_sms_start;
    drop index mass_sms_name;
    create index mass_sms_start on mass_sms (organization_id, status, start_at desc, id desc) include (name_key, pool_id);
    create index mass_sms_name on mass_sms (organization_id, status, name_key, id) include (start_at, pool_id);
  `.execute(db);
}
