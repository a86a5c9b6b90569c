/** Phone numbers (lines): listed and read. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findNumber, listNumbers } from '../../db/numbers/lines.ts';
import { organizationOf } from '../shared/auth.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound } from '../shared/problems.ts';
import { flag, id, idParams } from '../shared/schemas.ts';
import { number, toNumber } from './schemas.ts';

const querystring = z.object({
  ...pageQuery,
  userId: id('user').optional().meta({ description: 'Those this user texts from' }),
  poolId: id('pool').optional().meta({ description: 'Those of this pool' }),
  orphan: flag('In the Twilio account and used by nobody, or not so'),
  idle: flag(
    'Of use to nobody, so that they can be given to somebody else, or not so: no active user texts from them, and they have no pool unless somebody had them',
  ),
  released: flag('Those that were released, in place of those that were not'),
});

export const numberRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;
  const config = { access: 'member' } as const;
  const tags = ['Numbers'];

  app.get(
    '/numbers',
    { config, schema: { tags, summary: 'List phone numbers', querystring, response: { 200: pageOf(number) } } },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const page = { ...filter, limit: limit + 1, after: decodeIdCursor(cursor) };
      const organizationId = organizationOf(request);
      const rows = await database.inOrganization(organizationId, (trx) => listNumbers(trx, organizationId, page));
      return toPage(rows, limit, (row) => row.id, toNumber);
    },
  );

  app.get(
    '/numbers/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Read a phone number, also a released one',
        params: idParams,
        response: { 200: number },
      },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      const { id: numberId } = request.params;
      const row = await database.inOrganization(organizationId, (trx) => findNumber(trx, organizationId, numberId));
      if (!row) throw notFound('number');
      return toNumber(row);
    },
  );
};
