import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../config.ts';
import { readSecrets, readSettings } from '../../launcher/support/settings.ts';
import { temporaryFolder } from '../harness/infrastructure.ts';

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
