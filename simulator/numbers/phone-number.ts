/** Phone numbers that accounts own, and which messaging service each is in. */
import { TwilioError } from '../http/errors.ts';
import { newSid } from '../http/wire.ts';
import type { Kept } from '../persistence.ts';

export interface PhoneNumber {
  sid: string;
  accountSid: string;
  /** E.164. */
  phoneNumber: string;
  friendlyName: string;
  smsUrl: string;
  smsMethod: 'GET' | 'POST';
  voiceUrl: string;
  voiceMethod: 'GET' | 'POST';
  statusCallback: string;
  /** The service whose sender pool it is in. */
  serviceSid: string | null;
  /** When carriers will have registered it, while they are at it; epoch milliseconds. */
  registeredAt: number | null;
  /** Epoch milliseconds. */
  joinedServiceAt: number;
  createdAt: number;
  updatedAt: number;
}

/** E.164 with 8 to 15 digits; +1 numbers must be NANP: area code and exchange start with 2 to 9. */
export function isPossibleNumber(text: string): boolean {
  return text.startsWith('+1') ? /^\+1[2-9]\d{2}[2-9]\d{6}$/.test(text) : /^\+[2-9]\d{7,14}$/.test(text);
}

/** `(415) 555-0100`, as Twilio names numbers by default. */
function nationalFormat(phoneNumber: string): string {
  const [, area, exchange, line] = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phoneNumber) ?? [];
  return area === undefined ? phoneNumber : `(${area}) ${exchange}-${line}`;
}

export class PhoneNumbers implements Kept {
  readonly bySid = new Map<string, PhoneNumber>();
  /** By E.164: a number has one owner over all accounts. */
  readonly byNumber = new Map<string, PhoneNumber>();

  /** @throws {TwilioError} 21421 for what is no number, 21422 for one that is taken */
  create(accountSid: string, phoneNumber: string, now: number): PhoneNumber {
    if (!isPossibleNumber(phoneNumber)) throw new TwilioError(400, 21421, `${phoneNumber} is not a valid phone number`);
    if (this.byNumber.has(phoneNumber) || phoneNumber === '+15005550000') {
      throw new TwilioError(400, 21422, `${phoneNumber} is not available`);
    }
    const number: PhoneNumber = {
      sid: newSid('PN'),
      accountSid,
      phoneNumber,
      friendlyName: nationalFormat(phoneNumber),
      smsUrl: '',
      smsMethod: 'POST',
      voiceUrl: '',
      voiceMethod: 'POST',
      statusCallback: '',
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
