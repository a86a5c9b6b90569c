/** A simulator in this process, the official SDK pointed at it, its control side, and a receiver of webhooks. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import twilio from 'twilio';
import RequestClient from 'twilio/lib/base/RequestClient.js';
import { onTestFinished } from 'vitest';
import type { BehaviourChange } from '../../simulator/faults.ts';
import { portOf } from '../../simulator/http/wire.ts';
import { startSimulator, type SimulatorOptions } from '../../simulator/start.ts';

export const ACCOUNT_SID = `AC${'a'.repeat(32)}`;
export const AUTH_TOKEN = 'the-main-token';

/** The SDK's own client, with nothing changed but the address: host names become the first segment of the path. */
class RewritingClient extends RequestClient {
  readonly #base: string;

  constructor(base: string) {
    super();
    this.#base = base;
  }

  override request<T>(options: RequestClient.RequestOptions<T>) {
    const { hostname, pathname, search } = new URL(options.uri);
    return super.request<T>({ ...options, uri: `${this.#base}/${hostname.split('.')[0]}${pathname}${search}` });
  }
}

export interface ControlMessage {
  sid: string;
  accountSid: string;
  to: string;
  from: string | null;
  messagingServiceSid: string | null;
  body: string;
  numSegments: number;
  status: string;
  errorCode: number | null;
  statusCallback: string | null;
  acceptedAt: string;
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers are looked into, and a wrong guess fails the test
type Body = any;

/** What tests do with a simulator that listens at an address. */
export function twinAt(url: string) {
  const control = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: Body }> => {
    const response = await fetch(`${url}/control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const httpClient = new RewritingClient(url);

  return {
    control,
    /** The SDK with the main account's credentials, or others. */
    client: (sid = ACCOUNT_SID, token = AUTH_TOKEN, accountSid?: string) =>
      twilio(sid, token, { httpClient, ...(accountSid === undefined ? {} : { accountSid }) }),
    behave: (change: BehaviourChange) => control('PUT', 'behaviour', change),
    /** What was accepted, in order. */
    accepted: async (query = ''): Promise<ControlMessage[]> => (await control('GET', `messages?${query}`)).body.items,
    /** A number, in a service if one is named. */
    number: async (phoneNumber: string, messagingServiceSid?: string): Promise<string> =>
      (await control('POST', 'numbers', { phoneNumber, messagingServiceSid })).body.sid,
    /** A raw request with the main account's credentials. */
    raw: async (
      method: string,
      path: string,
      form: Record<string, string> = {},
      headers: Record<string, string> = {},
    ) => {
      const authorization = `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString('base64')}`;
      const response = await fetch(url + path, {
        method,
        headers: { authorization, ...headers },
        ...(method === 'POST' ? { body: new URLSearchParams(form) } : {}),
      });
      const text = await response.text();
      const body: Body = text === '' ? undefined : JSON.parse(text);
      return { status: response.status, headers: response.headers, body };
    },
  };
}

/** Starts a simulator for one test, and stops it after. */
export async function simulator(options: Partial<SimulatorOptions> = {}) {
  const log: string[] = [];
  const running = await startSimulator({
    accountSid: ACCOUNT_SID,
    authToken: AUTH_TOKEN,
    port: 0,
    log: (line) => log.push(line),
    ...options,
  });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= running.close());
  onTestFinished(close);
  return { ...running, close, log, ...twinAt(running.url) };
}

export interface ReceivedWebhook {
  method: string;
  /** As requested: path and query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** Form fields in the order they came. */
  fields: [string, string][];
  params: Record<string, string>;
}

type Reply = { status: number; body?: string } | 'hang up' | 'say nothing';

/** A server that keeps every webhook it gets, for one test. `reply` says what it answers, and when; 200 at once by default. */
export async function receiver(
  reply: (webhook: ReceivedWebhook, index: number) => Reply | Promise<Reply> = () => ({ status: 200 }),
) {
  const received: ReceivedWebhook[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const fields = [...new URLSearchParams(text)];
      const { method = '', url: path = '', headers } = request;
      const webhook = { method, path, headers, body: text, fields, params: Object.fromEntries(fields) };
      received.push(webhook);
      void Promise.resolve(reply(webhook, received.length - 1)).then((answer) => {
        if (answer === 'hang up') request.socket.destroy();
        else if (answer !== 'say nothing') {
          response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body ?? '');
        }
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${portOf(server.address())}`, received };
}

/** Waits until a condition holds; fails with `what` when it does not within the deadline (real milliseconds). */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadline = 10_000,
): Promise<void> {
  const end = Date.now() + deadline;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`This did not come true within ${deadline} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What a promise rejects with. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<{ status?: number; code?: number | string; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('This should have been refused');
}
