/** What becomes of messages that were held for an opt-in, and which requests a workflow or the sweep has to see to. */
import { sql } from 'kysely';
import { dueOf } from '../domain/due.ts';
import type { Db, Trx } from './database.ts';
import { statusUntilSent, tellOfMessages } from './messages.ts';
import { type ChangedMessages, lockOptIns } from './opt-ins.ts';
import { readSettings } from './organizations.ts';
import { enqueue } from './outbox.ts';
import type { OptInRequestRow } from './schema.ts';

/** Whose requests: those of one user to one contact. */
export interface OptInPair {
  organizationId: string;
  userId: string;
  contactId: string;
}

export interface SettledOptIn {
  /** When the next request expires that waits for an answer; null when none does. */
  expiresAt: Date | null;
  /** How many messages were queued: the outbox has to be woken. */
  released: number;
}

/**
 * Settles what was answered or has expired: what was held is queued after a YES, and cancelled otherwise, unless another
 * request on the same line still waits for the same number. Settled twice, it changes nothing.
 */
export async function settleOptIns(trx: Trx, pair: OptInPair, now: Date): Promise<SettledOptIn> {
  const { organizationId, contactId } = pair;
  await lockOptIns(trx, contactId);
  await sql`
    update opt_in_requests set state = 'expired', ended_at = expires_at
    where ${isOf(pair)} and state = 'waiting' and expires_at <= ${now}`.execute(trx);
  const { rows: requests } = await sql<OptInRequestRow>`
    select * from opt_in_requests where ${isOf(pair)} and (state = 'waiting' or settled_at is null)
    order by state = 'accepted' desc, id`.execute(trx);
  const changed: ChangedMessages = [];
  for (const request of requests) {
    if (request.state === 'waiting') continue;
    const { contact_id: contactId, contact_number: contactNumber, line } = request;
    const agreed = { organizationId, contactId, contactNumber, line };
    changed.push(...(request.state === 'accepted' ? await release(trx, agreed, now) : await cancel(trx, request, now)));
  }
  await sql`
    update opt_in_requests set settled_at = ${now}
    where ${isOf(pair)} and state <> 'waiting' and settled_at is null`.execute(trx);
  await tellOfMessages(trx, organizationId, changed, now);
  const waiting = requests.filter(({ state }) => state === 'waiting').map((one) => one.expires_at.getTime());
  return {
    expiresAt: waiting.length > 0 ? new Date(Math.min(...waiting)) : null,
    released: changed.filter(({ status }) => status !== 'cancelled').length,
  };
}

const isOf = ({ organizationId, userId, contactId }: OptInPair) =>
  sql`organization_id = ${organizationId} and contact_id = ${contactId} and user_id = ${userId}`;

/**
 * Queues what was held, each for the first moment at which it may leave: on the line that asked, and for this contact on
 * every other one, for the contact has agreed to the organization's messages and not to those of a line.
 */
async function release(trx: Trx, agreed: Agreed, now: Date): Promise<ChangedMessages> {
  const { organizationId, contactId: contact, contactNumber, line: asked } = agreed;
  const { rows } = await sql<Held>`
    select m.id, m.contact_id as "contactId", m.line, m.send_at as "sendAt", c.postal_code as "postalCode",
      c.time_zone as "timeZone"
    from messages m left join contacts c on c.id = m.contact_id
    where m.organization_id = ${organizationId} and m.contact_number = ${contactNumber} and m.status = 'held'
      and (m.line = ${asked} or m.contact_id = ${contact})
    order by m.id for update of m`.execute(trx);
  if (rows.length === 0) return [];
  const settings = await readSettings(trx, organizationId);
  const released = rows.map(({ id, contactId, line, sendAt, postalCode, timeZone }) => {
    const recipient = { mobile: contactNumber, postalCode, timeZone };
    const due = dueOf({ settings, recipient, direct: false, from: sendAt ?? now, now });
    return { id, contactId, line, due, status: statusUntilSent(sendAt, now) };
  });
  await sql`
    update messages m set status = r.status
    from unnest(${released.map((one) => one.id)}::text[], ${released.map((one) => one.status)}::text[]) as r (id, status)
    where m.id = r.id and m.id = any(${released.map((one) => one.id)}::text[])`.execute(trx);
  const place = { organizationId, contactNumber, priority: 1 } as const;
  await enqueue(
    trx,
    released.map(({ id, line, due }) => ({ messageId: id, ...place, line, due })),
  );
  return released;
}

