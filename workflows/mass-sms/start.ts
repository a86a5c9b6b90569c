/** How a mass SMS gets its workflow: from the API at once, or from the sweep when Temporal was away then. */
import { type WorkflowClient, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { massSmsWorkflowId } from '../ids.ts';
import { taskQueues } from '../task-queues.ts';
import type { MassSmsInput } from './messages.ts';

/**
 * Starts the workflow unless it is running. One that was ended by hand, or lost with Temporal's data, starts anew: Postgres
 * is the judge of what is left to do, so a run too many finds nothing.
 */
export async function startMassSms(client: WorkflowClient, input: MassSmsInput): Promise<void> {
  try {
    await client.start('massSms', {
      taskQueue: taskQueues.control,
      workflowId: massSmsWorkflowId(input.massSmsId),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      // Organizations take turns: one with many mass SMS does not hold up another with one.
      priority: { fairnessKey: input.organizationId },
      staticSummary: 'A mass SMS in daily batches',
      args: [input],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
