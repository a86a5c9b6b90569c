/** Users of an organization. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { findUser, insertUser, listUsers, updateUser } from '../../db/organizations/users.ts';
import type { UserRow } from '../../db/schema.ts';
import { violates } from '../../db/violations.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf, principalOf, requirePermission } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import type { Permission } from '../shared/permissions.ts';
import { notFound, refused } from '../shared/problems.ts';
import {
  email,
  id,
  idParams,
  instant,
  permission,
  permissionSet,
  phoneNumber,
  text,
  timeZone,
} from '../shared/schemas.ts';

const fields = {
  name: text(200),
  email: email.meta({ description: 'Of no other user of the organization, in whatever case' }),
  mobile: phoneNumber.nullable(),
  timeZone: timeZone.nullable(),
  active: z.boolean().meta({ description: 'Keys of a user who is not active are refused' }),
  permissions: permissionSet,
};

const newUser = z.strictObject({
  ...fields,
  mobile: fields.mobile.default(null),
  timeZone: fields.timeZone.default(null),
  active: fields.active.default(true),
  permissions: permissionSet
    .optional()
    .meta({ description: 'By default `messages:send`, or none where whoever adds the user lacks it' }),
});

/** What a user is given when nothing is said: no more than is held by who adds them. */
const defaultPermissions = (request: FastifyRequest): Permission[] =>
  (['messages:send'] as const).filter((name) => principalOf(request).permissions.has(name));

const user = z
  .object({
    id: id('user'),
    name: z.string(),
    email: z.string(),
    mobile: z.string().nullable(),
    timeZone: z.string().nullable(),
    active: z.boolean(),
    permissions: z.array(permission),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'User' });

const toUser = (row: UserRow): z.infer<typeof user> => ({
  id: row.id,
  name: row.name,
  email: row.email,
  mobile: row.mobile,
  timeZone: row.time_zone,
  active: row.active,
  permissions: row.permissions as Permission[],
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

/** Nobody gives what they do not have. */
function requireGrantable(request: FastifyRequest, granted: readonly Permission[], held: readonly string[] = []): void {
  for (const name of granted) if (!held.includes(name)) requirePermission(principalOf(request), name);
}

const taken = () =>
  refused('email_taken', 'Another user of this organization has this email: use another one, or change that user.');

export const userRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const tags = ['Users'];

  app.post(
    '/users',
    {
      config: { access: 'settings:manage' },
      schema: { tags, summary: 'Add a user', body: newUser, response: { 201: user } },
    },
    async (request, reply) => {
      const { permissions = defaultPermissions(request), ...rest } = request.body;
      requireGrantable(request, permissions);
      const { status, body } = await command(request, reply, async (trx) => {
        const row = await insertUser(trx, organizationOf(request), { ...rest, permissions }, clock.now());
        if (!row) throw taken();
        await audit(trx, request, 'user.created', row.id, { permissions: row.permissions });
        return { status: 201 as const, body: toUser(row) };
      });
      return reply.code(status).send(body);
    },
  );

  app.get(
    '/users',
    {
      config: { access: 'member' },
      schema: { tags, summary: 'List users', querystring: z.object(pageQuery), response: { 200: pageOf(user) } },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const after = decodeIdCursor(cursor);
      const organizationId = organizationOf(request);
      const rows = await database.inOrganization(organizationId, (trx) =>
        listUsers(trx, organizationId, { limit: limit + 1, after }),
      );
      return toPage(rows, limit, (row) => row.id, toUser);
    },
  );

  app.get(
    '/users/:id',
    {
      config: { access: 'member' },
      schema: { tags, summary: 'Read a user', params: idParams, response: { 200: user } },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      const row = await database.inOrganization(organizationId, (trx) =>
        findUser(trx, organizationId, request.params.id),
      );
      if (!row) throw notFound('user');
      return toUser(row);
    },
  );

  app.patch(
    '/users/:id',
    {
      config: { access: 'settings:manage' },
      schema: {
        tags,
        summary: 'Change a user',
        params: idParams,
        body: z.strictObject(fields).partial(),
        response: { 200: user },
      },
    },
    async (request) => {
      const { params, body } = request;
      const organizationId = organizationOf(request);
      const changed = await database.inOrganization(organizationId, async (trx) => {
        const current = await findUser(trx, organizationId, params.id);
        if (!current) throw notFound('user');
        requireGrantable(request, body.permissions ?? [], current.permissions);
        await audit(trx, request, 'user.changed', params.id, { fields: Object.keys(body) });
        return updateUser(trx, organizationId, params.id, body, clock.now()).catch((error: unknown) => {
          throw violates(error, 'users_email') ? taken() : error;
        });
      });
      app.authenticator.forget();
      return toUser(changed!);
    },
  );
};
