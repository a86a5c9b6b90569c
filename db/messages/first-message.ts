/** Who has had nothing from an organization yet: their first message says how to opt out (C3). */
import { type RawBuilder, sql } from 'kysely';
import type { Trx } from '../database.ts';

/**
 * Whether nothing of the organization has left for a number, whatever left it: what leaves now is the first. A message
 * that failed or was cancelled has not. A sub-select per row: a join would read all messages of the organization.
 */
export const nothingHasLeft = (organizationId: RawBuilder<unknown>, contactNumber: RawBuilder<unknown>) =>
  sql<boolean>`not coalesce((
    select true from messages x
    where x.organization_id = ${organizationId} and x.contact_number = ${contactNumber}
      and x.direction = 'outbound' and message_status_rank(x.status) >= 3 and x.status not in ('cancelled', 'failed')
    limit 1), false)`;

/** Of these numbers, those for which nothing of the transaction's organization has left. */
export async function numbersWithoutMessages(trx: Trx, numbers: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ number: string }>`
    select n as number from unnest(${[...numbers]}::text[]) n
    where ${nothingHasLeft(sql`current_setting('longwave.organization_id')`, sql`n`)}`.execute(trx);
  return new Set(rows.map(({ number }) => number));
}
