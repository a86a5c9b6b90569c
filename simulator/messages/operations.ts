/** `POST/GET …/Messages.json` and `GET/POST/DELETE …/Messages/{Sid}.json`. */
import { notFound, TwilioError, invalidParameter } from '../http/errors.ts';
import { created, deleted, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer2010, pageRequest, type Page } from '../http/paging.ts';
import { rfc2822 } from '../http/wire.ts';
import type { World } from '../world.ts';
import { createMessage } from './create.ts';
import { errorMessage } from './error-messages.ts';
import { matches, type Message } from './message.ts';

const FINAL = new Set<Message['status']>(['delivered', 'undelivered', 'failed', 'canceled', 'received']);

/** A message as Twilio writes it. */
function messageAnswer(message: Message): Record<string, unknown> {
  const base = `/2010-04-01/Accounts/${message.accountSid}/Messages/${message.sid}`;
  return {
    account_sid: message.accountSid,
    api_version: '2010-04-01',
    body: message.body,
    date_created: rfc2822(message.createdAt),
    date_sent: message.sentAt === null ? null : rfc2822(message.sentAt),
    date_updated: rfc2822(message.updatedAt),
    direction: message.direction,
    error_code: message.errorCode,
    error_message: message.errorCode === null ? null : errorMessage(message.errorCode),
    from: message.from,
    messaging_service_sid: message.serviceSid,
    num_media: String(message.numMedia),
    num_segments: String(message.numSegments),
    price: null,
    price_unit: 'USD',
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${base}/Media.json` },
    to: message.to,
    uri: `${base}.json`,
  };
}

interface ListQuery {
  To?: string;
  From?: string;
  DateSent?: string;
  'DateSent<'?: string;
  'DateSent>'?: string;
}

const DAY_MS = 86_400_000;

/** A time filter in the forms Twilio takes: a day, or a time, in UTC unless it says otherwise; as its first and last millisecond. */
function span(text: string): { from: number; to: number } {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const hasZone = isDay || /(Z|GMT|[+-]\d\d:?\d\d)$/i.test(text);
  const from = Date.parse(hasZone ? text : `${text.replace(' ', 'T')}Z`);
  return { from, to: isDay ? from + DAY_MS - 1 : from + 999 };
}

/** Whether a message was sent in the time a list asks for. A message that was not sent yet has no such time, and is not in it. */
function sentFilter(query: ListQuery): ((message: Message) => boolean) | undefined {
  const on = query.DateSent === undefined ? undefined : span(query.DateSent);
  const until = query['DateSent<'] === undefined ? undefined : span(query['DateSent<']).to;
  const since = query['DateSent>'] === undefined ? undefined : span(query['DateSent>']).from;
  if (on === undefined && until === undefined && since === undefined) return undefined;
  // Dates are answered in whole seconds, so they are compared in whole seconds too.
  const from = Math.floor(Math.max(on?.from ?? -Infinity, since ?? -Infinity) / 1000) * 1000;
  const to = Math.min(on?.to ?? Infinity, until ?? Infinity);
  return ({ sentAt }) => sentAt !== null && sentAt >= from && sentAt <= to;
}

/** A page, newest first. The token is a position in the index, which only grows, so new messages do not move pages. */
function listPage(world: World, call: Call): Page<Message> {
  const query = call.query as ListQuery;
  const filter = { accountSid: call.account.sid, to: query.To, from: query.From };
  const sent = sentFilter(query);
  const { size, page, token } = pageRequest(call);
  const { items } = world.messages.candidates(filter).index;
  let position = token === undefined ? items.length : Number(token.slice(2));
  if (!Number.isInteger(position) || position < 0 || position > items.length) {
    throw invalidParameter('PageToken is not one of this list');
  }
  let skip = token === undefined ? page * size : 0;
  const found: Message[] = [];
  while (position > 0) {
    const message = items[position - 1];
    if (message === undefined) break;
    if (!message.deleted && matches(message, filter) && (sent === undefined || sent(message))) {
      if (skip > 0) skip -= 1;
      else if (found.length === size) break;
      else found.push(message);
    }
    position -= 1;
  }
  return { items: found, next: position > 0 ? `PA${position}` : null };
}

/** The operations of messages. */
export function messageOperations(world: World): Operations {
  const find = (call: Call): Message => {
    const message = world.messages.bySid.get(call.params['Sid'] ?? '');
    if (message === undefined || message.accountSid !== call.account.sid || message.deleted) throw notFound(call.path);
    return message;
  };

  return {
    CreateMessage: (call) => created(messageAnswer(createMessage(world, call))),

    ListMessage(call) {
      const page = listPage(world, call);
      return ok(listAnswer2010(call, 'messages', { ...page, items: page.items.map(messageAnswer) }));
    },

    FetchMessage: (call) => ok(messageAnswer(find(call))),

    UpdateMessage(call) {
      const message = find(call);
      const { Body, Status } = call.form as { Body?: string; Status?: 'canceled' };
      if (Body !== undefined && Status !== undefined) {
        throw new TwilioError(400, 30400, 'A message is either canceled or redacted, not both at once');
      }
      if (Status === 'canceled') {
        if (message.status !== 'scheduled') {
          throw new TwilioError(
            409,
            30409,
            `A message that is ${message.status} cannot be canceled: it is not scheduled`,
          );
        }
        world.lifecycle.cancel(message);
      }
      if (Body !== undefined) {
        if (Body !== '') throw invalidParameter('Body can only be emptied');
        message.body = '';
        message.updatedAt = world.clock.now();
      }
      return ok(messageAnswer(message));
    },

    DeleteMessage(call) {
      const message = find(call);
      if (!FINAL.has(message.status)) {
        throw new TwilioError(409, 20009, `A message that is ${message.status} cannot be deleted yet`);
      }
      message.deleted = true;
      return deleted();
    },
  };
}
