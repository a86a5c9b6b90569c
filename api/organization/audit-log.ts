/** The audit log: every administrative act, newest first. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listAuditEntries } from '../../db/organizations/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { id, instant } from '../shared/schemas.ts';

const entry = z
  .object({
    id: id('audit'),
    actor: z.string().meta({ description: 'Who acted', examples: ['user:usr_0199a7f0-5a3c-7b1e-9d2f-3c4b5a697887'] }),
    action: z.string().meta({ examples: ['settings.changed'] }),
    subject: z.string().meta({ description: 'The id of what was acted on' }),
    detail: z.record(z.string(), z.unknown()),
    at: instant,
  })
  .meta({ id: 'AuditEntry' });

export const auditLogRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/audit-log',
    {
      config: { access: 'settings:manage' },
      schema: {
        tags: ['Audit'],
        summary: 'Administrative acts, newest first',
        querystring: z.object(pageQuery),
        response: { 200: pageOf(entry) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const before = decodeIdCursor(cursor);
      const organizationId = organizationOf(request);
      const rows = await app.deps.database.inOrganization(organizationId, (trx) =>
        listAuditEntries(trx, organizationId, { limit: limit + 1, before }),
      );
      return toPage(
        rows,
        limit,
        (row) => row.id,
        (row) => ({ ...row, at: row.at.toISOString() }),
      );
    },
  );
};
