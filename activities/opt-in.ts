/** Settling opt-in requests: the short activity of the `optIn` workflow. */
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { type OptInPair, settleOptIns } from '../db/consent/settling.ts';

export type OptInActivities = ReturnType<typeof createOptInActivities>;

export interface OptInDeps {
  database: Database;
  clock: Clock;
  /** Has an organization's outbox look again. */
  wakeOutbox: (organizationId: string) => Promise<void>;
  /** Told what went wrong with what the sweep does in the end. */
  onError: (error: unknown) => void;
}

export function createOptInActivities({ database, clock, wakeOutbox, onError }: OptInDeps) {
  return {
    /**
     * Queues or cancels what was held for requests that are answered by now, or have expired.
     *
     * @returns RFC 3339, when the next request expires that still waits; null when none does
     */
    async settleOptIn(pair: OptInPair): Promise<{ expiresAt: string | null }> {
      await clock.sync();
      const { expiresAt, released } = await database.inOrganization(pair.organizationId, (trx) =>
        settleOptIns(trx, pair, clock.now()),
      );
      // A wake that fails is not tried again here: the request is settled, and the sweep wakes the outbox.
      if (released > 0) await wakeOutbox(pair.organizationId).catch(onError);
      return { expiresAt: expiresAt?.toISOString() ?? null };
    },
  };
}
