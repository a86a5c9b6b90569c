/** The routes that everything has which people find by the beginning of its name. */
import type { FastifyPluginAsync, FastifyRequest, FastifySchema } from 'fastify';
import { z } from 'zod';
import type { Changes } from '../../db/changes.ts';
import type { Trx } from '../../db/database.ts';
import type { NamedTable } from '../../db/named.ts';
import { organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { decodeCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { search } from '../shared/schemas.ts';
import { type FieldsOf, oneParams, operationsOf, type Resource, siteParams } from './resource.ts';

const cursorKey = z.object({ key: z.string().max(1_000), id: z.string().max(60) });

const listQuery = z.object({ ...pageQuery, prefix: search('The beginning of the name, whatever its case') });

/** Not by its exact type: schemas that are only known by what they have in common tell nothing of each answer. */
const schemaOf = (schema: FastifySchema): FastifySchema => schema;

/** POST and GET on all of them, GET and PATCH on one. */
export function routesOf<T extends NamedTable, Shape extends z.ZodRawShape, Answer extends z.ZodType>(
  resource: Resource<T, Shape, Answer>,
): FastifyPluginAsync {
  const { names, answer, toAnswer } = resource;
  const { create, list, find, change } = operationsOf(resource);
  const write = { access: 'settings:manage' } as const;
  const read = { access: 'member' } as const;
  const tags = [resource.tag];
  const path = resource.isOfCareerSite ? `/career-sites/:siteId${resource.path}` : resource.path;
  const inSite = resource.isOfCareerSite ? { params: siteParams } : {};
  const params = resource.isOfCareerSite ? siteParams.extend(oneParams.shape) : oneParams;

  return async (app) => {
    const { database } = app.deps;
    const inOrganization = <R>(request: FastifyRequest, work: (trx: Trx) => Promise<R>): Promise<R> =>
      database.inOrganization(organizationOf(request), work);

    app.post(
      path,
      {
        config: write,
        schema: schemaOf({
          tags,
          summary: `Add a ${names.one}`,
          ...inSite,
          body: z.strictObject({ ...resource.fields, ...resource.defaults }),
          response: { 201: answer },
        }),
      },
      async (request, reply) => {
        const { status, body } = await command(request, reply, async (trx) => ({
          status: 201,
          body: toAnswer(await create(trx, request, request.body as FieldsOf<Shape>)),
        }));
        return reply.code(status).send(body);
      },
    );

    app.get(
      path,
      {
        config: read,
        schema: schemaOf({
          tags,
          summary: `List ${names.many} by name`,
          ...inSite,
          querystring: listQuery.extend(resource.filters ?? {}),
          response: { 200: pageOf(answer) },
        }),
      },
      async (request) => {
        const { limit, cursor, prefix } = request.query as z.output<typeof listQuery>;
        const page = { prefix: prefix?.trim(), after: decodeCursor(cursor, cursorKey), limit: limit + 1 };
        const rows = await inOrganization(request, (trx) => list(trx, request, page));
        return toPage(rows, limit, ({ name_key: key, id }) => ({ key, id }), toAnswer);
      },
    );

    app.get(
      `${path}/:id`,
      { config: read, schema: schemaOf({ tags, summary: `Read a ${names.one}`, params, response: { 200: answer } }) },
      async (request) => toAnswer(await inOrganization(request, (trx) => find(trx, request))),
    );

    app.patch(
      `${path}/:id`,
      {
        config: write,
        schema: schemaOf({
          tags,
          summary: `Change a ${names.one}`,
          params,
          body: z.strictObject(resource.fields).partial(),
          response: { 200: answer },
        }),
      },
      async (request) => {
        const fields = request.body as Changes<FieldsOf<Shape>>;
        return toAnswer(await inOrganization(request, (trx) => change(trx, request, fields)));
      },
    );
  };
}
