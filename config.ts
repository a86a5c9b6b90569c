/**
 * The environment, parsed once. Nothing else reads `process.env`; `docs/configuration.md` lists every variable.
 * Each process asks for the parts it needs, so that a worker does not fail over a variable only the API reads.
 */
import { z } from 'zod';

const port = (fallback: number) => z.coerce.number().int().min(1).max(65_535).default(fallback);
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
  LONGWAVE_OPERATOR_KEY: z.string().min(16).optional(),
  LONGWAVE_CLOCK: z.enum(['system', 'temporal']).default('system'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  WEBHOOKS_TO_LOOPBACK: flag,
  SEND_CONCURRENCY: z.coerce.number().int().min(1).max(1_000).default(100),
  SIMULATOR_PORT: port(3100),
  SIMULATOR_SMTP_PORT: port(3125),
  SIMULATOR_DATA: z.string().min(1).optional(),
});

/** What a variable should look like, in the words of the error that stops a start. */
const shapes: Partial<Record<keyof z.infer<typeof schema>, string>> = {
  DATABASE_URL: 'a Postgres address such as postgres://user:password@host:5432/longwave',
  TEMPORAL_ADDRESS: 'host:port, such as 127.0.0.1:7233',
  TWILIO_ACCOUNT_SID: 'an account SID: AC and 32 hexadecimal digits',
  TWILIO_AUTH_TOKEN: "the account's auth token",
  TWILIO_BASE_URL: 'http://host:port of the simulator; leave it out to reach Twilio itself',
  PUBLIC_URL: 'the https address Twilio reaches this API at',
  SMTP_URL: 'smtp://user:password@host:port',
  SECRETS_KEYS: 'id:key pairs separated by commas, each key 32 bytes in base64; the first encrypts, all decrypt',
  LONGWAVE_OPERATOR_KEY: 'at least 16 characters',
  LONGWAVE_CLOCK: 'system, or temporal on a time-skipping stack',
  OPERATOR_EMAIL: 'the email address that hears of failures',
  MAIL_FROM: 'a sender such as Longwave <longwave@example.com>',
  FEE_BRAND_USD: 'an amount in US dollars, such as 4',
  FEE_CAMPAIGN_REVIEW_USD: 'an amount in US dollars, such as 15',
  FEE_IDENTITY_CHECK_USD: 'an amount in US dollars, such as 12.5',
  PRICE_SEGMENT_USD: 'an amount in US dollars, such as 0.0083',
  CARRIER_FEE_LOW_USD: 'an amount in US dollars, such as 0.0035',
  CARRIER_FEE_HIGH_USD: 'an amount in US dollars, such as 0.0045',
};

type Environment = z.infer<typeof schema>;
type Variable = keyof Environment;

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
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => {
    const name = String(issue.path[0]) as Variable;
    const state = given[name] === undefined ? 'is missing' : 'is malformed';
    return `  ${name} ${state}: it should be ${shapes[name] ?? issue.message.toLowerCase()}`;
  });
  throw new ConfigurationError(`The environment is not complete:\n${[...new Set(faults)].join('\n')}`);
}

/** Where the outside reaches the API, without a trailing slash: webhooks are sent there and signed for it. */
export const publicUrlOf = ({ PUBLIC_URL: url, PORT: port }: Pick<Environment, 'PUBLIC_URL' | 'PORT'>): string =>
  url ?? `http://127.0.0.1:${port}`;
