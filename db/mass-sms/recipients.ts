/** Who of a mass SMS may be written to by now, by where each may be (E3). */
import { sql } from 'kysely';
import type { MomentOf } from '../../domain/mass-sms/batches.ts';
import type { Recipient } from '../../domain/lawful-hours/places.ts';
import type { Trx } from '../database.ts';
import { type Chosen, inRange, type RankRange } from '../messages/outgoing.ts';

/** Ranks that are looked at in one statement: by rank and not by a limit, for which Postgres may sort all that are left. */
const ranksAtOnce = 1_000;
/** Ranks that are looked at in one claim: it must not grow stale while it passes over those who wait. */
const mostRanks = 10_000;

/** What tells where a recipient is: a contact with another number by now is somebody else. Looked up row by row. */
const contactOf = sql`left join lateral (
  select c.postal_code, c.time_zone from contacts c where c.id = m.contact_id and c.mobile = m.contact_number offset 0
) c on true`;

/**
 * Goes through those still queued, in order of rank, for up to `limit` who need not wait. Nothing is locked: those who
 * are passed over by the thousand are left untouched.
 */
export async function chooseRecipients(
  trx: Trx,
  range: RankRange,
  { limit, now, momentOf }: { limit: number; now: Date; momentOf: MomentOf },
): Promise<Chosen> {
  const chosen: Chosen = { open: new Map(), never: new Set(), lastRank: null };
  const end = Math.min(range.last, range.first + mostRanks - 1);
  // At most times nobody is passed over.
  for (let first = range.first, ranks = limit; first <= end; first += ranks, ranks = ranksAtOnce) {
    const last = Math.min(end, first + ranks - 1);
    for (const { rank, ...recipient } of await queuedRecipients(trx, { ...range, first, last })) {
      const moment = momentOf(recipient);
      if (moment === null) chosen.never.add(rank);
      else if (moment.at <= now) chosen.open.set(rank, moment.closesAt);
      if (chosen.open.size + chosen.never.size === limit) return { ...chosen, lastRank: rank };
    }
    chosen.lastRank = last;
  }
  return chosen;
}

async function queuedRecipients(trx: Trx, range: RankRange): Promise<(Recipient & { rank: number })[]> {
  const { rows } = await sql<Recipient & { rank: number }>`
    select m.rank, m.contact_number as mobile, c.postal_code as "postalCode", c.time_zone as "timeZone"
    from messages m ${contactOf} where ${inRange(range)} and m.status = 'queued' order by m.rank`.execute(trx);
  return rows;
}

/** Where those still queued are, each combination once, with one number for all of the same area code. */
export async function placesLeft(trx: Trx, range: RankRange): Promise<Recipient[]> {
  const { rows } = await sql<Recipient>`
    select min(m.contact_number) as mobile, c.postal_code as "postalCode", c.time_zone as "timeZone"
    from messages m left join contacts c on c.id = m.contact_id and c.mobile = m.contact_number
    where ${inRange(range)} and m.status = 'queued'
    group by left(m.contact_number, 5), c.postal_code, c.time_zone`.execute(trx);
  return rows;
}
