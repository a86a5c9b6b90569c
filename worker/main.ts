/** The worker process: runs workflows and activities, sweeps, and shuts down without losing what is in flight. */
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pino from 'pino';
import { createBatchActivities } from '../activities/mass-sms/batches.ts';
import { createDigestActivities } from '../activities/digest.ts';
import { createEmailSender } from '../activities/emails.ts';
import { withoutWords } from '../activities/discretion.ts';
import { heartbeating } from '../activities/heartbeating.ts';
import { createNumberActivities } from '../activities/numbers/activities.ts';
import { createRegistrationActivities } from '../activities/registration/activities.ts';
import { searchesAtOnce } from '../activities/dispatch/settle.ts';
import { createMassSmsActivities } from '../activities/mass-sms/commands.ts';
import { createOptInActivities } from '../activities/opt-in.ts';
import { createOutboxActivities } from '../activities/outbox/outbox.ts';
import { createReconciliationActivities } from '../activities/reconciliation.ts';
import { attemptsAtOnce, createWebhookActivities } from '../activities/webhooks.ts';
import { systemClock, temporalClock } from '../clock.ts';
import { configOrExit, publicUrlOf } from '../config.ts';
import { openDatabase } from '../db/database.ts';
import { secretBox } from '../db/secrets.ts';
import { createEgress } from '../egress.ts';
import { connectionOptions, temporalVariables } from '../temporal.ts';
import { createMailer } from '../email/mailer.ts';
import { describeError } from '../log.ts';
import { createTwilioGateway } from '../twilio/gateway.ts';
import manifest from '../package.json' with { type: 'json' };
import { wakeOutbox } from '../workflows/outbox/start.ts';
import { taskQueues } from '../workflows/task-queues.ts';
import { numberDuties } from './number-duties.ts';
import { startSweep } from './sweep.ts';
import { workflowBundle } from './workflow-bundle.ts';

const config = configOrExit([
  'DATABASE_URL',
  ...temporalVariables,
  'TWILIO_ACCOUNT_SID',
  'TWILIO_AUTH_TOKEN',
  'TWILIO_BASE_URL',
  'PORT',
  'PUBLIC_URL',
  'SMTP_URL',
  'MAIL_FROM',
  'OPERATOR_EMAIL',
  'FEE_BRAND_USD',
  'FEE_CAMPAIGN_REVIEW_USD',
  'FEE_IDENTITY_CHECK_USD',
  'SECRETS_KEYS',
  'SEND_CONCURRENCY',
  'WEBHOOKS_TO_LOOPBACK',
  'LOG_LEVEL',
]);
const log = pino({ name: 'worker', level: config.LOG_LEVEL, serializers: { err: describeError } });

// The runtime would end the process on SIGTERM by its own rules; here the batches under way must hear of it first.
Runtime.install({
  shutdownSignals: [],
  logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
    const write = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
    const { error, ...rest } = meta ?? {};
    log[write[level]]({ temporal: rest, ...(error !== undefined && { err: error }) }, message);
  }),
});

const options = connectionOptions(config);
const connection = await NativeConnection.connect(options);
const clientConnection = await Connection.connect(options);
const database = openDatabase(config.DATABASE_URL);
const clock = config.LONGWAVE_CLOCK === 'temporal' ? temporalClock(clientConnection) : systemClock;
await clock.sync();
const twilio = createTwilioGateway({
  baseUrl: config.TWILIO_BASE_URL,
  // As many for batches, as many for what goes out one by one: a reply must not wait for a batch.
  connections: 2 * config.SEND_CONCURRENCY + searchesAtOnce,
});
// Its own sockets: those above are counted for sends, which must never wait for one. More than activities run at once:
// while a request waits for a socket no time-out bounds it.
const registrar = createTwilioGateway({ baseUrl: config.TWILIO_BASE_URL, connections: 400 });
const egress = createEgress({ toLoopback: config.WEBHOOKS_TO_LOOPBACK, connections: attemptsAtOnce });
const mailer = createMailer({ url: config.SMTP_URL, from: config.MAIL_FROM });
const emails = createEmailSender({
  database,
  clock,
  mailer,
  onError: (error) => log.warn({ err: error }, 'emails wait; they are tried again'),
});
const secrets = secretBox(config.SECRETS_KEYS);
const numbers = { database, clock, secrets, twilio: registrar, publicUrl: publicUrlOf(config) };
const numberActivities = heartbeating(withoutWords(createNumberActivities(numbers)));
const draining = new AbortController();
const workflows = new Client({ connection: clientConnection, namespace: config.TEMPORAL_NAMESPACE }).workflow;

