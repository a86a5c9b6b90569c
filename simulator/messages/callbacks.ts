/** Status callbacks: which changes are told, with which fields, in which order. */
import type { Accounts } from '../accounts/account.ts';
import type { Clock } from '../clock/clock.ts';
import { departures, type Behaviour } from '../faults.ts';
import type { MessagingServices } from '../messaging-services/service.ts';
import type { Fields } from '../webhooks/signature.ts';
import type { FormWebhook } from '../webhooks/prepare.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { Message } from './message.ts';

interface Context {
  accounts: Accounts;
  clock: Clock;
  services: MessagingServices;
  webhooks: Webhooks;
  behaviour: () => Behaviour;
}

export class StatusCallbacks {
  readonly #context: Context;
  /** Callbacks under way, by message: without `shuffle` a message's callbacks arrive in order. */
  #lines = new Map<string, Promise<void>>();
  /** Grows with each reset: callbacks from before are not sent after. */
  #era = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Tells the status a message has now, if anyone asked to be told. */
  tell(message: Message): void {
    const { accounts, clock, services, behaviour } = this.#context;
    const url = message.statusCallback ?? services.all.get(message.serviceSid ?? '')?.statusCallback;
    const account = accounts.all.get(message.accountSid);
    if (url === null || url === undefined || url === '' || account === undefined) return;
    const { callbacks } = behaviour();
    const webhook: FormWebhook = {
      url,
      method: 'POST',
      fields: fieldsOf(message, clock.now()),
      authToken: account.authToken,
    };
    for (const delay of departures(callbacks)) {
      const era = this.#era;
      const send = () => {
        if (era === this.#era) this.#send(message.sid, webhook, callbacks.shuffle);
      };
      if (delay > 0) clock.at(clock.now() + delay, send);
      else send();
    }
  }

  #send(sid: string, webhook: FormWebhook, inAnyOrder: boolean): void {
    const { webhooks } = this.#context;
    if (inAnyOrder) {
      void webhooks.send(webhook);
      return;
    }
    const before = this.#lines.get(sid);
    const sent = before === undefined ? webhooks.send(webhook) : before.then(() => webhooks.send(webhook));
    const line: Promise<void> = sent.then(() => {
      if (this.#lines.get(sid) === line) this.#lines.delete(sid);
    });
    this.#lines.set(sid, line);
  }

  /** Forgets the callbacks that have not left. */
  clear(): void {
    this.#era += 1;
    this.#lines.clear();
  }

  /** Resolves when every callback that was due has been answered. */
  async quiet(): Promise<void> {
    while (this.#lines.size > 0) await Promise.all(this.#lines.values());
    await this.#context.webhooks.quiet();
  }
}

/** `YYMMDDhhmm`, the carrier's time of delivery. */
function dlrDate(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(2, 16).replace(/\D/g, '');
}

function fieldsOf(message: Message, now: number): Fields {
  const fields: Fields = [
    ['SmsSid', message.sid],
    ['SmsStatus', message.status],
    ['MessageStatus', message.status],
    ['To', message.to],
  ];
  if (message.serviceSid !== null) fields.push(['MessagingServiceSid', message.serviceSid]);
  fields.push(['MessageSid', message.sid], ['AccountSid', message.accountSid]);
  if (message.from !== null) fields.push(['From', message.from]);
  fields.push(['ApiVersion', '2010-04-01']);
  if (message.errorCode !== null) fields.push(['ErrorCode', String(message.errorCode)]);
  if (message.status === 'delivered' || message.status === 'undelivered') fields.push(['RawDlrDoneDate', dlrDate(now)]);
  return fields;
}
