/** How an organization's digest is woken, and started where it is not running. */
import type { WorkflowClient } from '@temporalio/client';
import { digestWorkflowId } from '../ids.ts';
import { taskQueues } from '../task-queues.ts';
import { type DigestInput, wakeSignal } from './messages.ts';

export async function wakeDigest(client: WorkflowClient, { organizationId }: DigestInput): Promise<void> {
  await client.signalWithStart('digest', {
    taskQueue: taskQueues.control,
    workflowId: digestWorkflowId(organizationId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    priority: { fairnessKey: organizationId },
    staticSummary: 'Sends the daily digest of notifications',
    args: [{ organizationId }],
    signal: wakeSignal,
    signalArgs: [],
  });
}
