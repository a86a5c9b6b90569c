/** The organization's SMS module: whether it is on, what is missing, and switching it. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { findOrganization, moduleState, switchModule } from '../../db/organizations.ts';
import type { OrganizationRow } from '../../db/schema.ts';
import { audit } from '../audit.ts';
import { organizationOf } from '../auth.ts';
import { command } from '../idempotency.ts';
import { conflict, notFound, refused } from '../problems.ts';

export const moduleSchema = z
  .object({
    state: z.enum(['disabled', 'pending_setup', 'enabled']),
    missing: z
      .array(z.string())
      .meta({ description: 'What sending still needs', examples: [['region', 'messagingServiceSid']] }),
  })
  .meta({ id: 'Module' });

/** @throws {Problem} 409 that says what is missing, unless the organization can send */
export async function requireEnabled(trx: Trx, organizationId: string): Promise<void> {
  const row = await findOrganization(trx, organizationId);
  if (!row) throw notFound('organization');
  const { state: current, missing } = moduleState(row);
  if (current === 'enabled') return;
  throw conflict(
    'not-enabled',
    `The SMS module is ${current.replace('_', ' ')}: it cannot send yet. Missing: ${missing.join(', ') || 'enabling it'}.`,
  );
}

/** @throws {Problem} 422 that names what the organization must have before its module is on (A11) */
function requireDetails(row: OrganizationRow): void {
  const details = { country: row.country, region: row.region, organizationNumber: row.organization_number };
  const missing = Object.entries(details).flatMap(([name, value]) => (value === null ? [name] : []));
  if (missing.length === 0) return;
  throw refused(
    'details_missing',
    `The organization lacks ${missing.join(', ')}: have the operator set them with PATCH /v1/organizations/${row.id}, then enable the module.`,
    { missing },
  );
}

async function change(trx: Trx, request: FastifyRequest, on: boolean) {
  const organizationId = organizationOf(request);
  const row = await findOrganization(trx, organizationId);
  if (!row) throw notFound('organization');
  if (on) requireDetails(row);
  if (row.module_on === on) return moduleState(row);
  await audit(trx, request, on ? 'module.enabled' : 'module.disabled', organizationId);
  return moduleState(await switchModule(trx, organizationId, on, request.server.deps.clock.now()));
}

export const moduleRoutes: FastifyPluginAsyncZod = async (app) => {
  const tags = ['Module'];

  app.get(
    '/module',
    {
      config: { access: 'member' },
      schema: { tags, summary: 'Read the module state', response: { 200: moduleSchema } },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      const row = await app.deps.database.inOrganization(organizationId, (trx) =>
        findOrganization(trx, organizationId),
      );
      if (!row) throw notFound('organization');
      return moduleState(row);
    },
  );

  app.post(
    '/module/enable',
    {
      config: { access: 'settings:manage' },
      schema: {
        tags,
        summary: 'Switch the module on',
        description: 'It sends once the organization is registered, or has attached its own account.',
        response: { 200: moduleSchema },
      },
    },
    async (request, reply) => {
      const { body } = await command(request, reply, async (trx) => ({
        status: 200 as const,
        body: await change(trx, request, true),
      }));
      return reply.send(body);
    },
  );

  app.post(
    '/module/disable',
    {
      config: { access: 'settings:manage' },
      schema: { tags, summary: 'Switch the module off: nothing new is sent', response: { 200: moduleSchema } },
    },
    async (request, reply) => {
      const { body } = await command(request, reply, async (trx) => ({
        status: 200 as const,
        body: await change(trx, request, false),
      }));
      return reply.send(body);
    },
  );
};
