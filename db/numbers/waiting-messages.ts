/**
 * Messages that wait one by one on a line that is to be released: they leave from the line their user has now, and end
 * with their own line where there is none.
 *
 * Rows are locked in the order in which a STOP of their contact locks them: threads, opt-in requests, the outbox, messages.
 * Two who wait for each other would end the STOP in an error.
 */
import { sql } from 'kysely';
import type { Trx } from '../database.ts';
import type { ChangedMessages } from '../consent/opt-ins.ts';
import { tidy } from '../messages/outbox.ts';
import { settleThreads } from './waiting-threads.ts';

/** The lines users text from but for these, as far as they send: `current`, by `user_id`. */
const currentLines = (organizationId: string, lines: readonly string[]) => sql`current as (
  select u.user_id, p.phone_number as line
  from phone_number_users u join phone_numbers p on p.id = u.number_id
  where u.organization_id = ${organizationId} and p.registered and p.released_at is null and p.releasing_since is null
    and p.orphan_since is null and p.phone_number <> all(${[...lines]}::text[]))`;

/** A request `r` whose answer somebody still waits for, or has not heard of. */
const isUnsettled = sql<boolean>`(r.state = 'waiting' or (r.settled_at is null and r.ended_at is not null))`;

/** Those to whom something waits that another line could say. */
async function contactsToMove(trx: Trx, organizationId: string, lines: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ contactNumber: string }>`
    with ${currentLines(organizationId, lines)}
    select o.contact_number as "contactNumber"
    from outbox o join messages m on m.id = o.message_id join current on current.user_id = m.user_id
    where o.organization_id = ${organizationId} and o.line = any(${[...lines]}::text[])
    union
    select r.contact_number from opt_in_requests r join current on current.user_id = r.user_id
    where r.organization_id = ${organizationId} and r.line = any(${[...lines]}::text[]) and ${isUnsettled}`.execute(
    trx,
  );
  return rows.map(({ contactNumber }) => contactNumber);
}

async function lockThreadsAndRequests(
  trx: Trx,
  organizationId: string,
  { lines, contacts }: { lines: readonly string[]; contacts: readonly string[] },
): Promise<void> {
  await sql`
    with ${currentLines(organizationId, lines)}
    select from conversations
    where organization_id = ${organizationId} and contact_number = any(${[...contacts]}::text[])
      and (line = any(${[...lines]}::text[]) or line in (select line from current))
    order by contact_number, line for update`.execute(trx);
  await sql`
    select from opt_in_requests r
    where organization_id = ${organizationId} and line = any(${[...lines]}::text[])
      and contact_number = any(${[...contacts]}::text[]) and ${isUnsettled}
    order by id for update`.execute(trx);
}

/**
 * Moves what nobody is sending from these lines to the line its user has now, with its moment and its place in the thread.
 * An opt-in request that has not left moves with what is held for its answer; one that has left can only be answered where
 * it came from.
 */
export async function moveWaiting(
  trx: Trx,
  organizationId: string,
  lines: readonly string[],
): Promise<ChangedMessages> {
  const contacts = await contactsToMove(trx, organizationId, lines);
  if (contacts.length > 0) await lockThreadsAndRequests(trx, organizationId, { lines, contacts });
  // What was being sent a moment ago may have come back.
  await tidy(trx, organizationId);
  if (contacts.length === 0) return [];
  const moved = await moveQueued(trx, organizationId, lines);
  const held = await moveHeld(trx, organizationId, { lines, moved: moved.map(({ id }) => id), contacts });
  const all = [...moved, ...held];
  await settleThreads(trx, organizationId, { lines, messageIds: all.map(({ id }) => id) });
  return all;
}

async function moveQueued(trx: Trx, organizationId: string, lines: readonly string[]): Promise<ChangedMessages> {
  const { rows } = await sql<{ id: string; line: string }>`
    with ${currentLines(organizationId, lines)}
    select m.id, current.line
    from outbox o join messages m on m.id = o.message_id join current on current.user_id = m.user_id
    where o.organization_id = ${organizationId} and o.line = any(${[...lines]}::text[]) and o.claimed_at is null
      and m.status in ('scheduled', 'queued')
    order by o.contact_number, o.due_at, o.message_id for update of o, m`.execute(trx);
  if (rows.length === 0) return [];
  const places = sql`unnest(${rows.map(({ id }) => id)}::text[], ${rows.map(({ line }) => line)}::text[]) as r (id, line)`;
  await sql`update outbox o set line = r.line from ${places} where o.message_id = r.id`.execute(trx);
  const { rows: moved } = await sql<ChangedMessages[number]>`
    update messages m set line = r.line from ${places}
    where m.id = r.id and m.id = any(${rows.map(({ id }) => id)}::text[])
    returning m.id, m.contact_id as "contactId", m.status`.execute(trx);
  return moved;
}

