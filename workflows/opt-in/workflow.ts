/**
 * The opt-in requests of a user to a contact: waits for YES or STOP, or until the last of them expires, and then has what
 * was held for the answer queued or cancelled. It knows neither the words nor the answer: Postgres does, so a signal too
 * many, or a run too many, finds nothing to do. Cancelling it ends no request; whoever answers starts it anew.
 */
import { condition, proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { OptInActivities } from '../../activities/opt-in.ts';
import { answeredSignal, type OptInInput } from './messages.ts';

/** The activity judges by another clock: an expiry that has passed here must not make the two spin. */
const leastPauseMs = 1_000;

// Safe to repeat: a request is settled once, under a lock. Tried for a month, so that Postgres may be away for long.
const { settleOptIn } = proxyActivities<OptInActivities>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '30d',
  retry: { initialInterval: '500ms', maximumInterval: '1m' },
});

export async function optIn(input: OptInInput): Promise<void> {
  // In an object: the compiler would take a variable that only closures set for one that never changes.
  const told = { isAnswered: false };
  setHandler(answeredSignal, () => {
    told.isAnswered = true;
  });

  for (;;) {
    told.isAnswered = false;
    const { expiresAt } = await settleOptIn(input);
    if (expiresAt === null && !told.isAnswered) return;
    setCurrentDetails(expiresAt === null ? 'answered' : `waits for an answer until ${expiresAt}`);
    if (expiresAt === null) continue;
    await condition(() => told.isAnswered, Math.max(Date.parse(expiresAt) - Date.now(), leastPauseMs));
  }
}
