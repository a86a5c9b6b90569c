/** What becomes of messages that were held for an opt-in, and of requests that nobody needs an answer to any more. */
import { type RawBuilder, sql } from 'kysely';
import { dueOf } from '../../domain/messages/due.ts';
import { answerWithinHours } from '../../domain/consent/requests.ts';
import { type ConsentFact, type LedgerRow, recordConsent } from './consent.ts';
import type { Trx } from '../database.ts';
import { noteStates, statusUntilSent, tellOfMessages } from '../messages/messages.ts';
import { type ChangedMessages, lockOptIns } from './opt-ins.ts';
import { readSettings } from '../organizations/organizations.ts';
import { enqueue } from '../messages/outbox.ts';
import type { OptInRequestRow } from '../schema.ts';

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
 * Settles what was answered, has expired or was cancelled: what was held is queued after a YES, and cancelled otherwise,
 * unless the contact has agreed in another way or another request on the same line still waits for the same number.
 * Settled twice, it changes nothing.
 */
export async function settleOptIns(trx: Trx, pair: OptInPair, now: Date): Promise<SettledOptIn> {
  const { organizationId, contactId } = pair;
  await lockOptIns(trx, contactId);
  await expire(trx, pair, now);
  const { rows: requests } = await sql<OptInRequestRow>`
    select * from opt_in_requests r where ${isOf(pair)} and (r.state = 'waiting' or r.settled_at is null)
    order by r.state = 'accepted' desc, r.id`.execute(trx);
  const changed: ChangedMessages = [];
  for (const request of requests) {
    if (request.state === 'waiting') continue;
    const agreed = request.state === 'accepted' ? byYes(request) : byConsent([request.contact_number]);
    changed.push(...(await release(trx, organizationId, agreed, now)));
    if (request.state !== 'accepted') changed.push(...(await cancel(trx, request, now)));
  }
  await sql`
    update opt_in_requests r set settled_at = ${now}
    where ${isOf(pair)} and r.state <> 'waiting' and r.settled_at is null`.execute(trx);
  await tellOfMessages(trx, organizationId, changed, now);
  const waiting = requests.filter(({ state }) => state === 'waiting').map((one) => one.expires_at.getTime());
  return {
    expiresAt: waiting.length > 0 ? new Date(Math.min(...waiting)) : null,
    released: changed.filter(({ status }) => status !== 'cancelled').length,
  };
}

const isOf = ({ organizationId, userId, contactId }: OptInPair) =>
  sql`r.organization_id = ${organizationId} and r.contact_id = ${contactId} and r.user_id = ${userId}`;

/** Nobody has answered for too long. One that has not left yet goes on: what nobody was asked nobody can answer. */
async function expire(trx: Trx, pair: OptInPair, now: Date): Promise<void> {
  const isOver = sql<boolean>`${isOf(pair)} and r.state = 'waiting' and r.expires_at <= ${now}`;
  await sql`
    update opt_in_requests r set expires_at = greatest(o.due_at, ${now}) + ${answerWithinHours} * interval '1 hour'
    from outbox o join messages m on m.id = o.message_id
    where ${isOver} and o.message_id = r.message_id and m.status in ('scheduled', 'queued')`.execute(trx);
  await sql`update opt_in_requests r set state = 'expired', ended_at = expires_at where ${isOver}`.execute(trx);
}

/**
 * What a YES releases: all on the line that asked, and for this contact on every other one, for the contact has agreed to
 * the organization's messages and not to those of a line.
 */
const byYes = ({ contact_id: contactId, contact_number: contactNumber, line }: OptInRequestRow) =>
  sql<boolean>`m.contact_number = ${contactNumber} and (m.line = ${line} or m.contact_id = ${contactId})`;

/** What consent on record releases, however it came there. */
const byConsent = (contactNumbers: readonly string[]) =>
  sql<boolean>`m.contact_number = any(${[...contactNumbers]}::text[]) and c.mobile = m.contact_number
    and c.consent_transactional`;

