/** Usage by month (H1), read from the tallies that a trigger on `messages` keeps. */
import { type RawBuilder, sql } from 'kysely';
import type { Trx } from '../database.ts';

export const usageDimensions = ['month', 'user', 'number', 'purpose'] as const;
export type UsageDimension = (typeof usageDimensions)[number];

/** Months as `2026-11`, both inclusive. */
export interface UsagePeriod {
  from: string;
  to: string;
}

export interface UsageRow {
  month: string;
  /** The user's id, the number or the purpose; null for messages of no user. By month always null. */
  value: string | null;
  /** Only by number: the id it has now, or had last. */
  numberId: string | null;
  outbound: { messages: number; segments: number };
  inbound: { messages: number; segments: number };
}

const values: Record<UsageDimension, RawBuilder<string | null>> = {
  month: sql`null::text`,
  user: sql`nullif(u.user_id, '')`,
  number: sql`u.line`,
  purpose: sql`u.purpose`,
};

/** Usage of each month and value, months descending; nothing where there was none. */
export async function readUsage(
  trx: Trx,
  organizationId: string,
  { by, from, to }: UsagePeriod & { by: UsageDimension },
): Promise<UsageRow[]> {
  const sum = (column: 'messages' | 'segments', direction: 'outbound' | 'inbound') =>
    sql`coalesce(sum(u.${sql.ref(column)}) filter (where u.direction = ${sql.lit(direction)}), 0)::bigint`;
  const { rows } = await sql<UsageRow>`
    with usage as (
      select u.month, ${values[by]} as value,
        json_build_object('messages', ${sum('messages', 'outbound')}, 'segments', ${sum('segments', 'outbound')}) as outbound,
        json_build_object('messages', ${sum('messages', 'inbound')}, 'segments', ${sum('segments', 'inbound')}) as inbound
      from usage_tallies u
      where u.organization_id = ${organizationId} and u.month between ${`${from}-01`}::date and ${`${to}-01`}::date
      group by 1, 2 having sum(u.messages) > 0
    ), numbers as (
      select distinct on (phone_number) phone_number, id from phone_numbers
      where organization_id = ${organizationId} and ${by} = 'number'
      order by phone_number, released_at desc nulls first
    )
    select to_char(usage.month, 'YYYY-MM') as month, usage.value, numbers.id as "numberId", outbound, inbound
    from usage left join numbers on numbers.phone_number = usage.value
    order by usage.month desc, usage.value nulls last`.execute(trx);
  return rows;
}
