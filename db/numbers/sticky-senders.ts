/** Sticky senders (B8): a contact hears from the same number of a pool for as long as that number sends. */
import { type RawBuilder, sql } from 'kysely';

/** A pool, and those of its lines that send; at least one. */
export interface SendingPool {
  id: string;
  lines: readonly string[];
}

/**
 * The line a contact has heard from, or null when there is none among those that send.
 *
 * A sub-query and no join: before Postgres has statistics it would take the table for all but empty, and read a whole pool
 * for each contact.
 *
 * @param number an expression: the contact's
 */
export const keptLine = (organizationId: string, { id, lines }: SendingPool, number: RawBuilder<unknown>) => sql<
  string | null
>`(select s.line from sticky_senders s
  where s.organization_id = ${organizationId} and s.pool_id = ${id} and s.contact_number = ${number}
    and s.line = any(${[...lines]}::text[]))`;

/**
 * A line for a contact who has none, which {@link recordLines} keeps. The lines themselves are in the hash: those who lose
 * one line are spread over all that are left, whatever lines there were before.
 */
export function chosenLine(pool: SendingPool, number: RawBuilder<unknown>) {
  const lines = pool.lines.toSorted();
  return sql<string>`(${lines}::text[])[1 + mod(
    hashtextextended(${number}, hashtextextended(${lines.join()}, 0)) & ${'9223372036854775807'}::bigint, ${lines.length})]`;
}

/**
 * A statement, or a CTE, that keeps a line for each contact who has none that sends; what others keep meanwhile stays.
 *
 * @param numbers a query of the contacts' numbers, each once, in a column `contact_number`
 */
export const recordLines = (organizationId: string, pool: SendingPool, numbers: RawBuilder<unknown>) => sql`
  insert into sticky_senders as s (organization_id, pool_id, contact_number, line)
  select ${organizationId}, ${pool.id}, n.contact_number, ${chosenLine(pool, sql`n.contact_number`)}
  from (${numbers}) n
  -- In one order everywhere: two at once would otherwise wait for each other's rows.
  order by n.contact_number
  on conflict (organization_id, pool_id, contact_number) do update set line = excluded.line
    where s.line <> all(${[...pool.lines]}::text[])`;
