/** Phone numbers that accounts own, and which messaging service each is in. */
import { TwilioError } from '../http/errors.ts';
import { newSid } from '../http/wire.ts';
import type { Kept } from '../persistence.ts';

type HttpMethod = 'GET' | 'POST';

/** What its account sets. No URL is an empty one. */
export interface NumberSettings {
  friendlyName: string;
  apiVersion: string;
  smsUrl: string;
  smsMethod: HttpMethod;
  smsFallbackUrl: string;
  smsFallbackMethod: HttpMethod;
  smsApplicationSid: string | null;
  voiceUrl: string;
  voiceMethod: HttpMethod;
  voiceFallbackUrl: string;
  voiceFallbackMethod: HttpMethod;
  voiceApplicationSid: string | null;
  voiceCallerIdLookup: boolean;
  voiceReceiveMode: 'voice' | 'fax';
  trunkSid: string | null;
  statusCallback: string;
  statusCallbackMethod: HttpMethod;
  emergencyStatus: 'Active' | 'Inactive';
  emergencyAddressSid: string | null;
  identitySid: string | null;
  addressSid: string | null;
  bundleSid: string | null;
}

export interface PhoneNumber extends NumberSettings {
  sid: string;
  accountSid: string;
  /** E.164. */
  phoneNumber: string;
  /** The service whose sender pool it is in. */
  serviceSid: string | null;
  /** When carriers will have registered it, while they are at it; epoch milliseconds. */
  registeredAt: number | null;
  /** Epoch milliseconds. */
  joinedServiceAt: number;
  createdAt: number;
  updatedAt: number;
}

const DEFAULTS: Omit<NumberSettings, 'friendlyName'> = {
  apiVersion: '2010-04-01',
  smsUrl: '',
  smsMethod: 'POST',
  smsFallbackUrl: '',
  smsFallbackMethod: 'POST',
  smsApplicationSid: null,
  voiceUrl: '',
  voiceMethod: 'POST',
  voiceFallbackUrl: '',
  voiceFallbackMethod: 'POST',
  voiceApplicationSid: null,
  voiceCallerIdLookup: false,
  voiceReceiveMode: 'voice',
  trunkSid: null,
  statusCallback: '',
  statusCallbackMethod: 'POST',
  emergencyStatus: 'Inactive',
  emergencyAddressSid: null,
  identitySid: null,
  addressSid: null,
  bundleSid: null,
};

/** 400 / 21421. */
export function notANumber(text: string): TwilioError {
  return new TwilioError(400, 21421, `${text} is not a valid phone number`);
}

/** 400 / 21422: somebody has it, or it was never on sale. */
export function notAvailable(phoneNumber: string): TwilioError {
  return new TwilioError(400, 21422, `${phoneNumber} is not available`);
}

/** E.164 with 8 to 15 digits; +1 numbers must be NANP: area code and exchange start with 2 to 9. */
export function isPossibleNumber(text: string): boolean {
  return text.startsWith('+1') ? /^\+1[2-9]\d{2}[2-9]\d{6}$/.test(text) : /^\+[2-9]\d{7,14}$/.test(text);
}

/** `(415) 555-0100`, as Twilio names numbers by default. */
export function nationalFormat(phoneNumber: string): string {
  const [, area, exchange, line] = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phoneNumber) ?? [];
  return area === undefined ? phoneNumber : `(${area}) ${exchange}-${line}`;
}

export class PhoneNumbers implements Kept {
  readonly bySid = new Map<string, PhoneNumber>();
  /** By E.164: a number has one owner over all accounts. */
  readonly byNumber = new Map<string, PhoneNumber>();

  /** @throws {TwilioError} 21421 for what is no number, 21422 for one that is taken */
  create(accountSid: string, phoneNumber: string, now: number): PhoneNumber {
    if (!isPossibleNumber(phoneNumber)) throw notANumber(phoneNumber);
    if (this.byNumber.has(phoneNumber)) throw notAvailable(phoneNumber);
    const number: PhoneNumber = {
      ...DEFAULTS,
      sid: newSid('PN'),
      accountSid,
      phoneNumber,
      friendlyName: nationalFormat(phoneNumber),
      serviceSid: null,
      registeredAt: null,
      joinedServiceAt: 0,
      createdAt: now,
      updatedAt: now,
    };
    this.#add(number);
    return number;
  }

  #add(number: PhoneNumber): void {
    this.bySid.set(number.sid, number);
    this.byNumber.set(number.phoneNumber, number);
  }

  /** The number if the account owns it. */
  owned(accountSid: string, phoneNumber: string): PhoneNumber | undefined {
    const number = this.byNumber.get(phoneNumber);
    return number?.accountSid === accountSid ? number : undefined;
  }

  /** Gives a number back to Twilio. */
  release(number: PhoneNumber): void {
    this.bySid.delete(number.sid);
    this.byNumber.delete(number.phoneNumber);
  }

  toJSON(): PhoneNumber[] {
    return [...this.bySid.values()];
  }

  restore(numbers: PhoneNumber[]): void {
    this.bySid.clear();
    this.byNumber.clear();
    for (const number of numbers) this.#add(number);
  }
}
