/** What the errors of an update mean, whichever workflow was asked. */
import {
  ApplicationFailure,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { Problem } from '../shared/problems.ts';

/** How long a workflow may take to obey: longer than a worker needs to notice that another one died. */
export const obeyWithinMs = 20_000;

/** What the workflow, or Temporal in its name, said no with; undefined for other errors. */
export const failureOf = (error: unknown): ApplicationFailure | undefined =>
  error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure ? error.cause : undefined;

/** Temporal's failure type of an update that was under way when its workflow ended. */
export const endedMeanwhile = 'AcceptedUpdateCompletedWorkflow';

/** 503: Temporal may have taken the command, but nobody has obeyed it yet. @param where what tells what became of it */
export const unanswered = (where: string): Problem =>
  new Problem({
    status: 503,
    slug: 'unavailable',
    detail: `No worker answered in time; the command may still be obeyed. Look at ${where} before you repeat it.`,
    headers: { 'retry-after': '5' },
  });

/** Whether no answer came: the deadline passed, or the connection was lost after the command went out. */
export const isUnanswered = (error: unknown): boolean => error instanceof WorkflowUpdateRPCTimeoutOrCancelledError;
