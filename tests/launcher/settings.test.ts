import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../config.ts';
import { readSecrets, readSettings } from '../../launcher/support/settings.ts';
import { temporaryFolder } from '../harness/infrastructure.ts';
import { run } from './processes.ts';

const account = { TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`, TWILIO_AUTH_TOKEN: 'token' };

test.each([
  ['PORT', { PORT: 'abc' }],
  ['POSTGRES_PORT', { POSTGRES_PORT: '70000' }],
  ['TEMPORAL_ADDRESS', { TEMPORAL_ADDRESS: 'http://temporal' }],
  ['DATABASE_URL', { DATABASE_URL: 'mysql://here' }],
  ['TWILIO_ACCOUNT_SID', { TWILIO_ACCOUNT_SID: 'AC1', TWILIO_AUTH_TOKEN: 'x' }],
  ['TWILIO_AUTH_TOKEN is missing', { TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}` }],
  ['SECRETS_KEYS', { SECRETS_KEYS: 'k1:short' }],
  ['LONGWAVE_OPERATOR_KEY', { LONGWAVE_OPERATOR_KEY: 'short' }],
  ['PORT and SIMULATOR_PORT are both 4000', { PORT: '4000', SIMULATOR_PORT: '4000' }],
  ['PORT and SIMULATOR_SMTP_PORT are both 4000', { PORT: '4000', SIMULATOR_SMTP_PORT: '4000' }],
  ['OPERATOR_EMAIL is malformed: it should be the email address', { OPERATOR_EMAIL: 'ops' }],
  ['FEE_BRAND_USD is malformed: it should be an amount', { FEE_BRAND_USD: 'four' }],
  ['SEND_CONCURRENCY is malformed: it should be a whole number', { SEND_CONCURRENCY: '0' }],
  ['LOG_LEVEL is malformed: it should be trace, debug', { LOG_LEVEL: 'loud' }],
  ['SMTP_URL is missing', { ...account, OPERATOR_EMAIL: 'ops@acme.example' }],
  ['OPERATOR_EMAIL is missing', { ...account, SMTP_URL: 'smtp://mail.acme.example' }],
  ['TEMPORAL_ADDRESS is missing: set it to the server that TEMPORAL_API_KEY', { TEMPORAL_API_KEY: 'key' }],
])('a wrong environment is refused by the name of the variable: %s', (name, env) => {
  expect(() => readSettings(env)).toThrow(name);
});

test('every port has its documented default and the mail port follows the simulator', () => {
  expect(readSettings({}).ports).toEqual({
    api: 3_000,
    temporal: 7_233,
    temporalUi: 8_233,
    simulator: 3_100,
    simulatorSmtp: 3_125,
    postgres: 54_329,
  });
  expect(readSettings({ SIMULATOR_PORT: '4100' }).ports.simulatorSmtp).toBe(4_125);
});

test.each([
  ['the usual one is taken by another part', { SIMULATOR_PORT: '4100', PORT: '4125' }, 4_075],
  ['its neighbour is taken too', { SIMULATOR_PORT: '4100', PORT: '4125', POSTGRES_PORT: '4075' }, 4_126],
  ['there is no port so high', { SIMULATOR_PORT: '65520' }, 65_495],
])('the mail sink finds a port where %s', (_case, env, expected) => {
  expect(readSettings(env).ports.simulatorSmtp).toBe(expected);
});

test('every variable at fault is named at once', () => {
  expect(() => readSettings({ SEND_CONCURRENCY: 'many', MAIL_FROM: 'x' })).toThrow(
    /SEND_CONCURRENCY is malformed[^]*MAIL_FROM|MAIL_FROM is malformed[^]*SEND_CONCURRENCY/,
  );
});

test.each([
  [
    'start',
    { SEND_CONCURRENCY: 'many' },
    /^The environment cannot be used:\n {2}SEND_CONCURRENCY is malformed: .*1000$/,
  ],
  ['demo', account, /^A demo brings its own servers .* unset TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN\..*$/],
  ['demo', { DATABASE_URL: 'postgres://me@db.acme.example/acme' }, /unset DATABASE_URL\./],
  ['demo', { TEMPORAL_ADDRESS: 'temporal.acme.example:7233' }, /unset TEMPORAL_ADDRESS\./],
])('npm run %s with %o stops before it starts or makes anything', async (command, env, message) => {
  const folder = join(await temporaryFolder(), 'data');
  const program = join(import.meta.dirname, `../../launcher/${command}.ts`);
  const started = run(process.execPath, [program], { PATH: process.env['PATH'], LONGWAVE_DATA: folder, ...env });
  expect(await started.ended).toEqual({ code: 1, signal: null });
  expect(started.output().trim()).toMatch(message);
  expect(existsSync(folder)).toBe(false);
});

test('a data folder keeps its secrets, readable by their owner only and accepted by the product', async () => {
  const data = await temporaryFolder();
  const secrets = readSecrets(data);
  expect(readSecrets(data)).toEqual(secrets);
  expect(statSync(join(data, 'secrets.json')).mode & 0o777).toBe(0o600);
  expect(secrets.operatorKey).toMatch(/^lw_op_/);
  const env = {
    SECRETS_KEYS: secrets.secretsKeys,
    LONGWAVE_OPERATOR_KEY: secrets.operatorKey,
    TWILIO_ACCOUNT_SID: secrets.accountSid,
    TWILIO_AUTH_TOKEN: secrets.authToken,
  };
  const names = ['SECRETS_KEYS', 'LONGWAVE_OPERATOR_KEY', 'TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'] as const;
  expect(readConfig(names, env)).toEqual(env);
});
