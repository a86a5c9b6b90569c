/** Delivering events to webhook endpoints: the long activity of the `webhookDelivery` workflow, on a queue of its own. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import type { SecretBox } from '../db/secrets.ts';
import {
  type AttemptResult,
  type DeliveryRow,
  endLease,
  type Lease,
  nextStep,
  recordAttempt,
  type Step,
} from '../db/webhooks/deliveries.ts';
import type { EndpointRow } from '../db/webhooks/endpoints.ts';

export type WebhookActivities = ReturnType<typeof createWebhookActivities>;

export interface WebhookDeps {
  database: Database;
  clock: Clock;
  secrets: SecretBox;
  /** Sends to an address that a customer gave. Throws an error whose words may be shown. */
  post: (url: string, request: { headers: Record<string, string>; body: string; withinMs: number }) => Promise<number>;
  /** Aborted when the worker shuts down. */
  draining: AbortSignal;
  /** For a whole attempt: 15 seconds. */
  withinMs?: number;
  /**
   * What comes within so long after the last is delivered by the same activity: 3 seconds. Events that follow each other
   * cost no history.
   */
  lingerMs?: number;
}

const heartbeatMs = 500;
/** Attempts of one worker under way at once, one to an endpoint. */
export const attemptsAtOnce = 100;
/** From one delivery of an endpoint to its next: whoever was away is not run over with all that has waited. */
const leastApartMs = 20;
const lookAgainMs = 250;

/** The headers of the Standard Webhooks scheme. During a rotation both secrets sign. */
function headersOf(secrets: SecretBox, endpoint: EndpointRow, delivery: DeliveryRow, now: Date) {
  const { secret, previous_secret: previous, previous_secret_until: until } = endpoint;
  const signing = previous && until && until > now ? [secret, previous] : [secret];
  const id = `evt_${delivery.event_id}`;
  const signatures = signing.map((sealed) => new Webhook(secrets.decrypt(sealed)).sign(id, now, delivery.body));
  return {
    'content-type': 'application/json',
    'user-agent': 'Longwave-Webhooks',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': signatures.join(' '),
  };
}

export function createWebhookActivities({
  database,
  clock,
  secrets,
  post,
  draining,
  withinMs = 15_000,
  lingerMs = 3_000,
}: WebhookDeps) {
  const limit = pLimit(attemptsAtOnce);

  const attempt = async (endpoint: EndpointRow, delivery: DeliveryRow): Promise<AttemptResult> => {
    const headers = headersOf(secrets, endpoint, delivery, clock.now());
    try {
      return { status: await post(endpoint.url, { headers, body: delivery.body, withinMs }) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };

  /** One delivery, if one is due; from taking it to writing down what came of it. */
  const deliverOne = async (lease: Lease): Promise<Step> => {
    await clock.sync(1_000);
    const { organizationId } = lease;
    const step = await database.inOrganization(organizationId, (trx) => nextStep(trx, lease, clock.now()));
    if (step.kind !== 'deliver') return step;
    const { delivery } = step;
    const result = await attempt(step.endpoint, delivery);
    await database.inOrganization(organizationId, (trx) =>
      recordAttempt(trx, lease, { delivery, result, now: clock.now(), chance: Math.random() }),
    );
    return step;
  };

  /** @returns when to look again; null when nothing waits */
  const work = async (lease: Lease, stop: AbortSignal): Promise<Date | null> => {
    for (let busyAt = performance.now(); !stop.aborted;) {
      const begunAt = performance.now();
      const step = await limit(() => deliverOne(lease));
      if (step.kind === 'off') return null;
      if (step.kind === 'taken') return step.until;
      if (step.kind === 'idle' && (step.nextAt || performance.now() - busyAt > lingerMs)) return step.nextAt;
      if (step.kind === 'deliver') busyAt = performance.now();
      const pauseMs = step.kind === 'deliver' ? leastApartMs - (busyAt - begunAt) : lookAgainMs;
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
    }
    return null;
  };

  return {
    /**
     * Delivers to an endpoint everything that is due, one after another.
     *
     * @returns RFC 3339, when the next attempt is due; null when nothing waits
     */
    async deliverWebhooks(given: { organizationId: string; endpointId: string }): Promise<{ nextAt: string | null }> {
      const context = Context.current();
      const lease = { ...given, leaseId: randomUUID() };
      const beating = setInterval(() => context.heartbeat(), heartbeatMs);
      const stop = AbortSignal.any([context.cancellationSignal, draining]);
      try {
        const nextAt = await work(lease, stop);
        context.cancellationSignal.throwIfAborted();
        if (draining.aborted) throw ApplicationFailure.retryable('The worker is shutting down.', 'Draining');
        return { nextAt: nextAt?.toISOString() ?? null };
      } finally {
        clearInterval(beating);
        // Where this fails, the lease ends by itself.
        await database.inOrganization(given.organizationId, (trx) => endLease(trx, lease)).catch(() => {});
      }
    },
  };
}
