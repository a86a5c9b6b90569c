/**
 * Vitest's global setup: one Postgres and one Temporal for the whole run, in a temporary folder, on free ports. Tests take
 * a database and a namespace of their own from them (`infrastructure.ts`). Faults are tested on servers of their own.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../db/migrate.ts';
import { createDatabase, startPostgres } from '../../launcher/postgres.ts';
import { toConsole } from '../../launcher/support/progress.ts';
import { freePort } from '../../launcher/support/waiting.ts';
import { findTemporal, startTemporal } from '../../launcher/temporal.ts';

export interface SharedServers {
  /** Address of the database `postgres` on the shared server. */
  postgres: string;
  /** `host:port` of the shared development server. */
  temporal: string;
  /** Temporary folder of the run. */
  folder: string;
}

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- declaration merging
  interface ProvidedContext {
    servers: SharedServers;
  }
}

/** The database that every test's own is a copy of. */
export const TEMPLATE = 'longwave_template';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'longwave-test-'));
  // Under root, Postgres runs as another user, who has to pass.
  await chmod(folder, 0o711);
  const [postgresPort, temporalPort] = [await freePort(), await freePort()];

  const startingPostgres = startPostgres({
    folder: join(folder, 'postgres'),
    port: postgresPort,
    password: 'longwave',
    log: join(folder, 'logs', 'postgres.log'),
    durable: false,
    // Several products at once, with two pools each in API and worker.
    maxConnections: 500,
    report: () => {},
  });
  const startingTemporal = findTemporal(toConsole).then(({ path }) =>
    startTemporal({ program: path, port: temporalPort, log: join(folder, 'logs', 'temporal.log') }),
  );
  const teardown = async () => {
    const [postgres, temporal] = await Promise.allSettled([startingPostgres, startingTemporal]);
    if (postgres.status === 'fulfilled') await postgres.value.child.stop();
    if (temporal.status === 'fulfilled') await temporal.value.stop();
    if (process.env['LONGWAVE_TEST_KEEP']) process.stdout.write(`The run's logs and data are kept in ${folder}\n`);
    else await rm(folder, { recursive: true, force: true });
  };

  try {
    const server = await startingPostgres;
    await createDatabase(server.url('postgres'), TEMPLATE);
    await migrate(server.url(TEMPLATE));
    await startingTemporal;
    project.provide('servers', { postgres: server.url('postgres'), temporal: `127.0.0.1:${temporalPort}`, folder });
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}
