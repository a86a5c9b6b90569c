/** Messaging services, their sender pools, and which sender a recipient hears from. */
import type { PhoneNumber, PhoneNumbers } from '../numbers/phone-number.ts';
import type { Kept } from '../persistence.ts';

export interface MessagingService {
  sid: string;
  accountSid: string;
  friendlyName: string;
  inboundRequestUrl: string | null;
  inboundMethod: 'GET' | 'POST';
  fallbackUrl: string | null;
  fallbackMethod: 'GET' | 'POST';
  statusCallback: string | null;
  stickySender: boolean;
  mmsConverter: boolean;
  smartEncoding: boolean;
  scanMessageContent: 'inherit' | 'enable' | 'disable';
  fallbackToLongCode: boolean;
  areaCodeGeomatch: boolean;
  synchronousValidation: boolean;
  useInboundWebhookOnNumber: boolean;
  /** Seconds. */
  validityPeriod: number;
  usecase: string;
  /** Set when a campaign of the service is verified. */
  usAppToPersonRegistered: boolean;
  /** Senders, in the order they joined. */
  pool: PhoneNumber[];
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
}

/** A service as plain data: its pool is the SIDs of its numbers. */
type KeptService = Omit<MessagingService, 'pool'> & { pool: string[] };

export class MessagingServices implements Kept {
  readonly all = new Map<string, MessagingService>();
  readonly #phoneNumbers: PhoneNumbers;
  /** Service → recipient → sender. */
  #sticky = new Map<string, Map<string, PhoneNumber>>();
  #turn = 0;

  constructor(phoneNumbers: PhoneNumbers) {
    this.#phoneNumbers = phoneNumbers;
  }

  /** The service if it is the account's. */
  owned(accountSid: string, sid: string): MessagingService | undefined {
    const service = this.all.get(sid);
    return service?.accountSid === accountSid ? service : undefined;
  }

  join(service: MessagingService, number: PhoneNumber, now: number): void {
    number.serviceSid = service.sid;
    number.joinedServiceAt = now;
    service.pool.push(number);
  }

  /** Takes a number out of the pool it is in, if any: also when it is released or moved to another account. */
  leave(number: PhoneNumber): void {
    const service = this.all.get(number.serviceSid ?? '');
    if (service !== undefined) service.pool = service.pool.filter((other) => other !== number);
    number.serviceSid = null;
    number.registeredAt = null;
  }

  delete(service: MessagingService): void {
    for (const number of service.pool) Object.assign(number, { serviceSid: null, registeredAt: null });
    this.all.delete(service.sid);
    this.#sticky.delete(service.sid);
  }

  /**
   * The sender for a recipient: with a sticky sender the one it had before, else one of the same area code (geomatch), else the
   * next in turn. Undefined when the pool is empty.
   */
  sender(service: MessagingService, to: string): PhoneNumber | undefined {
    const { pool } = service;
    if (!service.stickySender) return pool[this.#turn++ % pool.length];
    const known = this.#sticky.get(service.sid)?.get(to);
    if (known?.serviceSid === service.sid) return known;
    const chosen = this.#nearest(service, to) ?? pool[this.#turn++ % pool.length];
    if (chosen !== undefined) this.remember(service, to, chosen);
    return chosen;
  }

  #nearest(service: MessagingService, to: string): PhoneNumber | undefined {
    if (!service.areaCodeGeomatch || !to.startsWith('+1')) return undefined;
    const areaCode = to.slice(0, 5);
    return service.pool.find((number) => number.phoneNumber.startsWith(areaCode));
  }

  /** Makes a sender the one a recipient hears from. */
  remember(service: MessagingService, to: string, number: PhoneNumber): void {
    let senders = this.#sticky.get(service.sid);
    if (senders === undefined) this.#sticky.set(service.sid, (senders = new Map()));
    senders.set(to, number);
  }

  forgetStickySenders(): void {
    this.#sticky.clear();
  }

  toJSON(): KeptService[] {
    const plain = (service: MessagingService) => ({ ...service, pool: service.pool.map(({ sid }) => sid) });
    return [...this.all.values()].map(plain);
  }

  /** Phone numbers have to be there before. */
  restore(services: KeptService[]): void {
    this.all.clear();
    this.#sticky.clear();
    for (const service of services) {
      const pool = service.pool.flatMap((sid) => this.#phoneNumbers.bySid.get(sid) ?? []);
      this.all.set(service.sid, { ...service, pool });
    }
  }
}
