/**
 * The life of a workflow that has its work done whenever some is due and knows nothing of it: what there is to do is rows in
 * Postgres, which cost no history. It works, sleeps until an activity has said that there is more or somebody wakes it, and
 * works again.
 */
import { condition, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { wakeSignal } from './messages.ts';

interface Work {
  /** Does everything that is due; safe to repeat. @returns RFC 3339, when there is more; null when nothing waits */
  work: () => Promise<{ nextAt: string | null }>;
  continueAsNew: () => Promise<never>;
  /** The activity judges by another clock: an answer that has passed here must not make the two spin. */
  leastPauseMs: number;
  /** How long to stay for more when nothing waits; whoever has more afterwards starts the workflow anew. */
  idleMs?: number;
}

/** @returns when nothing waits any more */
export async function workWhenDue({ work, continueAsNew, leastPauseMs, idleMs = 0 }: Work): Promise<void> {
  // In an object: the compiler would take a variable that only closures set for one that never changes.
  const state = { isAsked: false };
  setHandler(wakeSignal, () => {
    state.isAsked = true;
  });

  for (;;) {
    state.isAsked = false;
    const { nextAt } = await work();
    if (nextAt === null && idleMs === 0 && !state.isAsked) return;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew();
    setCurrentDetails(nextAt === null ? 'nothing waits' : `next at ${nextAt}`);
    const waitMs = nextAt === null ? idleMs : Math.max(Date.parse(nextAt) - Date.now(), leastPauseMs);
    if (waitMs > 0) await condition(() => state.isAsked, waitMs);
    // Not by what `condition` answers: a signal may have come together with the timer that ended the wait.
    if (nextAt === null && !state.isAsked) return;
  }
}
