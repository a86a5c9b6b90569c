/** Requests to addresses that customers gave us: they never reach a private network, whatever a name resolves to. */
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, type Dispatcher } from 'undici';

/** Thrown when a page cannot be had; `message` is for people and tells nothing of our own network. */
export class EgressError extends Error {
  override name = 'EgressError';
}

interface Page {
  status: number;
  /** Its first 64 KiB. */
  text: string;
}

export interface Egress {
  /** Follows at most three redirects. @throws {EgressError} */
  get(url: string): Promise<Page>;
  /**
   * Follows no redirect, and reads no more of the answer than its status.
   *
   * @returns the status
   * @throws {EgressError}
   */
  post: (url: string, request: { headers: Record<string, string>; body: string; withinMs: number }) => Promise<number>;
  close(): Promise<void>;
}

/** For a whole page, redirects included; and for a connection. */
const withinMs = 3_000;
/** An answer whose body does not end by then is cut off. */
const bodyWithinMs = 1_000;
const mostRedirects = 3;
const mostBytes = 64 * 1024;
const redirects = new Set([301, 302, 303, 307, 308]);

/** The same whether the name is unknown or leads inside: nobody learns our names from it. */
const nowhere = 'the address leads to no public server';

/** Whether anybody on the internet could mean this address; one that is wrapped in IPv6 is unwrapped first. */
const isPublic = (address: string): boolean => ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';

/** Whether it is this machine itself. */
const isLoopback = (address: string): boolean =>
  ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';

type Rule = (address: string) => boolean;

/** Resolves names as the connection needs them, so that what was checked is what is connected to. */
const lookupWithin =
  (mayReach: Rule): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first || !addresses.every(({ address }) => mayReach(address))) {
        callback(new EgressError(nowhere), '');
      } else if (options.all) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };

/** @throws {EgressError} for what is no web address, and for addresses out of reach that are written as such */
function requireTarget(address: string, base: string | undefined, mayReach: Rule): URL {
  const url = URL.parse(address, base);
  if (!url || !/^https?:$/.test(url.protocol)) throw new EgressError('it is not a web address');
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  // No name is resolved for these.
  if (isIP(host) !== 0 && !mayReach(host)) throw new EgressError(nowhere);
  return url;
}

async function firstBytes(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop closes the connection.
    if (size >= mostBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, mostBytes).toString('utf8');
}

function inWords(error: unknown, withinMs: number): string {
  const { name, code } = error as { name?: string; code?: unknown };
  if (name === 'TimeoutError') return `no answer within ${withinMs / 1_000} seconds`;
  if (code === 'ECONNREFUSED') return 'the server refused the connection';
  if (/^(CERT_|ERR_TLS|DEPTH_ZERO|UNABLE_TO|SELF_SIGNED)/.test(String(code))) return 'its certificate is not valid';
  return 'the server gave no readable answer';
}

/** Names that are nobody's on the internet: of this machine, of a local network, and those without a dot. */
const isLocalName = (host: string): boolean =>
  isIP(host) === 0 && (!/\w\.\w/.test(host) || /\.(localhost|local|internal)\.?$/.test(host));

/**
 * Whether data may be sent to an address, as far as it can be told from how it is written: by https, to nothing inside.
 *
 * @param toLoopback this machine itself is allowed, also by http
 * @throws {EgressError}
 */
export function requireReceiver(address: string, toLoopback: boolean): void {
  const { protocol, hostname } = requireTarget(address, undefined, reach(toLoopback));
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  if (!toLoopback && isLocalName(host)) throw new EgressError(nowhere);
  if (protocol === 'https:') return;
  if (!toLoopback || !(host === 'localhost' || isLoopback(host))) {
    throw new EgressError('it does not begin with https://');
  }
}

const reach =
  (toLoopback: boolean): Rule =>
  (address) =>
    isPublic(address) || (toLoopback && isLoopback(address));

interface EgressOptions {
  /** For tests, whose servers are on this machine; public addresses by default. */
  mayReach?: Rule;
  /** This machine itself is allowed too. */
  toLoopback?: boolean;
  /** To one server, at once. */
  connections?: number;
}

export function createEgress(options: EgressOptions = {}): Egress {
  const { toLoopback = false, mayReach = reach(toLoopback), connections = 4 } = options;
  const agent = new Agent({
    connections,
    connect: { timeout: withinMs, lookup: lookupWithin(mayReach) },
  });

  async function follow(address: string, signal: AbortSignal): Promise<Page> {
    let url = requireTarget(address, undefined, mayReach);
    for (let hops = 0; ; hops += 1) {
      const { statusCode, headers, body } = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: { 'user-agent': 'Longwave (checks pages before registration)', accept: 'text/html,*/*' },
        signal,
      });
      const { location } = headers;
      if (!redirects.has(statusCode) || typeof location !== 'string') {
        return { status: statusCode, text: await firstBytes(body) };
      }
      await body.dump({ limit: mostBytes });
      if (hops === mostRedirects) throw new EgressError(`it redirects more than ${mostRedirects} times`);
      url = requireTarget(location, url.href, mayReach);
    }
  }

  async function send(address: string, headers: Record<string, string>, text: string, signal: AbortSignal) {
    const url = requireTarget(address, undefined, mayReach);
    const { statusCode, body } = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      headers,
      body: text,
      signal,
    });
    // The status is what counts: a body that fails, or does not end, changes nothing.
    await body.dump({ limit: mostBytes, signal: AbortSignal.timeout(bodyWithinMs) }).catch(() => {});
    return statusCode;
  }

  const toldInWords = async <T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await work(AbortSignal.timeout(ms));
    } catch (error) {
      if (error instanceof EgressError) throw error;
      throw new EgressError(inWords(error, ms), { cause: error });
    }
  };

  return {
    get: (url) => toldInWords(withinMs, (signal) => follow(url, signal)),
    post: (url, { headers, body, withinMs: ms }) =>
      toldInWords(ms, async (signal) => {
        requireReceiver(url, toLoopback);
        return send(url, headers, body, signal);
      }),
    close: () => agent.destroy(),
  };
}
