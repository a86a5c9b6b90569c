/** Replies passed on to a cell of the organization's own, and how many were (D4). */
import { sql } from 'kysely';
import { dueOf } from '../../domain/messages/due.ts';
import { forwardedText, forwardingOf, mostForwarded, tooManyForwarded } from '../../domain/messages/forwarded-text.ts';
import { countSegments } from '../../domain/messages/segments.ts';
import type { Trx } from '../database.ts';
import type { InboundMessage, ReceivedMessage } from './inbound.ts';
import { insertMessage, isOptedOut } from '../messages/messages.ts';

const hourMs = 3_600_000;

/** Counts a reply that is to be passed on. @returns how many there were in this hour of the clock, this one included */
export async function countForwarded(trx: Trx, organizationId: string, at: Date): Promise<number> {
  const hour = new Date(Math.floor(at.getTime() / hourMs) * hourMs);
  const { rows } = await sql<{ forwarded: number }>`
    update organizations set
      forwarded = case when forwarded_since >= ${hour} then forwarded + 1 else 1 end,
      forwarded_since = greatest(forwarded_since, ${hour})
    where id = ${organizationId} returning forwarded`.execute(trx);
  return rows[0]!.forwarded;
}

/**
 * Queues the text for the cell, from the line that was written to.
 *
 * @param count how many replies were passed on in this hour, this one included
 * @returns whether the outbox has to be woken
 */
export async function forwardBySms(
  trx: Trx,
  { organizationId, from, to, body, mediaUrls, at }: InboundMessage,
  { contact, organization: { settings } }: ReceivedMessage,
  count: number,
): Promise<boolean> {
  const { phone } = settings.replyForwarding;
  const what = forwardingOf(count, mostForwarded.sms);
  if (phone === null || what === 'nothing' || (await isOptedOut(trx, phone, to))) return false;
  const reply = { from: contact.name ?? from, body, attachments: mediaUrls.length };
  const text = what === 'reply' ? forwardedText(reply) : tooManyForwarded;
  const recipient = { mobile: phone, postalCode: null, timeZone: null };
  await insertMessage(trx, {
    organizationId,
    source: 'forward',
    purpose: 'transactional',
    line: to,
    contact: { id: null, mobile: phone },
    userId: null,
    body: text,
    segments: countSegments(text).segments,
    // It is the organization's own cell: no window holds it.
    direct: true,
    sendAt: null,
    due: dueOf({ settings, recipient, direct: true, from: at, now: at }),
    at,
  });
  return true;
}
