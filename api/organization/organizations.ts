/** Organizations: the operator's customers. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  findOrganization,
  insertOrganization,
  listOrganizations,
  moduleState,
  updateOrganization,
} from '../../db/organizations/organizations.ts';
import type { OrganizationRow } from '../../db/schema.ts';
import { defaultSettings } from '../../domain/settings.ts';
import { audit } from '../shared/audit.ts';
import { command, inTransaction } from '../shared/idempotency.ts';
import { requireKept } from './module.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound } from '../shared/problems.ts';
import { id, idParams, instant, search, text, timeZone } from '../shared/schemas.ts';

const fields = {
  name: text(200),
  domain: z
    .string()
    .trim()
    .toLowerCase()
    .max(253)
    .regex(z.regexes.hostname, 'must be a domain such as example.com')
    .meta({ examples: ['example.com'] }),
  country: z
    .string()
    .toUpperCase()
    .regex(/^[A-Z]{2}$/, 'must be a two-letter country code such as US')
    .nullable()
    .meta({ description: 'ISO 3166-1 alpha-2', examples: ['US'] }),
  region: text(50)
    .nullable()
    .meta({ description: 'Province or state', examples: ['TX'] }),
  organizationNumber: text(50).nullable(),
  timeZone,
};

const organization = z
  .object({
    id: id('organization'),
    ...fields,
    module: z.enum(['disabled', 'pending_setup', 'enabled']),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Organization' });

const newOrganization = z.strictObject({
  name: fields.name,
  domain: fields.domain,
  country: fields.country.default(null),
  region: fields.region.default(null),
  organizationNumber: fields.organizationNumber.default(null),
  timeZone: fields.timeZone.default(defaultSettings.sendWindow.timeZone),
});

const toOrganization = (row: OrganizationRow): z.infer<typeof organization> => ({
  id: row.id,
  name: row.name,
  domain: row.domain,
  country: row.country,
  region: row.region,
  organizationNumber: row.organization_number,
  timeZone: row.time_zone,
  module: moduleState(row).state,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

export const organizationRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const config = { access: 'operator' } as const;
  const tags = ['Organizations'];

  app.post(
    '/organizations',
    {
      config,
      schema: { tags, summary: 'Add an organization', body: newOrganization, response: { 201: organization } },
    },
    async (request, reply) => {
      const { status, body } = await command(request, reply, async (trx) => {
        const row = await insertOrganization(trx, request.body, clock.now());
        await audit(trx, request, 'organization.created', row.id, {}, row.id);
        return { status: 201 as const, body: toOrganization(row) };
      });
      return reply.code(status).send(body);
    },
  );

  app.get(
    '/organizations',
    {
      config,
      schema: {
        tags,
        summary: 'List organizations',
        querystring: z.object({ q: search('Part of the name or domain'), ...pageQuery }),
        response: { 200: pageOf(organization) },
      },
    },
    async ({ query: { q, limit, cursor } }) => {
      const rows = await listOrganizations(database.system, { q, limit: limit + 1, after: decodeIdCursor(cursor) });
      return toPage(rows, limit, (row) => row.id, toOrganization);
    },
  );

  app.get(
    '/organizations/:id',
    { config, schema: { tags, summary: 'Read an organization', params: idParams, response: { 200: organization } } },
    async (request) => {
      const row = await findOrganization(database.system, request.params.id);
      if (!row) throw notFound('organization');
      return toOrganization(row);
    },
  );

  app.patch(
    '/organizations/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Change an organization',
        description:
          'While its SMS module is on, `country`, `region` and `organizationNumber` cannot be taken from it: 409.',
        params: idParams,
        body: z.strictObject(fields).partial(),
        response: { 200: organization },
      },
    },
    async (request) => {
      const { params, body } = request;
      return inTransaction(request, async (trx) => {
        const row = await updateOrganization(trx, params.id, body, clock.now());
        if (!row) throw notFound('organization');
        requireKept(row, body);
        await audit(trx, request, 'organization.changed', row.id, { fields: Object.keys(body) }, row.id);
        return toOrganization(row);
      });
    },
  );
};
