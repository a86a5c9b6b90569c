/** How an organization's outbox is woken, and started where it is not running. */
import type { WorkflowClient } from '@temporalio/client';
import { outboxWorkflowId } from '../ids.ts';
import { taskQueues } from '../task-queues.ts';
import { wakeSignal, type OutboxInput } from './messages.ts';

export async function wakeOutbox(client: WorkflowClient, { organizationId }: OutboxInput): Promise<void> {
  await client.signalWithStart('outbox', {
    taskQueue: taskQueues.control,
    workflowId: outboxWorkflowId(organizationId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    priority: { fairnessKey: organizationId },
    staticSummary: 'Sends what falls due one by one',
    args: [{ organizationId }],
    signal: wakeSignal,
    signalArgs: [],
  });
}
