/** Resources that people find by the beginning of their name: what each of them says of itself, and how one is changed. */
import type { FastifyRequest } from 'fastify';
import { type Insertable, type RawBuilder, sql, type Updateable } from 'kysely';
import { z } from 'zod';
import type { Changes } from '../../db/changes.ts';
import type { Trx } from '../../db/database.ts';
import { findCareerSite } from '../../db/templates/directory.ts';
import { type IdKind, newId } from '../../db/ids.ts';
import {
  findNamed,
  insertNamed,
  listNamed,
  type NamedRow,
  type NamedTable,
  type NamePage,
  type Scope,
  updateNamed,
} from '../../db/named.ts';
import type { Schema } from '../../db/schema.ts';
import { violates } from '../../db/violations.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { notFound, refused } from '../shared/problems.ts';

export type FieldsOf<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

export interface Resource<T extends NamedTable, Shape extends z.ZodRawShape, Answer extends z.ZodType> {
  table: T;
  kind: IdKind;
  /** As people say it, one and several: `talent network`, `talent networks`. */
  names: { one: string; many: string };
  tag: string;
  /** The last part of the address of all of them: `/talent-networks`. */
  path: string;
  /** They are parts of a career site: `/career-sites/{siteId}` comes before. */
  isOfCareerSite?: boolean;
  /** What can be written, and what is filled in where a new one leaves it out. */
  fields: Shape;
  defaults?: { [Field in keyof Shape]?: z.ZodType };
  answer: Answer;
  toAnswer: (row: NamedRow<T>) => z.input<Answer>;
  toColumns: (fields: Changes<FieldsOf<Shape>>) => Updateable<Schema[T]>;
  /** Query parameters of the list beyond `prefix`. */
  filters?: z.ZodRawShape;
  /** The rows that the filters leave, and that the caller may see at all. */
  narrow?: (request: FastifyRequest) => RawBuilder<boolean>[];
  /** By unique index: the reason of the 422, and what to do. */
  taken: Readonly<Record<string, { reason: string; detail: string }>>;
  /** Rules beyond the schema. @param current the row to change; null for a new one @throws {Problem} */
  require?: (
    trx: Trx,
    request: FastifyRequest,
    given: { fields: Changes<FieldsOf<Shape>>; current: NamedRow<T> | null },
  ) => Promise<void> | void;
}

export const oneParams = z.object({ id: z.string() });
export const siteParams = z.object({ siteId: z.string() });

const idOf = (request: FastifyRequest): string => (request.params as z.infer<typeof oneParams>).id;

/** Which rows a request is about. @throws {Problem} 404 for a career site that there is not */
async function scopeOf(
  trx: Trx,
  request: FastifyRequest,
  { isOfCareerSite, narrow }: Pick<Resource<NamedTable, z.ZodRawShape, z.ZodType>, 'isOfCareerSite' | 'narrow'>,
): Promise<Scope & { columns: object }> {
  const organizationId = organizationOf(request);
  const conditions = narrow?.(request) ?? [];
  if (!isOfCareerSite) return { organizationId, conditions, columns: {} };
  const { siteId } = request.params as z.infer<typeof siteParams>;
  if (!(await findCareerSite(trx, organizationId, siteId))) throw notFound('career site');
  const ofSite = sql<boolean>`career_site_id = ${siteId}`;
  return { organizationId, conditions: [ofSite, ...conditions], columns: { career_site_id: siteId } };
}

/** The transactions of a resource's routes. */
export function operationsOf<T extends NamedTable, Shape extends z.ZodRawShape, Answer extends z.ZodType>(
  resource: Resource<T, Shape, Answer>,
) {
  const { table, kind, names, toColumns } = resource;
  const action = names.one.replaceAll(' ', '_');

  const takenBy = (error: unknown): unknown => {
    const index = Object.keys(resource.taken).find((name) => violates(error, name));
    return index === undefined ? error : refused(resource.taken[index]!.reason, resource.taken[index]!.detail);
  };

  const findIn = async (trx: Trx, request: FastifyRequest, scope: Scope): Promise<NamedRow<T>> => {
    const row = await findNamed(trx, table, scope, idOf(request));
    if (!row) throw notFound(names.one);
    return row;
  };

  return {
    list: async (trx: Trx, request: FastifyRequest, page: NamePage) =>
      listNamed(trx, table, await scopeOf(trx, request, resource), page),

    find: async (trx: Trx, request: FastifyRequest): Promise<NamedRow<T>> =>
      findIn(trx, request, await scopeOf(trx, request, resource)),

    create: async (trx: Trx, request: FastifyRequest, fields: FieldsOf<Shape>): Promise<NamedRow<T>> => {
      const { organizationId, columns } = await scopeOf(trx, request, resource);
      await resource.require?.(trx, request, { fields, current: null });
      const at = request.server.deps.clock.now();
      const own = { id: newId(kind, at), organization_id: organizationId, created_at: at, updated_at: at };
      const row = { ...own, ...columns, ...toColumns(fields) } as unknown as Insertable<Schema[T]>;
      const made = await insertNamed(trx, table, row).catch((error: unknown) => {
        throw takenBy(error);
      });
      await audit(trx, request, `${action}.created`, own.id);
      return made;
    },

    change: async (trx: Trx, request: FastifyRequest, fields: Changes<FieldsOf<Shape>>): Promise<NamedRow<T>> => {
      const scope = await scopeOf(trx, request, resource);
      const current = await findIn(trx, request, scope);
      const changed = Object.keys(fields);
      if (changed.length === 0) return current;
      await resource.require?.(trx, request, { fields, current });
      const changes = { ...toColumns(fields), updated_at: request.server.deps.clock.now() } as Updateable<Schema[T]>;
      const id = idOf(request);
      const row = await updateNamed(trx, table, { scope, id, changes }).catch((error: unknown) => {
        throw takenBy(error);
      });
      await audit(trx, request, `${action}.changed`, id, { fields: changed });
      return row!;
    },
  };
}
