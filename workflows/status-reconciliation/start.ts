/** How an organization's reconciliation is woken, and started where it is not running. */
import type { WorkflowClient } from '@temporalio/client';
import { reconciliationWorkflowId } from '../ids.ts';
import { taskQueues } from '../task-queues.ts';
import { type ReconciliationInput, wakeSignal } from './messages.ts';

export async function wakeReconciliation(
  client: WorkflowClient,
  { organizationId }: ReconciliationInput,
): Promise<void> {
  await client.signalWithStart('statusReconciliation', {
    taskQueue: taskQueues.control,
    workflowId: reconciliationWorkflowId(organizationId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    priority: { fairnessKey: organizationId },
    staticSummary: 'Asks Twilio about messages whose final status never came',
    args: [{ organizationId }],
    signal: wakeSignal,
    signalArgs: [],
  });
}
