/**
 * One stack: Postgres, Temporal (or the time-skipping server), the Twilio simulator, the worker and the API, as child
 * processes. `npm start` runs one; the test harness runs several, crashes their parts and brings them back.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createDatabase, startPostgres } from './postgres.ts';
import { describeExit, startChild, type Child } from './support/child.ts';
import { toConsole, type Report } from './support/progress.ts';
import { portVariables, readSecrets, root, type Ports, type RealServers, type Secrets } from './support/settings.ts';
import { createSupervisor } from './support/supervisor.ts';
import { answers, HopelessError, requireFree, waitFor } from './support/waiting.ts';
import { findTemporal, startTemporal } from './temporal.ts';
import { findTimeSkippingServer, startTimeSkippingServer } from './time-skipping-server.ts';

export type Component = 'postgres' | 'temporal' | 'simulator' | 'worker' | 'api';

export interface StackOptions {
  /** Folder of everything that is kept: databases, logs, secrets. */
  data: string;
  ports: Ports;
  /** Servers used instead of embedded ones. */
  real?: RealServers;
  /** Workflow time on the time-skipping server, with a clock that can be moved. Ignores a real Temporal. */
  timeSkipping?: boolean;
  /** Brings back parts that die; off in tests, where a crash is meant. */
  restart?: boolean;
  /** Parts to start; all that are needed by default. */
  parts?: readonly Component[];
  /** The simulator keeps what was set up in the data folder; otherwise it starts with nothing each time. */
  keepSimulator?: boolean;
  /** The simulator decides on registrations by itself; otherwise they wait for its control side. */
  autoReview?: boolean;
  /** Temporal namespace, `default` by default. */
  namespace?: string;
  /** False: an embedded Postgres without fsync, for data that is thrown away. */
  durable?: boolean;
  /** False: Temporal without its Web UI. */
  ui?: boolean;
  /** Entry files instead of `worker/main.ts`, `api/main.ts` and `simulator/main.ts`: stand-ins in the launcher's tests. */
  programs?: Partial<Record<'worker' | 'api' | 'simulator', string>>;
  /** Added to what every part finds in its environment. */
  environment?: NodeJS.ProcessEnv;
  report?: Report;
}

export interface Stack {
  readonly api: string;
  /** Undefined when a real Twilio account is used. */
  readonly simulator: string | undefined;
  /** `host:port`. */
  readonly temporal: string;
  readonly temporalUi: string | undefined;
  readonly namespace: string;
  readonly databaseUrl: string;
  readonly operatorKey: string;
  readonly data: string;
  /** What worker, API and simulator find in their environment, beyond that of the launcher itself. */
  readonly environment: Readonly<Record<string, string>>;
  /** SIGKILL; answers when it is gone. It stays down until `start`. */
  crash(part: Component): Promise<void>;
  /** Orderly stop of one part. */
  stopPart(part: Component): Promise<void>;
  /** Brings a part back on the same ports with the same data; answers when it is ready. */
  start(part: Component): Promise<void>;
  pid(part: Component): number | undefined;
  log(part: Component): string;
  /** Stops everything in order: API, worker, simulator, Temporal, Postgres. */
  stop(): Promise<void>;
  /** Kills everything at once. */
  kill(): Promise<void>;
}

const STOP_ORDER: readonly Component[] = ['api', 'worker', 'simulator', 'temporal', 'postgres'];

/**
 * The worker makes a lot of short-lived objects beside a heap that Temporal's bundler has filled: with more room for the
 * young ones they die there instead of being moved.
 */
const nodeFlags = { worker: ['--max-semi-space-size=64'], api: [], simulator: [] } as const;

/** Milliseconds each part gets between its orderly stop and SIGKILL; the worker finishes what is in flight. */
const GRACE = { api: 10_000, worker: 30_000, simulator: 5_000 };

function environmentOf(options: StackOptions, secrets: Secrets, databaseUrl: string): Record<string, string> {
  const { ports, real = {}, timeSkipping = false, namespace = 'default' } = options;
  const api = `http://127.0.0.1:${ports.api}`;
  const ours: Record<string, string> = {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: (!timeSkipping && real.temporalAddress) || `127.0.0.1:${ports.temporal}`,
    TEMPORAL_NAMESPACE: namespace,
    TWILIO_ACCOUNT_SID: real.twilio?.accountSid ?? secrets.accountSid,
    TWILIO_AUTH_TOKEN: real.twilio?.authToken ?? secrets.authToken,
    PORT: String(ports.api),
    LONGWAVE_CLOCK: timeSkipping ? 'temporal' : 'system',
    SIMULATOR_PORT: String(ports.simulator),
    SIMULATOR_SMTP_PORT: String(ports.simulatorSmtp),
    // Empty counts as left out: a file named outside is not shared by all stacks.
    SIMULATOR_DATA: options.keepSimulator === true ? join(options.data, 'simulator.json') : '',
  };
  if (!real.twilio) ours['TWILIO_BASE_URL'] = `http://127.0.0.1:${ports.simulator}`;
  const defaults: Record<string, string> = {
    PUBLIC_URL: api,
    SECRETS_KEYS: secrets.secretsKeys,
    LONGWAVE_OPERATOR_KEY: secrets.operatorKey,
    MAIL_FROM: 'Longwave <longwave@longwave.test>',
    LOG_LEVEL: 'info',
  };
  if (!real.twilio) {
    // The simulator's mail sink.
    defaults['SMTP_URL'] = `smtp://127.0.0.1:${ports.simulatorSmtp}`;
    defaults['OPERATOR_EMAIL'] = 'operator@longwave.test';
    // Nothing here is real: a receiver on this machine can be tried.
    defaults['WEBHOOKS_TO_LOOPBACK'] = 'true';
  }
  const given = { ...process.env, ...options.environment };
  for (const [name, value] of Object.entries(defaults)) ours[name] = given[name] || value;
  for (const [name, value] of Object.entries(options.environment ?? {})) if (value !== undefined) ours[name] = value;
  return ours;
}

