/** How opt-in requests get their workflow, and how it hears of an answer. */
import { type WorkflowClient, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { optInWorkflowId } from '../ids.ts';
import { taskQueues } from '../task-queues.ts';
import { answeredSignal, type OptInInput } from './messages.ts';

const options = (input: OptInInput) =>
  ({
    taskQueue: taskQueues.control,
    workflowId: optInWorkflowId(input),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    priority: { fairnessKey: input.organizationId },
    staticSummary: 'Waits for the answer to an opt-in request',
    args: [input],
  }) as const;

/** Starts the workflow unless it is running: then it sees to the new request too. */
export async function startOptIn(client: WorkflowClient, input: OptInInput): Promise<void> {
  try {
    await client.start('optIn', { ...options(input), args: [input], workflowIdConflictPolicy: 'FAIL' });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Tells the workflow to look; one that was lost starts anew. */
export async function tellOptIn(client: WorkflowClient, input: OptInInput): Promise<void> {
  await client.signalWithStart('optIn', { ...options(input), args: [input], signal: answeredSignal, signalArgs: [] });
}
