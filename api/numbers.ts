/** Phone numbers (lines) and the pools they belong to. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listNumbers, listPools, type Line } from '../db/numbers.ts';
import { purposes } from '../domain/purpose.ts';
import { organizationOf } from './auth.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from './pagination.ts';
import { id, instant } from './schemas.ts';

const number = z
  .object({
    id: id('number'),
    phoneNumber: z.string(),
    registered: z.boolean().meta({ description: 'Attached to a verified messaging service' }),
    userIds: z.array(z.string()),
    sharedLabel: z
      .string()
      .nullable()
      .meta({ description: 'On a shared line: how many users besides the first', examples: ['+1'] }),
    forwardTo: z.string().nullable(),
    poolId: id('pool').nullable(),
    purchasedAt: instant,
  })
  .meta({ id: 'Number' });

const pool = z
  .object({ id: id('pool'), name: z.string(), purpose: z.enum(purposes), createdAt: instant })
  .meta({ id: 'Pool' });

const toNumber = (row: Line): z.infer<typeof number> => ({
  id: row.id,
  phoneNumber: row.phone_number,
  registered: row.registered,
  userIds: row.user_ids,
  sharedLabel: row.user_ids.length > 1 ? `+${row.user_ids.length - 1}` : null,
  forwardTo: row.forward_to,
  poolId: row.pool_id,
  purchasedAt: row.purchased_at.toISOString(),
});

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

  app.get(
    '/pools',
    { config, schema: { tags, summary: 'List number pools', querystring, response: { 200: pageOf(pool) } } },
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
