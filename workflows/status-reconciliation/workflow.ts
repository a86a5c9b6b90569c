/**
 * Messages of an organization whose final status never came: Twilio is asked about them, ever more rarely, for three days.
 * Which messages, and when, is in Postgres; this sleeps until then, and ends when no report is awaited any more.
 */
import {
  ActivityCancellationType,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ReconciliationActivities } from '../../activities/reconciliation.ts';
import { taskQueues } from '../task-queues.ts';
import { type ReconciliationInput, wakeSignal } from './messages.ts';

/** The activity judges by another clock: an instant that has passed here must not make the two spin. */
const leastPauseMs = 1_000;

// Safe to repeat: it only asks, a report counts once, and what was asked about is not due any more.
const { lookAtUnreported } = proxyActivities<ReconciliationActivities>({
  taskQueue: taskQueues.bulk,
  startToCloseTimeout: '30m',
  scheduleToCloseTimeout: '30d',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', maximumInterval: '5m' },
});

export async function statusReconciliation(input: ReconciliationInput): Promise<void> {
  // In an object: the compiler would take a variable that only closures set for one that never changes.
  const wake = { isAsked: false };
  setHandler(wakeSignal, () => {
    wake.isAsked = true;
  });

  for (;;) {
    wake.isAsked = false;
    const { nextAt } = await lookAtUnreported(input);
    if (nextAt === null && !wake.isAsked) return;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof statusReconciliation>(input);
    if (nextAt === null) continue;
    setCurrentDetails(`looks at ${nextAt}`);
    await condition(() => wake.isAsked, Math.max(Date.parse(nextAt) - Date.now(), leastPauseMs));
  }
}