// Changes with every release: Temporal shows which build ran a task.
const buildId = `longwave-${manifest.version}`;
const shared = {
  connection,
  namespace: config.TEMPORAL_NAMESPACE,
  buildId,
  // Longer than a request to Twilio can take, and the writing of its result after it.
  shutdownGraceTime: '30s',
  shutdownForceTime: '60s',
} as const;

const control = await Worker.create({
  ...shared,
  taskQueue: taskQueues.control,
  workflowBundle: await workflowBundle(Runtime.instance().logger),
  activities: {
    ...createMassSmsActivities({ database, clock }),
    ...createDigestActivities({ database, clock, publicUrl: publicUrlOf(config), sendEmails: emails.send }),
    ...createOptInActivities({
      database,
      clock,
      wakeOutbox: (organizationId) => wakeOutbox(workflows, { organizationId }),
      onError: (error) => log.warn({ err: error }, 'an outbox was not woken; the sweep wakes it'),
    }),
    ...numberActivities,
    ...heartbeating(
      withoutWords(
        createRegistrationActivities({
          database,
          clock,
          secrets,
          twilio: registrar,
          operator: { accountSid: config.TWILIO_ACCOUNT_SID, authToken: config.TWILIO_AUTH_TOKEN },
          publicUrl: publicUrlOf(config),
          operatorEmail: config.OPERATOR_EMAIL,
          fees: {
            brand: config.FEE_BRAND_USD,
            campaignReview: config.FEE_CAMPAIGN_REVIEW_USD,
            identityCheck: config.FEE_IDENTITY_CHECK_USD,
          },
          sendEmails: emails.send,
        }),
      ),
    ),
  },
});
const sending = {
  database,
  clock,
  twilio,
  secrets,
  publicUrl: publicUrlOf(config),
  concurrency: config.SEND_CONCURRENCY,
  draining: draining.signal,
};
const bulk = await Worker.create({
  ...shared,
  taskQueue: taskQueues.bulk,
  activities: {
    ...numberActivities,
    ...createBatchActivities(sending),
    ...createOutboxActivities(sending),
    ...heartbeating(createReconciliationActivities({ ...sending, twilio: registrar })),
  },
  // A batch takes a place for as long as it lasts, which may be hours at a low rate; it costs little meanwhile.
  maxConcurrentActivityTaskExecutions: 200,
  // A cancelled batch hears of it with its next heartbeat: this bounds how long a pause takes.
  maxHeartbeatThrottleInterval: '500ms',
});
const webhooks = await Worker.create({
  ...shared,
  taskQueue: taskQueues.webhooks,
  activities: createWebhookActivities({ ...sending, post: egress.post }),
  // One for each endpoint that is busy; most of them wait.
  maxConcurrentActivityTaskExecutions: 500,
});
const onSweepError = (error: unknown): void => log.warn({ err: error }, 'a sweep failed; it is tried again');
const stopSweep = startSweep(
  { database, clock, workflows, sendEmails: emails.send, onError: onSweepError },
  numberDuties(numbers, onSweepError),
);

const shutDown = (): void => {
  if (draining.signal.aborted) return;
  log.info('worker shutting down');
  draining.abort();
  control.shutdown();
  bulk.shutdown();
  webhooks.shutdown();
};
process.on('SIGTERM', shutDown);
process.on('SIGINT', shutDown);

log.info({ buildId }, 'worker ready');
try {
  await Promise.all([control.run(), bulk.run(), webhooks.run()]);
} finally {
  await stopSweep();
  await emails.idle();
  mailer.close();
  await Promise.all([twilio.close(), registrar.close(), egress.close()]);
  await Promise.allSettled([clientConnection.close(), connection.close(), database.close()]);
}
log.info('worker stopped');
