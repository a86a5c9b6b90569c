/** A call from outside: delivered to the webhook of the number. What its TwiML says is for the caller to read, nothing is dialled. */
import { newSid } from '../http/wire.ts';
import type { PhoneNumber } from '../numbers/phone-number.ts';
import type { Fields } from '../webhooks/signature.ts';
import type { WebhookResult } from '../webhooks/webhooks.ts';
import type { World } from '../world.ts';

/** Whether calls to a number are asked about at its URL. A trunk or an application takes the place of the URL. */
export function answersCalls(number: PhoneNumber): boolean {
  return number.voiceUrl !== '' && number.trunkSid === null && number.voiceApplicationSid === null;
}

/**
 * Calls a number that has a `VoiceUrl`.
 *
 * @returns the answer of the webhook, or of the fallback when that one fails
 */
export async function ring(world: World, number: PhoneNumber, from: string): Promise<WebhookResult> {
  const { accounts, webhooks } = world;
  const fields: Fields = [
    ['CallSid', newSid('CA')],
    ['AccountSid', number.accountSid],
    ['From', from],
    ['To', number.phoneNumber],
    ['CallStatus', 'ringing'],
    ['Direction', 'inbound'],
    ['ApiVersion', number.apiVersion],
  ];
  const authToken = accounts.all.get(number.accountSid)?.authToken ?? '';
  const { voiceUrl: url, voiceFallbackUrl } = number;
  const result = await webhooks.send({ url, method: number.voiceMethod, fields, authToken });
  if ((result.status > 0 && result.status < 400) || voiceFallbackUrl === '') return result;
  fields.push(['ErrorCode', result.status === 0 ? '11200' : '11217'], ['ErrorUrl', url]);
  return webhooks.send({ url: voiceFallbackUrl, method: number.voiceFallbackMethod, fields, authToken });
}
