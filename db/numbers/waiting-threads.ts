/** Threads after messages have moved to another line: they are in the thread of the line they leave from. */
import { sql } from 'kysely';
import type { Trx } from '../database.ts';

/**
 * Adds messages that have moved to the threads of the lines they are on now, and takes them out of those of the lines they
 * were on. A thread that had nothing else is gone.
 *
 * @param lines those they were on
 */
export async function settleThreads(
  trx: Trx,
  organizationId: string,
  { lines, messageIds }: { lines: readonly string[]; messageIds: readonly string[] },
): Promise<void> {
  if (messageIds.length === 0) return;
  const contacts = sql`(select contact_number from messages where id = any(${[...messageIds]}::text[]))`;
  await sql`
    insert into conversations as c (id, organization_id, line, contact_number, contact_id, last_message_id,
      last_message_at)
    select 'cnv_' || uuid_v7(max(created_at)), organization_id, line, contact_number, max(contact_id), max(id),
      max(created_at)
    from messages where id = any(${[...messageIds]}::text[]) and contact_id is not null
    group by organization_id, line, contact_number order by contact_number, line
    on conflict on constraint conversations_thread do update set
      last_message_id = greatest(excluded.last_message_id, c.last_message_id),
      last_message_at = greatest(excluded.last_message_at, c.last_message_at)`.execute(trx);
  const left = sql`
    select c.id, (
      select m.id from messages m
      where m.organization_id = c.organization_id and m.contact_number = c.contact_number and m.line = c.line
      order by m.id desc limit 1) as last_message_id
    from conversations c
    where c.organization_id = ${organizationId} and c.line = any(${[...lines]}::text[])
      and c.contact_number in ${contacts}`;
  await sql`
    update conversations c set last_message_id = m.id, last_message_at = m.created_at
    from (${left}) l join messages m on m.id = l.last_message_id
    where c.id = l.id and c.last_message_id <> m.id`.execute(trx);
  await sql`
    with gone as materialized (select l.id from (${left}) l where l.last_message_id is null),
      reads as (delete from conversation_reads where conversation_id in (select id from gone))
    delete from conversations where id in (select id from gone)`.execute(trx);
}
