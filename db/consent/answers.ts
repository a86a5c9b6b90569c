/** Answers to opt-in requests (C2): what counts as a YES, what proves it, and what a STOP refuses. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { dueOf } from '../../domain/messages/due.ts';
import { recordConsent } from './consent.ts';
import type { Trx } from '../database.ts';
import { insertMessage } from '../messages/messages.ts';
import { type ChangedMessages, fixedParts, wordsOf } from './opt-ins.ts';
import type { OptInRequestRow } from '../schema.ts';

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

/**
 * Takes a YES or a STOP as the answer to the requests that wait for one; without any it changes nothing. A YES counts on
 * the line that asked, once the request has left, and as long as the number is still the contact's: then it is consent,
 * and one confirmation goes out. So it does where the consent was recorded in another way meanwhile: the contact's own
 * word is the better proof. Once that consent is withdrawn too, nobody waits for an answer, and a YES is about something
 * else. A STOP refuses as far as it reaches. What is held for the answer is settled afterwards by
 * `optIn`; what a STOP refuses is cancelled here and now.
 */
export function answerOptIn(trx: Trx, given: OptInAnswer): Promise<ChangedMessages> {
  return given.answer === 'yes' ? accept(trx, given) : decline(trx, given);
}

/** The consent that ended a request `r` has been withdrawn since. */
const isWithdrawn = sql<boolean>`exists (
  select from consent_ledger l where l.organization_id = r.organization_id and l.contact_id = r.contact_id
    and l.purpose = 'transactional' and not l.granted and l.at >= r.ended_at)`;

async function accept(trx: Trx, given: OptInAnswer): Promise<ChangedMessages> {
  const { organizationId, contactNumber, line, at } = given;
  const { rows } = await sql<OptInRequestRow & { wording: string }>`
    update opt_in_requests r set state = 'accepted', ended_at = ${at}, settled_at = null
    from messages m, contacts c
    where r.organization_id = ${organizationId} and r.contact_number = ${contactNumber} and r.line = ${line}
      and (r.state = 'waiting' or (r.state = 'cancelled' and not ${isWithdrawn})) and r.expires_at > ${at}
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
