/** A number is put into the messaging service: by that the carriers learn of it (B4). */
import type { Twilio } from 'twilio';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../db/database.ts';
import { formerServices, markNotRegistered, markRegistered } from '../../db/numbers/registration.ts';
import { isNotFound, refusalOf } from '../../twilio/errors.ts';
import { adoptedNumberSettings } from '../../twilio/number-settings.ts';
import { patiently } from '../../twilio/patience.ts';
import { patienceMs } from './candidates.ts';

/** Twilio: the number is in this service already. */
const alreadyInService = 21710;
/** Twilio: the number is in another service of the account. */
const inAnotherService = 21712;
/** Refused with 409 and 412: in this service, in another one, and no room for it in this one. */
const ofTheService = new Set([alreadyInService, inAnotherService, 21714]);

/** Twilio's code for why it refuses, or null when asking again may help. */
function codeOf(error: unknown): number | null {
  if (isNotFound(error)) return 20404;
  const { code } = error as { code?: unknown };
  return typeof code === 'number' && ofTheService.has(code) ? code : (refusalOf(error)?.code ?? null);
}

/**
 * @returns Twilio's code for why it refuses; null when it has done what it was asked
 * @throws when Twilio cannot be asked
 */
async function refusedWith(request: () => Promise<unknown>): Promise<number | null> {
  try {
    await patiently(request, patienceMs);
    return null;
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    return code;
  }
}

/** What Twilio refused (the service is full, the number is in another one) may be mended there meanwhile. */
const againAfterMs = 3_600_000;

interface Attachment {
  organizationId: string;
  number: { id: string; twilio_sid: string };
  messagingServiceSid: string;
  /** Bought by us a moment ago, with the settings that Longwave needs; an adopted one has others, and gets ours. */
  isSet?: boolean;
}

/**
 * Takes a number out of the service that its organization has sent through before. Out of no other: that is somebody's.
 *
 * @returns whether it was in one
 */
async function hasLeftFormer(
  database: Database,
  client: Twilio,
  { organizationId, number, messagingServiceSid }: Attachment,
): Promise<boolean> {
  const former = await database.inOrganization(organizationId, (trx) =>
    formerServices(trx, organizationId, messagingServiceSid),
  );
  for (const sid of former) {
    const { phoneNumbers } = client.messaging.v1.services(sid);
    if ((await refusedWith(() => phoneNumbers(number.twilio_sid).remove())) === null) return true;
  }
  return false;
}

/**
 * Puts one number into the service, out of the one before where the organization has changed it. One that Twilio does not
 * take, or does not give our settings, stays unregistered with Twilio's code and is tried again later: it holds up nothing.
 *
 * @returns whether it is in the organization's service now
 * @throws when Twilio cannot be asked
 */
export async function attachNumber(
  { database, clock, publicUrl }: { database: Database; clock: Clock; publicUrl: string },
  client: Twilio,
  attachment: Attachment,
): Promise<boolean> {
  const { organizationId, number, messagingServiceSid, isSet = false } = attachment;
  const { phoneNumbers } = client.messaging.v1.services(messagingServiceSid);
  const put = () => refusedWith(() => phoneNumbers.create({ phoneNumberSid: number.twilio_sid }));
  let code = await put();
  if (code === inAnotherService && (await hasLeftFormer(database, client, attachment))) code = await put();
  if (code === alreadyInService) code = null;
  if (code === null && !isSet) {
    // Only now: what the service does not take keeps what its owner had set.
    const atTwilio = client.incomingPhoneNumbers(number.twilio_sid);
    code = await refusedWith(async () => atTwilio.update(adoptedNumberSettings(publicUrl, await atTwilio.fetch())));
  }
  if (code !== null) {
    const refusal = { code, messagingServiceSid, againAt: new Date(clock.now().getTime() + againAfterMs) };
    await database.inOrganization(organizationId, (trx) => markNotRegistered(trx, number.id, refusal));
    return false;
  }
  return database.inOrganization(organizationId, (trx) => markRegistered(trx, number.id, messagingServiceSid));
}
