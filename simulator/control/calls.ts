/** `POST /control/calls`: somebody calls a number. Answers when the webhook did. */
import { z } from 'zod';
import { answersCalls, ring } from '../voice/calls.ts';
import { check, ControlError, type ControlAnswer, type ControlCall } from './route.ts';

const call = z.strictObject({
  from: z.string().regex(/^\+\d{8,15}$/, 'should be a phone number in E.164'),
  to: z.string().regex(/^\+\d{8,15}$/, 'should be a phone number in E.164'),
});

export async function receiveCall({ world, body }: ControlCall): Promise<ControlAnswer> {
  const { from, to } = check(call, body);
  const number = world.phoneNumbers.byNumber.get(to);
  if (number === undefined) throw new ControlError(404, `No account owns ${to}`);
  if (!answersCalls(number)) throw new ControlError(409, `${to} has no VoiceUrl that calls go to`);
  return { status: 200, body: await ring(world, number, from) };
}
