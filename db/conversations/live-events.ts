/** What open event streams are told, in an order that a stream which resumes can rely on. */
import { sql } from 'kysely';
import type { Db, Trx } from '../database.ts';
import type { LiveEventType } from '../schema/conversations.ts';

/** The channel on which Postgres says that an organization has new events; its payload is the organization's id. */
export const eventsChannel = 'longwave_events';

export interface NewEvent {
  type: LiveEventType;
  /** Ids and states; read by whoever may read what it is about. */
  data: Record<string, unknown>;
}

/**
 * Tells the organization's event streams, once the transaction is through. The last thing a transaction does: from here to
 * its end no other of the organization can tell anything, so that an event with a lower id never appears after one with a
 * higher id was read.
 */
export async function tellStreams(
  trx: Trx,
  organizationId: string,
  events: readonly NewEvent[],
  at: Date,
): Promise<void> {
  if (events.length === 0) return;
  const news = JSON.stringify(events.map(({ type, data }) => ({ type, data })));
  await sql`select tell_streams(${organizationId}, ${news}::jsonb, ${at})`.execute(trx);
}

export interface LiveEvent extends NewEvent {
  id: number;
}

/** Events after one, oldest first. */
export async function eventsAfter(
  trx: Trx,
  organizationId: string,
  { after, limit }: { after: number; limit: number },
): Promise<LiveEvent[]> {
  return trx
    .selectFrom('events')
    .select(['id', 'type', 'data'])
    .where('organization_id', '=', organizationId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** The newest event of an organization: where a stream that does not resume begins; 0 when there is none. */
export async function lastEventId(trx: Trx, organizationId: string): Promise<number> {
  const row = await trx
    .selectFrom('events')
    .select('id')
    .where('organization_id', '=', organizationId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? 0;
}

/** Streams resume within days, not months. */
const eventsKeptMs = 3 * 86_400_000;

/**
 * Whether all that followed an event is still kept: whoever has seen it can be told everything since.
 *
 * @param id 0 for the time before the first event
 */
export async function allKeptSince(trx: Trx, organizationId: string, id: number, now: Date): Promise<boolean> {
  const oldest = new Date(now.getTime() - eventsKeptMs);
  const { rows } = await sql`
    select from events where organization_id = ${organizationId} and id = ${id}
    union all select from organizations where id = ${organizationId} and ${id} = 0 and created_at > ${oldest}
    limit 1`.execute(trx);
  return rows.length > 0;
}

/** What a webhook endpoint is still to be told is kept longer, also while it is off or Temporal away, but not for ever. */
const unreadKeptMs = 30 * 86_400_000;

/** The newest event of each organization stays: a stream may stand there. */
export async function forgetEvents(system: Db, now: Date): Promise<void> {
  const oldest = new Date(now.getTime() - eventsKeptMs);
  const oldestUnread = new Date(now.getTime() - unreadKeptMs);
  await sql`
    delete from events e where at < ${oldest}
      and exists (select from events n where n.organization_id = e.organization_id and n.id > e.id)
      and (at < ${oldestUnread} or not exists (
        select from webhook_endpoints w
        where w.organization_id = e.organization_id and w.read_up_to < e.id and not w.skipped @> e.id
      ))`.execute(system);
}
