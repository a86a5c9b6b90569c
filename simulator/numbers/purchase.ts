/** Buying a number: the one that search offered, or any of an area code. */
import type { Account } from '../accounts/account.ts';
import { chance } from '../faults.ts';
import { invalidParameter, TwilioError } from '../http/errors.ts';
import type { Values } from '../openapi/operation.ts';
import type { World } from '../world.ts';
import { isPossibleNumber, notAvailable, notANumber, type PhoneNumber } from './phone-number.ts';

/** What an area code can be: not 0 or 1 first, and none of the services like 411. */
const AREA_CODE = /^[2-9](?!11)\d{2}$/;

/** @throws {TwilioError} 21451 for what is no area code, 21452 where nothing is on sale: unknown ones, and 533 as with Twilio */
function anyOf(world: World, areaCode: string): string {
  if (!AREA_CODE.test(areaCode)) throw new TwilioError(400, 21451, `${areaCode} is not a valid area code`);
  const [first] = world.inventory.onSale(areaCode);
  if (first === undefined) throw new TwilioError(400, 21452, `No phone numbers found in area code ${areaCode}`);
  return first;
}

/**
 * Sells an account a number.
 *
 * @throws {TwilioError} 21421 for what is no number, 21422 for one that cannot be had (also Twilio's magic +15005550000), 21451 and
 *   21452 for area codes
 */
export function purchase(world: World, account: Account, form: Values): PhoneNumber {
  const { inventory, phoneNumbers, clock } = world;
  const { PhoneNumber, AreaCode } = form as { PhoneNumber?: string; AreaCode?: string };
  // Seen with Twilio: https://github.com/twilio/twilio-cli/issues/98
  if (PhoneNumber === undefined && AreaCode === undefined) {
    throw new TwilioError(400, 400, 'PhoneNumber or AreaCode is required');
  }
  if (PhoneNumber === undefined) return phoneNumbers.create(account.sid, anyOf(world, AreaCode ?? ''), clock.now());
  if (AreaCode !== undefined) throw invalidParameter('PhoneNumber and AreaCode exclude each other');

  if (!isPossibleNumber(PhoneNumber)) throw notANumber(PhoneNumber);
  if (!inventory.canBeBought(PhoneNumber)) throw notAvailable(PhoneNumber);
  if (chance(world.behaviour.soldBetween)) {
    inventory.sellToAnother(PhoneNumber);
    throw notAvailable(PhoneNumber);
  }
  return phoneNumbers.create(account.sid, PhoneNumber, clock.now());
}
