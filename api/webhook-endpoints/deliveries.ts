/** What was sent to a webhook endpoint, and sending it once more. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { askForReplay, listDeliveries, lockDelivery } from '../../db/webhooks/deliveries.ts';
import { findEndpoint } from '../../db/webhooks/endpoints.ts';
import { deliveryStates } from '../../domain/webhooks.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { decodeCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { conflict, notFound } from '../shared/problems.ts';
import { idParams } from '../shared/schemas.ts';
import { delivery, toDelivery } from './schemas.ts';
import { wakeEndpoint } from './wake.ts';

/** The number of an event: deliveries are listed in their order. */
const eventKey = z.int().min(0);

/** @throws {Problem} 404, 409 */
async function replay(trx: Trx, request: FastifyRequest, { id, deliveryId }: { id: string; deliveryId: string }) {
  const endpoint = await findEndpoint(trx, organizationOf(request), id);
  const row = endpoint && (await lockDelivery(trx, id, deliveryId));
  if (!row) throw notFound('delivery');
  const change = `PATCH /v1/webhook-endpoints/${id}`;
  if (!endpoint.active) {
    const detail = `The endpoint is switched off: switch it on first (${change} with active true), then ask again.`;
    throw conflict('endpoint-off', detail, [change]);
  }
  if (row.state === 'waiting') {
    const detail = `It was not delivered yet, and is going to be, in its turn: wait. After a failure, ${change} with active true has what waits tried at once.`;
    throw conflict('still-waiting', detail, [change]);
  }
  await audit(trx, request, 'webhook_delivery.replayed', deliveryId, { endpointId: id });
  return toDelivery(await askForReplay(trx, deliveryId, request.server.deps.clock.now()));
}

export const webhookDeliveryRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;
  const config = { access: 'settings:manage' } as const;
  const tags = ['Webhooks'];

  app.get(
    '/webhook-endpoints/:id/deliveries',
    {
      config,
      schema: {
        tags,
        summary: 'List what was sent, or waits to be sent, newest event first',
        description:
          'Of the last 30 days. At most 500 wait in the list; what happens meanwhile joins it once they are through.',
        params: idParams,
        querystring: z.object({ ...pageQuery, state: z.enum(deliveryStates).optional() }),
        response: { 200: pageOf(delivery) },
      },
    },
    async (request) => {
      const { limit, cursor, state } = request.query;
      const before = decodeCursor(cursor, eventKey);
      const organizationId = organizationOf(request);
      const rows = await database.inOrganization(organizationId, async (trx) => {
        if (!(await findEndpoint(trx, organizationId, request.params.id))) throw notFound('webhook endpoint');
        return listDeliveries(trx, request.params.id, { state, before, limit: limit + 1 });
      });
      return toPage(rows, limit, (row) => row.event_id, toDelivery);
    },
  );

  app.post(
    '/webhook-endpoints/:id/deliveries/:deliveryId/replay',
    {
      config,
      schema: {
        tags,
        summary: 'Send a delivery once more',
        description: 'One attempt, with the same `webhook-id`, besides what waits, whose order it does not change.',
        params: idParams.extend({ deliveryId: z.string() }),
        response: { 202: delivery },
      },
    },
    async (request, reply) => {
      const { params } = request;
      const ask = async (trx: Trx) => ({ status: 202 as const, body: await replay(trx, request, params) });
      const { status, body } = await command(request, reply, ask);
      await wakeEndpoint(request, params.id);
      return reply.code(status).send(body);
    },
  );
};
