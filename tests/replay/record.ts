/**
 * Histories for the replay tests. Every workflow test hands the histories it makes to `keepHistory`, which replays them
 * at once against today's code. To record new ones (a new path, or a new version after a change guarded by `patched()`):
 *
 *     LONGWAVE_RECORD=v2 npm test -- tests/workflows
 *
 * writes `histories/<workflow>.<what>.v2.json`. Commit them, and never change those that are there: processes that began
 * under an older version are still running somewhere.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { type ReplayHistoriesIterable, Worker, type WorkflowBundle } from '@temporalio/worker';
import { workflowBundle } from './bundle.ts';
import { historyFromJson, historyToJson } from './history-json.ts';

const root = path.join(import.meta.dirname, '../..');
export const historiesFolder = path.join(import.meta.dirname, 'histories');

/** Replays histories and answers what went wrong with each: `runReplayHistories` yields errors, it does not throw. */
export async function replayErrors(
  histories: ReplayHistoriesIterable,
  bundle: WorkflowBundle,
): Promise<Record<string, string | null>> {
  const results: Record<string, string | null> = {};
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, histories)) {
    results[workflowId] = error ? `${error.name}: ${error.message}` : null;
  }
  return results;
}

/**
 * Replays the history of a workflow (of its last run, or of the one named) and, when asked to record, writes it as `<what>.<version>.json`.
 *
 * @param what the workflow's type and what happened, such as `massSms.cancelled`
 * @throws when the workflow's own code does not lead to its history again
 */
export async function keepHistory(client: Client, workflowId: string, what: string, runId?: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const history: temporal.api.history.v1.IHistory = await handle.fetchHistory();
  const json = historyToJson(history);
  const errors = await replayErrors([{ workflowId, history: historyFromJson(json) }], await workflowBundle());
  if (errors[workflowId] !== null) throw new Error(`${what} does not replay: ${errors[workflowId] ?? 'no result'}`);
  const version = process.env['LONGWAVE_RECORD'];
  if (!version) return;
  await mkdir(historiesFolder, { recursive: true });
  const file = path.join(historiesFolder, `${what}.${version}.json`);
  // Failures carry stack traces: where the files lie on this machine is nobody's business.
  const text = JSON.stringify(json, undefined, 1).replaceAll(root, '.');
  await writeFile(file, `${text}\n`, { flag: 'wx' });
}
