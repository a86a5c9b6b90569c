/** What may be written to a log: never a phone number, a message or a token. Used by every process of ours. */

/** Digits that could be a phone number, and what Postgres quotes of the values it was given. */
const masked = (text: string): string => text.replaceAll(/"[^"]*"/g, '"…"').replaceAll(/\+?\d[\d\s().-]{5,}\d/g, '…');

/** An error without the values it was made of: pg's `detail` and `where` quote rows. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, constraint, table, routine } = error as Error &
    Record<'code' | 'constraint' | 'table' | 'routine', unknown>;
  const frames = error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
  return { type: error.name, message: masked(error.message), code, constraint, table, routine, stack: frames };
}
