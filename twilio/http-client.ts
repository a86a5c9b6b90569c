/** How the official SDK reaches Twilio: `undici` instead of its axios client (2.6 times the requests per second here). */
import querystring from 'node:querystring';
import RequestClient from 'twilio/lib/base/RequestClient.js';
import { Agent, type Dispatcher } from 'undici';

/**
 * Each bounds one phase of a request. Requests never wait for a socket, which none of them would bound: dispatch and
 * settling together begin no more of them than there are sockets.
 */
const timeouts = { connectMs: 5_000, headersMs: 10_000, bodyMs: 5_000 };

/** A request is over after this long: what was claimed cannot be accepted later. */
export const requestTimeoutMs = timeouts.connectMs + timeouts.headersMs + timeouts.bodyMs;

export interface HttpClientOptions {
  /** `http://host:port` of the simulator; Twilio itself when left out. */
  baseUrl?: string | undefined;
  /** Sockets per host; requests beyond it wait for a free one. */
  connections: number;
}

/** An `httpClient` for the SDK. One serves any number of accounts: credentials come with each request. */
export class TwilioHttpClient extends RequestClient {
  readonly #agent: Dispatcher;
  readonly #base: string | undefined;

  constructor({ baseUrl, connections }: HttpClientOptions) {
    super();
    this.#base = baseUrl && new URL(baseUrl).origin;
    this.#agent = new Agent({
      connections,
      pipelining: 1,
      keepAliveTimeout: 30_000,
      connect: { timeout: timeouts.connectMs },
      headersTimeout: timeouts.headersMs,
      bodyTimeout: timeouts.bodyMs,
    });
  }

  override async request<T>(
    options: RequestClient.RequestOptions<T>,
  ): Promise<{ statusCode: number; body: T; headers: unknown }> {
    const url = new URL(options.uri);
    for (const [name, value] of Object.entries((options.params ?? {}) as Record<string, string | string[]>)) {
      for (const item of [value].flat()) if (item !== undefined) url.searchParams.append(name, item);
    }
    // The same path exists on several of Twilio's hosts, so the simulator's paths begin with the host's first label.
    const target = this.#base ? `${this.#base}/${url.hostname.split('.')[0]}${url.pathname}${url.search}` : url.href;
    const headers: Record<string, string> = { ...options.headers };
    if (options.username && options.password) {
      headers['Authorization'] = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`;
    }
    const isJson = headers['Content-Type'] === 'application/json';
    const response = await this.#agent.request({
      origin: target.slice(0, target.indexOf('/', 8)),
      path: target.slice(target.indexOf('/', 8)),
      method: options.method.toUpperCase(),
      headers,
      ...(options.data !== undefined && {
        body: isJson ? JSON.stringify(options.data) : querystring.stringify(withoutUndefined(options.data as object)),
      }),
    });
    const text = await response.body.text();
    return { statusCode: response.statusCode, body: parsed(text) as T, headers: response.headers };
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }
}

function withoutUndefined(data: object): querystring.ParsedUrlQueryInput {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

/** JSON where it is JSON; otherwise the text as it came, which the SDK turns into an error without a code. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
