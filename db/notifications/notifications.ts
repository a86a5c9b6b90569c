/** Notifications of users: written, delivered as each user prefers, read (G3). */
import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import {
  levelOf,
  type NotificationDelivery,
  type NotificationKind,
  standardDelivery,
} from '../../domain/notifications/notifications.ts';
import type { Trx } from '../database.ts';
import { queueEmail } from './emails.ts';
import { earliestId, newId } from '../ids.ts';
import type { Schema } from '../schema.ts';

export type NotificationRow = Selectable<Schema['notifications']>;

/** What an email tells of: one message, those that came after it in its conversation, or those of all conversations. */
export type EmailScope = 'message' | 'conversation' | 'everything';

export interface NewNotification {
  organizationId: string;
  kind: NotificationKind;
  title: string;
  body: string;
  /** What it is about, by id. */
  subject: string;
  at: Date;
  /** How it reads as an email. Left out, each is an email of its own, at once, that says its title and body. */
  email?: (scope: EmailScope) => { subject: string; text: string };
}

/** About one subject a user gets an email at most this often; what comes in between is told of together. */
const emailEveryMs = 5 * 60_000;
/** A user gets about so many emails within an hour; what comes then is told of by one more, an hour later. */
const mostEmails = 30;
const emailsWithinMs = 3_600_000;

