/** Opt-in requests (C2): asked, within the limits. Answers are in answers.ts, what waited for them in settling.ts. */
import { sql } from 'kysely';
import { dueOf } from '../../domain/messages/due.ts';
import { inWordsOf } from '../../domain/messages/text.ts';
import { expiryOf, notBefore, refusalOfRequest, type RequestRefusal } from '../../domain/consent/requests.ts';
import { countSegments } from '../../domain/messages/segments.ts';
import { withDefaults } from '../../domain/settings.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { insertMessage, isOptedOut, lineOfUser } from '../messages/messages.ts';
import type { OptInRequestRow } from '../schema.ts';

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

/**
 * Held to the end of the transaction by whoever holds a message for an answer, any number at a time; an import of contacts
 * holds it alone. So an import that records consent sees what is being held, or whoever holds sees the consent: locks of
 * its thousands of contacts, one by one, would be too many.
 */
const keepImportsOut = (trx: Trx, organizationId: string) =>
  sql`select pg_advisory_xact_lock_shared(hashtextextended(${`contact-import:${organizationId}`}, 0))`.execute(trx);

/**
 * Asks a contact on behalf of a user, unless a rule forbids it: what is true of the contact first, and what the user can
 * mend last. @returns undefined when there is no such contact
 */
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
  const ask = { organizationId, contact: { id: contactId, mobile }, userId, line: line?.phoneNumber ?? '', at };
  const refusal = await refusalOf(trx, ask);
  if (refusal) return { refusal };
  return line?.registered ? { request: await makeRequest(trx, ask) } : { refusal: { reason: 'no_line' } };
}

export type EnsuredOptIn =
  { requestId: string; isNew: boolean } | { refused: OptInRefusal['reason']; possibleAt?: Date };

/**
 * Sees to it that the contact is asked before an automated message, which then waits as `held`, in the same transaction
 * (D6). A request of this user that waits serves again, unless its message has no hope of reaching the contact any more
 * and another may be made. Whoever calls starts `optIn` after the commit, or the sweep does.
 *
 * @returns `already_opted_in` also where the consent was recorded since the caller read the contact: nothing is to wait
 */
export async function ensureOptInRequest(trx: Trx, ask: OptInAsk): Promise<EnsuredOptIn> {
  await lockOptIns(trx, ask.contact.id);
  await keepImportsOut(trx, ask.organizationId);
  if (await hasOptedIn(trx, ask)) return { refused: 'already_opted_in' };
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
  const { contact, line, at } = ask;
  if (await isOptedOut(trx, contact.mobile, line)) return { reason: 'opted_out' };
  if (await hasOptedIn(trx, ask)) return { reason: 'already_opted_in' };
  const before = await requestsBefore(trx, ask);
  return refusalOfRequest(
    before.map((one) => one.requestedAt),
    at,
  );
}

/** Read under the lock: it may have been granted since whoever asks read it. */
async function hasOptedIn(trx: Trx, { organizationId, contact }: OptInAsk): Promise<boolean> {
  const row = await trx
    .selectFrom('contacts')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('id', '=', contact.id)
    .where('consent_transactional', '=', true)
    .executeTakeFirst();
  return Boolean(row);
}

/**
 * The requests of the user so far, and when each left or, where it has not, may leave at the earliest; but for those whose
 * message was cancelled before it left, of which the contact knows nothing.
 */
async function requestsBefore(trx: Trx, { organizationId, contact, userId, at }: OptInAsk) {
  const { rows } = await sql<{ requestedAt: Date; leftAt: Date }>`
    select r.requested_at as "requestedAt", case when m.status in ('scheduled', 'queued') then greatest(o.due_at, ${at})
      else coalesce(m.claimed_at, r.requested_at) end as "leftAt"
    from opt_in_requests r join messages m on m.id = r.message_id left join outbox o on o.message_id = m.id
    where r.organization_id = ${organizationId} and r.contact_id = ${contact.id} and r.user_id = ${userId}
      and not (m.status = 'cancelled' and m.claimed_at is null)`.execute(trx);
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
  const due = dueOf({ settings, recipient, direct: false, from: sendAt ?? at, now: at });
  const parts = fixedParts(ask, say(settings.optInRequest));
  const messageId = await insertMessage(trx, { ...parts, sendAt, direct: false, due });
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
      expires_at: expiryOf(due.at),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/**
 * Requests leave now: the days in which they may be answered begin. One that somebody ends, or settles, at this moment is
 * passed over: whoever does holds it before its message, which the caller has locked.
 */
export async function beginAnswerTime(
  trx: Trx,
  organizationId: string,
  { messageIds, now }: { messageIds: readonly string[]; now: Date },
): Promise<void> {
  if (messageIds.length === 0) return;
  await sql`
    update opt_in_requests set expires_at = ${expiryOf(now)}
    where id in (
      select r.id from messages m join opt_in_requests r on r.organization_id = m.organization_id
        and r.contact_id = m.contact_id and r.message_id = m.id
      where m.id = any(${[...messageIds]}::text[]) and r.organization_id = ${organizationId} and r.state = 'waiting'
      for update of r skip locked)`.execute(trx);
}

/** What all messages about an opt-in have in common. */
export const fixedParts = ({ organizationId, contact, userId, line, at }: OptInAsk, body: string) => ({
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
export async function wordsOf(trx: Trx, organizationId: string, userId: string) {
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

/** Messages that changed, for whoever tells the event streams at the end of the transaction. */
export type ChangedMessages = { id: string; contactId: string | null; status: string }[];

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
