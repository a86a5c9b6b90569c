/** Lists: `limit`, an opaque `cursor`, and `{ items, nextCursor }` in a stable order. */
import { z } from 'zod';
import { invalid } from './problems.ts';

/** Query parameters of every list. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'How many, 1 to 200' }),
  cursor: z.string().min(1).max(1_000).optional().meta({ description: '`nextCursor` of the page before' }),
};

/** The shape a list answers. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'Null on the last page' }),
  });

/** A sort key of any JSON as opaque text. */
const encodeCursor = (key: unknown): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/**
 * Reads a cursor back.
 *
 * @param schema the shape of this list's sort key: a cursor of another list does not fit
 * @throws {Problem} 400 when the cursor is not one this list gave out
 */
export function decodeCursor<T>(cursor: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined;
  try {
    const key = schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    if (encodeCursor(key) === cursor) return key;
  } catch {
    // Falls through: whatever is wrong with it, it is not ours.
  }
  throw invalid([{ path: 'cursor', message: 'is not a cursor of this list: take `nextCursor` of the page before' }]);
}

const idKey = z.string().regex(/^[a-z]{3}_[0-9a-z-]{1,60}$/);

/** The cursor of a list in order of ids. */
export const decodeIdCursor = (cursor: string | undefined): string | undefined => decodeCursor(cursor, idKey);

/**
 * A page from one row more than it shows.
 *
 * @param rows at most `limit + 1`, in order
 * @param keyOf the sort key of a row
 */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => unknown,
  toItem: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toItem),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null,
  };
}
