/** What the environment says about a stack: ports, the data folder, and servers that are used instead of embedded ones. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { codeOf } from './errors.ts';
import { ConfigurationError, type Environment, readConfig, variables } from '../../config.ts';

/** The checkout. */
export const root = resolve(import.meta.dirname, '../..');

export const portNames = ['api', 'temporal', 'temporalUi', 'simulator', 'simulatorSmtp', 'postgres'] as const;

type PortName = (typeof portNames)[number];

export type Ports = Record<PortName, number>;

/** The environment variable that chooses each port. */
export const portVariables = {
  api: 'PORT',
  temporal: 'TEMPORAL_PORT',
  temporalUi: 'TEMPORAL_UI_PORT',
  simulator: 'SIMULATOR_PORT',
  simulatorSmtp: 'SIMULATOR_SMTP_PORT',
  postgres: 'POSTGRES_PORT',
} as const satisfies Record<PortName, string>;

/** Servers that run already; what is left out is embedded. */
export interface RealServers {
  databaseUrl?: string;
  temporalAddress?: string;
  twilio?: { accountSid: string; authToken: string };
}

export interface Settings {
  data: string;
  ports: Ports;
  real: RealServers;
  /** Of Temporal. */
  namespace: string;
}

type Env = Record<string, string | undefined>;

/** Given or not, their defaults are those of the product. */
const always = [...Object.values(portVariables), 'TEMPORAL_NAMESPACE'] as const;

/** How far above the simulator its mail sink listens. */
const mailOffset = 25;

/** A port for the mail sink that nobody asked for: as near as can be to the usual one, above or below the simulator. */
function mailPort(simulator: number, taken: ReadonlySet<number>): number {
  for (let offset = mailOffset; ; offset += 1) {
    const port = [simulator + offset, simulator - offset].find(
      (candidate) => candidate >= 1 && candidate <= 65_535 && !taken.has(candidate),
    );
    if (port !== undefined) return port;
  }
}

function portsOf(config: Pick<Environment, (typeof always)[number]>, env: Env): Ports {
  const ports: Ports = {
    api: config.PORT,
    temporal: config.TEMPORAL_PORT,
    temporalUi: config.TEMPORAL_UI_PORT,
    simulator: config.SIMULATOR_PORT,
    simulatorSmtp: config.SIMULATOR_SMTP_PORT,
    postgres: config.POSTGRES_PORT,
  };
  if (!env['SIMULATOR_SMTP_PORT']) {
    const { simulatorSmtp: _unasked, ...others } = ports;
    ports.simulatorSmtp = mailPort(ports.simulator, new Set(Object.values(others)));
  }
  const taken = new Map<number, string>();
  for (const name of portNames) {
    const number = ports[name];
    const variable = portVariables[name];
    const other = taken.get(number);
    if (other !== undefined) throw new ConfigurationError(`${other} and ${variable} are both ${number}: change one`);
    taken.set(number, variable);
  }
  return ports;
}

/** What a demo brings itself: it moves clocks and makes companies up, and nothing of that may reach what others use. */
const notForDemos = ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'SMTP_URL'];

function refuseForDemos(env: Env): void {
  const given = notForDemos.filter((name) => env[name]);
  if (given.length === 0) return;
  const names = given.join(', ');
  throw new ConfigurationError(
    `A demo brings its own servers and moves their clock, and must not touch real ones: unset ${names}. ` +
      'npm start is what uses real servers.',
  );
}

/** How to reach a Temporal server means nothing without its address, and keeps an embedded one from being reached. */
function refuseWithoutAddress(config: Partial<Environment>): void {
  if (config.TEMPORAL_ADDRESS !== undefined) return;
  const names = ['TEMPORAL_API_KEY', 'TEMPORAL_TLS', 'TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'] as const;
  const given = names.filter((name) => config[name]).join(', ');
  if (given === '') return;
  throw new ConfigurationError(
    `TEMPORAL_ADDRESS is missing: set it to the server that ${given} is for, or unset ${given} for an embedded one`,
  );
}

/**
 * Reads the settings of a stack, and checks every variable that its processes will read: a start stops before anything
 * is started.
 *
 * @param options.demo for `npm run demo`, which uses no real servers
 * @throws {ConfigurationError} naming each variable at fault and what it should look like
 */
export function readSettings(env: Env = process.env, { demo = false } = {}): Settings {
  if (demo) refuseForDemos(env);
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken } = env;
  if (Boolean(accountSid) !== Boolean(authToken)) {
    const missing = accountSid ? 'TWILIO_AUTH_TOKEN' : 'TWILIO_ACCOUNT_SID';
    throw new ConfigurationError(`${missing} is missing: set both for a real Twilio account, none for the simulator`);
  }
  // What the simulator otherwise stands in for.
  const needed = accountSid ? (['SMTP_URL', 'OPERATOR_EMAIL'] as const) : [];
  const given = variables.filter((name) => env[name]);
  const config: Partial<Environment> & Pick<Environment, (typeof always)[number]> = readConfig(
    [...new Set([...always, ...needed, ...given])],
    env,
  );
  refuseWithoutAddress(config);
  const { DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: temporalAddress } = config;
  return {
    data: resolve(root, env['LONGWAVE_DATA'] || '.longwave'),
    ports: portsOf(config, env),
    real: {
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      ...(temporalAddress === undefined ? {} : { temporalAddress }),
      ...(accountSid && authToken ? { twilio: { accountSid, authToken } } : {}),
    },
    namespace: config.TEMPORAL_NAMESPACE,
  };
}

const secretsSchema = z.object({
  /** `SECRETS_KEYS`: encrypts what is in this folder's database, so it must stay with it. */
  secretsKeys: z.string(),
  operatorKey: z.string(),
  postgresPassword: z.string(),
  /** The simulator's account. */
  accountSid: z.string(),
  authToken: z.string(),
});

/** Secrets of a data folder, made up at its first start. */
export type Secrets = z.infer<typeof secretsSchema>;

/** Reads the secrets of a data folder, or makes them up; only their owner can read the file. */
export function readSecrets(data: string): Secrets {
  const file = join(data, 'secrets.json');
  mkdirSync(data, { recursive: true });
  const fresh: Secrets = {
    secretsKeys: `k1:${randomBytes(32).toString('base64')}`,
    operatorKey: `lw_op_${randomBytes(24).toString('base64url')}`,
    postgresPassword: randomBytes(18).toString('base64url'),
    accountSid: `AC${randomBytes(16).toString('hex')}`,
    authToken: randomBytes(16).toString('hex'),
  };
  try {
    writeFileSync(file, `${JSON.stringify(fresh, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
    return fresh;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  try {
    return secretsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new Error(`${file} cannot be read: restore it, or delete the whole data folder to start afresh.`, {
      cause: error,
    });
  }
}
