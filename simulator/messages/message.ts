/** Messages and the indexes that find them. Records are plain and small: a hundred thousand of them are nothing unusual. */

export type MessageStatus =
  'scheduled' | 'accepted' | 'queued' | 'sent' | 'delivered' | 'undelivered' | 'failed' | 'canceled' | 'received';

export interface Message {
  sid: string;
  accountSid: string;
  direction: 'outbound-api' | 'outbound-reply' | 'inbound';
  to: string;
  /** Null until a service has chosen its sender. */
  from: string | null;
  serviceSid: string | null;
  body: string;
  numMedia: number;
  /** 0 until a sender was chosen. */
  numSegments: number;
  status: MessageStatus;
  errorCode: number | null;
  /** As given with the message, fragment included; the service's is looked up when a callback is sent. */
  statusCallback: string | null;
  /** Seconds it may wait in the queue. */
  validityPeriod: number;
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
  sentAt: number | null;
  /** Deleted from Twilio's list; what was accepted stays accepted. */
  deleted: boolean;
}

/** Messages in order of arrival, and how many of them are inbound. */
export interface MessageIndex {
  items: Message[];
  inbound: number;
}

const EMPTY: MessageIndex = { items: [], inbound: 0 };

/** What a list of messages is filtered by; everything is optional. */
export interface MessageFilter {
  accountSid?: string | undefined;
  to?: string | undefined;
  from?: string | undefined;
}

export class Messages {
  readonly bySid = new Map<string, Message>();
  #all: MessageIndex = { items: [], inbound: 0 };
  #byAccount = new Map<string, MessageIndex>();
  #byTo = new Map<string, MessageIndex>();
  #byFrom = new Map<string, MessageIndex>();

  add(message: Message): void {
    this.bySid.set(message.sid, message);
    append(this.#all, message);
    addTo(this.#byAccount, message.accountSid, message);
    addTo(this.#byTo, message.to, message);
    if (message.from !== null) addTo(this.#byFrom, message.from, message);
  }

  /** Sets the sender a service has chosen. */
  chooseSender(message: Message, from: string): void {
    message.from = from;
    addTo(this.#byFrom, from, message);
  }

  /** The shortest index that holds all messages a filter allows; `exact` when it holds no others. */
  candidates(filter: MessageFilter): { index: MessageIndex; exact: boolean } {
    const indexes: MessageIndex[] = [];
    if (filter.accountSid !== undefined) indexes.push(this.#byAccount.get(filter.accountSid) ?? EMPTY);
    if (filter.to !== undefined) indexes.push(this.#byTo.get(filter.to) ?? EMPTY);
    if (filter.from !== undefined) indexes.push(this.#byFrom.get(filter.from) ?? EMPTY);
    const [first = this.#all] = indexes.toSorted((a, b) => a.items.length - b.items.length);
    return { index: first, exact: indexes.length <= 1 };
  }

  clear(): void {
    this.bySid.clear();
    this.#all = { items: [], inbound: 0 };
    this.#byAccount.clear();
    this.#byTo.clear();
    this.#byFrom.clear();
  }
}

/** Whether a message is what a filter asks for. */
export function matches(message: Message, filter: MessageFilter): boolean {
  return (
    (filter.accountSid === undefined || message.accountSid === filter.accountSid) &&
    (filter.to === undefined || message.to === filter.to) &&
    (filter.from === undefined || message.from === filter.from)
  );
}

function append(index: MessageIndex, message: Message): void {
  index.items.push(message);
  if (message.direction === 'inbound') index.inbound += 1;
}

function addTo(indexes: Map<string, MessageIndex>, key: string, message: Message): void {
  const index = indexes.get(key);
  if (index !== undefined) append(index, message);
  // An array written as a literal has room for one; one that is pushed to has room for seventeen, for every recipient there is.
  else indexes.set(key, { items: [message], inbound: message.direction === 'inbound' ? 1 : 0 });
}