/** Queues what was held, each for the first moment at which it may leave. @param which of the messages `m` to contacts `c` */
async function release(
  trx: Trx,
  organizationId: string,
  which: RawBuilder<boolean>,
  now: Date,
): Promise<ChangedMessages> {
  const { rows } = await sql<Held>`
    select m.id, m.contact_id as "contactId", m.contact_number as "contactNumber", m.line, m.send_at as "sendAt",
      c.postal_code as "postalCode", c.time_zone as "timeZone"
    from messages m left join contacts c on c.id = m.contact_id
    where m.organization_id = ${organizationId} and m.status = 'held' and ${which}
    order by m.id for update of m`.execute(trx);
  if (rows.length === 0) return [];
  const settings = await readSettings(trx, organizationId);
  const released = rows.map(({ id, contactId, contactNumber, line, sendAt, postalCode, timeZone }) => {
    const recipient = { mobile: contactNumber, postalCode, timeZone };
    const due = dueOf({ settings, recipient, direct: false, from: sendAt ?? now, now });
    return { id, contactId, contactNumber, line, due, status: statusUntilSent(sendAt, now) };
  });
  await sql`
    update messages m set status = r.status
    from unnest(${released.map((one) => one.id)}::text[], ${released.map((one) => one.status)}::text[]) as r (id, status)
    where m.id = r.id and m.id = any(${released.map((one) => one.id)}::text[])`.execute(trx);
  await noteStates(trx, organizationId, released, now);
  const place = { organizationId, priority: 1 } as const;
  await enqueue(
    trx,
    released.map(({ id, contactNumber, line, due }) => ({ messageId: id, ...place, contactNumber, line, due })),
  );
  return released;
}

/**
 * Writes a fact about a contact's consent to the ledger. Where it is consent that something waits for, nothing waits any
 * more: see {@link settleConsented}.
 *
 * @returns the entry, undefined when there is no such contact, and the messages that changed
 */
export async function recordAndSettle(
  trx: Trx,
  organizationId: string,
  contactId: string,
  fact: ConsentFact,
  now: Date,
): Promise<{ entry: LedgerRow | undefined; changed: ChangedMessages }> {
  const record = () => recordConsent(trx, organizationId, contactId, fact, now);
  if (!fact.granted || fact.purpose !== 'transactional') return { entry: await record(), changed: [] };
  await lockOptIns(trx, contactId);
  const contact = await trx
    .selectFrom('contacts')
    .select('mobile')
    .where('organization_id', '=', organizationId)
    .where('id', '=', contactId)
    .executeTakeFirst();
  const numbers = contact?.mobile ? [contact.mobile] : [];
  await lockWaitingRequests(trx, organizationId, numbers);
  const entry = await record();
  return { entry, changed: await settleConsented(trx, organizationId, numbers, now) };
}

/**
 * Requests that wait for an answer, locked before contacts are, as an answer locks them: two who wait for each other would
 * end a YES in an error. Called by whoever records consent, before anything else.
 */
export async function lockWaitingRequests(
  trx: Trx,
  organizationId: string,
  contactNumbers: readonly string[],
): Promise<void> {
  await sql`
    select from opt_in_requests
    where organization_id = ${organizationId} and contact_number = any(${[...contactNumbers]}::text[])
      and state = 'waiting'
    order by id for update`.execute(trx);
}

/**
 * After consent was recorded: nobody waits for an answer of those contacts any more. What was held for it is queued, and a
 * request that has not left is cancelled. Set-wise, and one statement where nobody was asked, which is nearly always.
 *
 * @param contactNumbers of contacts whose consent may be new
 * @returns the messages that changed, for the event streams; unless all are cancelled, the outbox has to be woken
 */
export async function settleConsented(
  trx: Trx,
  organizationId: string,
  contactNumbers: readonly string[],
  now: Date,
): Promise<ChangedMessages> {
  const { rows: ended } = await sql<{ messageId: string; contactNumber: string }>`
    update opt_in_requests r set state = 'cancelled', ended_at = ${now}, settled_at = ${now} from contacts c
    where r.organization_id = ${organizationId} and r.contact_number = any(${[...contactNumbers]}::text[])
      and r.state = 'waiting' and c.id = r.contact_id and c.mobile = r.contact_number and c.consent_transactional
    returning r.message_id as "messageId", r.contact_number as "contactNumber"`.execute(trx);
  if (ended.length === 0) return [];
  const cancelled = await cancelQuestions(trx, ended, { reason: 'opt_in_settled', now });
  const numbers = [...new Set(ended.map(({ contactNumber }) => contactNumber))];
  return [...cancelled, ...(await release(trx, organizationId, byConsent(numbers), now))];
}

