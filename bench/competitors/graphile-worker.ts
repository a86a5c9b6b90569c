/**
 * One job per message on graphile-worker, tuned as its performance page and the notes on its options advise
 * (worker.graphile.org/docs/performance, section "Batching"):
 *
 * - `concurrentJobs`: as many requests under way as every other sender here has.
 * - `localQueue.size` 500: the page's own setting for its record figures. Jobs are fetched 500 at a time, not one by one.
 * - `completeJobBatchDelay` and `failJobBatchDelay` 0: the same page; finished jobs are removed together.
 * - `maxPoolSize` `concurrentJobs + 2`: the notes recommend it, and more than that only where tasks hold several.
 * - Tasks use the worker's pool, and jobs carry all they need, so that a task reads nothing.
 * - No logging: by default it writes a line for every job that succeeds.
 * - Jobs are added with `add_jobs` in bulk, before the clock starts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger, makeWorkerUtils, run, type Runner } from 'graphile-worker';
import { Pool } from 'pg';
import { type Competitor, createSender, type Recipient, recipient, type Task } from './sender.ts';
import { createStatusTable, requireAllWritten, writeStatus } from './status-table.ts';

const addedAtOnce = 5_000;
const logger = new Logger(() => () => {});

export async function graphileWorker(task: Task): Promise<Competitor> {
  const { databaseUrl, count, concurrency } = task;
  const utils = await makeWorkerUtils({ connectionString: databaseUrl, logger });
  await utils.migrate();
  const sender = createSender(task);
  const watcher = new Pool({ connectionString: databaseUrl, max: 1 });
  let sent = 0;
  let runner: Runner | undefined;
  return {
    async load() {
      await createStatusTable(databaseUrl, count);
      const ids = Array.from({ length: count }, (_, id) => id);
      for (let first = 0; first < count; first += addedAtOnce) {
        const some = ids.slice(first, first + addedAtOnce);
        await utils.addJobs(some.map((id) => ({ identifier: 'send', payload: recipient(id) })));
      }
      await watcher.query('analyze');
    },
    async run() {
      runner = await run({
        preset: {
          worker: {
            connectionString: databaseUrl,
            concurrentJobs: concurrency,
            maxPoolSize: concurrency + 2,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
            logger,
          },
        },
        noHandleSignals: true,
        taskList: {
          send: async (payload, helpers) => {
            // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the jobs above are all there are
            const message = payload as Recipient;
            const sid = await sender.send(message);
            await helpers.withPgClient((client) => writeStatus(client, message.id, sid));
            sent += 1;
          },
        },
      });
      while (sent < count) await sleep(5);
      // The last jobs are done when they are gone.
      for (;;) {
        const { rows } = await watcher.query<{ left: string }>(`select count(*) as left from graphile_worker.jobs`);
        if (Number(rows[0]?.left) === 0) break;
        await sleep(5);
      }
      await requireAllWritten(watcher);
    },
    async close() {
      await runner?.stop();
      await Promise.all([utils.release(), watcher.end(), sender.close()]);
    },
  };
}
