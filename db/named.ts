/** Rows that people find by the beginning of their name: templates, and what messages are about. */
import { type Insertable, type RawBuilder, type Selectable, sql, type Updateable } from 'kysely';
import type { Trx } from './database.ts';
import type { Schema } from './schema.ts';
import type { TemplateTables } from './schema/templates.ts';

export type NamedTable = keyof TemplateTables;
export type NamedRow<T extends NamedTable> = Selectable<Schema[T]>;

/** What of a table is meant: beyond the organization, say, the rows of one career site. */
export interface Scope {
  organizationId: string;
  conditions?: readonly RawBuilder<boolean>[];
}

const within = ({ organizationId, conditions = [] }: Scope, more: readonly RawBuilder<unknown>[]) =>
  sql.join([sql`organization_id = ${organizationId}`, ...conditions, ...more], sql` and `);

export interface NamePage {
  /** The beginning of the name, whatever its case. */
  prefix?: string | undefined;
  /** The sort key of the last row of the page before. */
  after?: { key: string; id: string } | undefined;
  limit: number;
}

/** No text that begins with a prefix comes after the prefix with this, compared byte by byte. */
const lastCharacter = '\u{10FFFF}';

/** The query of a page, in order of the names. */
export function pageOfNamed<T extends NamedTable>(
  table: T,
  scope: Scope,
  { prefix = '', after, limit }: NamePage,
): RawBuilder<NamedRow<T> & { id: string; name_key: string }> {
  const first = sql`lower(${prefix}::text)`;
  // Comparisons and not `^@` (starts with): row-level security lets only these use an index.
  const page = [
    ...(prefix === '' ? [] : [sql`name_key >= ${first} and name_key < ${first} || ${lastCharacter}`]),
    ...(after ? [sql`(name_key, id) > (${after.key}, ${after.id})`] : []),
  ];
  return sql`select * from ${sql.table(table)} where ${within(scope, page)} order by name_key, id limit ${limit}`;
}

/** In order of the names; `name_key` is what they are sorted by. */
export const listNamed = async <T extends NamedTable>(
  trx: Trx,
  table: T,
  scope: Scope,
  page: NamePage,
): Promise<(NamedRow<T> & { id: string; name_key: string })[]> =>
  (await pageOfNamed(table, scope, page).execute(trx)).rows;

export async function findNamed<T extends NamedTable>(
  trx: Trx,
  table: T,
  scope: Scope,
  id: string,
): Promise<NamedRow<T> | undefined> {
  const { rows } = await sql<NamedRow<T>>`
    select * from ${sql.table(table)} where ${within(scope, [sql`id = ${id}`])}`.execute(trx);
  return rows[0];
}

/** @throws when another row has what must be unique */
export async function insertNamed<T extends NamedTable>(
  trx: Trx,
  table: T,
  row: Insertable<Schema[T]>,
): Promise<NamedRow<T>> {
  const columns = Object.keys(row).map((name) => sql.ref(name));
  const { rows } = await sql<NamedRow<T>>`
    insert into ${sql.table(table)} (${sql.join(columns)}) values (${sql.join(Object.values(row))}) returning *`.execute(
    trx,
  );
  return rows[0]!;
}

/** @throws when another row has what must be unique @returns undefined when there is no such row */
export async function updateNamed<T extends NamedTable>(
  trx: Trx,
  table: T,
  { scope, id, changes }: { scope: Scope; id: string; changes: Updateable<Schema[T]> },
): Promise<NamedRow<T> | undefined> {
  const set = Object.entries(changes).map(([name, value]) => sql`${sql.ref(name)} = ${value}`);
  const { rows } = await sql<NamedRow<T>>`
    update ${sql.table(table)} set ${sql.join(set)} where ${within(scope, [sql`id = ${id}`])} returning *`.execute(trx);
  return rows[0];
}
