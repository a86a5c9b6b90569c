/** `POST …/Messages.json`: what Twilio refuses, and what it accepts. */
import { TwilioError } from '../http/errors.ts';
import type { Call } from '../http/operations.ts';
import { newSid } from '../http/wire.ts';
import type { MessagingService } from '../messaging-services/service.ts';
import { isPossibleNumber, type PhoneNumber } from '../numbers/phone-number.ts';
import type { World } from '../world.ts';
import type { Message } from './message.ts';
import { segmentCount } from './segments.ts';

const MAX_BODY = 1_600;
const MAX_MEDIA = 10;
const MAX_CALLBACK_URL = 4_000;
const MAX_VALIDITY_SECONDS = 36_000;
const MIN_SCHEDULE_MS = 300_000;
const MAX_SCHEDULE_MS = 35 * 86_400_000;

const NO_REGION: [code: number, message: string] = [
  21408,
  "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
];

/** Recipients that always fail, as with Twilio's test credentials. */
const MAGIC_RECIPIENTS: Record<string, [code: number, message: string]> = {
  '+15005550001': [21211, "Invalid 'To' Phone Number: +15005550001"],
  '+15005550002': [
    21612,
    "The 'To' phone number: +15005550002, is not currently reachable using the 'From' phone number",
  ],
  '+15005550003': NO_REGION,
  '+15005550004': [21610, 'Attempt to send to unsubscribed recipient'],
  '+15005550009': [21614, "'To' number is not a valid mobile number: +15005550009"],
};

/** Country codes that messages cannot be sent to: Cuba, Iran, North Korea, Syria. */
const NO_PERMISSION = /^\+(53|98|850|963)/;

interface Form {
  To?: string;
  From?: string;
  MessagingServiceSid?: string;
  Body?: string;
  MediaUrl?: string[];
  ContentSid?: string;
  StatusCallback?: string;
  ValidityPeriod?: number;
  ScheduleType?: 'fixed';
  SendAt?: string;
  ShortenUrls?: boolean;
  SmartEncoded?: boolean;
}

const refuse = (code: number, message: string) => new TwilioError(400, code, message);

function checkContent({ Body, MediaUrl, ContentSid }: Form): void {
  if ((Body === undefined || Body === '') && MediaUrl === undefined && ContentSid === undefined) {
    if (Body === '') throw refuse(21602, 'Message body is required.');
    throw refuse(21619, 'A text message body or media urls must be specified.');
  }
  if (Body !== undefined && Body.length > MAX_BODY) {
    throw refuse(21617, `The concatenated message body exceeds the ${MAX_BODY} character limit`);
  }
  if (MediaUrl !== undefined && MediaUrl.length > MAX_MEDIA) {
    throw refuse(21623, `Number of media files exceeds allowed limit of ${MAX_MEDIA}`);
  }
}

function checkRecipient(To: string, From: string | undefined): void {
  const magic = MAGIC_RECIPIENTS[To];
  if (magic !== undefined) throw refuse(...magic);
  if (!isPossibleNumber(To)) throw refuse(21211, `Invalid 'To' Phone Number: ${To}`);
  if (NO_PERMISSION.test(To)) throw refuse(...NO_REGION);
  if (To === From) throw refuse(21266, "'To' and 'From' number cannot be the same");
}

function checkStatusCallback(url: string | undefined): void {
  if (url === undefined || url === '') return;
  const parsed = URL.parse(url);
  if (parsed === null || parsed.hostname.includes('_') || url.length > MAX_CALLBACK_URL) {
    throw refuse(21609, `The 'StatusCallback' URL ${url.slice(0, 100)} is not a valid URL.`);
  }
}

/** When a scheduled message leaves, epoch milliseconds; undefined for one that leaves now. */
function scheduledTime({ ScheduleType, SendAt, MessagingServiceSid }: Form, now: number): number | undefined {
  if (ScheduleType === undefined) {
    if (SendAt !== undefined) throw refuse(35114, 'ScheduleType is required to send at a time: fixed');
    return undefined;
  }
  if (SendAt === undefined) throw refuse(35111, 'SendAt is required to schedule a message');
  if (MessagingServiceSid === undefined) throw refuse(35118, 'MessagingServiceSid is required to schedule a message');
  const at = Date.parse(SendAt);
  if (at < now + MIN_SCHEDULE_MS) throw refuse(35114, 'SendAt should be at least 300 seconds ahead');
  if (at > now + MAX_SCHEDULE_MS) throw refuse(35114, 'SendAt should be at most 35 days ahead');
  return at;
}

