/** Changing messages that have not left: under the locks that keep a claim from taking them meanwhile. */
import type { Selectable } from 'kysely';
import type { Due } from '../../domain/messages/due.ts';
import type { Trx } from '../database.ts';
import { enqueue } from './outbox.ts';
import type { Schema } from '../schema.ts';

type Row = Pick<
  Selectable<Schema['messages']>,
  | 'id'
  | 'status'
  | 'source'
  | 'purpose'
  | 'line'
  | 'contact_number'
  | 'contact_id'
  | 'user_id'
  | 'mass_sms_id'
  | 'send_at'
  | 'direct'
>;

export interface LockedMessage extends Row {
  /** Its place in the outbox; null when it has none. */
  entry: { dueAt: Date; isClaimed: boolean } | null;
}

/** Locks a message and its place in the outbox, in the order in which claims do; a claim under way is waited for. */
export async function lockMessage(trx: Trx, organizationId: string, id: string): Promise<LockedMessage | undefined> {
  const entry = await lockEntry(trx, id);
  const row = await trx
    .selectFrom('messages')
    .select([
      'id',
      'status',
      'source',
      'purpose',
      'line',
      'contact_number',
      'contact_id',
      'user_id',
      'mass_sms_id',
      'send_at',
      'direct',
    ])
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .where('source', '<>', 'forward')
    .forUpdate()
    .executeTakeFirst();
  // Held a moment ago, it may have been queued since.
  return row && { ...row, entry: entry ?? (await lockEntry(trx, id)) };
}

async function lockEntry(trx: Trx, messageId: string): Promise<LockedMessage['entry']> {
  const entry = await trx
    .selectFrom('outbox')
    .select(['due_at', 'claimed_at'])
    .where('message_id', '=', messageId)
    .forUpdate()
    .executeTakeFirst();
  return entry ? { dueAt: entry.due_at, isClaimed: entry.claimed_at !== null } : null;
}

/** Whether nobody is sending it, nor has sent it. */
export const isUnsent = ({ status, entry }: LockedMessage): boolean =>
  status === 'held' || ((status === 'scheduled' || status === 'queued') && entry?.isClaimed === false);

export interface MessageChange {
  text?: { body: string; segments: number } | undefined;
  sendAt?: Date | null | undefined;
  status?: 'scheduled' | 'queued' | undefined;
  /** It is not a reply any more. */
  isDirect?: false | undefined;
}

export async function changeMessage(trx: Trx, id: string, change: MessageChange): Promise<void> {
  const { text, sendAt, status, isDirect } = change;
  await trx
    .updateTable('messages')
    .set({
      ...text,
      ...(sendAt !== undefined && { send_at: sendAt }),
      ...(status !== undefined && { status }),
      ...(isDirect !== undefined && { direct: isDirect }),
    })
    .where('id', '=', id)
    .execute();
}

/** Gives a message another moment to leave at. */
export async function moveTo(
  trx: Trx,
  organizationId: string,
  message: LockedMessage,
  { due, released }: { due: Due; released: boolean },
): Promise<void> {
  const { id: messageId, contact_number: contactNumber, line, source } = message;
  const priority = source === 'opt_in' ? 0 : 1;
  await trx.deleteFrom('outbox').where('message_id', '=', messageId).execute();
  await enqueue(trx, [{ messageId, organizationId, contactNumber, line, priority, due, released }]);
}

/** Ends a message for good: it never leaves. */
export async function cancelMessage(trx: Trx, id: string, { reason, now }: { reason: string; now: Date }) {
  await trx
    .updateTable('messages')
    .set({ status: 'cancelled', cancel_reason: reason, finished_at: now })
    .where('id', '=', id)
    .execute();
  await trx.deleteFrom('outbox').where('message_id', '=', id).execute();
}
