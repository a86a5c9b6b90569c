/**
 * Emails of users are compared whatever their case; keys of requests that were refused are free again; webhook endpoints
 * know what happened while they were switched off.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows: doubled } = await sql<{ organization: string; users: string[] }>`
    select organization_id as organization, array_agg(id order by id) as users from users
    group by organization_id, lower(email) having count(*) > 1 order by 1`.execute(db);
  if (doubled.length > 0) {
    const named = doubled.map(({ organization, users }) => `${users.join(' and ')} of ${organization}`).join('; ');
    throw new Error(
      `Users have emails that differ in upper and lower case only: ${named}. Change the email of all but one of each with PATCH /v1/users/{id}, then migrate again.`,
    );
  }
  await sql`
    alter table users drop constraint users_email;
    create unique index users_email on users (organization_id, lower(email));

    grant delete on idempotency_keys to longwave_app;

    alter table webhook_endpoints
      -- Events, by id, that happened while it was switched off: they are not told. Without an end while it is.
      add column skipped int8multirange not null default '{}';
    -- Since when one is off was not known: what it has not read is not told.
    update webhook_endpoints set skipped = int8multirange(int8range(read_up_to, null, '()')) where not active;
  `.execute(db);
}
