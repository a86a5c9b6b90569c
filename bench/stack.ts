/** The stack that is measured: the product's own processes as `npm start` runs them, durable, in a temporary folder. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { Client } from 'pg';
import { type Database, openDatabase } from '../db/database.ts';
import { startStack, type Stack } from '../launcher/stack.ts';
import { freePort } from '../launcher/support/waiting.ts';
import { type Control, controlClient } from '../tests/harness/control.ts';
import { meter, type Meter } from './measure.ts';

export interface BenchStack {
  stack: Stack;
  simulatorUrl: string;
  control: Control;
  database: Database;
  temporal: TemporalClient;
  /** A superuser's connection: for checkpoints and for what the server has written. */
  admin: Client;
  /** Requests under way at once, for every sender. */
  concurrency: number;
  meter: Meter;
  /** Brings all to a comparable state: an empty simulator that answers as said, and no old write-ahead log to clean up. */
  prepare(behaviour: { latencyMs?: number; callbacks?: boolean }): Promise<void>;
  workerPid(): number;
  /** A new worker process, whose memory holds nothing of what was measured before. */
  restartWorker(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it; what it was started with is removed by `stop`. */
export async function startBenchStack(concurrency: number, report: (line: string) => void): Promise<BenchStack> {
  const data = await mkdtemp(join(tmpdir(), 'longwave-bench-'));
  // Under root, Postgres runs as another user, who has to pass.
  await chmod(data, 0o711);
  const simulatorPort = await freePort([25]);
  const stack = await startStack({
    data,
    ports: {
      api: await freePort(),
      temporal: await freePort(),
      temporalUi: await freePort(),
      simulator: simulatorPort,
      simulatorSmtp: simulatorPort + 25,
      postgres: await freePort(),
    },
    durable: true,
    ui: false,
    environment: { SEND_CONCURRENCY: String(concurrency), LOG_LEVEL: 'info' },
    report,
  });
  const pid = (part: 'postgres' | 'simulator' | 'worker'): number => {
    const found = stack.pid(part);
    if (found === undefined) throw new Error(`${part} is not running: see ${stack.log(part)}`);
    return found;
  };
  // The embedded cluster's superuser has the same password as the product's role.
  const adminUrl = new URL(stack.databaseUrl);
  adminUrl.username = 'postgres';
  const admin = new Client({ connectionString: adminUrl.href });
  admin.on('error', () => {});
  await admin.connect();
  const connection = await Connection.connect({ address: stack.temporal });
  const database = openDatabase(stack.databaseUrl, { poolSize: 4 });
  const simulatorUrl = stack.simulator!;
  const control = controlClient(simulatorUrl);

  return {
    stack,
    simulatorUrl,
    control,
    database,
    temporal: new TemporalClient({ connection, namespace: stack.namespace }),
    admin,
    concurrency,
    meter: meter({ postgres: pid('postgres'), simulator: pid('simulator') }, admin),
    prepare: async ({ latencyMs = 0, callbacks = false }) => {
      await control.reset();
      await control.behaviour({ latencyMs, callbacks: { dropRate: callbacks ? 0 : 1 } });
      await admin.query('checkpoint');
    },
    workerPid: () => pid('worker'),
    restartWorker: async () => {
      await stack.stopPart('worker');
      await stack.start('worker');
    },
    stop: async () => {
      await Promise.allSettled([admin.end(), connection.close(), database.close()]);
      await stack.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}
