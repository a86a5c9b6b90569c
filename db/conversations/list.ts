/** Reading threads: newest activity first, with whose they are and how much of each has not been read. */
import { sql } from 'kysely';
import type { Trx } from '../database.ts';
import type { LineUser } from '../numbers/lines.ts';
import type { ConversationRow } from '../schema.ts';

/** A thread as it is read by somebody. */
export interface ListedConversation extends ConversationRow {
  first_name: string | null;
  last_name: string | null;
  /** The line's number; null once it is not the organization's any more. */
  number_id: string | null;
  users: LineUser[];
  /** Messages of the contact that the reader has not read, counted up to 1,000. */
  unread: number;
}

interface ConversationFilter {
  contactId?: string | undefined;
  line?: string | undefined;
  unread?: boolean | undefined;
}

interface Page extends ConversationFilter {
  /** The user who reads; empty for the organization itself. */
  readerId: string;
  limit: number;
  /** The last one seen. */
  after?: { at: string; id: string } | undefined;
}

/** The last message of the contact in a thread `c` was not read. */
const isUnread = sql`coalesce(c.last_inbound_id > coalesce(r.read_up_to, ''), false)`;

/** Threads with what is shown of each; `where` is about `c`, a thread, and `r`, up to where the reader has read it. */
async function read(
  trx: Trx,
  { readerId, where, limit }: { readerId: string; where: ReturnType<typeof sql>; limit: number },
): Promise<ListedConversation[]> {
  const { rows } = await sql<ListedConversation>`
    with page as materialized (
      select c.*, r.read_up_to, ${isUnread} as is_unread
      from conversations c
      left join conversation_reads r on r.conversation_id = c.id and r.user_id = ${readerId}
      where ${where}
      order by c.last_message_at desc, c.id desc limit ${limit})
    select page.*, k.first_name, k.last_name, n.id as number_id,
      coalesce((
        select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'active', u.active) order by u.id)
        from phone_number_users pu join users u on u.id = pu.user_id where pu.number_id = n.id), '[]') as users,
      case when not page.is_unread then 0 else (
        select count(*) from (
          select from messages m
          where m.organization_id = page.organization_id and m.contact_number = page.contact_number
            and m.id > coalesce(page.read_up_to, '') and m.line = page.line and m.direction = 'inbound'
          limit 1000) as unseen) end as unread
    from page
    left join contacts k on k.id = page.contact_id
    left join phone_numbers n on n.organization_id = page.organization_id and n.phone_number = page.line
      and n.released_at is null
    order by page.last_message_at desc, page.id desc`.execute(trx);
  return rows;
}

/** Newest activity first. */
export async function listConversations(
  trx: Trx,
  organizationId: string,
  { readerId, contactId, line, unread, limit, after }: Page,
): Promise<ListedConversation[]> {
  const conditions = [
    sql`c.organization_id = ${organizationId}`,
    ...(after ? [sql`(c.last_message_at, c.id) < (${after.at}::timestamptz, ${after.id})`] : []),
    ...(contactId === undefined ? [] : [sql`c.contact_id = ${contactId}`]),
    ...(line === undefined ? [] : [sql`c.line = ${line}`]),
    ...(unread === undefined ? [] : [sql`${isUnread} = ${unread}`]),
  ];
  return read(trx, { readerId, where: sql.join(conditions, sql` and `), limit });
}

/** One thread, or undefined. */
export async function findConversation(
  trx: Trx,
  organizationId: string,
  { id, readerId }: { id: string; readerId: string },
): Promise<ListedConversation | undefined> {
  const where = sql`c.organization_id = ${organizationId} and c.id = ${id}`;
  return (await read(trx, { readerId, where, limit: 1 }))[0];
}
