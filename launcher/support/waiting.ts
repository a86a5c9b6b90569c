/** Waiting for conditions with a deadline, and ports. */
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Thrown when a condition did not come true in time. */
class DeadlineError extends Error {
  override name = 'DeadlineError';
}

/** What an attempt throws when there is no use in waiting any longer. */
export class HopelessError extends Error {
  override name = 'HopelessError';
}

interface WaitOptions {
  /** What is waited for, in the words of the error. */
  what: string;
  /** Milliseconds until giving up. */
  within: number;
  /** Milliseconds between attempts. */
  every?: number;
  signal?: AbortSignal;
}

/**
 * Repeats `attempt` until it answers something other than `undefined` or `false`. What it throws counts as "not yet"
 * and is told in the error of the deadline.
 *
 * @throws {DeadlineError} after `within` milliseconds
 * @throws {HopelessError} at once, when the attempt throws one
 */
export async function waitFor<T>(
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  { what, within, every = 50, signal }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + within;
  let last: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const answer = await attempt();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      if (error instanceof HopelessError) throw error;
      last = error;
    }
    if (performance.now() > deadline) {
      const reason = last instanceof Error ? ` (${last.message})` : '';
      throw new DeadlineError(`${what}: not within ${within / 1_000} s${reason}`, { cause: last });
    }
    await sleep(every, undefined, signal ? { signal } : {});
  }
}

/** Whether `url` answers with a status of the 200s. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.ok;
}

/** Whether something accepts connections on this port of the loopback address. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Whether this process could listen on the port, on the loopback address and on all addresses. */
async function isFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const bound = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
    });
    if (!bound) return false;
  }
  return true;
}

/**
 * Makes sure that a port can be used. Without this, a server that cannot listen ends a moment later, and meanwhile
 * whoever has the port answers the question whether ours is ready.
 *
 * @param variable the environment variable that chooses this port, for the error
 */
export async function requireFree(port: number, variable: string): Promise<void> {
  if (await isFree(port)) return;
  throw new Error(`Port ${port} is in use: set ${variable} to a free port, or stop what listens there.`);
}

/**
 * Below the range from which the kernel takes the source ports of outgoing connections (32768 upwards on Linux): a port
 * that the kernel hands out as "free" is often taken a moment later by a connection.
 */
const drawable = { from: 15_000, count: 17_000 };
/** By this process: a program may take seconds until it listens on its port. */
const drawn = new Set<number>();

/** A port nobody listens on, drawn at random, so that those at the named offsets from it are free too. */
export async function freePort(offsets: readonly number[] = [], { from, count } = drawable): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = from + Math.floor(Math.random() * count);
    const all = [port, ...offsets.map((offset) => port + offset)];
    if (all.some((one) => drawn.has(one))) continue;
    for (const one of all) drawn.add(one);
    if ((await Promise.all(all.map(isFree))).every(Boolean)) return port;
  }
  throw new Error(`No free port found between ${from} and ${from + count}`);
}