/** The service and, where it is known already, the sender of a message. */
function senders(
  world: World,
  accountSid: string,
  form: Form,
): [MessagingService | undefined, PhoneNumber | undefined] {
  const { From, MessagingServiceSid } = form;
  let service: MessagingService | undefined;
  if (MessagingServiceSid !== undefined) {
    service = world.services.owned(accountSid, MessagingServiceSid);
    if (service === undefined) throw refuse(21701, `The Messaging Service ${MessagingServiceSid} does not exist`);
    if (service.pool.length === 0) {
      throw refuse(21703, 'The Messaging Service contains no phone numbers that can be used to send a message');
    }
  }
  if (From === undefined) {
    if (service === undefined) throw refuse(21603, "A 'From' phone number is required.");
    return [service, undefined];
  }
  if (!isPossibleNumber(From)) throw refuse(21212, `Invalid From Number (caller ID): ${From}`);
  const sender = world.phoneNumbers.owned(accountSid, From);
  if (sender === undefined || (service !== undefined && sender.serviceSid !== service.sid)) {
    throw refuse(21606, `The From phone number ${From} is not a valid, SMS-capable number for your account`);
  }
  return [service, sender];
}

/**
 * Accepts a message, or refuses it as Twilio does.
 *
 * @returns the message in its first status, its life begun
 * @throws {TwilioError} with the codes of Twilio's create errors
 */
export function createMessage(world: World, call: Call): Message {
  const form = call.form as Form;
  // The document requires it, so it is there.
  const { To = '' } = form;
  const { clock } = world;
  const [service, sender] = senders(world, call.account.sid, form);
  checkRecipient(To, form.From);
  checkContent(form);
  checkStatusCallback(form.StatusCallback);
  const now = clock.now();
  const sendAt = scheduledTime(form, now);
  const { ValidityPeriod } = form;
  if (ValidityPeriod !== undefined && (ValidityPeriod < 1 || ValidityPeriod > MAX_VALIDITY_SECONDS)) {
    throw refuse(21624, `ValidityPeriod ${ValidityPeriod} should be 1 to ${MAX_VALIDITY_SECONDS} seconds`);
  }
  if (form.ShortenUrls === true && service === undefined) {
    throw refuse(21628, 'ShortenUrls needs a Messaging Service');
  }
  // With a service the recipient is looked up only when the sender is chosen, and the message fails then.
  if (service === undefined && sender !== undefined && world.optOuts.isBlocked(sender, To)) {
    throw refuse(21610, 'Attempt to send to unsubscribed recipient');
  }
  const media = form.MediaUrl?.length ?? 0;
  const body = form.Body ?? '';
  let status: Message['status'] = service === undefined ? 'queued' : 'accepted';
  if (sendAt !== undefined) status = 'scheduled';
  const message: Message = {
    sid: newSid(media > 0 ? 'MM' : 'SM'),
    accountSid: call.account.sid,
    direction: 'outbound-api',
    to: To,
    from: sender?.phoneNumber ?? null,
    serviceSid: service?.sid ?? null,
    body,
    numMedia: media,
    numSegments: service === undefined ? segmentCount(body, form.SmartEncoded) : 0,
    status,
    errorCode: null,
    statusCallback: form.StatusCallback ?? null,
    validityPeriod: ValidityPeriod ?? service?.validityPeriod ?? MAX_VALIDITY_SECONDS,
    createdAt: now,
    updatedAt: now,
    sentAt: null,
    deleted: false,
  };
  world.messages.add(message);
  world.lifecycle.begin(message, sendAt);
  return message;
}

/** Accepts the reply that an inbound webhook's TwiML asks for: from the number that was texted, to whom texted it. */
export function createReply(world: World, inbound: Message, body: string): Message {
  const now = world.clock.now();
  const message: Message = {
    ...inbound,
    sid: newSid('SM'),
    direction: 'outbound-reply',
    to: inbound.from ?? '',
    from: inbound.to,
    body,
    numMedia: 0,
    numSegments: 0,
    // As with a service, so that a blocked recipient makes it fail and not the webhook.
    status: 'accepted',
    statusCallback: null,
    validityPeriod: MAX_VALIDITY_SECONDS,
    createdAt: now,
    updatedAt: now,
  };
  world.messages.add(message);
  world.lifecycle.begin(message);
  return message;
}
