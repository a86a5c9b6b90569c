/** Emails of users are compared whatever their case; keys of requests that were refused are free again. */
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
  `.execute(db);
}
