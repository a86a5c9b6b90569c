/** All that the twin holds, wired together once. */
import { Accounts, type Account } from './accounts/account.ts';
import type { Clock } from './clock/clock.ts';
import { FAULTLESS, merged, type Behaviour, type BehaviourChange } from './faults.ts';
import { RequestLog } from './http/request-log.ts';
import type { MailSink } from './mail.ts';
import { MessagingServices } from './messaging-services/service.ts';
import { StatusCallbacks } from './messages/callbacks.ts';
import { MessageLifecycle } from './messages/lifecycle.ts';
import { Messages } from './messages/message.ts';
import { OptOuts } from './messages/opt-outs.ts';
import { PhoneNumbers } from './numbers/phone-number.ts';
import { Webhooks } from './webhooks/webhooks.ts';

export interface WorldOptions {
  accountSid: string;
  authToken: string;
  clock: Clock;
  /** Undefined where no mail is received. */
  mail: MailSink | undefined;
  /** What the behaviour is at start and after a reset, where it differs from faultless. */
  behaviour?: BehaviourChange | undefined;
  /** Where a line goes that somebody should see: an answer of ours that Twilio could not give, a parameter Twilio does not know. */
  log: (message: string) => void;
}

export class World {
  readonly clock: Clock;
  readonly mail: MailSink | undefined;
  readonly log: (message: string) => void;
  readonly accounts: Accounts;
  readonly phoneNumbers = new PhoneNumbers();
  readonly services = new MessagingServices();
  readonly messages = new Messages();
  readonly optOuts = new OptOuts();
  readonly webhooks = new Webhooks();
  readonly requests = new RequestLog();
  readonly callbacks: StatusCallbacks;
  readonly lifecycle: MessageLifecycle;
  readonly #initial: Behaviour;
  behaviour: Behaviour;

  constructor(options: WorldOptions) {
    this.clock = options.clock;
    this.mail = options.mail;
    this.log = options.log;
    this.accounts = new Accounts(options.accountSid, options.authToken, this.clock.now());
    this.#initial = merged(FAULTLESS, options.behaviour ?? {});
    this.behaviour = this.#initial;
    const { accounts, clock, phoneNumbers, services, messages, optOuts, webhooks } = this;
    const behaviour = () => this.behaviour;
    this.callbacks = new StatusCallbacks({ accounts, clock, services, webhooks, behaviour });
    const { callbacks } = this;
    this.lifecycle = new MessageLifecycle({
      accounts,
      clock,
      phoneNumbers,
      services,
      messages,
      optOuts,
      callbacks,
      behaviour,
    });
  }

  /** Closing an account releases its numbers and deletes its services. */
  releaseAccount(account: Account): void {
    for (const number of this.phoneNumbers.bySid.values()) {
      if (number.accountSid !== account.sid) continue;
      this.services.leave(number);
      this.phoneNumbers.release(number);
    }
    for (const service of this.services.all.values()) {
      if (service.accountSid === account.sid) this.services.delete(service);
    }
  }

  /** Forgets messages, what they led to (opt-outs, sticky senders), requests, mail and behaviour; keeps what was set up. */
  reset(): void {
    this.messages.clear();
    this.callbacks.clear();
    this.optOuts.clear();
    this.services.forgetStickySenders();
    this.requests.clear();
    this.mail?.clear();
    this.behaviour = this.#initial;
  }

  async close(): Promise<void> {
    await this.clock.close();
    await this.webhooks.close();
    await this.mail?.close();
  }
}
