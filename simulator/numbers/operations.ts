/** `GET/POST …/IncomingPhoneNumbers[/Local].json`, `GET/POST/DELETE …/IncomingPhoneNumbers/{Sid}.json`. */
import { invalidParameter, notFound, TwilioError } from '../http/errors.ts';
import { created, deleted, ok, type Answer, type Call, type Operations } from '../http/operations.ts';
import { listAnswer2010, slicePage } from '../http/paging.ts';
import type { World } from '../world.ts';
import type { PhoneNumber } from './phone-number.ts';
import { purchase } from './purchase.ts';
import { phoneNumberAnswer, settingsIn } from './settings.ts';

/** A matcher of `PhoneNumber` filters: part of a number, where `*` stands for any digit. */
function matcher(pattern: string): (phoneNumber: string) => boolean {
  const expression = pattern.replace(/[^\d*]/g, '').replaceAll('*', '\\d');
  const anchored = new RegExp(pattern.startsWith('+') ? `^\\+${expression}` : expression);
  return (phoneNumber) => anchored.test(phoneNumber);
}

/** All numbers here are local ones; their own list does not say so. */
function localAnswer(number: PhoneNumber): Record<string, unknown> {
  const { type: _, ...answer } = phoneNumberAnswer(number);
  return answer;
}

/** The operations of numbers that accounts own. */
export function phoneNumberOperations(world: World): Operations {
  const { accounts, clock, phoneNumbers, services } = world;
  const find = (call: Call): PhoneNumber => {
    const number = phoneNumbers.bySid.get(call.params['Sid'] ?? '');
    if (number === undefined || number.accountSid !== call.account.sid) throw notFound(call.path);
    return number;
  };

  /** Moves a number to another account of the same parent, out of the service it is in. */
  const move = (number: PhoneNumber, accountSid: string, call: Call): void => {
    if (call.caller !== accounts.main) {
      throw new TwilioError(403, 20003, 'Only the parent account can move a number to another account');
    }
    const target = accounts.all.get(accountSid);
    if (target === undefined || target.status === 'closed') {
      throw invalidParameter(`AccountSid ${accountSid} is not an account the number can be moved to`);
    }
    services.leave(number);
    number.accountSid = accountSid;
  };

  const create = (call: Call, answer: (number: PhoneNumber) => unknown): Answer => {
    const settings = settingsIn(call.form);
    return created(answer(Object.assign(purchase(world, call.account, call.form), settings)));
  };

  const list = (call: Call, answer: (number: PhoneNumber) => unknown): Answer => {
    const { FriendlyName, PhoneNumber, Origin } = call.query as Record<string, string | undefined>;
    const exact = PhoneNumber === undefined ? undefined : phoneNumbers.byNumber.get(PhoneNumber);
    const matches = PhoneNumber === undefined ? () => true : matcher(PhoneNumber);
    // A whole number is what the product asks for before it buys: that look-up does not read every number of every account.
    const candidates = exact === undefined ? [...phoneNumbers.bySid.values()] : [exact];
    const found = candidates.filter(
      (number) =>
        number.accountSid === call.account.sid &&
        matches(number.phoneNumber) &&
        (FriendlyName === undefined || number.friendlyName === FriendlyName) &&
        Origin !== 'hosted',
    );
    const page = slicePage(call, found);
    return ok(listAnswer2010(call, 'incoming_phone_numbers', { ...page, items: page.items.map(answer) }));
  };

  return {
    CreateIncomingPhoneNumber: (call) => create(call, phoneNumberAnswer),

    ListIncomingPhoneNumber: (call) => list(call, phoneNumberAnswer),

    CreateIncomingPhoneNumberLocal: (call) => create(call, localAnswer),

    ListIncomingPhoneNumberLocal: (call) => list(call, localAnswer),

    FetchIncomingPhoneNumber: (call) => ok(phoneNumberAnswer(find(call))),

    UpdateIncomingPhoneNumber(call) {
      const number = find(call);
      const { AccountSid } = call.form as { AccountSid?: string };
      const settings = settingsIn(call.form);
      if (AccountSid !== undefined && AccountSid !== number.accountSid) move(number, AccountSid, call);
      Object.assign(number, settings, { updatedAt: clock.now() });
      return ok(phoneNumberAnswer(number));
    },

    DeleteIncomingPhoneNumber(call) {
      world.releaseNumber(find(call));
      return deleted();
    },
  };
}
