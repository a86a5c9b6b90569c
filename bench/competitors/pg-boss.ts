/**
 * One job per message on pg-boss, tuned as its documentation advises for throughput (pgboss.io, "Workers"; its author's
 * advice in timgit/pg-boss issues 195, 225 and 542 is a batch that the handler maps over with bounded concurrency):
 *
 * - `batchSize` 500 with `burstWhenBatchFull`: a worker fetches and completes a whole batch with one statement each, and
 *   goes on at once while batches come back full. With batches of one it would wait half a second between jobs.
 * - `localConcurrency` 2, each with half of the requests under way: while one fetches or completes, the other sends. More
 *   workers with smaller batches cost more CPU here and were no faster.
 * - `perJobResults`: one failed message must not fail, and so send again, the rest of its batch.
 * - No retry, no schedules, no maintenance during the run: nothing that costs and is not needed here.
 * - The statuses have a pool of their own of 20 connections; 100 were slower.
 * - Jobs are added with `insert` in bulk, before the clock starts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { PgBoss } from 'pg-boss';
import { type Competitor, createSender, type Recipient, recipient, type Task } from './sender.ts';
import { createStatusTable, requireAllWritten, writeStatus } from './status-table.ts';

const queue = 'messages';
const addedAtOnce = 5_000;
const workers = 2;
const batchSize = 500;

export async function pgBoss(task: Task): Promise<Competitor> {
  const { databaseUrl, count, concurrency } = task;
  const boss = new PgBoss({ connectionString: databaseUrl, max: 10, schedule: false, supervise: false });
  boss.on('error', (error) => process.stderr.write(`${String(error)}\n`));
  await boss.start();
  await boss.createQueue(queue, { retryLimit: 0 });
  const sender = createSender(task);
  const pool = new Pool({ connectionString: databaseUrl, max: 20 });
  let sent = 0;
  const sendOne = async ({ id, data }: { id: string; data: Recipient }) => {
    try {
      await writeStatus(pool, data.id, await sender.send(data));
      sent += 1;
      return { id, status: 'completed' as const };
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
      return { id, status: 'failed' as const };
    }
  };
  return {
    async load() {
      await createStatusTable(databaseUrl, count);
      const ids = Array.from({ length: count }, (_, id) => id);
      for (let first = 0; first < count; first += addedAtOnce) {
        await boss.insert(
          queue,
          ids.slice(first, first + addedAtOnce).map((id) => ({ data: recipient(id) })),
        );
      }
      await pool.query('analyze');
    },
    async run() {
      await boss.work(
        queue,
        {
          perJobResults: true,
          batchSize,
          localConcurrency: workers,
          burstWhenBatchFull: true,
          pollingIntervalSeconds: 0.5,
        },
        (jobs: { id: string; data: Recipient }[]) => mapped(jobs, Math.ceil(concurrency / workers), sendOne),
      );
      while (sent < count) await sleep(5);
      // The last batch is done when it is marked so.
      for (;;) {
        const { rows } = await pool.query<{ left: string }>(
          `select count(*) as left from pgboss.job where name = $1 and state < 'completed'`,
          [queue],
        );
        if (Number(rows[0]?.left) === 0) break;
        await sleep(5);
      }
      await requireAllWritten(pool);
    },
    async close() {
      await boss.stop({ graceful: false });
      await Promise.all([pool.end(), sender.close()]);
    },
  };
}

/** Works through a batch with so many under way at once, as `p-map` does. */
async function mapped<In, Out>(batch: readonly In[], atOnce: number, work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  const queue = batch.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) results.push(await work(item));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, batch.length) }, lane));
  return results;
}
