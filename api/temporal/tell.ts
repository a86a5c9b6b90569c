/** What follows a commit: Temporal hears of it. */
import type { WorkflowClient } from '@temporalio/client';
import type { FastifyBaseLogger } from 'fastify';
import type { Deps } from '../deps.ts';

/** Temporal must not keep the caller waiting: what it does not hear now, the sweep tells it. */
const tellWithinMs = 2_000;

interface Told {
  /** In words, for the log: "waking the outbox". */
  what: string;
  /** Ids that say which. */
  about: Readonly<Record<string, string>>;
  tell: (workflow: WorkflowClient) => Promise<unknown>;
}

/** Never throws: all is kept. @returns whether Temporal has heard */
export async function tellTemporal(
  { temporal }: Deps,
  log: FastifyBaseLogger,
  { what, about, tell }: Told,
): Promise<boolean> {
  try {
    const { connection, workflow } = temporal.client;
    await connection.withDeadline(Date.now() + tellWithinMs, () => tell(workflow));
    return true;
  } catch (error) {
    log.warn({ err: error, ...about }, `${what} is left to the sweep`);
    return false;
  }
}
