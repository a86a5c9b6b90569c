/** The gateway to Twilio: the official SDK, and every answer turned into what the product has to do. */
import twilio, { type Twilio } from 'twilio';
import { type MessageStatus, statusFromTwilio } from '../domain/messages/status.ts';
import { classifyRefusal } from '../domain/error-codes.ts';
import { type HttpClientOptions, TwilioHttpClient } from './http-client.ts';

export interface Credentials {
  accountSid: string;
  authToken: string;
}

interface OutgoingMessage {
  to: string;
  from: string;
  messagingServiceSid: string;
  body: string;
  /** Where Twilio reports; it carries our message id. */
  statusCallback: string;
  /** Seconds after which Twilio must not deliver it any more, 1–36,000. */
  validityPeriod: number;
}

/** What became of a request to send. Only `later` may be sent again; `unknown` must first be looked for. */
export type SendOutcome =
  | { kind: 'accepted'; sid: string; status: MessageStatus }
  | { kind: 'refused'; code: number; detail: string }
  | { kind: 'blocked'; code: number; detail: string }
  | { kind: 'later'; detail: string }
  | { kind: 'unknown'; detail: string };

export interface TwilioAccount {
  /** One request, never repeated here. Never throws. */
  send(message: OutgoingMessage): Promise<SendOutcome>;
  /**
   * Twilio's newest messages from one number to another created at `since` or later, by a clock that may be half a minute
   * behind ours; not what it answered of itself, or because a webhook told it to.
   *
   * @throws when Twilio cannot be asked
   */
  findSent(message: { to: string; from: string; since: Date }): Promise<FoundMessage[]>;
}

export interface FoundMessage {
  sid: string;
  body: string;
  status: MessageStatus;
  errorCode: number | null;
  /** Null while Twilio has not counted: of a message through a messaging service it says 0 at first. */
  segments: number | null;
}

export interface TwilioGateway {
  account(credentials: Credentials): TwilioAccount;
  /** The SDK itself, for what is asked of Twilio rarely. */
  client(credentials: Credentials): Twilio;
  close(): Promise<void>;
}

/** By which Twilio's clock may be behind ours. What is overlooked is sent a second time; what is found too much is no loss. */
const clocksDifferMs = 30_000;
const notOurs: ReadonlySet<string> = new Set(['inbound', 'outbound-reply']);

/** Errors raised before a request can have reached Twilio: nothing was sent, so sending again is safe. */
const neverLeft = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

export function createTwilioGateway(options: HttpClientOptions): TwilioGateway {
  const httpClient = new TwilioHttpClient(options);
  const clientOf = ({ accountSid, authToken }: Credentials) => twilio(accountSid, authToken, { httpClient });
  const accounts = new Map<string, { token: string; account: TwilioAccount }>();
  return {
    client: clientOf,
    account(credentials) {
      const { accountSid, authToken } = credentials;
      const known = accounts.get(accountSid);
      if (known?.token === authToken) return known.account;
      const account = accountOf(clientOf(credentials));
      accounts.set(accountSid, { token: authToken, account });
      return account;
    },
    close: () => httpClient.close(),
  };
}

function accountOf(client: Twilio): TwilioAccount {
  return {
    async send(message) {
      try {
        const { sid, status } = await client.messages.create(message);
        return { kind: 'accepted', sid, status: statusFromTwilio(status) ?? 'accepted' };
      } catch (error) {
        return outcomeOf(error);
      }
    },
    async findSent({ to, from, since }) {
      const listed = await client.messages.list({ to, limit: 100 });
      const earliest = since.getTime() - clocksDifferMs;
      return listed
        .filter((item) => !item.from || item.from === from)
        .filter((item) => item.dateCreated.getTime() >= earliest && !notOurs.has(item.direction))
        .map((item) => ({
          sid: item.sid,
          body: item.body,
          status: statusFromTwilio(item.status) ?? 'accepted',
          errorCode: item.errorCode ?? null,
          segments: Number(item.numSegments) || null,
        }));
    },
  };
}

/** A client error was not processed; a server error, a time-out or a cut connection may have been. */
function outcomeOf(error: unknown): SendOutcome {
  const { status, code, message } = error as { status?: number; code?: number | string; message?: string };
  const detail = message ?? String(error);
  if (typeof status === 'number') {
    const twilioCode = typeof code === 'number' ? code : 0;
    if (status >= 500 || status < 400) return { kind: 'unknown', detail: `HTTP ${status}` };
    const kinds = { later: 'later', configuration: 'blocked', recipient: 'refused' } as const;
    return { kind: kinds[classifyRefusal(status, twilioCode)], code: twilioCode, detail };
  }
  return { kind: neverLeft.has(String(code)) ? 'later' : 'unknown', detail: String(code ?? detail) };
}
