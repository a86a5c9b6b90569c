/** Phone numbers (lines): listed, and changed. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listNumbers } from '../../db/numbers/lines.ts';
import { organizationOf } from '../auth.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../pagination.ts';
import { number, toNumber } from './schemas.ts';

export const numberRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;
  const config = { access: 'member' } as const;
  const tags = ['Numbers'];
  const querystring = z.object(pageQuery);

  app.get(
    '/numbers',
    { config, schema: { tags, summary: 'List phone numbers', querystring, response: { 200: pageOf(number) } } },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = { limit: limit + 1, after: decodeIdCursor(cursor) };
      const organizationId = organizationOf(request);
      const rows = await database.inOrganization(organizationId, (trx) => listNumbers(trx, organizationId, page));
      return toPage(rows, limit, (row) => row.id, toNumber);
    },
  );
};
