/** What the environment says about a stack: ports, the data folder, and servers that are used instead of embedded ones. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { codeOf } from './errors.ts';
import { ConfigurationError, readConfig } from '../../config.ts';

/** The checkout. */
export const root = resolve(import.meta.dirname, '../..');

export const portNames = ['api', 'temporal', 'temporalUi', 'simulator', 'simulatorSmtp', 'postgres'] as const;

type PortName = (typeof portNames)[number];

export type Ports = Record<PortName, number>;

/** The environment variable that chooses each port. */
export const portVariables: Record<PortName, string> = {
  api: 'PORT',
  temporal: 'TEMPORAL_PORT',
  temporalUi: 'TEMPORAL_UI_PORT',
  simulator: 'SIMULATOR_PORT',
  simulatorSmtp: 'SIMULATOR_SMTP_PORT',
  postgres: 'POSTGRES_PORT',
};

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
}

type Env = Record<string, string | undefined>;

function port(env: Env, variable: string, fallback: number): number {
  const value = env[variable];
  if (value === undefined || value === '') return fallback;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= 65_535) return number;
  throw new ConfigurationError(`${variable} is malformed: it should be a port number from 1 to 65535, not "${value}"`);
}

/** A value that the product itself will read, checked here so that a start stops before anything is started. */
function checked(
  env: Env,
  name: 'DATABASE_URL' | 'TEMPORAL_ADDRESS' | 'TWILIO_ACCOUNT_SID' | 'TWILIO_AUTH_TOKEN',
): string | undefined {
  return env[name] ? readConfig([name], env)[name] : undefined;
}

/**
 * Reads the settings of a stack.
 *
 * @throws {ConfigurationError} naming the variable at fault and what it should look like
 */
export function readSettings(env: Env = process.env): Settings {
  const simulator = port(env, 'SIMULATOR_PORT', 3_100);
  const ports: Ports = {
    api: port(env, 'PORT', 3_000),
    temporal: port(env, 'TEMPORAL_PORT', 7_233),
    temporalUi: port(env, 'TEMPORAL_UI_PORT', 8_233),
    simulator,
    simulatorSmtp: port(env, 'SIMULATOR_SMTP_PORT', simulator + 25),
    postgres: port(env, 'POSTGRES_PORT', 54_329),
  };
  const taken = new Map<number, string>();
  for (const name of portNames) {
    const number = ports[name];
    const variable = portVariables[name];
    const other = taken.get(number);
    if (other !== undefined) throw new ConfigurationError(`${other} and ${variable} are both ${number}: change one`);
    taken.set(number, variable);
  }

  const databaseUrl = checked(env, 'DATABASE_URL');
  const temporalAddress = checked(env, 'TEMPORAL_ADDRESS');
  const accountSid = checked(env, 'TWILIO_ACCOUNT_SID');
  const authToken = checked(env, 'TWILIO_AUTH_TOKEN');
  if ((accountSid === undefined) !== (authToken === undefined)) {
    const missing = accountSid === undefined ? 'TWILIO_ACCOUNT_SID' : 'TWILIO_AUTH_TOKEN';
    throw new ConfigurationError(`${missing} is missing: set both for a real Twilio account, none for the simulator`);
  }
  for (const name of ['SECRETS_KEYS', 'LONGWAVE_OPERATOR_KEY', 'PUBLIC_URL', 'SMTP_URL', 'LOG_LEVEL'] as const) {
    if (env[name]) readConfig([name], env);
  }
  return {
    data: resolve(root, env['LONGWAVE_DATA'] || '.longwave'),
    ports,
    real: {
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      ...(temporalAddress === undefined ? {} : { temporalAddress }),
      ...(accountSid === undefined || authToken === undefined ? {} : { twilio: { accountSid, authToken } }),
    },
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