/**
 * Starts a stack and answers when all of it is ready: migrated, healthy, the worker polling.
 *
 * @throws when a part does not come up; what was started is stopped, and the message carries the part's last words
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { data, ports, real = {}, timeSkipping = false, namespace = 'default', report = toConsole } = options;
  const embedded: Component[] = ['worker', 'api'];
  if (!real.databaseUrl) embedded.push('postgres');
  if (!real.temporalAddress || timeSkipping) embedded.push('temporal');
  if (!real.twilio) embedded.push('simulator');
  const parts = new Set(options.parts ?? embedded);

  await mkdir(join(data, 'logs'), { recursive: true });
  // Under root the server's own user has to pass through; the secrets have modes of their own.
  await chmod(data, 0o711).catch(() => {});
  const secrets = readSecrets(data);
  const log = (part: Component) => join(data, 'logs', `${part}.log`);
  const databaseUrl =
    real.databaseUrl ?? `postgres://longwave:${secrets.postgresPassword}@127.0.0.1:${ports.postgres}/longwave`;
  const environment = environmentOf(options, secrets, databaseUrl);
  const supervisor = createSupervisor<Component>({ restart: options.restart ?? false, report });
  const api = `http://127.0.0.1:${ports.api}`;
  const simulator = real.twilio ? undefined : `http://127.0.0.1:${ports.simulator}`;

  const program =
    (part: 'worker' | 'api' | 'simulator', ready: (child: Child) => Promise<boolean> | boolean) => async () => {
      if (part === 'api') await requireFree(ports.api, portVariables.api);
      if (part === 'simulator') {
        await requireFree(ports.simulator, portVariables.simulator);
        await requireFree(ports.simulatorSmtp, portVariables.simulatorSmtp);
      }
      const child = startChild({
        name: part,
        command: process.execPath,
        args: [
          ...nodeFlags[part],
          options.programs?.[part] ?? join(root, part, 'main.ts'),
          ...(part === 'simulator' && options.autoReview === true ? ['--auto-review'] : []),
        ],
        log: log(part),
        cwd: root,
        env: { ...process.env, ...environment },
        grace: GRACE[part],
      });
      try {
        await waitFor(
          async () => {
            if (child.running()) return ready(child);
            throw new HopelessError(
              `${part} ended while starting (${describeExit(await child.exited)}):\n${child.output()}`,
            );
          },
          { what: `${part} to be ready (see ${child.log})`, within: 120_000 },
        );
        return child;
      } catch (error) {
        await child.kill();
        throw error;
      }
    };

  const launches: Record<Component, () => Promise<Child>> = {
    postgres: async () => {
      const { child, url } = await startPostgres({
        folder: join(data, 'postgres'),
        port: ports.postgres,
        password: secrets.postgresPassword,
        log: log('postgres'),
        durable: options.durable ?? true,
        report,
      });
      await createDatabase(url('postgres'), 'longwave');
      return child;
    },
    temporal: async () => {
      const common = { port: ports.temporal, log: log('temporal') };
      if (timeSkipping) return startTimeSkippingServer({ ...common, program: await findTimeSkippingServer(report) });
      const { path } = await findTemporal(report);
      return startTemporal({
        ...common,
        program: path,
        database: join(data, 'temporal', 'temporal.db'),
        namespaces: [namespace],
        ...(options.ui === false ? {} : { uiPort: ports.temporalUi }),
      });
    },
    simulator: program('simulator', () => answers(`${simulator}/healthz`)),
    worker: program('worker', (child) => child.output(1_000_000).includes('"msg":"worker ready"')),
    api: program('api', () => answers(`${api}/readyz`)),
  };
  const start = async (part: Component) => {
    if (parts.has(part)) await supervisor.start(part, launches[part]);
  };
  const stop = async () => {
    for (const part of STOP_ORDER) await supervisor.stop(part);
  };

  try {
    await settled([
      start('postgres').then(() =>
        parts.has('api') || parts.has('worker') ? migrateDatabase(databaseUrl, report) : undefined,
      ),
      // The simulator of a time-skipping stack takes its clock from the server.
      start('temporal').then(() => start('simulator')),
    ]);
    await settled([start('worker'), start('api')]);
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    api,
    simulator,
    temporal: environment['TEMPORAL_ADDRESS'] ?? '',
    temporalUi:
      parts.has('temporal') && !timeSkipping && options.ui !== false
        ? `http://127.0.0.1:${ports.temporalUi}`
        : undefined,
    namespace,
    databaseUrl,
    operatorKey: environment['LONGWAVE_OPERATOR_KEY'] ?? '',
    data,
    environment,
    crash: (part) => supervisor.crash(part),
    stopPart: (part) => supervisor.stop(part),
    start: (part) => supervisor.start(part),
    pid: (part) => supervisor.child(part)?.pid,
    log,
    stop,
    kill: () => supervisor.killAll(),
  };
}

/** Like `Promise.all`, but waits for all of them before it fails: what is still starting must be stopped, too. */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function migrateDatabase(databaseUrl: string, report: Report): Promise<void> {
  const { migrate } = await import('../db/migrate.ts');
  await migrate(databaseUrl, { log: (line) => report(`Database: ${line}`) });
}
