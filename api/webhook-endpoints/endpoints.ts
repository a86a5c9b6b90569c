/** Webhook endpoints: addresses that an organization has its events sent to (G4). */
import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import {
  countEndpoints,
  deleteEndpoint,
  findEndpoint,
  insertEndpoint,
  listEndpoints,
  lockEndpoint,
  rotateSecret,
  updateEndpoint,
} from '../../db/webhooks/endpoints.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { command, inTransaction } from '../shared/idempotency.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound, refused } from '../shared/problems.ts';
import { idParams, nothing } from '../shared/schemas.ts';
import { endpoint, endpointFields, endpointWithSecret, rotation, toEndpoint } from './schemas.ts';
import { wakeEndpoint } from './wake.ts';

const mostEndpoints = 20;
const hourMs = 3_600_000;

/** In the form of the Standard Webhooks scheme. */
const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

type Fields = ReturnType<typeof endpointFields>;

async function create(trx: Trx, request: FastifyRequest, given: z.output<Fields['create']>) {
  const { clock, secrets } = request.server.deps;
  const organizationId = organizationOf(request);
  if ((await countEndpoints(trx, organizationId)) >= mostEndpoints) {
    throw refused('too_many_endpoints', `An organization has at most ${mostEndpoints} endpoints: delete one first.`);
  }
  const at = clock.now();
  const secret = newSecret();
  const row = await insertEndpoint(trx, organizationId, { ...given, secret: secrets.encrypt(secret), at });
  await audit(trx, request, 'webhook_endpoint.created', row.id, { events: given.events, active: given.active });
  return { ...toEndpoint(row, at), secret };
}

async function change(trx: Trx, request: FastifyRequest, id: string, given: z.output<Fields['change']>) {
  const at = request.server.deps.clock.now();
  const before = await lockEndpoint(trx, organizationOf(request), id);
  if (!before) throw notFound('webhook endpoint');
  const row = await updateEndpoint(trx, before, given, at);
  await audit(trx, request, 'webhook_endpoint.updated', id, { fields: Object.keys(given) });
  return toEndpoint(row, at);
}

async function rotate(trx: Trx, request: FastifyRequest, id: string, { overlapHours }: z.output<typeof rotation>) {
  const { clock, secrets } = request.server.deps;
  const at = clock.now();
  const secret = newSecret();
  const until = new Date(at.getTime() + overlapHours * hourMs);
  const row = await rotateSecret(trx, organizationOf(request), { id, secret: secrets.encrypt(secret), until, at });
  if (!row) throw notFound('webhook endpoint');
  await audit(trx, request, 'webhook_endpoint.secret_rotated', id, { overlapHours });
  return { ...toEndpoint(row, at), secret };
}

export const webhookEndpointRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock, webhooksToLoopback } = app.deps;
  const config = { access: 'settings:manage' } as const;
  const tags = ['Webhooks'];
  const fields = endpointFields(webhooksToLoopback);

  app.post(
    '/webhook-endpoints',
    {
      config,
      schema: {
        tags,
        summary: 'Have events sent to an address',
        description:
          'By https to a public server. Signed by the Standard Webhooks scheme; docs/webhooks.md has it all.',
        body: fields.create,
        response: { 201: endpointWithSecret },
      },
    },
    async (request, reply) => {
      const make = async (trx: Trx) => ({ status: 201 as const, body: await create(trx, request, request.body) });
      const { status, body } = await command(request, reply, make, { sealed: true });
      return reply.code(status).send(body);
    },
  );

  app.get(
    '/webhook-endpoints',
    {
      config,
      schema: {
        tags,
        summary: 'List webhook endpoints',
        querystring: z.object(pageQuery),
        response: { 200: pageOf(endpoint) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const after = decodeIdCursor(cursor);
      const organizationId = organizationOf(request);
      const rows = await database.inOrganization(organizationId, (trx) =>
        listEndpoints(trx, organizationId, { limit: limit + 1, after }),
      );
      return toPage(
        rows,
        limit,
        (row) => row.id,
        (row) => toEndpoint(row, clock.now()),
      );
    },
  );

  app.get(
    '/webhook-endpoints/:id',
    { config, schema: { tags, summary: 'Read a webhook endpoint', params: idParams, response: { 200: endpoint } } },
    async (request) => {
      const organizationId = organizationOf(request);
      const row = await database.inOrganization(organizationId, (trx) =>
        findEndpoint(trx, organizationId, request.params.id),
      );
      if (!row) throw notFound('webhook endpoint');
      return toEndpoint(row, clock.now());
    },
  );

  app.patch(
    '/webhook-endpoints/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Change a webhook endpoint, or switch it on or off',
        description: 'What waits after a failure is tried at once.',
        params: idParams,
        body: fields.change,
        response: { 200: endpoint },
      },
    },
    async (request) => {
      const { id } = request.params;
      const changed = await inTransaction(request, (trx) => change(trx, request, id, request.body));
      if (changed.active) await wakeEndpoint(request, id);
      return changed;
    },
  );

  app.delete(
    '/webhook-endpoints/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Delete a webhook endpoint, with its deliveries',
        params: idParams,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await inTransaction(request, async (trx) => {
        if (!(await deleteEndpoint(trx, organizationOf(request), id))) throw notFound('webhook endpoint');
        await audit(trx, request, 'webhook_endpoint.deleted', id);
      });
      return reply.code(204).send();
    },
  );

  app.post(
    '/webhook-endpoints/:id/rotate-secret',
    {
      config,
      schema: {
        tags,
        summary: 'Make a new secret',
        description: 'For a while both sign, each with a signature of its own in the same header.',
        params: idParams,
        body: rotation,
        response: { 200: endpointWithSecret },
      },
    },
    async (request, reply) => {
      const { params, body: given } = request;
      const make = async (trx: Trx) => ({ status: 200 as const, body: await rotate(trx, request, params.id, given) });
      const { body } = await command(request, reply, make, { sealed: true });
      return reply.send(body);
    },
  );
};
