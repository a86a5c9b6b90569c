/** Threads: one per contact and line, whoever of the line writes (D1). Reading them is in list.ts. */
import { sql } from 'kysely';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';

/** Something that was said in a thread. */
export interface ThreadEntry {
  organizationId: string;
  line: string;
  contactNumber: string;
  contactId: string | null;
  messageId: string;
  direction: 'inbound' | 'outbound';
  at: Date;
}

/**
 * Adds a message to its thread, which begins with it if there is none yet. What two transactions add at once ends in the
 * order of the messages, whoever comes first.
 *
 * @returns the id of the thread
 */
export async function addToThread(trx: Trx, entry: ThreadEntry): Promise<string> {
  const { organizationId, line, contactNumber, contactId, messageId, direction, at } = entry;
  const row = await trx
    .insertInto('conversations')
    .values({
      id: newId('conversation', at),
      organization_id: organizationId,
      line,
      contact_number: contactNumber,
      contact_id: contactId,
      last_message_id: messageId,
      last_message_at: at,
      last_inbound_id: direction === 'inbound' ? messageId : null,
    })
    .onConflict((conflict) =>
      conflict.constraint('conversations_thread').doUpdateSet({
        contact_id: sql`coalesce(excluded.contact_id, conversations.contact_id)`,
        last_message_id: sql`greatest(excluded.last_message_id, conversations.last_message_id)`,
        last_message_at: sql`greatest(excluded.last_message_at, conversations.last_message_at)`,
        last_inbound_id: sql`greatest(excluded.last_inbound_id, conversations.last_inbound_id)`,
      }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

/** When the contact last wrote in a thread, or null. */
export async function lastInboundAt(
  trx: Trx,
  { organizationId, line, contactNumber }: Pick<ThreadEntry, 'organizationId' | 'line' | 'contactNumber'>,
): Promise<Date | null> {
  const row = await trx
    .selectFrom('conversations')
    .innerJoin('messages', 'messages.id', 'conversations.last_inbound_id')
    .select('messages.created_at')
    .where('conversations.organization_id', '=', organizationId)
    .where('conversations.line', '=', line)
    .where('conversations.contact_number', '=', contactNumber)
    .executeTakeFirst();
  return row?.created_at ?? null;
}

/**
 * Held to the end of the transaction by whoever takes a message of a number, or says what one means: a STOP changes all of
 * its threads, and two at once on two lines would wait for each other's.
 */
export async function lockNumber(trx: Trx, organizationId: string, contactNumber: string): Promise<void> {
  const key = `contact/${organizationId}/${contactNumber}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(trx);
}

/** One thread, locked: what is decided about it is decided once. */
export async function lockConversation(trx: Trx, organizationId: string, id: string) {
  const thread = await trx
    .selectFrom('conversations')
    .select('contact_number')
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (!thread) return undefined;
  await lockNumber(trx, organizationId, thread.contact_number);
  return trx
    .selectFrom('conversations')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

/** Notes that a message may mean "stop texting me" (C6). */
export async function flagRevocation(trx: Trx, conversationId: string, messageId: string): Promise<void> {
  await trx
    .updateTable('conversations')
    .set({ revocation_message_id: messageId })
    .where('id', '=', conversationId)
    .execute();
}

/** Somebody has said what it means, or the contact has. @param line only that thread; all of the number by default */
export async function unflagRevocations(
  trx: Trx,
  { organizationId, contactNumber, line }: { organizationId: string; contactNumber: string; line?: string },
): Promise<void> {
  await trx
    .updateTable('conversations')
    .set({ revocation_message_id: null })
    .where('organization_id', '=', organizationId)
    .where('contact_number', '=', contactNumber)
    .where('revocation_message_id', 'is not', null)
    .$if(line !== undefined, (query) => query.where('line', '=', line!))
    .execute();
}

/** Somebody has read a thread up to a message; never back to an earlier one. @param userId empty for the organization itself */
export async function markRead(
  trx: Trx,
  organizationId: string,
  { conversationId, userId, upTo }: { conversationId: string; userId: string; upTo: string },
): Promise<void> {
  await trx
    .insertInto('conversation_reads')
    .values({ organization_id: organizationId, conversation_id: conversationId, user_id: userId, read_up_to: upTo })
    .onConflict((conflict) =>
      conflict
        .columns(['conversation_id', 'user_id'])
        .doUpdateSet({ read_up_to: sql`greatest(excluded.read_up_to, conversation_reads.read_up_to)` }),
    )
    .execute();
}
