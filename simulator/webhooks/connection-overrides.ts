/**
 * How long Twilio waits for a webhook and when it tries again: its defaults, and the overrides that a URL's fragment carries, such as
 * `https://example.com/status#rc=3&rp=ct,rt,5xx`.
 *
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */

export interface ConnectionOverrides {
  /** Milliseconds to connect, to answer once connected, and for all tries together. */
  connectTimeout: number;
  readTimeout: number;
  totalTimeout: number;
  retries: number;
  /** What is tried again: no connection (`ct`), no answer in time (`rt`), or a status. */
  retryOn: ReadonlySet<string>;
}

const DEFAULTS: ConnectionOverrides = {
  connectTimeout: 5_000,
  readTimeout: 15_000,
  totalTimeout: 15_000,
  retries: 1,
  retryOn: new Set(['ct']),
};

/** Overrides by fragment: a handful of different ones serve every message. */
const parsed = new Map<string, ConnectionOverrides>();
const MAX_PARSED = 1_000;

/**
 * Splits a webhook's URL into what is requested and signed, and what its fragment says. Values outside Twilio's ranges are
 * brought into them; unknown names are ignored.
 */
export function splitUrl(url: string): { url: string; overrides: ConnectionOverrides } {
  const hash = url.indexOf('#');
  if (hash === -1) return { url, overrides: DEFAULTS };
  const fragment = url.slice(hash + 1);
  let overrides = parsed.get(fragment);
  if (overrides === undefined) {
    overrides = parse(fragment);
    if (parsed.size >= MAX_PARSED) parsed.clear();
    parsed.set(fragment, overrides);
  }
  return { url: url.slice(0, hash), overrides };
}

function parse(fragment: string): ConnectionOverrides {
  const values = new URLSearchParams(fragment);
  const number = (name: string, min: number, max: number, fallback: number) => {
    const value = Number.parseInt(values.get(name) ?? '', 10);
    return Number.isNaN(value) ? fallback : Math.min(Math.max(value, min), max);
  };
  const policy = values.get('rp');
  const chosen = policy === null ? DEFAULTS.retryOn : new Set(policy.split(','));
  return {
    connectTimeout: number('ct', 100, 10_000, DEFAULTS.connectTimeout),
    readTimeout: number('rt', 100, 15_000, DEFAULTS.readTimeout),
    totalTimeout: number('tt', 100, 15_000, DEFAULTS.totalTimeout),
    retries: number('rc', 0, 5, DEFAULTS.retries),
    retryOn: chosen.has('all') ? new Set(['ct', 'rt', '4xx', '5xx']) : chosen,
  };
}
