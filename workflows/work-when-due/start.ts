/** How a workflow that works when something is due is told to look, and started where it is not running. */
import type { WorkflowClient } from '@temporalio/client';
import { taskQueues } from '../task-queues.ts';
import { wakeSignal } from './messages.ts';

interface Woken {
  workflowId: string;
  /** In words, for the Web UI. */
  staticSummary: string;
}

export async function wake(
  client: WorkflowClient,
  type: string,
  input: { organizationId: string },
  { workflowId, staticSummary }: Woken,
): Promise<void> {
  await client.signalWithStart(type, {
    taskQueue: taskQueues.control,
    workflowId,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    priority: { fairnessKey: input.organizationId },
    staticSummary,
    args: [input],
    signal: wakeSignal,
    signalArgs: [],
  });
}
