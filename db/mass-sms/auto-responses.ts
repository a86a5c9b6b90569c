/** The answer that a mass SMS has ready for the first reply of each recipient (F3). */
import { sql } from 'kysely';
import { dueOf } from '../../domain/messages/due.ts';
import { merge } from '../../domain/messages/merge-codes.ts';
import { longestBody } from '../../domain/messages/text.ts';
import type { Purpose } from '../../domain/purpose.ts';
import { mayRevoke } from '../../domain/consent/revocation.ts';
import { countSegments } from '../../domain/messages/segments.ts';
import type { Trx } from '../database.ts';
import type { InboundMessage, ReceivedMessage } from '../conversations/inbound.ts';
import { userOf } from './mass-sms.ts';
import { insertMessage, isOptedOut } from '../messages/messages.ts';

/** Who writes later than this after a mass SMS does not answer it. */
const answersWithinMs = 14 * 86_400_000;

export interface AutoResponse {
  id: string;
  contactId: string;
  status: 'queued';
}

interface Ready {
  massSmsId: string;
  createdBy: string;
  body: string | null;
  purpose: Purpose;
  contactId: string;
  firstName: string | null;
  lastName: string | null;
  postalCode: string | null;
  timeZone: string | null;
}

/**
 * Queues the answer to a first reply, in the name of whoever created the mass SMS and from the line that was written to.
 * Whoever calls holds the lock on the number, so that of two replies at once one is the first. Another program that
 * answers by itself gets one answer too: the row is the bound.
 *
 * @param message no keyword
 * @returns undefined when there is nothing to answer: also where the message may mean "stop texting me"
 */
export async function respondToFirst(
  trx: Trx,
  message: InboundMessage,
  { messageId, organization: { settings } }: Pick<ReceivedMessage, 'messageId' | 'organization'>,
): Promise<AutoResponse | undefined> {
  const { organizationId, from, to, at } = message;
  if (mayRevoke(message.body) || (await isOptedOut(trx, from, to))) return undefined;
  const ready = await answerReady(trx, message);
  if (!ready || ready.body === null) return undefined;
  const { massSmsId, contactId, firstName, lastName, postalCode, timeZone, purpose } = ready;
  const body = merge(ready.body, { 'contact.firstName': firstName ?? '', 'contact.lastName': lastName ?? '' });
  if (body.length > longestBody) return undefined;
  const recipient = { mobile: from, postalCode, timeZone };
  const id = await insertMessage(trx, {
    organizationId,
    source: 'auto_respond',
    purpose,
    line: to,
    contact: { id: contactId, mobile: from },
    userId: userOf({ created_by: ready.createdBy }) ?? null,
    body,
    segments: countSegments(body).segments,
    direct: true,
    sendAt: null,
    due: dueOf({ settings, recipient, direct: true, from: at, now: at }),
    at,
  });
  const row = { mass_sms_id: massSmsId, contact_number: from, reply_id: messageId, message_id: id, at };
  await trx
    .insertInto('auto_responses')
    .values({ organization_id: organizationId, ...row })
    .execute();
  return { id, contactId, status: 'queued' };
}

/**
 * The answer of the mass SMS that was last sent to this number from this line, unless it was given already. None where the
 * organization cannot send, the contact is gone, or a promotional answer has no consent.
 */
async function answerReady(trx: Trx, { organizationId, from, to, at }: InboundMessage): Promise<Ready | undefined> {
  const { rows } = await sql<Ready>`
    with last as (
      select mass_sms_id, contact_id from messages
      where organization_id = ${organizationId} and contact_number = ${from} and line = ${to}
        and mass_sms_id is not null and status in ('accepted', 'sent', 'delivered')
        and accepted_at > ${new Date(at.getTime() - answersWithinMs)}
      order by accepted_at desc limit 1)
    select s.id as "massSmsId", s.created_by as "createdBy", s.auto_respond_body as body,
      s.auto_respond_purpose as purpose, c.id as "contactId", c.first_name as "firstName", c.last_name as "lastName",
      c.postal_code as "postalCode", c.time_zone as "timeZone"
    from last
    join mass_sms s on s.id = last.mass_sms_id
    join contacts c on c.id = last.contact_id and c.mobile = ${from}
    join organizations g on g.id = s.organization_id
    where g.module_on and (s.auto_respond_purpose = 'transactional' or c.consent_promotional)
      and not exists (select from auto_responses r where r.mass_sms_id = s.id and r.contact_number = ${from})`.execute(
    trx,
  );
  return rows[0];
}
