/** How many messages of a batch were dropped, in the order in which they were claimed (F6). */
import { type RawBuilder, sql } from 'kysely';
import { type Stretch, stretchSize } from '../../domain/mass-sms/drop-rate.ts';
import { blamelessCodes, filteredCode } from '../../domain/error-codes.ts';
import type { AreaCount, CodeCount } from '../../domain/mass-sms/drop-report.ts';
import type { Trx } from '../database.ts';
import { inRange, type RankRange } from '../messages/outgoing.ts';

/** Part of a mass SMS, and from which claim on it counts; null for all. */
export interface Counted {
  range: RankRange;
  since: Date | null;
}

/** Left for Twilio, or may have. */
const attempted = ({ range, since }: Counted): RawBuilder<boolean> => sql<boolean>`
  ${inRange(range)} and message_status_rank(m.status) >= 3 and m.status <> 'cancelled'
  ${since ? sql`and m.claimed_at > ${since}` : sql``}`;

/** Ended without arriving; what nobody can tell of says nothing. */
const failed = sql<boolean>`(m.status in ('undelivered', 'failed') and m.cancel_reason is null)`;
const dropped = sql<boolean>`(${failed} and coalesce(m.error_code <> all(${[...blamelessCodes]}::int[]), true))`;

/** The batch as the test wants it: stretches of so many messages, in the order of their claims. */
export async function dropStretches(trx: Trx, counted: Counted): Promise<Stretch[]> {
  const { rows } = await sql<Stretch>`
    select count(*) as attempted, count(*) filter (where dropped) as dropped,
      count(*) filter (where dropped and error_code = ${filteredCode}) as filtered
    from (
      select (row_number() over (order by m.claimed_at, m.rank) - 1) / ${stretchSize}::int as stretch,
        ${dropped} as dropped, m.error_code
      from messages m where ${attempted(counted)}
    ) claimed
    group by stretch order by stretch`.execute(trx);
  return rows;
}

/** Most frequent first; those that are not counted as dropped included. */
export async function dropsByCode(trx: Trx, counted: Counted): Promise<CodeCount[]> {
  const { rows } = await sql<CodeCount>`
    select m.error_code as code, count(*) as count from messages m
    where ${attempted(counted)} and ${failed}
    group by 1 order by 2 desc, 1`.execute(trx);
  return rows;
}

/** By area code of North America; all other numbers together. */
export async function dropsByArea(trx: Trx, counted: Counted): Promise<AreaCount[]> {
  const { rows } = await sql<AreaCount>`
    select case when m.contact_number like '+1%' then substr(m.contact_number, 3, 3) else 'other' end as "areaCode",
      count(*) as attempted, count(*) filter (where ${dropped}) as dropped
    from messages m where ${attempted(counted)} group by 1 order by 1`.execute(trx);
  return rows;
}
