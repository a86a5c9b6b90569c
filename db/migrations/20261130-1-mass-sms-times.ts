/** The chosen time of day of a mass SMS, and when it was last resumed. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // The last batch tells the time of day best: people move the first ones. Where Postgres does not know the zone, in UTC.
  await sql`
    alter table mass_sms add column daily_at text, add column resumed_at timestamptz;
    update mass_sms m set daily_at = to_char(p.start_at at time zone coalesce(p.zone, 'UTC'), 'HH24:MI')
    from (
      select m.id, (select name from pg_timezone_names where lower(name) = lower(m.time_zone) limit 1) as zone,
        coalesce((
          select b.start_at from mass_sms_batches b where b.mass_sms_id = m.id order by b.number desc limit 1
        ), m.start_at) as start_at
      from mass_sms m
    ) p
    where p.id = m.id;
    alter table mass_sms
      alter column daily_at set not null,
      add constraint mass_sms_daily_at check (daily_at ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$');
  `.execute(db);
}
