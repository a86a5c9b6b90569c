/** Messages one by one: written with their place in the outbox and in their thread, in the caller's transaction. */
import { sql } from 'kysely';
import type { Due } from '../../domain/messages/due.ts';
import type { MessageStatus } from '../../domain/messages/status.ts';
import type { Purpose } from '../../domain/purpose.ts';
import { addToThread } from '../conversations/conversations.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { type NewEvent, tellStreams } from '../conversations/live-events.ts';
import { enqueue } from './outbox.ts';
import type { Schema } from '../schema.ts';

export interface NewMessage {
  organizationId: string;
  source: Schema['messages']['source'];
  purpose: Purpose;
  /** Ours. */
  line: string;
  /** Without an id it goes to nobody of the organization's contacts, and belongs to no thread. */
  contact: { id: string | null; mobile: string };
  userId: string | null;
  body: string;
  segments: number;
  /** A reply to somebody who has just written. */
  direct: boolean;
  sendAt: Date | null;
  /** When it may leave; null while it waits for the contact's opt-in. */
  due: Due | null;
  at: Date;
}

/** @returns the id of the message */
export async function insertMessage(trx: Trx, message: NewMessage): Promise<string> {
  const { organizationId, line, contact, due, at } = message;
  const id = newId('message', at);
  const status = due === null ? 'held' : statusUntilSent(message.sendAt, at);
  await trx
    .insertInto('messages')
    .values({
      id,
      organization_id: organizationId,
      direction: 'outbound',
      source: message.source,
      purpose: message.purpose,
      status,
      line,
      contact_number: contact.mobile,
      contact_id: contact.id,
      user_id: message.userId,
      body: message.body,
      segments: message.segments,
      direct: message.direct,
      send_at: message.sendAt,
      created_at: at,
    })
    .execute();
  if (!due) await noteStates(trx, organizationId, [{ id, status }], at);
  if (due) {
    const priority = message.direct || message.source === 'opt_in' ? 0 : 1;
    await enqueue(trx, [{ messageId: id, organizationId, contactNumber: contact.mobile, line, priority, due }]);
  }
  if (contact.id !== null) {
    const entry = { organizationId, line, contactNumber: contact.mobile, contactId: contact.id, messageId: id };
    await addToThread(trx, { ...entry, direction: 'outbound', at });
  }
  return id;
}

/** Notes that messages have reached a state which their rows will not tell of later. */
export async function noteStates(
  trx: Trx,
  organizationId: string,
  messages: readonly { id: string; status: MessageStatus }[],
  at: Date,
): Promise<void> {
  if (messages.length === 0) return;
  await trx
    .insertInto('message_events')
    .values(
      messages.map(({ id, status }) => ({
        message_id: id,
        organization_id: organizationId,
        status,
        twilio_sid: '',
        error_code: null,
        at,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What a message is while it waits in the outbox. */
export const statusUntilSent = (sendAt: Date | null, now: Date): 'scheduled' | 'queued' =>
  sendAt && sendAt > now ? 'scheduled' : 'queued';

interface ChangedMessage {
  id: string;
  contactId: string | null;
  status: string;
}

/** What event streams are told of messages that have changed. */
export const messageEvents = (messages: readonly ChangedMessage[]): NewEvent[] =>
  messages.map(({ id, contactId, status }) => ({
    type: 'message.updated',
    data: { messageId: id, contactId, status },
  }));

/** Tells the organization's event streams that messages have changed. The last thing a transaction does. */
export const tellOfMessages = (
  trx: Trx,
  organizationId: string,
  messages: readonly ChangedMessage[],
  at: Date,
): Promise<void> => tellStreams(trx, organizationId, messageEvents(messages), at);

/** What became of messages, to be told; not of what was passed on to the organization's own cells. */
export async function messageStates(
  trx: Trx,
  ids: readonly string[],
): Promise<{ id: string; contactId: string | null; status: string }[]> {
  if (ids.length === 0) return [];
  return trx
    .selectFrom('messages')
    .select(['id', 'contact_id as contactId', 'status'])
    .where(sql<boolean>`id = any(${[...ids]}::text[])`)
    .where('source', '<>', 'forward')
    .execute();
}

export interface UserLine {
  id: string;
  phoneNumber: string;
  registered: boolean;
}

/** The line a user texts from, unless it is being released; undefined when there is none. */
export async function lineOfUser(trx: Trx, organizationId: string, userId: string): Promise<UserLine | undefined> {
  return trx
    .selectFrom('phone_number_users')
    .innerJoin('phone_numbers', 'phone_numbers.id', 'phone_number_users.number_id')
    .select(['phone_numbers.id', 'phone_numbers.phone_number as phoneNumber', 'phone_numbers.registered'])
    .where('phone_number_users.organization_id', '=', organizationId)
    .where('phone_number_users.user_id', '=', userId)
    .where('phone_numbers.released_at', 'is', null)
    .where('phone_numbers.releasing_since', 'is', null)
    .executeTakeFirst();
}

/**
 * Whether anything was ever sent to this number by the organization, or is about to be: the first carries the disclaimer.
 *
 * @param before only what was written before this message
 */
export async function wasWrittenTo(
  trx: Trx,
  organizationId: string,
  contactNumber: string,
  before?: string,
): Promise<boolean> {
  const row = await trx
    .selectFrom('messages')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('contact_number', '=', contactNumber)
    .where('direction', '=', 'outbound')
    .where('status', 'not in', ['cancelled', 'failed'])
    .$if(before !== undefined, (query) => query.where('id', '<', before!))
    .limit(1)
    .executeTakeFirst();
  return Boolean(row);
}

/** Whether a STOP of this number holds for messages from this line: on the platform, here, or for the line alone. */
export async function isOptedOut(trx: Trx, contactNumber: string, line: string): Promise<boolean> {
  const row = await trx
    .selectFrom('opt_outs')
    .select('id')
    .where('phone_number', '=', contactNumber)
    .where((or) => or.or([or('line', 'is', null), or('line', '=', line)]))
    .limit(1)
    .executeTakeFirst();
  return Boolean(row);
}
