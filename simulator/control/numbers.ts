/**
 * `POST /control/numbers`: gives an account a number without a purchase, in a sender pool if one is named.
 * `POST /control/numbers/sell`: another customer of Twilio buys a number.
 */
import { z } from 'zod';
import { TwilioError } from '../http/errors.ts';
import { isPossibleNumber } from '../numbers/phone-number.ts';
import { check, ControlError, type ControlAnswer, type ControlCall } from './route.ts';

const newNumber = z.strictObject({
  accountSid: z.string().optional(),
  phoneNumber: z.string(),
  messagingServiceSid: z.string().optional(),
  smsUrl: z.url().optional(),
  voiceUrl: z.url().optional(),
});

export function createNumber({ world, body }: ControlCall): ControlAnswer {
  const form = check(newNumber, body);
  const { accountSid = world.accounts.main.sid, phoneNumber, messagingServiceSid, smsUrl, voiceUrl } = form;
  if (!world.accounts.all.has(accountSid)) throw new ControlError(404, `There is no account ${accountSid}`);
  const service = messagingServiceSid === undefined ? undefined : world.services.owned(accountSid, messagingServiceSid);
  if (messagingServiceSid !== undefined && service === undefined) {
    throw new ControlError(404, `Account ${accountSid} has no messaging service ${messagingServiceSid}`);
  }
  if (world.inventory.isSoldToAnother(phoneNumber)) throw new ControlError(409, `${phoneNumber} was sold to another`);
  try {
    const now = world.clock.now();
    const number = world.phoneNumbers.create(accountSid, phoneNumber, now);
    if (smsUrl !== undefined) number.smsUrl = smsUrl;
    if (voiceUrl !== undefined) number.voiceUrl = voiceUrl;
    if (service !== undefined) {
      world.services.join(service, number, now);
      world.campaignReviews.joined(service, number);
    }
    return { status: 201, body: { sid: number.sid, phoneNumber, accountSid, messagingServiceSid: number.serviceSid } };
  } catch (error) {
    if (error instanceof TwilioError) throw new ControlError(409, error.message);
    throw error;
  }
}

const soldNumber = z.strictObject({
  phoneNumber: z.string().refine(isPossibleNumber, 'should be a phone number in E.164'),
});

export function sellNumber({ world, body }: ControlCall): ControlAnswer {
  const { phoneNumber } = check(soldNumber, body);
  const owner = world.phoneNumbers.byNumber.get(phoneNumber);
  if (owner !== undefined) throw new ControlError(409, `Account ${owner.accountSid} has ${phoneNumber}`);
  world.inventory.sellToAnother(phoneNumber);
  return { status: 200, body: { phoneNumber } };
}