/** Cancels the messages of requests that have ended, where they have not left. */
async function cancelQuestions(
  trx: Trx,
  requests: readonly { messageId: string }[],
  { reason, now }: { reason: string; now: Date },
): Promise<ChangedMessages> {
  const { rows } = await sql<ChangedMessages[number]>`
    with unsent as (
      delete from outbox where message_id = any(${requests.map(({ messageId }) => messageId)}::text[])
        and claimed_at is null returning message_id)
    update messages set status = 'cancelled', cancel_reason = ${reason}, finished_at = ${now}
    where id in (select message_id from unsent) and status in ('scheduled', 'queued')
    returning id, contact_id as "contactId", status`.execute(trx);
  return rows;
}

/** Held by whoever gives a contact another number, or deletes it: in the order in which an answer locks. */
export async function lockRequestsTo(trx: Trx, organizationId: string, contactId: string): Promise<void> {
  await lockOptIns(trx, contactId);
  await sql`
    select from opt_in_requests
    where organization_id = ${organizationId} and contact_id = ${contactId} and state = 'waiting'
    order by id for update`.execute(trx);
}

/**
 * After a contact was given another number, or was deleted: what the old number was asked nobody can answer for this
 * contact. Those requests end, and what waits for their answer, or asks and has not left, is cancelled.
 */
export async function settleUnreachable(trx: Trx, organizationId: string, contactId: string, now: Date): Promise<void> {
  const { rows: ended } = await sql<{ messageId: string; contactNumber: string }>`
    update opt_in_requests r set state = 'cancelled', ended_at = ${now}, settled_at = ${now}
    where r.organization_id = ${organizationId} and r.contact_id = ${contactId} and r.state = 'waiting'
      and not exists (select from contacts c where c.id = r.contact_id and c.mobile = r.contact_number)
    returning r.message_id as "messageId", r.contact_number as "contactNumber"`.execute(trx);
  if (ended.length === 0) return;
  const reason = 'contact_changed';
  const { rows: held } = await sql<ChangedMessages[number]>`
    update messages m set status = 'cancelled', cancel_reason = ${reason}, finished_at = ${now}
    where m.organization_id = ${organizationId} and m.contact_id = ${contactId} and m.status = 'held'
      and m.contact_number = any(${ended.map(({ contactNumber }) => contactNumber)}::text[])
    returning m.id, m.contact_id as "contactId", m.status`.execute(trx);
  await tellOfMessages(trx, organizationId, [...(await cancelQuestions(trx, ended, { reason, now })), ...held], now);
}

/** Whether messages that changed are to leave. */
export const isAnyToLeave = (changed: ChangedMessages): boolean => changed.some(({ status }) => status !== 'cancelled');

/**
 * Ends the request that a message asks, while it waits for an answer. The caller cancels the message, which has not left,
 * and has settled afterwards what was held for the answer.
 *
 * @returns whose it is; undefined when the message asks nothing, or nobody waits for the answer any more
 */
export async function cancelRequestOf(
  trx: Trx,
  organizationId: string,
  { messageId, now }: { messageId: string; now: Date },
): Promise<OptInPair | undefined> {
  const message = await trx
    .selectFrom('messages')
    .select('contact_id')
    .where('organization_id', '=', organizationId)
    .where('id', '=', messageId)
    .where('source', '=', 'opt_in')
    .executeTakeFirst();
  const contactId = message?.contact_id;
  if (!contactId) return undefined;
  await lockOptIns(trx, contactId);
  const request = await trx
    .updateTable('opt_in_requests')
    .set({ state: 'cancelled', ended_at: now })
    .where('organization_id', '=', organizationId)
    .where('contact_id', '=', contactId)
    .where('message_id', '=', messageId)
    .where('state', '=', 'waiting')
    .returning('user_id')
    .executeTakeFirst();
  return request && { organizationId, contactId, userId: request.user_id };
}

interface Held {
  id: string;
  contactId: string | null;
  contactNumber: string;
  line: string;
  sendAt: Date | null;
  postalCode: string | null;
  timeZone: string | null;
}

/** In one statement, so that what it sees of requests and of messages is of one moment. */
async function cancel(trx: Trx, request: OptInRequestRow, now: Date): Promise<ChangedMessages> {
  const reason = `opt_in_${request.state}`;
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
