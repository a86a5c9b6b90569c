/** Reading messages: each with what happened to it and what keeps it. */
import { sql } from 'kysely';
import { type MessageStatus, statusRank } from '../../domain/messages/status.ts';
import type { Trx } from '../database.ts';

const columns = [
  'm.id',
  'm.direction',
  'm.status',
  'm.source',
  'm.purpose',
  'm.line',
  'm.contact_number',
  'm.contact_id',
  'm.user_id',
  'm.body',
  'm.segments',
  'm.media_urls',
  'm.mass_sms_id',
  'm.send_at',
  'm.direct',
  'm.error_code',
  'm.cancel_reason',
  'm.created_at',
  'm.accepted_at',
  'm.sent_at',
  'm.finished_at',
  // What keeps it; null unless it waits in the outbox.
  'o.due_at',
  'o.held_reason',
  'o.held_detail',
  'o.claimed_at',
] as const;

/** What is passed on to the organization's own cells is no message to a contact. */
const readable = (trx: Trx, organizationId: string) =>
  trx
    .selectFrom('messages as m')
    .leftJoin('outbox as o', 'o.message_id', 'm.id')
    .select(columns)
    .where('m.organization_id', '=', organizationId)
    .where('m.source', '<>', 'forward');

type Row = Awaited<ReturnType<ReturnType<typeof readable>['execute']>>[number];

export interface ReadMessage extends Row {
  /** In order of time. */
  events: MessageEvent[];
}

export async function findMessage(trx: Trx, organizationId: string, id: string): Promise<ReadMessage | undefined> {
  return (await findMessages(trx, organizationId, [id]))[0];
}

/** Those with these ids, in any order. */
export async function findMessages(trx: Trx, organizationId: string, ids: readonly string[]): Promise<ReadMessage[]> {
  if (ids.length === 0) return [];
  const rows = await readable(trx, organizationId)
    .where(sql<boolean>`m.id = any(${[...ids]}::text[])`)
    .execute();
  return withEvents(trx, rows);
}

export interface MessageFilter {
  statuses?: readonly MessageStatus[] | undefined;
  contactId?: string | undefined;
  /** Only those of one thread. */
  thread?: { line: string; contactNumber: string } | undefined;
  limit: number;
  /** The last id seen. */
  before?: string | undefined;
}

/** Newest first. */
export async function listMessages(trx: Trx, organizationId: string, filter: MessageFilter): Promise<ReadMessage[]> {
  const { statuses, contactId, thread, limit, before } = filter;
  if (statuses?.every((status) => waiting.has(status)) && contactId === undefined && thread === undefined) {
    return listWaiting(trx, organizationId, { statuses, limit, before });
  }
  const numbers = contactId === undefined ? [] : await numbersOf(trx, organizationId, contactId);
  const rows = await readable(trx, organizationId)
    .$if(statuses !== undefined, (query) => query.where('m.status', 'in', statuses!))
    .$if(contactId !== undefined, (query) =>
      query.where(sql<boolean>`m.contact_number = any(${numbers}::text[])`).where('m.contact_id', '=', contactId!),
    )
    .$if(thread !== undefined, (query) =>
      query.where('m.contact_number', '=', thread!.contactNumber).where('m.line', '=', thread!.line),
    )
    .$if(before !== undefined, (query) => query.where('m.id', '<', before!))
    .orderBy('m.id', 'desc')
    .limit(limit)
    .execute();
  return withEvents(trx, rows);
}

/** Those who wait to leave are few among many, and no index knows a status: they are found by what they wait for. */
const waiting: ReadonlySet<MessageStatus> = new Set(['held', 'scheduled', 'queued']);

/** In the outbox, for the answer to an opt-in request, or for the batch of a mass SMS. */
async function listWaiting(
  trx: Trx,
  organizationId: string,
  { statuses, limit, before }: { statuses: readonly MessageStatus[]; limit: number; before: string | undefined },
): Promise<ReadMessage[]> {
  const { rows } = await sql<{ id: string }>`
    select m.id from messages m join (
      select message_id as id from outbox where organization_id = ${organizationId}
      union
      select h.id from opt_in_requests r join messages h on h.organization_id = r.organization_id
        and h.contact_number = r.contact_number and h.status = 'held'
      where r.organization_id = ${organizationId} and r.settled_at is null
      union
      select q.id from mass_sms s join messages q on q.mass_sms_id = s.id and q.status = 'queued'
      where s.organization_id = ${organizationId} and s.status not in ('completed', 'cancelled')
    ) w on w.id = m.id
    where m.organization_id = ${organizationId} and m.status = any(${[...statuses]}::text[]) and m.source <> 'forward'
      and ${before === undefined ? sql`true` : sql`m.id < ${before}`}
    order by m.id desc limit ${limit}`.execute(trx);
  const found = await findMessages(
    trx,
    organizationId,
    rows.map(({ id }) => id),
  );
  return found.toSorted((a, b) => (a.id < b.id ? 1 : -1));
}

/** Every number under which there may be messages of a contact, which are found by number. */
async function numbersOf(trx: Trx, organizationId: string, contactId: string): Promise<string[]> {
  const { rows } = await sql<{ number: string }>`
    select mobile as number from contacts
    where organization_id = ${organizationId} and id = ${contactId} and mobile is not null
    union
    select contact_number from conversations
    where organization_id = ${organizationId} and contact_id = ${contactId}`.execute(trx);
  return rows.map(({ number }) => number);
}

interface MessageEvent {
  status: MessageStatus;
  at: Date;
}

/** Messages with what happened to each, in one query however many they are. */
async function withEvents(trx: Trx, rows: readonly Row[]): Promise<ReadMessage[]> {
  if (rows.length === 0) return [];
  const noted = await trx
    .selectFrom('message_events')
    .select((row) => ['message_id as id', 'status', row.fn.min('at').as('at')])
    .where(sql<boolean>`message_id = any(${rows.map(({ id }) => id)}::text[])`)
    .groupBy(['message_id', 'status'])
    .execute();
  const notedOf = Map.groupBy(noted, ({ id }) => id);
  return rows.map((row) => Object.assign(row, { events: eventsOf(row, notedOf.get(row.id) ?? []) }));
}

/** What was noted of a message as it happened, filled up with what its row tells; each state once, when it was reached. */
function eventsOf(row: Row, noted: readonly MessageEvent[]): MessageEvent[] {
  const { direction, status, created_at: createdAt, accepted_at: acceptedAt, sent_at: sentAt } = row;
  if (direction === 'inbound') return [{ status, at: createdAt }];
  const reached = new Map(noted.map((event) => [event.status, event.at]));
  const add = (reachedStatus: MessageStatus, at: Date | null) => {
    if (at && !reached.has(reachedStatus)) reached.set(reachedStatus, at);
  };
  // What was held is noted, and so is when it was queued.
  if (!reached.has('held')) add(status === 'held' ? 'held' : row.send_at ? 'scheduled' : 'queued', createdAt);
  add('accepted', acceptedAt);
  add('sent', sentAt);
  if (statusRank[status] >= statusRank.accepted) add(status, row.finished_at ?? acceptedAt);
  return [...reached]
    .map(([reachedStatus, at]) => ({ status: reachedStatus, at }))
    .toSorted((a, b) => a.at.getTime() - b.at.getTime() || statusRank[a.status] - statusRank[b.status]);
}
