/** `GET/POST …/IncomingPhoneNumbers.json`, `GET/POST/DELETE …/IncomingPhoneNumbers/{Sid}.json`. */
import { invalidParameter, notFound, notModelled } from '../http/errors.ts';
import { created, deleted, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer2010, slicePage } from '../http/paging.ts';
import { rfc2822 } from '../http/wire.ts';
import type { World } from '../world.ts';
import type { PhoneNumber } from './phone-number.ts';

/** A number as Twilio writes it. */
function phoneNumberAnswer(number: PhoneNumber): Record<string, unknown> {
  return {
    sid: number.sid,
    account_sid: number.accountSid,
    phone_number: number.phoneNumber,
    friendly_name: number.friendlyName,
    address_sid: null,
    address_requirements: 'none',
    api_version: '2010-04-01',
    beta: false,
    bundle_sid: null,
    capabilities: { voice: true, sms: true, mms: true, fax: false },
    date_created: rfc2822(number.createdAt),
    date_updated: rfc2822(number.updatedAt),
    emergency_address_sid: null,
    emergency_address_status: 'unregistered',
    emergency_status: 'Inactive',
    identity_sid: null,
    origin: 'twilio',
    // Null, where Twilio sometimes writes an empty string: the document's pattern allows only the former.
    sms_application_sid: null,
    sms_fallback_method: 'POST',
    sms_fallback_url: '',
    sms_method: number.smsMethod,
    sms_url: number.smsUrl,
    status: 'in-use',
    status_callback: number.statusCallback,
    status_callback_method: 'POST',
    trunk_sid: null,
    type: 'local',
    uri: `/2010-04-01/Accounts/${number.accountSid}/IncomingPhoneNumbers/${number.sid}.json`,
    voice_application_sid: null,
    voice_caller_id_lookup: false,
    voice_fallback_method: 'POST',
    voice_fallback_url: '',
    voice_method: number.voiceMethod,
    voice_receive_mode: 'voice',
    voice_url: number.voiceUrl,
  };
}

/** Form field → property, for what the twin keeps of a number. */
const SETTINGS = {
  FriendlyName: 'friendlyName',
  SmsUrl: 'smsUrl',
  SmsMethod: 'smsMethod',
  VoiceUrl: 'voiceUrl',
  VoiceMethod: 'voiceMethod',
  StatusCallback: 'statusCallback',
} as const;

function applySettings(number: PhoneNumber, form: Call['form']): void {
  for (const [field, property] of Object.entries(SETTINGS)) {
    if (form[field] !== undefined) Object.assign(number, { [property]: form[field] });
  }
}

/** A matcher of `PhoneNumber` filters: part of a number, where `*` stands for any digit. */
function matcher(pattern: string): (phoneNumber: string) => boolean {
  const expression = pattern.replace(/[^\d*]/g, '').replaceAll('*', '\\d');
  const anchored = new RegExp(pattern.startsWith('+') ? `^\\+${expression}` : expression);
  return (phoneNumber) => anchored.test(phoneNumber);
}

/** The operations of numbers that accounts own. */
export function phoneNumberOperations(world: World): Operations {
  const { clock, phoneNumbers, services } = world;
  const find = (call: Call): PhoneNumber => {
    const number = phoneNumbers.bySid.get(call.params['Sid'] ?? '');
    if (number === undefined || number.accountSid !== call.account.sid) throw notFound(call.path);
    return number;
  };

  return {
    CreateIncomingPhoneNumber(call) {
      const { PhoneNumber, AreaCode } = call.form as { PhoneNumber?: string; AreaCode?: string };
      if (PhoneNumber === undefined) {
        if (AreaCode !== undefined) throw notModelled('Buying a number by AreaCode');
        throw invalidParameter('PhoneNumber or AreaCode is required');
      }
      const number = phoneNumbers.create(call.account.sid, PhoneNumber, clock.now());
      applySettings(number, call.form);
      return created(phoneNumberAnswer(number));
    },

    ListIncomingPhoneNumber(call) {
      const { FriendlyName, PhoneNumber } = call.query as { FriendlyName?: string; PhoneNumber?: string };
      const exact = PhoneNumber === undefined ? undefined : phoneNumbers.byNumber.get(PhoneNumber);
      const matches = PhoneNumber === undefined ? () => true : matcher(PhoneNumber);
      // A whole number is what the product asks for before it buys: that look-up does not read every number of every account.
      const candidates = exact === undefined ? [...phoneNumbers.bySid.values()] : [exact];
      const found = candidates.filter(
        (number) =>
          number.accountSid === call.account.sid &&
          matches(number.phoneNumber) &&
          (FriendlyName === undefined || number.friendlyName === FriendlyName),
      );
      const page = slicePage(call, found);
      return ok(listAnswer2010(call, 'incoming_phone_numbers', { ...page, items: page.items.map(phoneNumberAnswer) }));
    },

    FetchIncomingPhoneNumber: (call) => ok(phoneNumberAnswer(find(call))),

    UpdateIncomingPhoneNumber(call) {
      const number = find(call);
      const { AccountSid } = call.form as { AccountSid?: string };
      if (AccountSid !== undefined && AccountSid !== number.accountSid) {
        const target = world.accounts.all.get(AccountSid);
        if (target === undefined || (target !== call.caller && target.ownerSid !== call.caller.sid)) {
          throw invalidParameter(`AccountSid ${AccountSid} is not an account the number can be moved to`);
        }
        services.leave(number);
        number.accountSid = AccountSid;
      }
      applySettings(number, call.form);
      number.updatedAt = clock.now();
      return ok(phoneNumberAnswer(number));
    },

    DeleteIncomingPhoneNumber(call) {
      const number = find(call);
      services.leave(number);
      phoneNumbers.release(number);
      return deleted();
    },
  };
}
