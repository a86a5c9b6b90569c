/** Number pools, by purpose. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listPools } from '../../db/numbers/pools.ts';
import { purposes } from '../../domain/purpose.ts';
import { organizationOf } from '../auth.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../pagination.ts';
import { id, instant } from '../schemas.ts';

const pool = z
  .object({ id: id('pool'), name: z.string(), purpose: z.enum(purposes), createdAt: instant })
  .meta({ id: 'Pool' });

export const poolRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;
  const tags = ['Numbers'];

  app.get(
    '/pools',
    {
      config: { access: 'member' },
      schema: { tags, summary: 'List number pools', querystring: z.object(pageQuery), response: { 200: pageOf(pool) } },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = { limit: limit + 1, after: decodeIdCursor(cursor) };
      const organizationId = organizationOf(request);
      const rows = await database.inOrganization(organizationId, (trx) => listPools(trx, organizationId, page));
      return toPage(
        rows,
        limit,
        (row) => row.id,
        ({ id, name, purpose, created_at }) => ({ id, name, purpose, createdAt: created_at.toISOString() }),
      );
    },
  );
};
