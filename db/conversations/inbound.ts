/** What contacts send us: kept once, put into its thread, attributed to a contact, and obeyed when it is STOP or START. */
import type { Keyword } from '../../domain/consent/keywords.ts';
import { answerIn } from '../../domain/consent/answers.ts';
import { mayRevoke } from '../../domain/consent/revocation.ts';
import { countSegments } from '../../domain/messages/segments.ts';
import { type Settings, withDefaults } from '../../domain/settings.ts';
import { addToThread, flagRevocation, lockNumber } from './conversations.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { isOptedOut } from '../messages/messages.ts';
import { answerOptIn } from '../consent/answers.ts';
import type { ChangedMessages } from '../consent/opt-ins.ts';
import { optBackIn, optOut, type Withdrawal } from '../consent/opt-outs.ts';

export interface InboundMessage {
  organizationId: string;
  sid: string;
  /** The contact's number. */
  from: string;
  /** Our number. */
  to: string;
  body: string;
  /** As Twilio counted them; counted here where it did not. */
  segments?: number | null;
  mediaUrls: string[];
  /** What it asks for, by Twilio's word or its own. */
  keyword: Keyword | null;
  at: Date;
}

/** A message of a contact, as it was kept. */
export interface ReceivedMessage {
  kind: 'received';
  messageId: string;
  conversationId: string;
  contact: { id: string; name: string | null };
  organization: { name: string; settings: Settings };
  /** Messages to the contact that it released or ended. */
  changed: ChangedMessages;
  /** It is a STOP of a number that was not blocked before. */
  isNewOptOut: boolean;
}

export type Inbound =
  | { kind: 'repeated' }
  /** Written back from the cell that replies are forwarded to; once a day, somebody should say that nobody reads it. */
  | { kind: 'from_forwarding_cell'; isToBeTold: boolean }
  | ReceivedMessage;

const dayMs = 86_400_000;

/** Records an inbound message and obeys its keyword; a repeated delivery does nothing. Whoever calls tells the streams. */
export async function recordInbound(trx: Trx, message: InboundMessage): Promise<Inbound> {
  const { organizationId, from, at } = message;
  await lockNumber(trx, organizationId, from);
  const messageId = newId('message', at);
  const receipt = await trx
    .insertInto('inbound_receipts')
    .values({ message_sid: message.sid, organization_id: organizationId, message_id: messageId, at })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (receipt.numInsertedOrUpdatedRows === 0n) return { kind: 'repeated' };

  const { name, settings: overrides } = await trx
    .selectFrom('organizations')
    .select(['name', 'settings'])
    .where('id', '=', organizationId)
    .executeTakeFirstOrThrow();
  const settings = withDefaults(overrides);
  if (from === settings.replyForwarding.phone) return fromForwardingCell(trx, message);
  const contact = await contactOf(trx, message);
  const conversationId = await keep(trx, message, { messageId, contactId: contact.id });
  const obeyed = await obey(trx, message, { messageId, contactId: contact.id, conversationId });
  const organization = { name, settings };
  return { kind: 'received', messageId, conversationId, contact, organization, ...obeyed };
}

/** Writes the message and puts it into its thread. @returns the id of the thread */
async function keep(
  trx: Trx,
  message: InboundMessage,
  { messageId, contactId }: { messageId: string; contactId: string },
): Promise<string> {
  const { organizationId, from, to, mediaUrls, at } = message;
  await trx
    .insertInto('messages')
    .values({
      id: messageId,
      organization_id: organizationId,
      direction: 'inbound',
      source: 'contact',
      purpose: 'transactional',
      status: 'received',
      line: to,
      contact_number: from,
      contact_id: contactId,
      body: message.body,
      media_urls: mediaUrls.length > 0 ? mediaUrls : null,
      segments: message.segments ?? countSegments(message.body).segments,
      twilio_sid: message.sid,
      created_at: at,
      finished_at: at,
    })
    .execute();
  const entry = { organizationId, line: to, contactNumber: from, contactId, messageId };
  return addToThread(trx, { ...entry, direction: 'inbound', at });
}

