/** Number pools, by purpose (B8). */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Changes } from '../../db/changes.ts';
import type { Trx } from '../../db/database.ts';
import { findPool, insertPool, listPools, type PoolFields, updatePool } from '../../db/numbers/pools.ts';
import { readSettings } from '../../db/organizations/organizations.ts';
import type { PoolRow } from '../../db/schema.ts';
import { violates } from '../../db/violations.ts';
import { type Purpose, purposes } from '../../domain/purpose.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound, refused } from '../shared/problems.ts';
import { id, idParams, instant, text } from '../shared/schemas.ts';

const fields = {
  name: text(100).meta({ examples: ['Candidates'] }),
  purpose: z.enum(purposes).meta({ description: "One of the organization's `permittedPurposes`" }),
};

const pool = z
  .object({ id: id('pool'), name: z.string(), purpose: z.enum(purposes), createdAt: instant })
  .meta({ id: 'Pool' });

const toPool = ({ id, name, purpose, created_at }: PoolRow): z.infer<typeof pool> => ({
  id,
  name,
  purpose,
  createdAt: created_at.toISOString(),
});

const taken = () =>
  refused('name_taken', 'Another pool of this organization has this name: use another one, or change that pool.');

/** @throws {Problem} 422 for a pool that the organization has not */
export async function requirePool(trx: Trx, organizationId: string, poolId: string | null | undefined): Promise<void> {
  if (poolId === null || poolId === undefined || (await findPool(trx, organizationId, poolId))) return;
  throw refused('unknown_pool', 'There is no such number pool: GET /v1/pools lists them.');
}

/** @throws {Problem} 422 (A12) */
async function requirePermitted(trx: Trx, organizationId: string, purpose: Purpose): Promise<void> {
  const { permittedPurposes } = await readSettings(trx, organizationId);
  if (permittedPurposes.includes(purpose)) return;
  throw refused(
    'purpose_not_permitted',
    `This organization may send ${permittedPurposes.join(', ')} messages only: choose that purpose, or change permittedPurposes in the settings.`,
  );
}

async function createPool(trx: Trx, request: FastifyRequest, given: PoolFields): Promise<PoolRow> {
  const organizationId = organizationOf(request);
  await requirePermitted(trx, organizationId, given.purpose);
  const row = await insertPool(trx, organizationId, given, request.server.deps.clock.now());
  if (!row) throw taken();
  await audit(trx, request, 'pool.created', row.id, { purpose: row.purpose });
  return row;
}

async function changePool(trx: Trx, request: FastifyRequest, poolId: string, changes: Changes<PoolFields>) {
  const organizationId = organizationOf(request);
  const current = await findPool(trx, organizationId, poolId);
  if (!current) throw notFound('pool');
  // One that is not permitted any more may still be renamed.
  if (changes.purpose && changes.purpose !== current.purpose) {
    await requirePermitted(trx, organizationId, changes.purpose);
  }
  const changed = Object.keys(changes);
  if (changed.length === 0) return current;
  await audit(trx, request, 'pool.changed', poolId, { fields: changed });
  return updatePool(trx, organizationId, poolId, changes).catch((error: unknown) => {
    throw violates(error, 'number_pools_name') ? taken() : error;
  });
}

export const poolRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;
  const config = { access: 'numbers:manage' } as const;
  const tags = ['Numbers'];

  app.post(
    '/pools',
    {
      config,
      schema: { tags, summary: 'Add a number pool', body: z.strictObject(fields), response: { 201: pool } },
    },
    async (request, reply) => {
      const { status, body } = await command(request, reply, async (trx) => ({
        status: 201 as const,
        body: toPool(await createPool(trx, request, request.body)),
      }));
      return reply.code(status).send(body);
    },
  );

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
      return toPage(rows, limit, (row) => row.id, toPool);
    },
  );

  app.patch(
    '/pools/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Change a number pool',
        params: idParams,
        body: z.strictObject(fields).partial(),
        response: { 200: pool },
      },
    },
    async (request) => {
      const { params, body } = request;
      return toPool(
        await database.inOrganization(organizationOf(request), (trx) => changePool(trx, request, params.id, body)),
      );
    },
  );
};
