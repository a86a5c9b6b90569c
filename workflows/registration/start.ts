/** How a registration gets its workflow: from the API at once, or from the sweep when Temporal was away then. */
import { type WorkflowClient, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { registrationWorkflowId } from '../ids.ts';
import { taskQueues } from '../task-queues.ts';
import type { RegistrationInput } from './messages.ts';

/**
 * Starts the workflow unless it is running. One that was ended by hand, or lost with Temporal's data, starts anew: each
 * step finds what was made before.
 */
export async function startRegistration(client: WorkflowClient, input: RegistrationInput): Promise<void> {
  try {
    await client.start('registration', {
      taskQueue: taskQueues.control,
      workflowId: registrationWorkflowId(input.organizationId),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      priority: { fairnessKey: input.organizationId },
      staticSummary: 'Registers an organization with the carriers',
      args: [input],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