/** Does what the message asks for; what may be a wish to be left alone is flagged, for a user to say whether it is. */
async function obey(
  trx: Trx,
  message: InboundMessage,
  { messageId, contactId, conversationId }: { messageId: string; contactId: string; conversationId: string },
): Promise<Pick<ReceivedMessage, 'changed' | 'isNewOptOut'>> {
  const { organizationId, from, to, body, keyword, at } = message;
  const answer = answerIn(body, keyword);
  const said = { contactId, contactNumber: from, line: to, messageId };
  const changed = answer ? await answerOptIn(trx, { organizationId, ...said, answer, at }) : [];
  if (keyword === 'stop') {
    const { isNew, cancelled } = await optOut(trx, wishOf(message, contactId));
    return { changed: [...changed, ...cancelled], isNewOptOut: isNew };
  }
  if (keyword === 'start') await optBackIn(trx, wishOf(message, contactId));
  if (keyword === null && mayRevoke(body) && !(await isOptedOut(trx, from, to))) {
    await flagRevocation(trx, conversationId, messageId);
  }
  return { changed, isNewOptOut: false };
}

const wishOf = ({ organizationId, from, to, sid, at }: InboundMessage, contactId: string | null): Withdrawal => ({
  organizationId,
  contactId,
  number: from,
  line: to,
  method: 'reply',
  evidence: sid,
  actor: contactId === null ? 'forwarding_cell' : `contact:${contactId}`,
  at,
});

/** The contact with this number, if there is any; of several the one who was written to from this line, or the oldest. */
async function knownContact(trx: Trx, { organizationId, from, to }: InboundMessage) {
  const row = await trx
    .selectFrom('contacts as c')
    .leftJoin('conversations as t', (on) =>
      on
        .onRef('t.contact_id', '=', 'c.id')
        .on('t.organization_id', '=', organizationId)
        .on('t.line', '=', to)
        .on('t.contact_number', '=', from),
    )
    .select(['c.id', 'c.first_name', 'c.last_name'])
    .where('c.organization_id', '=', organizationId)
    .where('c.mobile', '=', from)
    .orderBy('t.id', (order) => order.asc().nullsLast())
    .orderBy('c.id')
    .limit(1)
    .executeTakeFirst();
  return row && { id: row.id, name: [row.first_name, row.last_name].filter(Boolean).join(' ') || null };
}

/** What can be written to: E.164, and no short code or word such as some businesses send from. */
const callable = /^\+[1-9]\d{6,14}$/;

/** Whose message it is; an unknown sender becomes a contact, one however many of its messages come at once. */
async function contactOf(trx: Trx, message: InboundMessage): Promise<ReceivedMessage['contact']> {
  const { organizationId, from, at } = message;
  const known = await knownContact(trx, message);
  if (known) return known;
  const id = newId('contact', at);
  await trx
    .insertInto('contacts')
    .values({
      id,
      organization_id: organizationId,
      mobile: from,
      phone_status: callable.test(from) ? 'valid' : 'invalid',
      created_at: at,
      updated_at: at,
    })
    .execute();
  return { id, name: null };
}

/** Not a contact's message, and kept nowhere; but whoever writes STOP is obeyed. */
async function fromForwardingCell(trx: Trx, message: InboundMessage): Promise<Inbound> {
  const { organizationId, keyword, at } = message;
  if (keyword === 'stop' || keyword === 'start') {
    const wish = wishOf(message, (await knownContact(trx, message))?.id ?? null);
    await (keyword === 'stop' ? optOut(trx, wish) : optBackIn(trx, wish));
    return { kind: 'from_forwarding_cell', isToBeTold: false };
  }
  if (await isOptedOut(trx, message.from, message.to)) return { kind: 'from_forwarding_cell', isToBeTold: false };
  const told = await trx
    .updateTable('organizations')
    .set({ forwarding_notice_at: at })
    .where('id', '=', organizationId)
    .where((is) =>
      is.or([is('forwarding_notice_at', 'is', null), is('forwarding_notice_at', '<=', new Date(at.getTime() - dayMs))]),
    )
    .executeTakeFirst();
  return { kind: 'from_forwarding_cell', isToBeTold: told.numUpdatedRows > 0n };
}
