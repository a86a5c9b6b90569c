/** API keys of an organization and of its users, made and revoked by the operator. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { insertKey, listKeys, organizationExists, revokeKey } from '../../db/organizations/api-keys.ts';
import { newId } from '../../db/ids.ts';
import { findUser } from '../../db/organizations/users.ts';
import { audit } from '../shared/audit.ts';
import { hashKey, newKey } from '../shared/auth.ts';
import { command, inTransaction } from '../shared/idempotency.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound } from '../shared/problems.ts';
import { id, idParams, instant, nothing, permission, permissionSet } from '../shared/schemas.ts';

const newKeyBody = z
  .strictObject({
    kind: z.enum(['organization', 'user']),
    userId: id('user').optional().meta({ description: 'With kind user: whose key it is' }),
    permissions: permissionSet.default([]).meta({
      description: 'Limits the key to these. Empty: an organization key has all, a user key those of its user',
    }),
  })
  .refine(({ kind, userId }) => (kind === 'user') === (userId !== undefined), {
    path: ['userId'],
    message: 'is needed with kind user, and only there',
  });

const keyInfo = z
  .object({
    id: id('key'),
    kind: z.enum(['organization', 'user']),
    userId: id('user').nullable(),
    permissions: z.array(permission),
    createdAt: instant,
    revokedAt: instant.nullable(),
  })
  .meta({ id: 'ApiKey' });

const createdKey = keyInfo
  .extend({ key: z.string().meta({ description: 'Shown this once' }) })
  .meta({ id: 'NewApiKey' });

export const organizationKeyRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const config = { access: 'operator' } as const;
  const tags = ['Organizations'];

  app.post(
    '/organizations/:id/keys',
    {
      config,
      schema: { tags, summary: 'Make an API key', params: idParams, body: newKeyBody, response: { 201: createdKey } },
    },
    async (request, reply) => {
      const { params, body: wanted } = request;
      const make = async (trx: Parameters<typeof insertKey>[0]) => {
        if (!(await organizationExists(trx, params.id))) throw notFound('organization');
        if (wanted.userId && !(await findUser(trx, params.id, wanted.userId))) throw notFound('user');
        const at = clock.now();
        const { kind, userId = null, permissions } = wanted;
        const key = newKey(kind);
        const keyId = newId('key', at);
        await insertKey(trx, {
          id: keyId,
          kind,
          organizationId: params.id,
          userId,
          permissions,
          hash: hashKey(key),
          at,
        });
        await audit(trx, request, 'key.created', keyId, { kind, userId, permissions }, params.id);
        const body = { id: keyId, key, kind, userId, permissions, createdAt: at.toISOString(), revokedAt: null };
        return { status: 201 as const, body };
      };
      const { status, body } = await command(request, reply, make, { sealed: true });
      return reply.code(status).send(body);
    },
  );

  app.get(
    '/organizations/:id/keys',
    {
      config,
      schema: {
        tags,
        summary: 'List API keys, without the keys themselves',
        params: idParams,
        querystring: z.object(pageQuery),
        response: { 200: pageOf(keyInfo) },
      },
    },
    async ({ params, query: { limit, cursor } }) => {
      const after = decodeIdCursor(cursor);
      if (!(await organizationExists(database.system, params.id))) throw notFound('organization');
      const rows = await listKeys(database.system, params.id, { limit: limit + 1, after });
      return toPage(rows, limit, (row) => row.id, toKey);
    },
  );

  app.delete(
    '/organizations/:id/keys/:keyId',
    {
      config,
      schema: {
        tags,
        summary: 'Revoke an API key',
        description: 'Refused from now on; other API processes may accept it for two more seconds.',
        params: idParams.extend({ keyId: z.string() }),
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { id: organizationId, keyId } = request.params;
      await inTransaction(request, async (trx) => {
        if (!(await revokeKey(trx, organizationId, keyId, clock.now()))) throw notFound('key');
        await audit(trx, request, 'key.revoked', keyId, {}, organizationId);
      });
      app.authenticator.forget();
      return reply.code(204).send();
    },
  );
};

const toKey = (row: Awaited<ReturnType<typeof listKeys>>[number]): z.infer<typeof keyInfo> => ({
  id: row.id,
  kind: row.kind === 'user' ? 'user' : 'organization',
  userId: row.user_id,
  permissions: permission.array().parse(row.permissions),
  createdAt: row.created_at.toISOString(),
  revokedAt: row.revoked_at?.toISOString() ?? null,
});
