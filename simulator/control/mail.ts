/** `GET /control/mail`: the mail that was received. */
import { ControlError, type ControlAnswer, type ControlCall } from './route.ts';

export function readMail({ world }: ControlCall): ControlAnswer {
  if (world.mail === undefined) throw new ControlError(409, 'This simulator was started without a mail port');
  return { status: 200, body: world.mail.list() };
}
