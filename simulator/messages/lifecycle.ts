/**
 * What becomes of a message once it is accepted:
 *
 *     scheduled → queued        accepted → queued        queued → sent → delivered | undelivered
 *         ↘ canceled                   ↘ failed                ↘ failed
 *
 * There is no callback for the first status, and one for `queued` only with a service.
 */
import type { Accounts } from '../accounts/account.ts';
import type { Clock } from '../clock/clock.ts';
import { chance, type Behaviour } from '../faults.ts';
import type { MessagingServices } from '../messaging-services/service.ts';
import type { PhoneNumbers } from '../numbers/phone-number.ts';
import type { StatusCallbacks } from './callbacks.ts';
import type { Message, Messages, MessageStatus } from './message.ts';
import type { OptOuts } from './opt-outs.ts';
import { segmentCount } from './segments.ts';

/** How long each step takes when nothing holds a message up, in virtual milliseconds. */
const STEP_MS = { choose: 5, send: 10, deliver: 40 };

interface Context {
  accounts: Accounts;
  clock: Clock;
  services: MessagingServices;
  phoneNumbers: PhoneNumbers;
  messages: Messages;
  optOuts: OptOuts;
  callbacks: StatusCallbacks;
  behaviour: () => Behaviour;
}

export class MessageLifecycle {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Starts the life of a message that was just accepted and is in its first status.
   *
   * @param sendAt when a scheduled message leaves, epoch milliseconds
   */
  begin(message: Message, sendAt?: number): void {
    const { clock } = this.#context;
    if (sendAt !== undefined) clock.at(sendAt, () => this.#enqueue(message, 'scheduled'));
    else if (message.status === 'accepted') {
      clock.at(clock.now() + STEP_MS.choose, () => this.#enqueue(message, 'accepted'));
    } else this.#wait(message);
  }

  /** Cancels a message that is still scheduled. */
  cancel(message: Message): void {
    this.#become(message, 'canceled');
  }

  /** The service chooses its sender, and the message joins that number's queue. */
  #enqueue(message: Message, expected: MessageStatus): void {
    if (message.status !== expected || !this.#isKnown(message)) return;
    const { services, phoneNumbers, messages, optOuts } = this.#context;
    const service = services.all.get(message.serviceSid ?? '');
    const sender =
      message.from === null
        ? service && services.sender(service, message.to)
        : phoneNumbers.owned(message.accountSid, message.from);
    if (sender === undefined) return this.#fail(message, 21703);
    if (message.from === null) messages.chooseSender(message, sender.phoneNumber);
    message.numSegments = segmentCount(message.body, service?.smartEncoding);
    if (optOuts.isBlocked(sender, message.to)) return this.#fail(message, 21610);
    this.#become(message, 'queued');
    this.#wait(message);
  }

  /** Waits in the queue until the message leaves or its validity period is over, whatever comes first. */
  #wait(message: Message): void {
    const { clock, behaviour } = this.#context;
    const now = clock.now();
    const expiresAt = now + message.validityPeriod * 1000;
    const leavesAt = now + STEP_MS.send + behaviour().queueMs;
    if (leavesAt > expiresAt) clock.at(expiresAt, () => this.#fail(message, 30036));
    else clock.at(leavesAt, () => this.#leave(message, expiresAt));
  }

  #leave(message: Message, expiresAt: number): void {
    const { accounts, clock, behaviour } = this.#context;
    const account = accounts.all.get(message.accountSid);
    if (account === undefined || account.status === 'closed' || accounts.isSuspended(account)) {
      return this.#fail(message, 30002);
    }
    const now = clock.now();
    // The clock may have jumped past the end of the period.
    if (now > expiresAt) return this.#fail(message, 30036);
    const { failedRate, undeliveredRate, errorCodes } = behaviour();
    if (chance(failedRate)) return this.#fail(message, oneOf(errorCodes));
    message.sentAt = now;
    this.#become(message, 'sent');
    clock.at(now + STEP_MS.deliver, () => {
      if (!chance(undeliveredRate)) return this.#become(message, 'delivered');
      message.errorCode = oneOf(errorCodes);
      this.#become(message, 'undelivered');
    });
  }

  #fail(message: Message, errorCode: number): void {
    message.errorCode = errorCode;
    this.#become(message, 'failed');
  }

  /** False after a reset: what is still due for a forgotten message does not happen. */
  #isKnown(message: Message): boolean {
    return this.#context.messages.bySid.get(message.sid) === message;
  }

  #become(message: Message, status: MessageStatus): void {
    if (!this.#isKnown(message)) return;
    message.status = status;
    message.updatedAt = this.#context.clock.now();
    this.#context.callbacks.tell(message);
  }
}

function oneOf(codes: readonly number[]): number {
  return codes[Math.floor(Math.random() * codes.length)] ?? 30008;
}
