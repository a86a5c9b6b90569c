/** All that the twin holds, wired together once. */
import { Accounts, type Account } from './accounts/account.ts';
import type { Address } from './addresses/operations.ts';
import type { Brand } from './brands/brand.ts';
import { BrandRegistry } from './brands/registry.ts';
import type { Campaign } from './campaigns/campaign.ts';
import { CampaignReviews } from './campaigns/reviews.ts';
import type { Clock } from './clock/clock.ts';
import { EventStreams } from './events/streams.ts';
import { FAULTLESS, merged, type Behaviour, type BehaviourChange } from './faults.ts';
import { HeldAnswers } from './http/held-answers.ts';
import { RequestLog } from './http/request-log.ts';
import type { MailSink } from './mail.ts';
import { MessagingServices } from './messaging-services/service.ts';
import { StatusCallbacks } from './messages/callbacks.ts';
import { MessageLifecycle } from './messages/lifecycle.ts';
import { Messages } from './messages/message.ts';
import { OptOuts } from './messages/opt-outs.ts';
import { Inventory } from './numbers/inventory.ts';
import { PhoneNumbers, type PhoneNumber } from './numbers/phone-number.ts';
import { Owned } from './owned.ts';
import type { Kept } from './persistence.ts';
import { BundleReview } from './trusthub/review.ts';
import { TrustHub } from './trusthub/trust-hub.ts';
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
  readonly inventory = new Inventory(this.phoneNumbers);
  readonly services = new MessagingServices(this.phoneNumbers);
  readonly messages = new Messages();
  readonly optOuts = new OptOuts();
  readonly webhooks = new Webhooks();
  readonly requests = new RequestLog();
  readonly heldAnswers = new HeldAnswers();
  readonly addresses = new Owned<Address>();
  readonly brands = new Owned<Brand>();
  readonly campaigns = new Owned<Campaign>();
  readonly trustHub: TrustHub;
  readonly bundleReview: BundleReview;
  readonly events: EventStreams;
  readonly brandRegistry: BrandRegistry;
  readonly campaignReviews: CampaignReviews;
  readonly callbacks: StatusCallbacks;
  readonly lifecycle: MessageLifecycle;
  readonly #initial: Behaviour;
  #behaviour: Behaviour;
  /** Base address of this simulator, without a slash at the end; empty until it listens. */
  url = '';
  /** Called after everything that may have changed what was set up: a request that writes, or something that was due. */
  changed: () => void = () => undefined;

  constructor(options: WorldOptions) {
    this.clock = options.clock;
    this.mail = options.mail;
    this.log = options.log;
    this.accounts = new Accounts(options.accountSid, options.authToken, this.clock.now());
    this.#initial = merged(FAULTLESS, options.behaviour ?? {});
    this.#behaviour = this.#initial;
    this.heldAnswers.hold(this.#initial.holdAnswers);
    this.inventory.stock(this.#initial.inventory);
    this.clock.afterDue(() => this.changed());
    const { accounts, brands, campaigns, clock, mail, phoneNumbers, services, messages, optOuts, webhooks } = this;
    const behaviour = () => this.#behaviour;
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
    this.trustHub = new TrustHub(accounts.main, clock.now());
    const { trustHub } = this;
    this.bundleReview = new BundleReview({ accounts, clock, trustHub, webhooks, behaviour });
    this.events = new EventStreams({ accounts, clock, webhooks, behaviour });
    const { events } = this;
    this.brandRegistry = new BrandRegistry({ clock, brands, trustHub, events, mail, behaviour, url: () => this.url });
    this.campaignReviews = new CampaignReviews({ clock, campaigns, phoneNumbers, services, events, behaviour });
  }

  get behaviour(): Behaviour {
    return this.#behaviour;
  }

  set behaviour(behaviour: Behaviour) {
    // What was bought since stays bought: shelves are filled only when they are named.
    if (behaviour.inventory !== this.#behaviour.inventory) this.inventory.stock(behaviour.inventory);
    this.#behaviour = behaviour;
    this.heldAnswers.hold(behaviour.holdAnswers);
  }

  /** What was set up and survives a restart where it is kept, in the order in which it is taken in again. */
  get setUp(): Record<string, Kept> {
    const { accounts, addresses, brands, campaigns, inventory, optOuts, phoneNumbers, services } = this;
    const { endUsers, documents, bundles } = this.trustHub;
    const { sinks, subscriptions } = this.events;
    return {
      accounts,
      phoneNumbers,
      inventory,
      services,
      optOuts,
      addresses,
      endUsers,
      documents,
      bundles,
      brands,
      campaigns,
      sinks,
      subscriptions,
    };
  }

  /** Takes up what was under way when the set-up was kept; what should have happened since happens now. */
  resume(): void {
    for (const part of [this.bundleReview, this.brandRegistry, this.campaignReviews, this.events]) part.resume();
  }

  /** Gives a number back to Twilio, out of the service it is in. */
  releaseNumber(number: PhoneNumber): void {
    this.services.leave(number);
    this.phoneNumbers.release(number);
    this.inventory.takeBack(number.phoneNumber);
  }

  /** Closing an account releases its numbers and deletes its services and its registration. */
  releaseAccount(account: Account): void {
    for (const number of this.phoneNumbers.bySid.values()) {
      if (number.accountSid === account.sid) this.releaseNumber(number);
    }
    for (const service of this.services.all.values()) {
      if (service.accountSid === account.sid) this.services.delete(service);
    }
    for (const store of [this.addresses, this.brands, this.campaigns, this.trustHub, this.events]) {
      store.deleteAll(account.sid);
    }
  }

  /** Forgets messages, what they led to (opt-outs, sticky senders), requests, mail, events under way and behaviour; keeps what was set up. */
  reset(): void {
    this.messages.clear();
    this.callbacks.clear();
    this.events.clear();
    this.campaignReviews.forgetRejections();
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
