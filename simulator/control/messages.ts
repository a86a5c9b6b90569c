/** `GET /control/messages?to=&from=&accountSid=&limit=&offset=`: what was accepted to be sent, in order. */
import { z } from 'zod';
import { matches, type Message } from '../messages/message.ts';
import { check, queryOf, type ControlAnswer, type ControlCall } from './route.ts';

/** A plus that was not encoded arrives as a space. */
const phoneNumber = z.string().transform((text) => text.replace(/^ /, '+'));

const query = z.strictObject({
  to: phoneNumber.optional(),
  from: phoneNumber.optional(),
  accountSid: z.string().optional(),
  // Everything unless a limit is given: who counts should not have to know of one.
  limit: z.coerce.number().int().min(0).default(Number.MAX_SAFE_INTEGER),
  offset: z.coerce.number().int().min(0).default(0),
});

function item(message: Message): Record<string, unknown> {
  return {
    sid: message.sid,
    accountSid: message.accountSid,
    to: message.to,
    from: message.from,
    messagingServiceSid: message.serviceSid,
    body: message.body,
    numSegments: message.numSegments,
    status: message.status,
    errorCode: message.errorCode,
    statusCallback: message.statusCallback,
    acceptedAt: new Date(message.createdAt).toISOString(),
  };
}

export function readMessages(call: ControlCall): ControlAnswer {
  const { limit, offset, ...filter } = check(query, queryOf(call));
  const { index, exact } = call.world.messages.candidates(filter);
  // Where the index is the answer, a page costs its own length.
  const found =
    exact && index.inbound === 0
      ? index.items
      : index.items.filter((message) => message.direction !== 'inbound' && matches(message, filter));
  return { status: 200, body: { total: found.length, items: found.slice(offset, offset + limit).map(item) } };
}
