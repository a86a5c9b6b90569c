/** Searches as people type them. */
import { type RawBuilder, sql } from 'kysely';

/** A `LIKE` pattern for text that contains `part`, which may itself contain `%` and `_`. */
export const containing = (part: string): string => `%${part.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;

/**
 * Whether contact `c` is one that people mean by `q`: part of the name or email, or digits of the mobile number however
 * they are grouped. An empty search means every contact.
 */
export function matchesContact(q: string): RawBuilder<boolean> {
  const words = q.trim().replaceAll(/\s+/g, ' ');
  if (words === '') return sql<boolean>`true`;
  const pattern = containing(words);
  const digits = /^\+?[\d\s().\-/]+$/.test(words) ? words.replaceAll(/\D/g, '') : '';
  const byDigits = digits ? sql`or translate(c.mobile, '+-(). /', '') like ${containing(digits)}` : sql``;
  return sql<boolean>`(concat_ws(' ', c.first_name, c.last_name) ilike ${pattern} or c.email ilike ${pattern} ${byDigits})`;
}
