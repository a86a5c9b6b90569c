/** Temporal's development server, with its data in the data folder. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Connection } from '@temporalio/client';
import { describeExit, startChild, type Child } from './support/child.ts';
import { HopelessError, isListening, requireFree, waitFor } from './support/waiting.ts';

export { findTemporal } from './support/find-temporal.ts';

export interface TemporalOptions {
  /** The Temporal CLI. */
  program: string;
  port: number;
  /** Left out: no Web UI. */
  uiPort?: number;
  /** SQLite file; left out, everything is forgotten at the end. */
  database?: string;
  namespaces?: readonly string[];
  log: string;
}

/**
 * Starts `temporal server start-dev` and waits until its namespaces can be used.
 *
 * The HTTP, metrics and internal ports are left to the server, which draws free ones: two stacks never collide.
 */
export async function startTemporal(options: TemporalOptions): Promise<Child> {
  const { program, port, uiPort, database, namespaces = ['default'], log } = options;
  await requireFree(port, 'TEMPORAL_PORT');
  if (uiPort !== undefined) await requireFree(uiPort, 'TEMPORAL_UI_PORT');
  if (database !== undefined) await mkdir(dirname(database), { recursive: true });
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn'];
  if (uiPort === undefined) args.push('--headless');
  else args.push('--ui-port', String(uiPort));
  if (database !== undefined) {
    args.push('--db-filename', database);
    args.push('--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal');
  }
  for (const namespace of namespaces) if (namespace !== 'default') args.push('--namespace', namespace);

  // TEMPORAL_* variables meant for clients must not change how the server is started.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
  const child = startChild({ name: 'temporal', command: program, args, log, env, grace: 10_000 });
  await untilTemporalAnswers(child, port, namespaces);
  return child;
}

/**
 * Waits until a Temporal server (either kind) answers and knows its namespaces; stops it when it does not.
 *
 * @throws when it ends or does not answer within a minute
 */
export async function untilTemporalAnswers(child: Child, port: number, namespaces: readonly string[]): Promise<void> {
  const connection = Connection.lazy({ address: `127.0.0.1:${port}`, connectTimeout: 2_000 });
  try {
    await waitFor(
      async () => {
        if (!child.running()) {
          const reason = `${describeExit(await child.exited)}). ${child.output().trim()}`;
          throw new HopelessError(`${child.name} ended while starting (${reason}`);
        }
        // A refused connection makes gRPC back off for a second; so it is asked only once somebody listens.
        if (!(await isListening(port))) return false;
        await connection.withDeadline(Date.now() + 1_000, async () => {
          await connection.workflowService.getSystemInfo({});
          for (const namespace of namespaces) await connection.workflowService.describeNamespace({ namespace });
        });
        return true;
      },
      { what: `${child.name} to answer on port ${port} (see ${child.log})`, within: 60_000 },
    );
  } catch (error) {
    await child.kill();
    throw error;
  } finally {
    await connection.close();
  }
}
