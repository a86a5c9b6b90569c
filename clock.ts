/** The product's clock. All that is stored, compared or scheduled uses it, never the clock of Postgres or `Date.now()`. */
import type { Connection } from '@temporalio/client';

export interface Clock {
  now(): Date;
  /**
   * Brings the clock up to date; called at the start of every request and activity. A no-op on the system clock.
   *
   * @param maxAgeMs how old the last sync may be, for what comes by the thousand
   */
  sync(maxAgeMs?: number): Promise<void>;
}

export const systemClock: Clock = { now: () => new Date(), sync: async () => {} };

/**
 * Follows Temporal's time-skipping server, for demos and tests: its time runs at the normal pace and jumps forward
 * when it is moved. Between two syncs the clock runs on by itself.
 */
export function temporalClock(connection: Connection): Clock {
  const server = connection.testService;
  if (!server) throw new Error('LONGWAVE_CLOCK=temporal needs a connection to the time-skipping server');
  let offset = 0;
  let syncedAt = -Infinity;
  return {
    now: () => new Date(Date.now() + offset),
    sync: async (maxAgeMs = 0) => {
      if (performance.now() - syncedAt < maxAgeMs) return;
      const { time } = await server.getCurrentTime({});
      const millis = Number(time?.seconds ?? 0) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6);
      offset = millis - Date.now();
      syncedAt = performance.now();
    },
  };
}
