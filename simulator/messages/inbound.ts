/** A text from outside: kept, understood as a keyword if it is one, and delivered to the webhook of the service or the number. */
import { newSid } from '../http/wire.ts';
import type { PhoneNumber } from '../numbers/phone-number.ts';
import type { Fields } from '../webhooks/signature.ts';
import type { WebhookResult } from '../webhooks/webhooks.ts';
import type { World } from '../world.ts';
import { createReply } from './create.ts';
import type { Message } from './message.ts';
import { keywordOf, type Keyword } from './opt-outs.ts';
import { segmentCount } from './segments.ts';

export interface InboundText {
  from: string;
  to: string;
  body: string;
  /** Given: sent as OptOutType, and acted on whatever the text says. */
  optOutType?: Keyword | undefined;
  mediaUrls?: string[] | undefined;
}

interface Target {
  url: string | null;
  method: 'GET' | 'POST';
  fallbackUrl: string | null;
}

/** The service's URL, unless the service leaves it to the number. */
function targetOf(world: World, number: PhoneNumber): Target {
  const service = world.services.all.get(number.serviceSid ?? '');
  if (service === undefined || service.useInboundWebhookOnNumber) {
    return { url: number.smsUrl || null, method: number.smsMethod, fallbackUrl: number.smsFallbackUrl || null };
  }
  return { url: service.inboundRequestUrl, method: service.inboundMethod, fallbackUrl: service.fallbackUrl };
}

/** The form of an inbound webhook, in Twilio's order. Geography is empty, as it may be with Twilio. */
function fieldsOf(message: Message, text: InboundText, optOutType: Keyword | undefined): Fields {
  const media = text.mediaUrls ?? [];
  const fields: Fields = [
    ['ToCountry', 'US'],
    ['ToState', ''],
    ['SmsMessageSid', message.sid],
    ['NumMedia', String(media.length)],
    ['ToCity', ''],
    ['FromZip', ''],
    ['SmsSid', message.sid],
    ['FromState', ''],
    ['SmsStatus', 'received'],
    ['FromCity', ''],
    ['Body', text.body],
    ['FromCountry', 'US'],
    ['To', text.to],
  ];
  if (message.serviceSid !== null) fields.push(['MessagingServiceSid', message.serviceSid]);
  fields.push(
    ['ToZip', ''],
    ['NumSegments', String(message.numSegments)],
    ['MessageSid', message.sid],
    ['AccountSid', message.accountSid],
    ['From', text.from],
    ['ApiVersion', '2010-04-01'],
  );
  media.forEach((url, index) => fields.push([`MediaUrl${index}`, url], [`MediaContentType${index}`, 'image/jpeg']));
  if (optOutType !== undefined) fields.push(['OptOutType', optOutType]);
  return fields;
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'" };

/** The texts of the `<Message>`s in a TwiML document, with or without `<Body>`. */
function repliesIn(twiml: string): string[] {
  return [...twiml.matchAll(/<Message\b[^>]*>([\s\S]*?)<\/Message>/g)].map(([, content = '']) => {
    const body = /<Body\b[^>]*>([\s\S]*?)<\/Body>/.exec(content)?.[1] ?? content;
    return body
      .replace(/&#(x[\da-f]+|\d+);/gi, (_, code: string) =>
        String.fromCodePoint(code.startsWith('x') ? Number.parseInt(code.slice(1), 16) : Number(code)),
      )
      .replace(/&(amp|lt|gt|quot|apos);/g, (entity) => ENTITIES[entity] ?? entity)
      .trim();
  });
}

/**
 * Receives a text.
 *
 * @param number the number it was sent to
 * @returns the answer of the webhook; `status` 0 and `error` when there is no URL to deliver it to (Twilio then drops it)
 */
export async function receive(world: World, number: PhoneNumber, text: InboundText): Promise<WebhookResult> {
  const { clock, optOuts, services, messages, webhooks } = world;
  const keyword = text.optOutType ?? keywordOf(text.body);
  if (keyword !== undefined) optOuts.apply(keyword, number, text.from);
  const service = services.all.get(number.serviceSid ?? '');
  if (service?.stickySender === true) services.remember(service, text.from, number);

  const { url, method, fallbackUrl } = targetOf(world, number);
  const account = world.accounts.all.get(number.accountSid);
  if (url === null || account === undefined) {
    return {
      status: 0,
      body: '',
      error: `${number.phoneNumber} has no inbound URL, neither its own nor its service's`,
    };
  }
  const now = clock.now();
  const message: Message = {
    sid: newSid(text.mediaUrls === undefined || text.mediaUrls.length === 0 ? 'SM' : 'MM'),
    accountSid: account.sid,
    direction: 'inbound',
    to: text.to,
    from: text.from,
    serviceSid: number.serviceSid,
    body: text.body,
    numMedia: text.mediaUrls?.length ?? 0,
    numSegments: segmentCount(text.body),
    status: 'received',
    errorCode: null,
    statusCallback: null,
    validityPeriod: 0,
    createdAt: now,
    updatedAt: now,
    sentAt: now,
    deleted: false,
  };
  messages.add(message);

  const optOutType = text.optOutType ?? (world.behaviour.advancedOptOut ? keyword : undefined);
  const fields = fieldsOf(message, text, optOutType);
  const { authToken } = account;
  let result = await webhooks.send({ url, method, fields, authToken });
  if ((result.status === 0 || result.status >= 400) && fallbackUrl !== null) {
    const code = result.status === 0 ? '11200' : '11217';
    fields.push(['ErrorCode', code], ['ErrorUrl', url]);
    result = await webhooks.send({ url: fallbackUrl, method, fields, authToken });
  }
  if (result.status >= 200 && result.status < 300) {
    for (const body of repliesIn(result.body)) createReply(world, message, body);
  }
  return result;
}
