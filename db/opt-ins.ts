/** Opt-in requests (C2): asked, within the limits, and answered. What waited for the answer is in opt-in-settling.ts. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { dueOf } from '../domain/due.ts';
import { inWordsOf } from '../domain/message-text.ts';
import { expiryOf, notBefore, refusalOfRequest, type RequestRefusal } from '../domain/opt-in-requests.ts';
import { countSegments } from '../domain/segments.ts';
import { withDefaults } from '../domain/settings.ts';
import { recordConsent } from './consent.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { insertMessage, isOptedOut, lineOfUser } from './messages.ts';
import type { OptInRequestRow } from './schema.ts';

/** Who asks whom, from which line. */
export interface OptInAsk {
  organizationId: string;
  contact: { id: string; mobile: string };
  userId: string;
  /** The user's number. */
  line: string;
  at: Date;
}

/**
 * Held to the end of the transaction by whoever makes a request, holds a message for one, or settles one: so that two
 * requests at once cannot both pass the limits, and no message is held for an answer that was settled a moment ago.
 */
export async function lockOptIns(trx: Trx, contactId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('opt-in/' || ${contactId}, 0))`.execute(trx);
}

export interface OptInRefusal extends Pick<RequestRefusal, 'possibleAt'> {
  reason: RequestRefusal['reason'] | 'no_mobile' | 'no_line' | 'opted_out' | 'already_opted_in';
}

/** Asks a contact on behalf of a user, unless a rule forbids it. @returns undefined when there is no such contact */
export async function requestOptIn(
  trx: Trx,
  { organizationId, userId, contactId, at }: { organizationId: string; userId: string; contactId: string; at: Date },
): Promise<{ request: OptInRequestRow } | { refusal: OptInRefusal } | undefined> {
  await lockOptIns(trx, contactId);
  const contact = await trx
    .selectFrom('contacts')
    .select(['mobile', 'phone_status'])
    .where('organization_id', '=', organizationId)
    .where('id', '=', contactId)
    .executeTakeFirst();
  if (!contact) return undefined;
  const { mobile } = contact;
  if (mobile === null || contact.phone_status !== 'valid') return { refusal: { reason: 'no_mobile' } };
  const line = await lineOfUser(trx, organizationId, userId);
  if (!line?.registered) return { refusal: { reason: 'no_line' } };
  const ask = { organizationId, contact: { id: contactId, mobile }, userId, line: line.phoneNumber, at };
  const refusal = await refusalOf(trx, ask);
  return refusal ? { refusal } : { request: await makeRequest(trx, ask) };
}

export type EnsuredOptIn =
  { requestId: string; isNew: boolean } | { refused: OptInRefusal['reason']; possibleAt?: Date };

/**
 * Sees to it that the contact is asked before an automated message, which then waits as `held`, in the same transaction
 * (D6). A request of this user that waits serves again, unless its message has no hope of reaching the contact any more
 * and another may be made. Whoever calls starts `optIn` after the commit, or the sweep does.
 */
export async function ensureOptInRequest(trx: Trx, ask: OptInAsk): Promise<EnsuredOptIn> {
  await lockOptIns(trx, ask.contact.id);
  const waiting = await waitingRequest(trx, ask);
  if (waiting?.mayReach) return { requestId: waiting.id, isNew: false };
  const refusal = await refusalOf(trx, ask);
  if (!refusal) return { requestId: (await makeRequest(trx, ask)).id, isNew: true };
  const isLimit = refusal.reason === 'limit_reached' || refusal.reason === 'too_soon';
  if (waiting && isLimit) return { requestId: waiting.id, isNew: false };
  return { refused: refusal.reason, ...(refusal.possibleAt && { possibleAt: refusal.possibleAt }) };
}

/** The request that waits longest from now on, those first whose message may still reach the contact. */
async function waitingRequest(trx: Trx, { organizationId, contact, userId, line, at }: OptInAsk) {
  const { rows } = await sql<{ id: string; mayReach: boolean }>`
    select r.id, m.status not in ('cancelled', 'failed', 'undelivered') as "mayReach"
    from opt_in_requests r join messages m on m.id = r.message_id
    where r.organization_id = ${organizationId} and r.contact_id = ${contact.id}
      and r.user_id = ${userId} and r.line = ${line} and r.contact_number = ${contact.mobile}
      and r.state = 'waiting' and r.expires_at > ${at}
    order by "mayReach" desc, r.expires_at desc limit 1`.execute(trx);
  return rows[0];
}

async function refusalOf(trx: Trx, ask: OptInAsk): Promise<OptInRefusal | null> {
  const { organizationId, contact, line, at } = ask;
  if (await isOptedOut(trx, contact.mobile, line)) return { reason: 'opted_out' };
  // Read under the lock: it may have been granted since whoever asks read it.
  const optedIn = await trx
    .selectFrom('contacts')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('id', '=', contact.id)
    .where('consent_transactional', '=', true)
    .executeTakeFirst();
  if (optedIn) return { reason: 'already_opted_in' };
  const before = await requestsBefore(trx, ask);
  return refusalOfRequest(
    before.map((one) => one.requestedAt),
    at,
  );
}

/** The requests of the user so far, and when each left or, where it has not, may leave at the earliest. */
async function requestsBefore(trx: Trx, { organizationId, contact, userId, at }: OptInAsk) {
  const { rows } = await sql<{ requestedAt: Date; leftAt: Date }>`
    select r.requested_at as "requestedAt", case when m.status in ('scheduled', 'queued') then greatest(o.due_at, ${at})
      else coalesce(m.claimed_at, r.requested_at) end as "leftAt"
    from opt_in_requests r join messages m on m.id = r.message_id left join outbox o on o.message_id = m.id
    where r.organization_id = ${organizationId} and r.contact_id = ${contact.id} and r.user_id = ${userId}`.execute(
    trx,
  );
  return rows;
}

/** Writes the request and its message, which waits for the window like any other. */
async function makeRequest(trx: Trx, ask: OptInAsk): Promise<OptInRequestRow> {
  const { organizationId, contact, userId, line, at } = ask;
  const { settings, say } = await wordsOf(trx, organizationId, userId);
  const where = await trx
    .selectFrom('contacts')
    .select(['postal_code as postalCode', 'time_zone as timeZone'])
    .where('organization_id', '=', organizationId)
    .where('id', '=', contact.id)
    .executeTakeFirst();
  const recipient = { mobile: contact.mobile, postalCode: null, timeZone: null, ...where };
  // Those made while the window is closed would otherwise all arrive at its opening.
  const sendAt = notBefore(
    (await requestsBefore(trx, ask)).map((one) => one.leftAt),
    at,
  );
  const messageId = await insertMessage(trx, {
    ...fixedParts(ask, say(settings.optInRequest)),
    sendAt,
    direct: false,
    due: dueOf({ settings, recipient, direct: false, from: sendAt ?? at, now: at }),
  });
  return trx
    .insertInto('opt_in_requests')
    .values({
      id: newId('optInRequest', at),
      organization_id: organizationId,
      user_id: userId,
      contact_id: contact.id,
      contact_number: contact.mobile,
      line,
      message_id: messageId,
      state: 'waiting',
      requested_at: at,
      expires_at: expiryOf(at),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

const fixedParts = ({ organizationId, contact, userId, line, at }: OptInAsk, body: string) => ({
  organizationId,
  source: 'opt_in' as const,
  purpose: 'transactional' as const,
  line,
  contact,
  userId,
  body,
  segments: countSegments(body).segments,
  at,
});

/** The organization's settings, and how it says one of them in the words of a user. */
async function wordsOf(trx: Trx, organizationId: string, userId: string) {
  const row = await trx
    .selectFrom('organizations')
    .innerJoin('users', 'users.organization_id', 'organizations.id')
    .select(['organizations.settings', 'organizations.name', 'users.name as user'])
    .where('organizations.id', '=', organizationId)
    .where('users.id', '=', userId)
    .executeTakeFirstOrThrow();
  return {
    settings: withDefaults(row.settings),
    say: (text: string) => inWordsOf(text, row.name, row.user),
  };
}

/** What a contact wrote on one of our lines, when it may answer a request. */
export interface OptInAnswer {
  organizationId: string;
  contactId: string;
  contactNumber: string;
  line: string;
  /** The answer itself. */
  messageId: string;
  answer: 'yes' | 'stop';
  at: Date;
}

/** Messages that changed, for whoever tells the event streams at the end of the transaction. */
export type ChangedMessages = { id: string; contactId: string | null; status: string }[];

/**
 * Takes a YES or a STOP as the answer to the requests that wait for one; without any it changes nothing. A YES counts on
 * the line that asked, once the request has left, and as long as the number is still the contact's: then it is consent,
 * and one confirmation goes out. A STOP refuses as far as it reaches. What is held for the answer is settled afterwards by
 * `optIn`; what a STOP refuses is cancelled here and now.
 */
export function answerOptIn(trx: Trx, given: OptInAnswer): Promise<ChangedMessages> {
  return given.answer === 'yes' ? accept(trx, given) : decline(trx, given);
}

async function accept(trx: Trx, given: OptInAnswer): Promise<ChangedMessages> {
  const { organizationId, contactNumber, line, at } = given;
  const { rows } = await sql<OptInRequestRow & { wording: string }>`
    update opt_in_requests r set state = 'accepted', ended_at = ${at}
    from messages m, contacts c
    where r.organization_id = ${organizationId} and r.contact_number = ${contactNumber} and r.line = ${line}
      and r.state = 'waiting' and r.expires_at > ${at}
      and m.id = r.message_id and m.status in ('sending', 'in_doubt', 'accepted', 'sent', 'delivered')
      and c.id = r.contact_id and c.mobile = r.contact_number
    returning r.*, m.body as wording`.execute(trx);
  const requests = rows.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const [newest] = requests;
  if (!newest) return [];
  for (const request of new Map(requests.map((one) => [one.contact_id, one])).values()) {
    await recordConsent(trx, organizationId, request.contact_id, proofOf(request, given), at);
  }
  return [await confirm(trx, newest, at)];
}

/** The words that were agreed to are kept with the proof: bodies of messages may be deleted earlier. */
const proofOf = (request: OptInRequestRow & { wording: string }, { contactId, line, messageId }: OptInAnswer) => ({
  purpose: 'transactional' as const,
  granted: true,
  method: 'opt_in_reply',
  evidence: `${messageId} answers ${request.message_id}, worded (sha256 ${sha256(request.wording)}): ${request.wording}`,
  actor: `contact:${contactId}`,
  source: line,
});

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

async function confirm(trx: Trx, request: OptInRequestRow, at: Date): Promise<ChangedMessages[number]> {
  const { organization_id: organizationId, user_id: userId, contact_id: contactId, contact_number: mobile } = request;
  const { settings, say } = await wordsOf(trx, organizationId, userId);
  const recipient = { mobile, postalCode: null, timeZone: null };
  const ask = { organizationId, contact: { id: contactId, mobile }, userId, line: request.line, at };
  const id = await insertMessage(trx, {
    ...fixedParts(ask, say(settings.optInConfirmation)),
    sendAt: null,
    direct: true,
    due: dueOf({ settings, recipient, direct: true, from: at, now: at }),
  });
  return { id, contactId, status: 'queued' };
}

async function decline(trx: Trx, { organizationId, contactNumber, line, at }: OptInAnswer): Promise<ChangedMessages> {
  const { rows } = await sql<ChangedMessages[number]>`
    with declined as (
      update opt_in_requests r set state = 'declined', ended_at = ${at}
      from organizations o
      where o.id = r.organization_id and r.organization_id = ${organizationId}
        and r.contact_number = ${contactNumber} and r.state = 'waiting'
        and (r.line = ${line} or coalesce(o.settings ->> 'optOutScope', 'platform') <> 'number')
      returning r.line)
    update messages set status = 'cancelled', cancel_reason = 'opt_in_declined', finished_at = ${at}
    where organization_id = ${organizationId} and contact_number = ${contactNumber} and status = 'held'
      and line in (select line from declined)
    returning id, contact_id as "contactId", status`.execute(trx);
  return rows;
}

/** Newest first; of one contact, or of the whole organization. */
export async function listOptInRequests(
  trx: Trx,
  organizationId: string,
  { contactId, limit, after }: { contactId?: string | undefined; limit: number; after?: string | undefined },
): Promise<OptInRequestRow[]> {
  return trx
    .selectFrom('opt_in_requests')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .$if(contactId !== undefined, (query) => query.where('contact_id', '=', contactId!))
    .$if(after !== undefined, (query) => query.where('id', '<', after!))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
