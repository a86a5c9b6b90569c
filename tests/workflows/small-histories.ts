/**
 * A development server that suggests to continue as new after a few events, as a real one does after thousands, with a
 * worker whose activities the test plays.
 */
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { startChild } from '../../launcher/support/child.ts';
import { findTemporal, untilTemporalAnswers } from '../../launcher/temporal.ts';
import { expect } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { freePort, temporaryFolder } from '../harness/infrastructure.ts';

export interface SmallHistories {
  client: Client;
  /** Starts a worker that ends with the server. */
  work(options: Pick<WorkerOptions, 'taskQueue'> & Partial<WorkerOptions>): Promise<void>;
  stop(): Promise<void>;
}

/** @param events after how many the server suggests it */
export async function startSmallHistories(events: number): Promise<SmallHistories> {
  const port = await freePort();
  const { path } = await findTemporal(() => {});
  const folder = await temporaryFolder('small-histories');
  const server = startChild({
    name: 'temporal',
    command: path,
    args: [
      ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--headless', '--log-level', 'warn'],
      ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${events}`],
    ].flat(),
    log: join(folder, 'server.log'),
  });
  await untilTemporalAnswers(server, port, ['default']);
  const address = `127.0.0.1:${port}`;
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const workers: { worker: Worker; running: Promise<void> }[] = [];
  return {
    client: new Client({ connection }),
    work: async (options) => {
      const worker = await Worker.create({ connection: native, ...options });
      workers.push({ worker, running: worker.run() });
    },
    stop: async () => {
      for (const { worker } of workers) worker.shutdown();
      await Promise.all(workers.map(({ running }) => running));
      await connection.close();
      await native.close();
      await server.stop();
    },
  };
}

interface Wakeable {
  workflowId: string;
  /** Wakes it once more. */
  again: () => Promise<void>;
  /** How often it has looked for work. */
  looks: () => number;
}

/**
 * Wakes a workflow that works when something is due until its first run has continued as new, and sees that every wake was
 * followed by a look, and that the next run began with one.
 *
 * @returns the id of the run that continued as new
 */
export async function expectALookForEachWake(client: Client, { workflowId, again, looks }: Wakeable): Promise<string> {
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  const run = client.workflow.getHandle(workflowId, runId);
  await eventually(async () => expect(looks()).toBeGreaterThan(0));
  do {
    const before = looks();
    await again();
    await eventually(async () => expect(looks()).toBeGreaterThan(before));
  } while ((await run.describe()).status.name === 'RUNNING');
  expect((await run.describe()).status.name).toBe('CONTINUED_AS_NEW');
  await eventually(async () => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    expect(events?.some(({ activityTaskScheduledEventAttributes: look }) => look)).toBe(true);
  });
  return runId;
}
