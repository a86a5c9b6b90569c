/** Notifications that wait for the daily digest, and the emails they end in (G3). */
import { sql } from 'kysely';
import { nextDigestAt } from '../../domain/notifications/digest.ts';
import { withDefaults } from '../../domain/settings.ts';
import type { Db, Trx } from '../database.ts';
import { queueEmail } from './emails.ts';
import { newId } from '../ids.ts';

/** What a user's digest tells of, one entry for each thing; titles oldest first. */
export interface Digest {
  organization: string;
  subjects: { titles: string[] }[];
}

/**
 * Writes the emails of an organization's digest if it is due, and marks what is in them: both or neither. What is written
 * meanwhile by others waits for the next one. Whoever was deactivated gets none.
 *
 * @returns when the digest is due; null when nothing waits any more
 */
export async function writeDueDigests(
  trx: Trx,
  organizationId: string,
  { now, email }: { now: Date; email: (digest: Digest) => { subject: string; text: string } },
): Promise<Date | null> {
  const { name, settings, time_zone: timeZone } = await lockOrganization(trx, organizationId);
  await forgetDeactivated(trx, organizationId);
  const oldest = await oldestWaiting(trx, organizationId);
  const dueAt = oldest && nextDigestAt(oldest, withDefaults(settings).digestTime, timeZone);
  const isDue = dueAt !== null && dueAt <= now;
  if (isDue) {
    for (const { userId, recipient, emailId, subjects } of await takeWaiting(trx, organizationId, now)) {
      const { subject, text: body } = email({ organization: name, subjects });
      const key = `digest/${userId}/${emailId}`;
      await queueEmail(trx, { id: emailId, organizationId, key, recipient, subject, body, at: now });
    }
  }
  const nextAt = isDue ? null : dueAt;
  await trx.updateTable('organizations').set({ digest_at: nextAt }).where('id', '=', organizationId).execute();
  return nextAt;
}

/** One digest at a time: an attempt that was given up may still be at work. */
const lockOrganization = (trx: Trx, organizationId: string) =>
  trx
    .selectFrom('organizations')
    .select(['name', 'settings', 'time_zone'])
    .where('id', '=', organizationId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();

async function forgetDeactivated(trx: Trx, organizationId: string): Promise<void> {
  await trx
    .updateTable('notifications')
    .set({ in_digest: false })
    .where('organization_id', '=', organizationId)
    .where('in_digest', '=', true)
    .where('email_id', 'is', null)
    .where('user_id', 'in', (users) =>
      users.selectFrom('users').select('id').where('organization_id', '=', organizationId).where('active', '=', false),
    )
    .execute();
}

async function oldestWaiting(trx: Trx, organizationId: string): Promise<Date | null> {
  const { at } = await trx
    .selectFrom('notifications')
    .select((row) => row.fn.min<Date | null>('created_at').as('at'))
    .where('organization_id', '=', organizationId)
    .where('in_digest', '=', true)
    .where('email_id', 'is', null)
    .executeTakeFirstOrThrow();
  return at;
}

interface Taken {
  userId: string;
  recipient: string;
  emailId: string;
  subjects: { titles: string[] }[];
}

/** Marks all that waits with the email that is to tell of it, one for each user. */
async function takeWaiting(trx: Trx, organizationId: string, now: Date): Promise<Taken[]> {
  const users = await trx
    .selectFrom('users')
    .select(['id', 'email'])
    .where('organization_id', '=', organizationId)
    .where('id', 'in', (waiting) =>
      waiting
        .selectFrom('notifications')
        .select('user_id')
        .where('organization_id', '=', organizationId)
        .where('in_digest', '=', true)
        .where('email_id', 'is', null),
    )
    .orderBy('id')
    .execute();
  const taken: Taken[] = [];
  for (const { id: userId, email: recipient } of users) {
    const emailId = newId('email', now);
    const { rows } = await sql<{ titles: string[] }>`
      with taken as (
        update notifications set email_id = ${emailId}
        where organization_id = ${organizationId} and user_id = ${userId} and in_digest and email_id is null
        returning id, subject, title)
      select array_agg(title order by id) as titles from taken group by subject order by min(id)`.execute(trx);
    taken.push({ userId, recipient, emailId, subjects: rows });
  }
  return taken;
}

/** A digest whose time has passed for so long was missed: its workflow is gone. */
const missedAfterMs = 60_000;

/** Organizations in which something waits for a digest that no workflow is known to wait for; for the sweep. */
export async function digestsToWake(system: Db, now: Date): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select g.id from organizations g
    where (g.digest_at is null or g.digest_at < ${new Date(now.getTime() - missedAfterMs)})
      and g.id in (select organization_id from notifications where in_digest and email_id is null)
    order by g.id limit 1000`.execute(system);
  return rows.map(({ id }) => id);
}