/** Also what was held for a YES that has come and is not settled yet. */
async function moveHeld(
  trx: Trx,
  organizationId: string,
  { lines, moved, contacts }: { lines: readonly string[]; moved: readonly string[]; contacts: readonly string[] },
): Promise<ChangedMessages> {
  const { rows } = await sql<ChangedMessages[number]>`
    with ${currentLines(organizationId, lines)}, requests as (
      update opt_in_requests r set line = current.line from current
      where current.user_id = r.user_id and r.organization_id = ${organizationId}
        and r.line = any(${[...lines]}::text[]) and r.contact_number = any(${[...contacts]}::text[])
        and ((r.state = 'waiting' and r.message_id = any(${[...moved]}::text[]))
          or (r.state = 'accepted' and r.settled_at is null))
      returning r.user_id, r.contact_number, r.line)
    update messages m set line = requests.line from requests
    where m.organization_id = ${organizationId} and m.contact_number = requests.contact_number
      and m.user_id = requests.user_id and m.line = any(${[...lines]}::text[]) and m.status = 'held'
    returning m.id, m.contact_id as "contactId", m.status`.execute(trx);
  return rows;
}

/**
 * Whether something is being sent one by one from one of these lines, or may have been. A claim that began before the line
 * was taken out of use is waited for: it may be about to send.
 */
export async function isLeaving(trx: Trx, organizationId: string, lines: readonly string[]): Promise<boolean> {
  const { rows } = await sql<{ isClaimed: boolean }>`
    select claimed_at is not null as "isClaimed" from outbox
    where organization_id = ${organizationId} and line = any(${[...lines]}::text[])
    order by contact_number, due_at, message_id for update`.execute(trx);
  return rows.some(({ isClaimed }) => isClaimed);
}

/**
 * These lines are the organization's no more: what can move moves, and the rest is cancelled. Opt-in requests end, since
 * nobody hears their answers; their workflows settle what is being held at this very moment.
 */
export async function giveUpWaiting(
  trx: Trx,
  organizationId: string,
  { lines, now }: { lines: readonly string[]; now: Date },
): Promise<ChangedMessages> {
  const moved = await moveWaiting(trx, organizationId, lines);
  const held = await cancelHeld(trx, organizationId, { lines, now });
  return [...moved, ...held, ...(await cancelQueued(trx, organizationId, { lines, now }))];
}

async function cancelHeld(
  trx: Trx,
  organizationId: string,
  { lines, now }: { lines: readonly string[]; now: Date },
): Promise<ChangedMessages> {
  const { rows } = await sql<ChangedMessages[number]>`
    with requests as (
      update opt_in_requests r set ended_at = coalesce(r.ended_at, ${now}),
        state = case r.state when 'waiting' then 'expired' else r.state end
      where r.organization_id = ${organizationId} and r.line = any(${[...lines]}::text[]) and ${isUnsettled}
      returning r.contact_number)
    update messages set status = 'cancelled', cancel_reason = 'line_released', finished_at = ${now}
    where organization_id = ${organizationId} and line = any(${[...lines]}::text[]) and status = 'held'
      and contact_number in (select contact_number from requests)
    returning id, contact_id as "contactId", status`.execute(trx);
  return rows;
}

async function cancelQueued(
  trx: Trx,
  organizationId: string,
  { lines, now }: { lines: readonly string[]; now: Date },
): Promise<ChangedMessages> {
  const { rows: waiting } = await sql<{ id: string }>`
    select o.message_id as id from outbox o join messages m on m.id = o.message_id
    where o.organization_id = ${organizationId} and o.line = any(${[...lines]}::text[]) and o.claimed_at is null
    order by o.contact_number, o.due_at, o.message_id for update of o, m`.execute(trx);
  const ids = waiting.map(({ id }) => id);
  if (ids.length === 0) return [];
  await sql`delete from outbox where message_id = any(${ids}::text[])`.execute(trx);
  const { rows } = await sql<ChangedMessages[number] & { source: string }>`
    update messages set status = 'cancelled', cancel_reason = 'line_released', finished_at = ${now}
    where id = any(${ids}::text[]) and status in ('scheduled', 'queued')
    returning id, contact_id as "contactId", status, source`.execute(trx);
  return rows
    .filter(({ source }) => source !== 'forward')
    .map(({ id, contactId, status }) => ({ id, contactId, status }));
}
