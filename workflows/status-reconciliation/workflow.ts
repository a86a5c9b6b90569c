/**
 * Messages of an organization whose final status never came: Twilio is asked about them, ever more rarely, for three days.
 * Which messages, and when, is in Postgres; this sleeps until then, and ends when no report is awaited any more.
 */
import { ActivityCancellationType, continueAsNew, proxyActivities } from '@temporalio/workflow';
import type { ReconciliationActivities } from '../../activities/reconciliation.ts';
import { taskQueues } from '../task-queues.ts';
import { workWhenDue } from '../work-when-due/loop.ts';
import type { ReconciliationInput } from './messages.ts';

// Safe to repeat: it only asks, a report counts once, and what was asked about is not due any more.
const { lookAtUnreported } = proxyActivities<ReconciliationActivities>({
  taskQueue: taskQueues.bulk,
  startToCloseTimeout: '30m',
  scheduleToCloseTimeout: '30d',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', maximumInterval: '5m' },
});

export function statusReconciliation(input: ReconciliationInput): Promise<void> {
  return workWhenDue({
    work: () => lookAtUnreported(input),
    continueAsNew: () => continueAsNew<typeof statusReconciliation>(input),
    leastPauseMs: 1_000,
  });
}
