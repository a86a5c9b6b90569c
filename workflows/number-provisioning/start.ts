/** How a run of purchases or releases gets its workflow: from the API at once, or from the sweep when Temporal was away. */
import { type WorkflowClient, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { numbersWorkflowId } from '../ids.ts';
import { taskQueues } from '../task-queues.ts';
import type { NumberProvisioningInput } from './messages.ts';

/**
 * Starts the workflow unless it is running. One that was ended by hand, or lost with Temporal's data, starts anew: what is
 * done already is done.
 */
export async function startNumberJob(
  client: WorkflowClient,
  { organizationId, jobId }: Pick<NumberProvisioningInput, 'organizationId' | 'jobId'>,
): Promise<void> {
  try {
    await client.start('numberProvisioning', {
      taskQueue: taskQueues.control,
      workflowId: numbersWorkflowId(jobId),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      priority: { fairnessKey: organizationId },
      staticSummary: 'Buys or releases phone numbers',
      args: [{ organizationId, jobId }],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
