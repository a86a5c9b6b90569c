/** `POST /control/inbound`: somebody texts a number. Answers when the webhook did. */
import { z } from 'zod';
import { receive } from '../messages/inbound.ts';
import { check, ControlError, type ControlAnswer, type ControlCall } from './route.ts';

const inbound = z.strictObject({
  from: z.string().regex(/^\+?\d{3,15}$/, 'should be a phone number in E.164, or a short code'),
  to: z.string().regex(/^\+\d{8,15}$/, 'should be a phone number in E.164'),
  body: z.string().max(1_600).default(''),
  optOutType: z.enum(['STOP', 'START', 'HELP']).optional(),
  mediaUrls: z.array(z.url()).max(10).optional(),
});

export async function receiveInbound({ world, body }: ControlCall): Promise<ControlAnswer> {
  const text = check(inbound, body);
  const number = world.phoneNumbers.byNumber.get(text.to);
  if (number === undefined) throw new ControlError(404, `No account owns ${text.to}`);
  return { status: 200, body: await receive(world, number, text) };
}
