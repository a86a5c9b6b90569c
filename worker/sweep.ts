/** What must happen in the end although something was away when it should have: run every few seconds by each worker. */
import type { WorkflowClient } from '@temporalio/client';
import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { markWorkflowStarted, massSmsNotStarted } from '../db/mass-sms.ts';
import { startMassSms } from '../workflows/mass-sms/start.ts';

const everyMs = 5_000;
/** The API itself starts the workflow of a mass SMS within this time of creating it. */
const headStartMs = 3_000;
/** Partitions are made this far ahead, so that no message ever waits for one. */
const monthsAhead = 3;

export interface SweepDeps {
  database: Database;
  clock: Clock;
  workflows: WorkflowClient;
  /** Told what went wrong; the next round tries again. */
  onError(error: unknown): void;
}

/** Starts the workflows of mass SMS that were created while Temporal was away. Harmless in several workers at once. */
async function startForgotten({ database, clock, workflows }: SweepDeps): Promise<void> {
  const before = new Date(clock.now().getTime() - headStartMs);
  for (const row of await massSmsNotStarted(database.system, before)) {
    const startAt = row.start_at.toISOString();
    await startMassSms(workflows, { organizationId: row.organization_id, massSmsId: row.id, startAt });
    await database.inOrganization(row.organization_id, (trx) => markWorkflowStarted(trx, row.id, clock.now()));
  }
}

/** Makes the coming months' partitions of messages and their events. */
async function makePartitions({ database, clock }: SweepDeps): Promise<void> {
  await sql`select ensure_message_partitions(${clock.now()}, ${monthsAhead})`.execute(database.system);
}

/** Idempotency keys hold for a day; nobody looks at older ones. */
async function forgetOldKeys({ database, clock }: SweepDeps): Promise<void> {
  const yesterday = new Date(clock.now().getTime() - 24 * 3_600_000);
  await database.system.deleteFrom('idempotency_keys').where('created_at', '<', yesterday).execute();
}

/** Begins to sweep. @returns a function that stops it and waits for the round under way */
export function startSweep(deps: SweepDeps): () => Promise<void> {
  let round: Promise<void> = Promise.resolve();
  const sweepOnce = async (): Promise<void> => {
    try {
      await deps.clock.sync();
    } catch (error) {
      deps.onError(error);
    }
    for (const duty of [startForgotten, makePartitions, forgetOldKeys]) {
      try {
        await duty(deps);
      } catch (error) {
        deps.onError(error);
      }
    }
  };
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    round = sweepOnce().finally(() => {
      running = false;
    });
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await round;
  };
}
