/**
 * The environment, parsed once; `docs/configuration.md` lists every variable. No other file of the product reads
 * `process.env`: the launcher does, which makes it for the processes that it starts, and hands on the rest as it is.
 * Each process asks for the parts it needs, so that a worker does not fail over a variable only the API reads.
 */
import { z } from 'zod';

/** Plain digits only: `Number` would take 0x50, 8e1 and blanks, too. */
const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(least).max(most));
const port = (fallback: number) => whole(1, 65_535).default(fallback);
const flag = z.stringbool().default(false);

/** An amount of US dollars. */
const dollars = (standard: number) => z.coerce.number().min(0).max(10_000).default(standard);

const schema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s:/]+:\d+$/)
    .default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_API_KEY: z.string().min(1).optional(),
  TEMPORAL_TLS: flag,
  TEMPORAL_TLS_CERT: z.string().min(1).optional(),
  TEMPORAL_TLS_KEY: z.string().min(1).optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().min(1).optional(),
  TWILIO_ACCOUNT_SID: z.string().regex(/^AC[0-9a-f]{32}$/),
  TWILIO_AUTH_TOKEN: z.string().min(1),
  TWILIO_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  PORT: port(3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  SMTP_URL: z.url({ protocol: /^smtps?$/ }),
  MAIL_FROM: z.string().min(3).default('Longwave <longwave@localhost>'),
  OPERATOR_EMAIL: z.email(),
  FEE_BRAND_USD: dollars(4),
  FEE_CAMPAIGN_REVIEW_USD: dollars(15),
  FEE_IDENTITY_CHECK_USD: dollars(12.5),
  PRICE_SEGMENT_USD: dollars(0.0083),
  CARRIER_FEE_LOW_USD: dollars(0.0035),
  CARRIER_FEE_HIGH_USD: dollars(0.0045),
  SECRETS_KEYS: z.string().regex(/^[\w-]+:[A-Za-z0-9+/]{43}=(,[\w-]+:[A-Za-z0-9+/]{43}=)*$/),
  // What `api/shared/auth.ts` takes as a bearer token: with any other character a key could never be used.
  LONGWAVE_OPERATOR_KEY: z
    .string()
    .regex(/^[\w.~+/=-]{16,512}$/)
    .optional(),
  LONGWAVE_CLOCK: z.enum(['system', 'temporal']).default('system'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  WEBHOOKS_TO_LOOPBACK: flag,
  SEND_CONCURRENCY: whole(1, 1_000).default(100),
  POSTGRES_PORT: port(54_329),
  TEMPORAL_PORT: port(7233),
  TEMPORAL_UI_PORT: port(8233),
  SIMULATOR_PORT: port(3100),
  SIMULATOR_SMTP_PORT: port(3125),
  SIMULATOR_DATA: z.string().min(1).optional(),
});

const portNumber = 'a port number from 1 to 65535';
const yesOrNo = 'true or false';
const pemFile = 'the path of a PEM file';
const amount = 'an amount in US dollars, such as 0.0083, of at most 10000';

