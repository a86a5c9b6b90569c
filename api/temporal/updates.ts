/** Commands as updates: each obeyed once, and what their errors mean, whichever workflow was asked. */
import { randomUUID } from 'node:crypto';
import {
  ApplicationFailure,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
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

type Asked = Pick<WorkflowHandle, 'executeUpdate' | 'getUpdateHandle'>;

/** What Temporal knows of an update; waits for one that is under way. */
async function recordOf(handle: Asked, updateId: string): Promise<'obeyed' | 'failed' | 'none'> {
  try {
    await handle.getUpdateHandle(updateId).result();
    return 'obeyed';
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) return 'failed';
    if (error instanceof WorkflowNotFoundError) return 'none';
    throw error;
  }
}

/**
 * Looks through what became of a request that may be a repetition. An update that failed keeps its id and is answered with
 * its failure for ever, so that the next try needs another: `key`, `key/1`, `key/2` …. One that a validator turned away
 * leaves no record, and its id is the next again: without a gap nothing that was obeyed is ever overlooked.
 *
 * @returns the id of the next try, or null when one was obeyed
 */
export async function nextTry(handle: Asked, requestKey: string): Promise<string | null> {
  for (let tries = 0; ; tries += 1) {
    const updateId = tries === 0 ? requestKey : `${requestKey}/${tries}`;
    let record = await recordOf(handle, updateId);
    // Was it turned away while we waited for it? Only what is on record answers twice.
    if (record === 'failed') record = await recordOf(handle, updateId);
    if (record === 'none') return updateId;
    if (record === 'obeyed') return null;
  }
}

/** Has a workflow obey. A repetition of a request that was obeyed asks nobody; one that was refused is asked for anew. */
export async function obeyOnce<Command>(
  handle: Asked,
  update: UpdateDefinition<unknown, [Command]>,
  { command, requestKey }: { command: Command; requestKey: string | null },
): Promise<void> {
  const updateId = requestKey === null ? randomUUID() : await nextTry(handle, requestKey);
  if (updateId !== null) await handle.executeUpdate(update, { args: [command], updateId });
}
