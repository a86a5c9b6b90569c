/** Sends webhooks: signed, over kept-alive connections, so many at a time, retried as Twilio does. */
import { Pool, type Dispatcher } from 'undici';
import type { ConnectionOverrides } from './connection-overrides.ts';
import { prepare, type Webhook } from './prepare.ts';

/** The last answer; `status` 0 when there was none, and then `error` says why. */
export interface WebhookResult {
  status: number;
  body: string;
  error?: string;
}

/** Of answers more is not kept: a TwiML document is far smaller. */
const MAX_BODY = 64 * 1024;
/** Real milliseconds before the first retry; doubles. Twilio's are not published; all tries share the total time-out. */
const RETRY_WAIT_MS = 100;

type Attempt = { status: number; body: string } | { failure: 'ct' | 'rt'; error: string };

export class Webhooks {
  readonly #concurrency: number;
  #pools = new Map<string, Pool>();
  #waiting: (() => void)[] = [];
  #waitingFrom = 0;
  #active = 0;
  #onQuiet: (() => void)[] = [];
  #closed = false;

  /** @param concurrency webhooks under way at a time; the others wait their turn */
  constructor(concurrency = 64) {
    this.#concurrency = concurrency;
  }

  /**
   * Sends a webhook, with retries. Never rejects: nobody but the receiver is to blame for a webhook that fails.
   *
   * @returns the last answer
   */
  async send(webhook: Webhook): Promise<WebhookResult> {
    if (this.#active >= this.#concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#active += 1;
    try {
      return await this.#sendWithRetries(webhook);
    } catch (error) {
      return { status: 0, body: '', error: String(error) };
    } finally {
      this.#next();
    }
  }

  #next(): void {
    const turn = this.#waiting[this.#waitingFrom];
    if (turn !== undefined) {
      // An index instead of shift(): the queue may hold tens of thousands.
      this.#waitingFrom += 1;
      if (this.#waitingFrom === this.#waiting.length) {
        this.#waiting = [];
        this.#waitingFrom = 0;
      }
      turn();
      return;
    }
    this.#active -= 1;
    if (this.#active === 0) for (const resolve of this.#onQuiet.splice(0)) resolve();
  }

  /** Resolves when no webhook is under way. */
  quiet(): Promise<void> {
    return this.#active === 0 ? Promise.resolve() : new Promise((resolve) => this.#onQuiet.push(resolve));
  }

  async #sendWithRetries(webhook: Webhook): Promise<WebhookResult> {
    if (this.#closed) throw new Error('The simulator is closing');
    const { url, method, headers, body, overrides } = prepare(webhook);
    const pathAt = url.indexOf('/', url.indexOf('//') + 2);
    const origin = pathAt === -1 ? url : url.slice(0, pathAt);
    const request: Dispatcher.DispatchOptions = {
      path: pathAt === -1 ? '/' : url.slice(pathAt),
      method,
      headers,
      body,
    };
    const pool = this.#pool(origin, overrides);
    const deadline = performance.now() + overrides.totalTimeout;
    for (let retry = 0; ; retry += 1) {
      const remaining = Math.max(deadline - performance.now(), 1);
      const attempt = await attemptOnce(pool, request, Math.min(overrides.readTimeout, remaining));
      const reason = 'failure' in attempt ? attempt.failure : `${Math.floor(attempt.status / 100)}xx`;
      const wait = RETRY_WAIT_MS * 2 ** retry;
      const again = retry < overrides.retries && overrides.retryOn.has(reason) && performance.now() + wait < deadline;
      if (!again) return 'failure' in attempt ? { status: 0, body: '', error: attempt.error } : attempt;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  #pool(origin: string, { connectTimeout }: ConnectionOverrides): Pool {
    const key = `${origin} ${connectTimeout}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(origin, { connections: this.#concurrency, connect: { timeout: connectTimeout } });
      this.#pools.set(key, pool);
    }
    return pool;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
    this.#pools.clear();
  }
}

/** One request. A failure before it could be written is one of connecting (`ct`), any later one is one of reading (`rt`). */
function attemptOnce(pool: Pool, request: Dispatcher.DispatchOptions, timeout: number): Promise<Attempt> {
  return new Promise((resolve) => {
    let started = false;
    let status = 0;
    let body = '';
    pool.dispatch(
      { ...request, headersTimeout: timeout, bodyTimeout: timeout },
      {
        onRequestStart: () => void (started = true),
        onResponseStart: (_controller, statusCode) => void (status = statusCode),
        onResponseData: (_controller, chunk) => {
          if (body.length < MAX_BODY) body += chunk.toString('utf8');
        },
        onResponseEnd: () => resolve({ status, body }),
        onResponseError: (_controller, error) => resolve({ failure: started ? 'rt' : 'ct', error: error.message }),
      },
    );
  });
}