/**
 * Queues what was held for a contact whose consent was obtained in another way, and tells of it: a YES is not needed any
 * more. @returns whether anything was, and the outbox has to be woken
 */
export async function releaseHeld(
  trx: Trx,
  { organizationId, contactId }: { organizationId: string; contactId: string },
  now: Date,
): Promise<boolean> {
  await lockOptIns(trx, contactId);
  const contact = await trx
    .selectFrom('contacts')
    .select('mobile')
    .where('organization_id', '=', organizationId)
    .where('id', '=', contactId)
    .executeTakeFirst();
  if (!contact?.mobile) return false;
  const agreed = { organizationId, contactId, contactNumber: contact.mobile, line: null };
  const released = await release(trx, agreed, now);
  await tellOfMessages(trx, organizationId, released, now);
  return released.length > 0;
}

/** Who has agreed, and on which line: null when it was on none. */
interface Agreed {
  organizationId: string;
  contactId: string;
  contactNumber: string;
  line: string | null;
}

interface Held {
  id: string;
  contactId: string | null;
  line: string;
  sendAt: Date | null;
  postalCode: string | null;
  timeZone: string | null;
}

/** In one statement, so that what it sees of requests and of messages is of one moment. */
async function cancel(trx: Trx, request: OptInRequestRow, now: Date): Promise<ChangedMessages> {
  const reason = request.state === 'declined' ? 'opt_in_declined' : 'opt_in_expired';
  const { rows } = await sql<ChangedMessages[number]>`
    update messages m set status = 'cancelled', cancel_reason = ${reason}, finished_at = ${now}
    where m.organization_id = ${request.organization_id} and m.contact_number = ${request.contact_number}
      and m.line = ${request.line} and m.status = 'held'
      and not exists (select from opt_in_requests r
        where r.organization_id = m.organization_id and r.contact_number = m.contact_number and r.line = m.line
          and (r.state = 'waiting' or (r.state = 'accepted' and r.settled_at is null)))
    returning m.id, m.contact_id as "contactId", m.status`.execute(trx);
  return rows;
}

/** Says that Temporal has the workflow. */
export async function markOptInStarted(trx: Trx, requestId: string, now: Date): Promise<void> {
  await trx
    .updateTable('opt_in_requests')
    .set({ workflow_started_at: now })
    .where('id', '=', requestId)
    .where('workflow_started_at', 'is', null)
    .execute();
}

/** The requests of a number that are answered and not settled: whose workflows are to be told. */
export async function answeredOptIns(trx: Trx, organizationId: string, contactNumber: string): Promise<OptInPair[]> {
  const { rows } = await sql<OptInPair>`
    select distinct organization_id as "organizationId", user_id as "userId", contact_id as "contactId"
    from opt_in_requests
    where organization_id = ${organizationId} and contact_number = ${contactNumber} and settled_at is null
      and ended_at is not null`.execute(trx);
  return rows;
}

export interface NeglectedOptIn extends OptInPair {
  requestId: string;
  /** Temporal has never had the workflow of this one. */
  isNew: boolean;
}

/**
 * Requests nobody sees to, across organizations, for the sweep: made while Temporal was away, answered without the
 * workflow hearing of it, or expired without it looking.
 */
export async function neglectedOptIns(
  system: Db,
  { madeBefore, endedBefore }: { madeBefore: Date; endedBefore: Date },
): Promise<NeglectedOptIn[]> {
  const { rows } = await sql<NeglectedOptIn>`
    select id as "requestId", organization_id as "organizationId", user_id as "userId", contact_id as "contactId",
      workflow_started_at is null as "isNew"
    from (
      (select * from opt_in_requests where workflow_started_at is null and requested_at < ${madeBefore} limit 200)
      union
      (select * from opt_in_requests where settled_at is null and ended_at < ${endedBefore} limit 200)
      union
      (select * from opt_in_requests where state = 'waiting' and expires_at < ${endedBefore} limit 200)
    ) as neglected`.execute(system);
  return rows;
}
