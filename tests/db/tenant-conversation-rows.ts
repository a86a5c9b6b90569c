/** The part of a tenant's rows that is about messages one by one: threads, what waits, opt-in requests, notifications. */
import type { Db } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import type { TenantRows } from './tenant-rows.ts';

interface Tenant extends Pick<TenantRows, 'organization' | 'ids' | 'mobile'> {
  name: string;
  at: Date;
}

/** Fills the tables, once users, contacts, messages and the registration's timeline are there. */
export async function fillConversations(db: Db, { organization, ids, name, mobile, at }: Tenant): Promise<void> {
  const tenant = { organization_id: organization };
  const line = mobile.replace('+1', '+2');
  // The row of the event streams is written by the trigger on the registration's timeline.
  await db
    .insertInto('conversations')
    .values({
      id: ids.conversation,
      ...tenant,
      line,
      contact_number: mobile,
      contact_id: ids.contact,
      last_message_id: ids.message,
      last_message_at: at,
      last_inbound_id: ids.message,
      revocation_message_id: ids.message,
    })
    .execute();
  await db
    .insertInto('conversation_reads')
    .values({ ...tenant, conversation_id: ids.conversation, user_id: ids.user, read_up_to: ids.message })
    .execute();
  await db
    .insertInto('notifications')
    .values({
      id: ids.notification,
      ...tenant,
      user_id: ids.user,
      kind: 'message.received',
      level: 'info',
      title: `${name} secret`,
      body: `${name} secret`,
      subject: ids.conversation,
      created_at: at,
    })
    .execute();
  await db
    .insertInto('notification_preferences')
    .values({ ...tenant, user_id: ids.user, kind: 'message.received', delivery: 'email' })
    .execute();
  await db
    .insertInto('opt_in_requests')
    .values({
      id: newId('optInRequest', at),
      ...tenant,
      user_id: ids.user,
      contact_id: ids.contact,
      contact_number: mobile,
      line,
      message_id: ids.message,
      state: 'waiting',
      requested_at: at,
      expires_at: at,
    })
    .execute();
  await db
    .insertInto('messages')
    .values({
      id: ids.waitingMessage,
      ...tenant,
      direction: 'outbound',
      source: 'user',
      purpose: 'transactional',
      status: 'queued',
      line,
      contact_number: mobile,
      contact_id: ids.contact,
      user_id: ids.user,
      body: `${name} secret`,
      created_at: at,
    })
    .execute();
  await db
    .insertInto('outbox')
    .values({
      message_id: ids.waitingMessage,
      ...tenant,
      contact_number: mobile,
      line,
      priority: 1,
      due_at: at,
      held_detail: `${name} secret`,
    })
    .execute();
  await db
    .insertInto('awaited_reports')
    .values({ ...tenant, message_ids: [ids.message], claimed_at: at, look_at: at })
    .execute();
  await db
    .insertInto('auto_responses')
    .values({
      ...tenant,
      mass_sms_id: ids.massSms,
      contact_number: mobile,
      reply_id: ids.message,
      message_id: ids.waitingMessage,
      at,
    })
    .execute();
}