/** What a variable should look like, in the words of the error that stops a start. */
const shapes: Readonly<Record<keyof z.infer<typeof schema>, string>> = {
  DATABASE_URL: 'a Postgres address such as postgres://user:password@host:5432/longwave',
  TEMPORAL_ADDRESS: 'host:port, such as 127.0.0.1:7233',
  TEMPORAL_NAMESPACE: 'the name of a namespace, such as default',
  TEMPORAL_API_KEY: 'an API key of Temporal Cloud',
  TEMPORAL_TLS: yesOrNo,
  TEMPORAL_TLS_CERT: pemFile,
  TEMPORAL_TLS_KEY: pemFile,
  TEMPORAL_TLS_SERVER_NAME: 'the host name in the certificate of the Temporal server',
  TWILIO_ACCOUNT_SID: 'an account SID: AC and 32 hexadecimal digits',
  TWILIO_AUTH_TOKEN: "the account's auth token",
  TWILIO_BASE_URL: 'http://host:port of the simulator; leave it out to reach Twilio itself',
  PORT: portNumber,
  HOST: 'the address to listen on, such as 127.0.0.1, or 0.0.0.0 for all',
  PUBLIC_URL: 'the https address Twilio reaches this API at',
  SMTP_URL: 'smtp://user:password@host:port',
  MAIL_FROM: 'a sender such as Longwave <longwave@example.com>',
  OPERATOR_EMAIL: 'the email address that hears of failures',
  FEE_BRAND_USD: amount,
  FEE_CAMPAIGN_REVIEW_USD: amount,
  FEE_IDENTITY_CHECK_USD: amount,
  PRICE_SEGMENT_USD: amount,
  CARRIER_FEE_LOW_USD: amount,
  CARRIER_FEE_HIGH_USD: amount,
  SECRETS_KEYS: 'id:key pairs separated by commas, each key 32 bytes in base64; the first encrypts, all decrypt',
  LONGWAVE_OPERATOR_KEY: 'at least 16 and at most 512 characters, each a letter, a digit or one of - . _ ~ + / =',
  LONGWAVE_CLOCK: 'system, or temporal on a time-skipping stack',
  LOG_LEVEL: 'trace, debug, info, warn, error, fatal or silent',
  WEBHOOKS_TO_LOOPBACK: yesOrNo,
  SEND_CONCURRENCY: 'a whole number from 1 to 1000',
  POSTGRES_PORT: portNumber,
  TEMPORAL_PORT: portNumber,
  TEMPORAL_UI_PORT: portNumber,
  SIMULATOR_PORT: portNumber,
  SIMULATOR_SMTP_PORT: portNumber,
  SIMULATOR_DATA: 'the path of a file',
};

/** What is missing once the other is there. */
const pairs: readonly (readonly [Variable, Variable])[] = [
  ['TEMPORAL_TLS_KEY', 'TEMPORAL_TLS_CERT'],
  ['TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'],
];

export type Environment = z.infer<typeof schema>;
type Variable = keyof Environment;

/** Every variable of the product, by name. */
export const variables: readonly Variable[] = schema.keyof().options;

/** Thrown when the environment cannot be used; `message` names every variable at fault and its expected shape. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/**
 * Parses the named variables.
 *
 * @param names the variables this process needs
 * @param env the environment, `process.env` by default; empty strings count as missing
 * @throws {ConfigurationError} naming each missing or malformed variable and what it should look like
 */
export function readConfig<const Names extends readonly Variable[]>(
  names: Names,
  env: Record<string, string | undefined> = process.env,
): Pick<Environment, Names[number]> {
  const mask = Object.fromEntries(names.map((name) => [name, true])) as Record<Names[number], true>;
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = schema.pick(mask as never).safeParse(given);
  const faults = (result.error?.issues ?? []).map((issue) => {
    const name = String(issue.path[0]) as Variable;
    const state = given[name] === undefined ? 'is missing' : 'is malformed';
    return `  ${name} ${state}: it should be ${shapes[name]}`;
  });
  for (const [name, other] of pairs) {
    if (!names.includes(other) || given[other] === undefined || given[name] !== undefined) continue;
    faults.push(`  ${name} is missing: ${other} needs it, and it should be ${shapes[name]}`);
  }
  if (result.success && faults.length === 0) return result.data;
  throw new ConfigurationError(`The environment cannot be used:\n${[...new Set(faults)].join('\n')}`);
}

/** `readConfig` for the beginning of a program: one that cannot use its environment says why, without a stack, and ends. */
export function configOrExit<const Names extends readonly Variable[]>(names: Names): Pick<Environment, Names[number]> {
  try {
    return readConfig(names);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** Where the outside reaches the API, without a trailing slash: webhooks are sent there and signed for it. */
export const publicUrlOf = ({ PUBLIC_URL: url, PORT: port }: Pick<Environment, 'PUBLIC_URL' | 'PORT'>): string =>
  url ?? `http://127.0.0.1:${port}`;
