/** A message from a contact: kept, obeyed, passed on and told of, all in one transaction. */
import type { FastifyBaseLogger } from 'fastify';
import { respondToFirst } from '../../db/mass-sms/auto-responses.ts';
import { queueEmail } from '../../db/notifications/emails.ts';
import { countForwarded, forwardBySms } from '../../db/conversations/forwarding.ts';
import type { Trx } from '../../db/database.ts';
import { type InboundMessage, type ReceivedMessage, recordInbound } from '../../db/conversations/inbound.ts';
import { type NewEvent, tellStreams } from '../../db/conversations/live-events.ts';
import { messageEvents } from '../../db/messages/messages.ts';
import { type EmailScope, notify, usersOfLine } from '../../db/notifications/notifications.ts';
import { forwardingOf, isForwarded, mostForwarded } from '../../domain/messages/forwarded-text.ts';
import { isAnsweredByTwilio, optOutConfirmation } from '../../domain/consent/keywords.ts';
import { inWordsOf } from '../../domain/messages/text.ts';
import {
  forwardedReply,
  manyReceived,
  messageReceived,
  messagesReceived,
  tooManyForwarded,
} from '../../email/replies.ts';
import { wakeOutbox } from '../../workflows/outbox/start.ts';
import type { Deps } from '../deps.ts';
import { tellTemporal } from '../temporal/tell.ts';

/** Of the message, in a notification. */
const shownCharacters = 300;

const nobodyReadsThis = 'Replies to forwarded messages do not reach anybody: please answer in the conversation itself.';

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const twiml = (text: string | null): string =>
  `<?xml version="1.0" encoding="UTF-8"?>` +
  (text === null ? '<Response/>' : `<Response><Message>${escaped(text)}</Message></Response>`);

interface About {
  organization: string;
  contact: string;
  link: string;
  list: string;
  body: string;
  mediaUrls: readonly string[];
}

/** What emails and notifications say of a message. */
const aboutOf = (publicUrl: string, message: InboundMessage, received: ReceivedMessage): About => ({
  organization: received.organization.name,
  contact: received.contact.name ?? message.from,
  link: `${publicUrl}/conversations/${received.conversationId}`,
  list: `${publicUrl}/conversations`,
  body: message.body,
  mediaUrls: message.mediaUrls,
});

/**
 * Passes a reply on to where the organization wants it (D4), unless it was passed on before: two lines that pass on to each
 * other would never stop.
 *
 * @returns whether the outbox has to be woken
 */
async function passOn(trx: Trx, message: InboundMessage, received: ReceivedMessage, about: About): Promise<boolean> {
  const { organizationId, at } = message;
  const { email: recipient, phone } = received.organization.settings.replyForwarding;
  if ((recipient === null && phone === null) || isForwarded(message.body)) return false;
  const count = await countForwarded(trx, organizationId, at);
  const what = forwardingOf(count, mostForwarded.email);
  if (recipient !== null && what !== 'nothing') {
    const most = mostForwarded.email;
    const { subject, text: body } = what === 'reply' ? forwardedReply(about) : tooManyForwarded({ ...about, most });
    await queueEmail(trx, { organizationId, key: `forward/${received.messageId}`, recipient, subject, body, at });
  }
  return forwardBySms(trx, message, received, count);
}

const emailOf: Record<EmailScope, (about: About) => { subject: string; text: string }> = {
  message: messageReceived,
  conversation: messagesReceived,
  everything: manyReceived,
};

/** Notifies whoever texts from the line (G3). */
async function notifyUsers(
  trx: Trx,
  { organizationId, to, at }: InboundMessage,
  { conversationId }: ReceivedMessage,
  about: About,
): Promise<void> {
  const { contact, body, mediaUrls } = about;
  await notify(trx, await usersOfLine(trx, organizationId, to), {
    organizationId,
    kind: 'message.received',
    title: `New message from ${contact}`,
    body: body === '' && mediaUrls.length > 0 ? 'It is an attachment.' : body.slice(0, shownCharacters).toWellFormed(),
    subject: conversationId,
    at,
    email: (scope) => emailOf[scope](about),
  });
}

/** What the contact is answered at once: to words that Twilio knows it has answered itself. */
function answerTo(
  { body, keyword }: InboundMessage,
  { organization: { name, settings }, isNewOptOut }: ReceivedMessage,
): string | null {
  if (isAnsweredByTwilio(body)) return null;
  if (isNewOptOut) return optOutConfirmation(name, body);
  return keyword === 'help' ? inWordsOf(settings.helpReply, name, null) : null;
}

/** What is to be done after the commit. */
interface Outcome {
  answer: string | null;
  isToWake: boolean;
}

async function take(trx: Trx, publicUrl: string, message: InboundMessage): Promise<Outcome> {
  const { organizationId, keyword, at } = message;
  const received = await recordInbound(trx, message);
  if (received.kind === 'repeated') return { answer: null, isToWake: false };
  if (received.kind === 'from_forwarding_cell') {
    return { answer: received.isToBeTold ? nobodyReadsThis : null, isToWake: false };
  }
  const { messageId, conversationId, contact, changed } = received;
  const about = aboutOf(publicUrl, message, received);
  const isPassedOn = keyword === null && (await passOn(trx, message, received, about));
  const response = keyword === null ? await respondToFirst(trx, message, received) : undefined;
  await notifyUsers(trx, message, received, about);
  const news: NewEvent = { type: 'message.received', data: { messageId, conversationId, contactId: contact.id } };
  const queued = messageEvents(response ? [...changed, response] : changed);
  await tellStreams(trx, organizationId, [news, ...queued], at);
  return { answer: answerTo(message, received), isToWake: isPassedOn || response !== undefined };
}

/**
 * Takes a message of a contact.
 *
 * @param isAnswered Twilio has answered its keyword, by rules of the customer's
 * @returns the TwiML to answer with
 */
export async function receiveMessage(
  deps: Deps,
  log: FastifyBaseLogger,
  message: InboundMessage,
  { isAnswered }: { isAnswered: boolean },
): Promise<string> {
  const { organizationId } = message;
  const { answer, isToWake } = await deps.database.inOrganization(organizationId, (trx) =>
    take(trx, deps.publicUrl, message),
  );
  if (isToWake) {
    await tellTemporal(deps, log, {
      what: 'waking the outbox',
      about: { organizationId },
      tell: (workflow) => wakeOutbox(workflow, { organizationId }),
    });
  }
  return twiml(isAnswered ? null : answer);
}
