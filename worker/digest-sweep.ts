/** Starts the daily digests: a notification is a row, and whoever writes it need not know of Temporal. */
import { digestsToWake } from '../db/notifications/digests.ts';
import { wakeDigest } from '../workflows/digest/start.ts';
import type { SweepDeps } from './sweep.ts';

/** Wakes the digest of organizations in which something waits that it does not know of. */
export async function wakeDigests({ database, clock, workflows, onError }: SweepDeps): Promise<void> {
  for (const organizationId of await digestsToWake(database.system, clock.now())) {
    await wakeDigest(workflows, { organizationId }).catch(onError);
  }
}
