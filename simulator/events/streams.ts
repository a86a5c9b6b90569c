/** Event Streams: sinks, subscriptions, and delivery at least once. */
import type { Accounts } from '../accounts/account.ts';
import type { Clock } from '../clock/clock.ts';
import { departures, type Behaviour } from '../faults.ts';
import { newSid } from '../http/wire.ts';
import { Owned } from '../owned.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { COMPLIANCE, dataSchema } from './event-types.ts';

export interface Sink {
  sid: string;
  accountSid: string;
  description: string;
  configuration: { destination: string; method: 'GET' | 'POST'; batch_events: boolean };
  status: 'initialized' | 'validating' | 'active' | 'failed';
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
}

export interface Subscription {
  sid: string;
  accountSid: string;
  description: string;
  sinkSid: string;
  /** Event type → version of its schema. */
  types: Record<string, number>;
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
}

/** A change that happened to something of an account. */
export interface RegistrationEvent {
  /** With or without the common prefix. */
  type: string;
  /** What it is about: a SID. */
  source: string;
  data: Record<string, unknown>;
}

interface Context {
  accounts: Accounts;
  clock: Clock;
  webhooks: Webhooks;
  behaviour: () => Behaviour;
}

/** Virtual milliseconds from creating a sink until it is validated, and until it is active. */
const VALIDATING_AFTER_MS = 20;
const ACTIVE_AFTER_MS = 40;

/** Virtual milliseconds: the wait before the first retry, which doubles, and how long an event is retried. */
const FIRST_RETRY_MS = 1_000;
const RETRIED_FOR_MS = 4 * 3_600_000;

interface Delivery {
  accountSid: string;
  sinkSid: string;
  json: string;
  startedAt: number;
  era: number;
}

export class EventStreams {
  readonly sinks = new Owned<Sink>();
  readonly subscriptions = new Owned<Subscription>();
  readonly #context: Context;
  /** Grows with each reset: events from before are not sent after. */
  #era = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Sends an event to every sink of the account that is subscribed to its type.
   *
   * @returns the event as CloudEvents writes it, and to how many sinks it goes
   */
  emit(
    accountSid: string,
    { type, source, data }: RegistrationEvent,
  ): { event: Record<string, unknown>; sinks: number } {
    const { clock, behaviour } = this.#context;
    const full = type.startsWith(COMPLIANCE) ? type : COMPLIANCE + type;
    const now = clock.now();
    const id = newSid('NO');
    const event = (version: number) => ({
      specversion: '1.0',
      type: full,
      source,
      id,
      dataschema: dataSchema(full, version),
      datacontenttype: 'application/json',
      time: new Date(now).toISOString(),
      data: { accountsid: accountSid, ...data },
    });
    let sinks = 0;
    for (const { sinkSid, types } of this.subscriptions.list(accountSid)) {
      const version = types[full];
      if (version === undefined) continue;
      sinks += 1;
      const json = JSON.stringify([event(version)]);
      for (const delay of departures(behaviour().callbacks)) {
        this.#later(delay, { accountSid, sinkSid, json, startedAt: now + delay, era: this.#era }, 0);
      }
    }
    return { event: event(1), sinks };
  }

  #later(delay: number, delivery: Delivery, retry: number): void {
    const { clock } = this.#context;
    if (delay > 0) clock.at(clock.now() + delay, () => void this.#deliver(delivery, retry));
    else void this.#deliver(delivery, retry);
  }

  async #deliver(delivery: Delivery, retry: number): Promise<void> {
    const { accounts, clock, webhooks } = this.#context;
    const { accountSid, sinkSid, json, startedAt, era } = delivery;
    const sink = this.sinks.get(accountSid, sinkSid);
    const account = accounts.all.get(accountSid);
    if (era !== this.#era || sink === undefined || account === undefined) return;
    const { status } = await webhooks.send({
      url: sink.configuration.destination,
      json,
      authToken: account.authToken,
    });
    if (status >= 200 && status < 300) return;
    const wait = FIRST_RETRY_MS * 2 ** retry;
    if (clock.now() + wait <= startedAt + RETRIED_FOR_MS) this.#later(wait, delivery, retry + 1);
  }

  /** Adds a sink, which Twilio validates by itself. */
  addSink(sink: Sink): Sink {
    this.#await(this.sinks.add(sink));
    return sink;
  }

  #await(sink: Sink): void {
    const { clock } = this.#context;
    const reach = (after: number, from: Sink['status'], status: Sink['status']) =>
      clock.at(sink.createdAt + after, () => {
        if (sink.status === from) Object.assign(sink, { status, updatedAt: clock.now() });
      });
    reach(VALIDATING_AFTER_MS, 'initialized', 'validating');
    reach(ACTIVE_AFTER_MS, 'validating', 'active');
  }

  /** Takes up the validations that were under way when the sinks were kept. */
  resume(): void {
    for (const sink of this.sinks.all.values()) this.#await(sink);
  }

  /** Forgets the events that have not arrived; sinks and subscriptions stay. */
  clear(): void {
    this.#era += 1;
  }

  /** Forgets all that an account has. */
  deleteAll(accountSid: string): void {
    this.sinks.deleteAll(accountSid);
    this.subscriptions.deleteAll(accountSid);
  }
}
