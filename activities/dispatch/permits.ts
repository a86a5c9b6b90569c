/** One worker's share of an organization's token bucket: fetched a little at a time, spent without a round trip. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../db/database.ts';
import { takePermits } from '../../db/messages/send-permits.ts';
import { segmentsPerDay } from '../../domain/registration/throughput.ts';

/**
 * What is fetched at once is what is sent in this time. A worker that is held up keeps it and may spend it on top of a full
 * bucket, so it is short; and a round trip four times a second costs nothing.
 */
const fetchedSeconds = 0.25;

export interface PermitPurse {
  /** Whether `segments` may be sent now, taking them if so. */
  spend(segments: number): boolean;
  /**
   * Fetches more from the bucket, waiting for it to fill when it is empty. Returns early when `signal` aborts.
   *
   * @returns when the carriers' day ends, of which all has been sent that may be; null while there is more
   */
  refill(least: number, signal: AbortSignal): Promise<Date | null>;
}

/** Waits, or until `signal` aborts. */
const pauseFor = (millis: number, signal: AbortSignal): Promise<void> =>
  sleep(millis, undefined, { signal }).catch(() => {});

/**
 * @param rate segments per second; null when nothing is known of the organization's throughput: then nothing is paced
 * @param ahead whether what is sent at the moment goes ahead of bulk
 */
export function permitPurse(
  database: Database,
  clock: Clock,
  organizationId: string,
  rate: number | null,
  { ahead = () => false, pause = pauseFor }: { ahead?: () => boolean; pause?: typeof pauseFor } = {},
): PermitPurse {
  if (rate === null) return { spend: () => true, refill: async () => null };
  const perDay = segmentsPerDay(rate);
  let purse = 0;
  return {
    spend(segments) {
      if (purse < segments) return false;
      purse -= segments;
      return true;
    },
    async refill(least, signal) {
      const want = Math.max(Math.ceil(rate * fetchedSeconds), least);
      const { granted, waitMs, fullUntil } = await database.inOrganization(organizationId, (trx) =>
        takePermits(trx, organizationId, { rate, perDay, want, least, now: clock.now(), ahead: ahead() }),
      );
      purse += granted;
      if (granted > 0 || fullUntil) return fullUntil;
      // All who wait are told the same instant: without some luck in it, the same one would come first every time.
      const luck = Math.random() * Math.min(50, waitMs);
      await pause(Math.min(waitMs, 1_000) + luck, signal);
      return null;
    },
  };
}
