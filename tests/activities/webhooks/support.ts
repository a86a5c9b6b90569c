/** Deliveries to webhook endpoints without Temporal: real Postgres, real HTTP, a clock that the tests move. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { createWebhookActivities } from '../../../activities/webhooks.ts';
import { openDatabase } from '../../../db/database.ts';
import { newId } from '../../../db/ids.ts';
import { tellStreams } from '../../../db/conversations/live-events.ts';
import { secretBox } from '../../../db/secrets.ts';
import { listDeliveries } from '../../../db/webhooks/deliveries.ts';
import { findEndpoint, idleEndpoints, insertEndpoint } from '../../../db/webhooks/endpoints.ts';
import { webhookEventTypes } from '../../../domain/webhooks.ts';
import { createEgress } from '../../../egress.ts';
import { cloneDatabase } from '../../harness/infrastructure.ts';
import { startReceiver } from '../../harness/webhook-receiver.ts';

export const secrets = secretBox(`k1:${Buffer.alloc(32, 1).toString('base64')}`);
/** Of every endpoint. */
export const secret = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

interface Endpoint {
  organizationId: string;
  endpointId: string;
}

export async function startDeliveries() {
  const own = await cloneDatabase();
  const database = openDatabase(own.url);
  const receiver = await startReceiver();
  /** How far the clock is ahead, in milliseconds. */
  const time = { offset: 0 };
  const clock = { now: () => new Date(Date.now() + time.offset), sync: async () => {} };
  const lenient = createEgress({ toLoopback: true });
  const strict = createEgress();

  const draining = new AbortController().signal;
  const workerWith = (egress = lenient, patience: { withinMs?: number } = {}) =>
    createWebhookActivities({ database, clock, secrets, post: egress.post, draining, lingerMs: 300, ...patience });

  return {
    database,
    receiver,
    time,
    clock,
    workerWith,
    /** Reaches public addresses only, as in production. */
    strict,
    run: (given: Endpoint, worker = workerWith()): Promise<{ nextAt: string | null }> =>
      new MockActivityEnvironment().run(() => worker.deliverWebhooks(given)),
    /** An organization of its own with an endpoint for all types. */
    endpoint: async (url = receiver.url): Promise<Endpoint> => {
      const at = clock.now();
      const organizationId = newId('organization', at);
      const fields = { name: 'Acme', domain: 'acme.example', time_zone: 'UTC', created_at: at, updated_at: at };
      await database.system
        .insertInto('organizations')
        .values({ id: organizationId, ...fields })
        .execute();
      const sealed = secrets.encrypt(secret);
      const { id } = await database.inOrganization(organizationId, (trx) =>
        insertEndpoint(trx, organizationId, { url, events: webhookEventTypes, secret: sealed, active: true, at }),
      );
      return { organizationId, endpointId: id };
    },
    /** Events of messages with these names, in one transaction. */
    tell: ({ organizationId }: Endpoint, ...messages: string[]) =>
      database.inOrganization(organizationId, (trx) =>
        tellStreams(
          trx,
          organizationId,
          messages.map((messageId) => ({ type: 'message.updated', data: { messageId, status: 'sent' } })),
          clock.now(),
        ),
      ),
    /** The messages that were told of, in the order in which that came. */
    names: (all = receiver.received) => all.map(({ payload }) => payload.data.messageId),
    state: ({ organizationId, endpointId }: Endpoint) =>
      database.inOrganization(organizationId, async (trx) => (await findEndpoint(trx, organizationId, endpointId))!),
    /** Oldest first. */
    log: async ({ organizationId, endpointId }: Endpoint) => {
      const rows = await database.inOrganization(organizationId, (trx) =>
        listDeliveries(trx, endpointId, { limit: 100 }),
      );
      return rows.toReversed();
    },
    /** Whether the sweep would wake it. */
    due: async ({ endpointId }: Endpoint) => {
      const idle = await idleEndpoints(database.system, { now: clock.now(), before: clock.now() });
      return idle.some((one) => one.endpointId === endpointId);
    },
    /** Moves the clock to where an answer said. */
    goTo: (nextAt: string | null) => {
      time.offset += Math.max(0, Date.parse(nextAt!) - clock.now().getTime()) + 1;
    },
    reset: () => {
      receiver.received.length = 0;
      receiver.answer = 204;
      time.offset = 0;
    },
    stop: async () => {
      await receiver.close();
      await Promise.all([lenient.close(), strict.close()]);
      await database.close();
      await own.release();
    },
  };
}
