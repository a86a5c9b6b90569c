/** What follows a commit: the deliveries to an endpoint go on. */
import type { FastifyRequest } from 'fastify';
import { wakeWebhooks } from '../../workflows/webhook-delivery/start.ts';
import { organizationOf } from '../auth.ts';

/** Temporal must not keep the caller waiting: what it does not hear now, the sweep tells it. */
const tellWithinMs = 2_000;

/** Never throws. */
export async function wakeEndpoint(request: FastifyRequest, endpointId: string): Promise<void> {
  const organizationId = organizationOf(request);
  try {
    const { connection, workflow } = request.server.deps.temporal.client;
    await connection.withDeadline(Date.now() + tellWithinMs, () =>
      wakeWebhooks(workflow, { organizationId, endpointId }),
    );
  } catch (error) {
    request.log.warn({ err: error, organizationId }, 'waking the deliveries to an endpoint is left to the sweep');
  }
}
