/** `POST /control/events` {accountSid, type, data}: an event that comes before its time, twice, or about nothing. */
import { z } from 'zod';
import { check, found, type ControlAnswer, type ControlCall } from '../route.ts';

const event = z.strictObject({
  accountSid: z.string(),
  type: z.string().min(1),
  data: z.record(z.string(), z.unknown()).default({}),
});

/** Answers the event as it was sent, and to how many sinks. */
export function emitEvent({ world, body }: ControlCall): ControlAnswer {
  const { accountSid, type, data } = check(event, body);
  found(world.accounts.all.get(accountSid), `account ${accountSid}`);
  return { status: 200, body: world.events.emit(accountSid, { type, source: accountSid, data }) };
}
