/** Whether the organization's SMS module is on, and what is missing. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findOrganization, moduleState } from '../../db/organizations.ts';
import { organizationOf } from '../auth.ts';
import type { Trx } from '../../db/database.ts';
import { conflict, notFound } from '../problems.ts';

const state = z
  .object({
    state: z.enum(['disabled', 'pending_setup', 'enabled']),
    missing: z
      .array(z.string())
      .meta({ description: 'What enabling still needs', examples: [['region', 'messagingServiceSid']] }),
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

export const moduleRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/module',
    {
      config: { access: 'member' },
      schema: { tags: ['Module'], summary: 'Read the module state', response: { 200: state } },
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
};