/** Those who text from a line, unless deactivated. */
export async function usersOfLine(trx: Trx, organizationId: string, phoneNumber: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('phone_numbers')
    .innerJoin('phone_number_users', 'phone_number_users.number_id', 'phone_numbers.id')
    .innerJoin('users', 'users.id', 'phone_number_users.user_id')
    .select('users.id')
    .where('phone_numbers.organization_id', '=', organizationId)
    .where('phone_numbers.phone_number', '=', phoneNumber)
    .where('phone_numbers.released_at', 'is', null)
    .where('users.active', '=', true)
    .orderBy('users.id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Active users with a permission, and one more: whose doing it is. */
export async function usersWith(
  trx: Trx,
  organizationId: string,
  { permission, and }: { permission: string; and?: string | undefined },
): Promise<string[]> {
  const rows = await trx
    .selectFrom('users')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('active', '=', true)
    .where(sql<boolean>`(${permission} = any(permissions) or id = ${and ?? null})`)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Notifies users, each as they prefer: with an email, with the digest, or in the product alone. About one subject at a
 * time: whoever calls has locked it, so that two notifications at once do not each make an email. The event streams are
 * told by a trigger.
 */
export async function notify(trx: Trx, userIds: readonly string[], notification: NewNotification): Promise<void> {
  const { organizationId, kind, title, body, subject, at } = notification;
  for (const { userId, email, delivery } of await recipientsOf(trx, organizationId, { userIds, kind })) {
    const id = newId('notification', at);
    const emailId = delivery === 'email' ? await emailFor(trx, notification, { id, userId, recipient: email }) : null;
    await trx
      .insertInto('notifications')
      .values({
        id,
        organization_id: organizationId,
        user_id: userId,
        kind,
        level: levelOf(kind),
        title,
        body,
        subject,
        created_at: at,
        email_id: emailId,
        in_digest: delivery === 'digest',
      })
      .execute();
  }
}

async function recipientsOf(
  trx: Trx,
  organizationId: string,
  { userIds, kind }: { userIds: readonly string[]; kind: NotificationKind },
): Promise<{ userId: string; email: string; delivery: NotificationDelivery }[]> {
  if (userIds.length === 0) return [];
  const rows = await trx
    .selectFrom('users as u')
    .leftJoin('notification_preferences as p', (on) => on.onRef('p.user_id', '=', 'u.id').on('p.kind', '=', kind))
    .select(['u.id as userId', 'u.email', 'p.delivery'])
    .where('u.organization_id', '=', organizationId)
    .where('u.id', 'in', userIds)
    .orderBy('u.id')
    .execute();
  return rows.map(({ userId, email, delivery }) => ({ userId, email, delivery: delivery ?? standardDelivery(kind) }));
}

/**
 * The email that tells of a notification: one that waits already, or a new one, at once or when the last one is long
 * enough ago.
 */
async function emailFor(
  trx: Trx,
  { organizationId, kind, title, body, subject, at, email }: NewNotification,
  { id: notificationId, userId, recipient }: { id: string; userId: string; recipient: string },
): Promise<string> {
  if (!email) {
    const id = newId('email', at);
    const { name } = await organizationNamed(trx, organizationId);
    const said = { subject: `${name}: ${title}`, body: `${body}\n` };
    await queueEmail(trx, {
      id,
      organizationId,
      key: `${keyOf(kind, 'message')}${notificationId}`,
      recipient,
      ...said,
      at,
    });
    return id;
  }
  const plan = await planEmail(trx, organizationId, { userId, kind, subject, at });
  if ('joins' in plan) return plan.joins;
  const { scope, notBefore } = plan;
  const { subject: about, text } = email(scope);
  const id = newId('email', at);
  const key = `${keyOf(kind, scope)}${notificationId}`;
  await queueEmail(trx, { id, organizationId, key, recipient, subject: about, body: text, at, notBefore });
  return id;
}

const organizationNamed = (trx: Trx, organizationId: string): Promise<{ name: string }> =>
  trx.selectFrom('organizations').select('name').where('id', '=', organizationId).executeTakeFirstOrThrow();

/** How keys of emails begin: they tell what the email is about. */
const keyOf = (kind: NotificationKind, scope: EmailScope): string =>
  scope === 'message' ? `${kind}/` : `${kind}/${scope}/`;

interface EmailQuestion {
  userId: string;
  kind: NotificationKind;
  subject: string;
  at: Date;
}

type EmailPlan = { joins: string } | { scope: EmailScope; notBefore: Date };

/** Whether a notification joins an email that waits, and if not, what a new one is about and when it goes out. */
async function planEmail(
  trx: Trx,
  organizationId: string,
  { userId, kind, subject, at }: EmailQuestion,
): Promise<EmailPlan> {
  const waits = (email: EmailRow | undefined, scope: EmailScope): boolean =>
    Boolean(email?.next_attempt_at && email.next_attempt_at > at && email.key.startsWith(keyOf(kind, scope)));
  const last = await lastEmail(trx, organizationId, { userId, kind });
  if (waits(last, 'everything')) return { joins: last!.id };
  const ofSubject = await lastEmail(trx, organizationId, { userId, kind, subject });
  if (waits(ofSubject, 'conversation')) return { joins: ofSubject!.id };
  if ((await countEmails(trx, organizationId, { userId, kind, at })) >= mostEmails) {
    return { scope: 'everything', notBefore: new Date(at.getTime() + emailsWithinMs) };
  }
  const lastAt = ofSubject && (ofSubject.sent_at ?? ofSubject.next_attempt_at ?? ofSubject.created_at);
  const earliest = lastAt ? new Date(lastAt.getTime() + emailEveryMs) : at;
  return earliest > at ? { scope: 'conversation', notBefore: earliest } : { scope: 'message', notBefore: at };
}

type EmailRow = NonNullable<Awaited<ReturnType<typeof lastEmail>>>;

/** The email of a user's last notification of a kind that has one of its own. @param subject only of those about it */
function lastEmail(
  trx: Trx,
  organizationId: string,
  { userId, kind, subject }: { userId: string; kind: NotificationKind; subject?: string },
) {
  return trx
    .selectFrom('notifications')
    .innerJoin('emails', 'emails.id', 'notifications.email_id')
    .select(['emails.id', 'emails.key', 'emails.sent_at', 'emails.next_attempt_at', 'emails.created_at'])
    .where('notifications.organization_id', '=', organizationId)
    .where('notifications.user_id', '=', userId)
    .where('notifications.kind', '=', kind)
    .where('notifications.email_id', 'is not', null)
    .where('notifications.in_digest', '=', false)
    .$if(subject !== undefined, (query) => query.where('notifications.subject', '=', subject!))
    .orderBy('notifications.id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** How many emails tell a user of what came of a kind within the last hour. */
async function countEmails(
  trx: Trx,
  organizationId: string,
  { userId, kind, at }: { userId: string; kind: NotificationKind; at: Date },
) {
  const since = new Date(at.getTime() - emailsWithinMs);
  const { count } = await trx
    .selectFrom('notifications')
    .select((row) => row.fn.count<number>('email_id').distinct().as('count'))
    .where('organization_id', '=', organizationId)
    .where('user_id', '=', userId)
    .where('kind', '=', kind)
    .where('in_digest', '=', false)
    .where('id', '>=', earliestId('notification', since))
    .executeTakeFirstOrThrow();
  return count;
}

/** A user's, newest first. */
export async function listNotifications(
  trx: Trx,
  organizationId: string,
  {
    userId,
    unread,
    limit,
    before,
  }: { userId: string; unread?: boolean | undefined; limit: number; before?: string | undefined },
): Promise<NotificationRow[]> {
  return trx
    .selectFrom('notifications')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('user_id', '=', userId)
    .$if(unread !== undefined, (query) => query.where('read_at', unread ? 'is' : 'is not', null))
    .$if(before !== undefined, (query) => query.where('id', '<', before!))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/** Read once, it stays read. @returns undefined when the user has no such notification */
export async function readNotification(
  trx: Trx,
  organizationId: string,
  { id, userId, at }: { id: string; userId: string; at: Date },
): Promise<NotificationRow | undefined> {
  return trx
    .updateTable('notifications')
    .set({ read_at: sql`coalesce(read_at, ${at})` })
    .where('organization_id', '=', organizationId)
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Whoever has read a conversation up to a message has read what was said of its messages until then. */
export async function readMessageNotifications(
  trx: Trx,
  organizationId: string,
  { userId, conversationId, upTo, at }: { userId: string; conversationId: string; upTo: string; at: Date },
): Promise<void> {
  await trx
    .updateTable('notifications')
    .set({ read_at: at })
    .where('organization_id', '=', organizationId)
    .where('user_id', '=', userId)
    .where('subject', '=', conversationId)
    .where('kind', '=', 'message.received')
    .where('read_at', 'is', null)
    .where('created_at', '<=', (query) => query.selectFrom('messages').select('created_at').where('id', '=', upTo))
    .execute();
}

/** What a user has chosen, by kind. */
export async function preferencesOf(trx: Trx, userId: string): Promise<Map<string, NotificationDelivery>> {
  const rows = await trx
    .selectFrom('notification_preferences')
    .select(['kind', 'delivery'])
    .where('user_id', '=', userId)
    .execute();
  return new Map(rows.map(({ kind, delivery }) => [kind, delivery]));
}

/** Sets what a user has chosen; of the kinds left out, the standard holds again. */
export async function setPreferences(
  trx: Trx,
  organizationId: string,
  userId: string,
  chosen: ReadonlyMap<NotificationKind, NotificationDelivery>,
): Promise<void> {
  await trx.deleteFrom('notification_preferences').where('user_id', '=', userId).execute();
  if (chosen.size === 0) return;
  await trx
    .insertInto('notification_preferences')
    .values(
      [...chosen].map(([kind, delivery]) => ({ organization_id: organizationId, user_id: userId, kind, delivery })),
    )
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'kind']).doUpdateSet((row) => ({ delivery: row.ref('excluded.delivery') })),
    )
    .execute();
}
