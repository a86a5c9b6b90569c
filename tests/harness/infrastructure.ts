/**
 * What the system harness is built on: databases, namespaces, ports, folders and whole stacks. Everything a test takes
 * here is its own; what has to be given back is given back by `release`.
 */
import { randomUUID } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { google } from '@temporalio/proto';
import { inject } from 'vitest';
import { createDatabase, withClient } from '../../launcher/postgres.ts';
import { startStack, type Component, type Stack } from '../../launcher/stack.ts';
import type { Ports, RealServers } from '../../launcher/support/settings.ts';
import { freePort as freePortIn, waitFor } from '../../launcher/support/waiting.ts';
import { findTimeSkippingServer, startTimeSkippingServer } from '../../launcher/time-skipping-server.ts';
import { TEMPLATE } from './servers.ts';

/** Each of Vitest's workers draws from a range of its own: until a program listens, another could draw its port. */
const ports = { from: 15_000 + 2_000 * (Number(process.env['VITEST_POOL_ID'] ?? 0) % 8), count: 2_000 };
export const freePort = (offsets: readonly number[] = []): Promise<number> => freePortIn(offsets, ports);

const short = () => randomUUID().slice(0, 8);

export interface ClonedDatabase {
  name: string;
  /** Address for the product's role: owner of the database, no superuser. */
  url: string;
  /** Drops it, whoever is still connected. */
  release(): Promise<void>;
}

/** A migrated database of one's own, copied from the template on the shared Postgres; about 50 ms with the connection. */
export async function cloneDatabase(): Promise<ClonedDatabase> {
  const { postgres } = inject('servers');
  const name = `test_${short()}${short()}`;
  await createDatabase(postgres, name, TEMPLATE);
  const url = new URL(postgres);
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    release: () =>
      withClient(postgres, async (client) => {
        // Not `with (force)`: that asks to end an autovacuum worker too, which is a superuser's, and is refused. A plain
        // drop sends autovacuum away by itself.
        await client.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = current_user',
          [name],
        );
        await client.query(`drop database if exists ${client.escapeIdentifier(name)}`);
      }),
  };
}

/**
 * A namespace of one's own on the shared Temporal server. Registering one takes the development server some
 * milliseconds and it can be used at once (measured: 3–6 ms and 10–20 ms to the first workflow started), so there is no
 * pool of prepared ones.
 */
export async function freshNamespace(): Promise<{ address: string; namespace: string }> {
  const address = inject('servers').temporal;
  const namespace = `test-${short()}${short()}`;
  const connection = await Connection.connect({ address });
  try {
    const { workflowService } = connection;
    await workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: google.protobuf.Duration.fromObject({ seconds: 86_400 }),
    });
    await waitFor(() => workflowService.describeNamespace({ namespace }), {
      what: `namespace ${namespace} to be usable`,
      within: 30_000,
      every: 20,
    });
  } finally {
    await connection.close();
  }
  return { address, namespace };
}

/** A folder of one's own, with a short path; removed at the end of the run unless LONGWAVE_TEST_KEEP is set. */
export async function temporaryFolder(name = 'test'): Promise<string> {
  const folder = join(inject('servers').folder, `${name}-${short()}`);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o711);
  return folder;
}

/** Free ports for a whole stack; the simulator's mail port is 25 above its HTTP port, as under `npm start`. */
export async function freePorts(): Promise<Ports> {
  const simulator = await freePort([25]);
  const [api, temporal, temporalUi, postgres] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  return { api, temporal, temporalUi, simulator, simulatorSmtp: simulator + 25, postgres };
}

interface TestStackOptions {
  /** A time-skipping server of its own instead of a namespace on the shared Temporal. */
  timeSkipping?: boolean;
  /** Servers of its own that can be crashed, instead of the shared ones. */
  own?: readonly ('postgres' | 'temporal')[];
  /** Parts to start; everything by default. */
  parts?: readonly Component[];
  environment?: NodeJS.ProcessEnv;
}

/**
 * Starts the whole product: simulator, worker and API as child processes, on a database cloned from the template and a
 * fresh namespace, or on servers of its own. `stop` also drops what was taken from the shared servers.
 */
export async function startTestStack(options: TestStackOptions = {}): Promise<Stack> {
  const { timeSkipping = false, own = [], parts, environment = {} } = options;
  const real: RealServers = {};
  const releases: (() => Promise<void>)[] = [];
  let namespace = 'default';
  if (!own.includes('postgres')) {
    const database = await cloneDatabase();
    real.databaseUrl = database.url;
    releases.push(() => database.release());
  }
  if (!timeSkipping && !own.includes('temporal')) {
    const fresh = await freshNamespace();
    real.temporalAddress = fresh.address;
    namespace = fresh.namespace;
  }
  const release = async () => {
    for (const work of releases.splice(0)) await work();
  };
  try {
    const stack = await startStack({
      data: await temporaryFolder('stack'),
      ports: await freePorts(),
      real,
      timeSkipping,
      namespace,
      ui: false,
      ...(parts === undefined ? {} : { parts }),
      environment: { LOG_LEVEL: 'debug', ...environment },
      report: () => {},
    });
    return {
      ...stack,
      stop: async () => {
        await stack.stop();
        await release();
      },
      kill: async () => {
        await stack.kill();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** A time-skipping server without a stack, for workflow tests that bring their own worker; time is locked. */
export async function timeSkippingServer(): Promise<{ address: string; stop(): Promise<void> }> {
  const port = await freePort();
  const program = await findTimeSkippingServer(() => {});
  const log = join(await temporaryFolder('time-skipping'), 'server.log');
  const child = await startTimeSkippingServer({ program, port, log });
  return {
    address: `127.0.0.1:${port}`,
    stop: async () => {
      await child.stop();
    },
  };
}
