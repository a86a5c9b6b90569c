/** The API process: reads the environment, connects, listens, and closes gracefully. */
import { systemClock, temporalClock } from '../clock.ts';
import { configOrExit, publicUrlOf } from '../config.ts';
import { upsertEnvironmentKey } from '../db/organizations/api-keys.ts';
import { openDatabase } from '../db/database.ts';
import { secretBox } from '../db/secrets.ts';
import { createEgress } from '../egress.ts';
import { temporalVariables } from '../temporal.ts';
import { createTwilioGateway } from '../twilio/gateway.ts';
import { buildApp } from './app.ts';
import { hashKey } from './shared/auth.ts';
import { createSiteCheck } from './registration/site-check.ts';
import { openTemporal } from './temporal/connection.ts';

const config = configOrExit([
  'DATABASE_URL',
  ...temporalVariables,
  'HOST',
  'PORT',
  'PUBLIC_URL',
  'SECRETS_KEYS',
  'TWILIO_BASE_URL',
  'LONGWAVE_OPERATOR_KEY',
  'WEBHOOKS_TO_LOOPBACK',
  'PRICE_SEGMENT_USD',
  'CARRIER_FEE_LOW_USD',
  'CARRIER_FEE_HIGH_USD',
  'LOG_LEVEL',
]);
const database = openDatabase(config.DATABASE_URL);
const temporal = openTemporal(config);
const clock = config.LONGWAVE_CLOCK === 'temporal' ? temporalClock(temporal.connection) : systemClock;
const twilio = createTwilioGateway({ baseUrl: config.TWILIO_BASE_URL, connections: 4 });
const egress = createEgress();
const app = await buildApp({
  database,
  clock,
  temporal,
  twilio,
  checkSite: createSiteCheck(egress),
  secrets: secretBox(config.SECRETS_KEYS),
  publicUrl: publicUrlOf(config),
  webhooksToLoopback: config.WEBHOOKS_TO_LOOPBACK,
  prices: {
    segment: config.PRICE_SEGMENT_USD,
    carrierLow: config.CARRIER_FEE_LOW_USD,
    carrierHigh: config.CARRIER_FEE_HIGH_USD,
  },
  log: { level: config.LOG_LEVEL },
});

let closing = false;
async function close(): Promise<void> {
  if (closing) return;
  closing = true;
  // Requests under way are answered first; a connection that never ends must not hold the process up.
  const timer = setTimeout(() => process.exit(1), 15_000);
  await app.close();
  await Promise.all([database.close(), twilio.close(), egress.close()]);
  clearTimeout(timer);
  // Rather than closing the connection to Temporal: a call being retried would fail, uncaught, on a closed channel.
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void close());

if (config.LONGWAVE_OPERATOR_KEY) {
  await clock.sync();
  await upsertEnvironmentKey(database.system, hashKey(config.LONGWAVE_OPERATOR_KEY), clock.now());
}
await app.listen({ host: config.HOST, port: config.PORT });
