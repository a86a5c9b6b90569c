/** Postgres's notifications, heard on one connection that comes back by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface Listening {
  /** Told the payload of each notification. */
  onNotification(payload: string): void;
  /** It hears, for the first time or again: what was said before was not heard. */
  onConnected(): void;
}

/** A connection that went silent is given up after a ping and this long. */
const pingEveryMs = 10_000;
const answerWithinMs = 5_000;
const leastPauseMs = 100;
const mostPauseMs = 3_000;

/**
 * Listens until it is ended; a connection that breaks is replaced.
 *
 * @param channel a plain name
 * @returns a function that ends it
 */
export function openListener(url: string, channel: string, listening: Listening): () => Promise<void> {
  const ending = new AbortController();

  /** One connection, from its beginning to its end. @throws when it could not be made, or does not answer */
  const listenOnce = async (onUp: () => void): Promise<void> => {
    const client = new pg.Client({
      connectionString: url,
      options: '-c role=longwave_app',
      application_name: `longwave:${channel}`,
      connectionTimeoutMillis: answerWithinMs,
      query_timeout: answerWithinMs,
      keepAlive: true,
    });
    const breaking = new AbortController();
    client.on('error', () => breaking.abort());
    client.on('end', () => breaking.abort());
    // Made once: a race of promises at every ping would be remembered by the one that outlives them all.
    const over = AbortSignal.any([ending.signal, breaking.signal]);
    client.on('notification', ({ payload = '' }) => listening.onNotification(payload));
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
      onUp();
      listening.onConnected();
      while (!over.aborted) {
        await sleep(pingEveryMs, undefined, { signal: over }).catch(() => {});
        if (!over.aborted) await client.query('select 1');
      }
    } finally {
      // A server that has gone silent does not answer this either.
      await Promise.race([client.end().catch(() => {}), sleep(1_000, undefined, { ref: false })]);
    }
  };

  const run = async (): Promise<void> => {
    let pause = leastPauseMs;
    while (!ending.signal.aborted) {
      // The pools report a database that is away; here it is enough to come back.
      await listenOnce(() => {
        pause = leastPauseMs;
      }).catch(() => {});
      await sleep(pause, undefined, { signal: ending.signal }).catch(() => {});
      pause = Math.min(pause * 2, mostPauseMs);
    }
  };
  const running = run();
  return async () => {
    ending.abort();
    await running;
  };
}
