/** What follows a commit: the deliveries to an endpoint go on. */
import type { FastifyRequest } from 'fastify';
import { wakeWebhooks } from '../../workflows/webhook-delivery/start.ts';
import { organizationOf } from '../shared/auth.ts';
import { tellTemporal } from '../temporal/tell.ts';

/** Never throws. */
export async function wakeEndpoint(request: FastifyRequest, endpointId: string): Promise<void> {
  const organizationId = organizationOf(request);
  await tellTemporal(request.server.deps, request.log, {
    what: 'waking the deliveries to an endpoint',
    about: { organizationId },
    tell: (workflow) => wakeWebhooks(workflow, { organizationId, endpointId }),
  });
}
