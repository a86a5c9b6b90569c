/** The token bucket that paces an organization's sending (B9), shared by every worker through one row. */
import { sql } from 'kysely';
import { carrierDay } from '../../domain/mass-sms/carrier-day.ts';
import type { Trx } from '../database.ts';

/** Who finds the bucket empty asks again after so long: for each segment anew would be hundreds of transactions a second. */
const askEverySeconds = 0.05;

export interface Permits {
  /** Segments that may be sent now; 0 when the bucket is empty. */
  granted: number;
  /** How long until there may be some, worth asking for. */
  waitMs: number;
  /** When the carriers' day ends, of which all has been sent that may be; null while there is some left. */
  fullUntil: Date | null;
}

interface PermitRequest {
  /** Segments per second. */
  rate: number;
  /** Segments in a day of the carriers; null for no limit. */
  perDay?: number | null;
  want: number;
  least: number;
  /** The product's clock. */
  now: Date;
  /** What goes ahead of bulk may borrow the next second's worth; bulk then waits until that is paid back. */
  ahead?: boolean;
}

interface Bucket {
  tokens: number;
  refilled_at: Date;
  /** `YYYY-MM-DD`. */
  day: string | null;
  day_segments: number;
}

/**
 * Takes up to `want` segments from the bucket, and at least `least`, or none when it is empty.
 *
 * The bucket holds one second's worth, so no worker can overrun the rate and an idle organization starts at once. A
 * message of more segments than it holds goes out on credit, which everybody's next wait pays back: if it had to wait
 * for a fuller bucket, others with shorter messages would empty it again and again before its turn comes.
 *
 * Once the day's segments are used up bulk gets no more until the next day; what goes ahead of it counts, and is not held.
 */
export async function takePermits(
  trx: Trx,
  organizationId: string,
  { rate, perDay = null, want, least, now, ahead = false }: PermitRequest,
): Promise<Permits> {
  const capacity = Math.max(rate, 1);
  const today = carrierDay(now);
  await sql`
    insert into send_permits (organization_id, tokens, refilled_at) values (${organizationId}, ${capacity}, ${now})
    on conflict do nothing`.execute(trx);
  const { rows } = await sql<Bucket>`
    select tokens, refilled_at, carrier_day::text as day, day_segments from send_permits
    where organization_id = ${organizationId} for update`.execute(trx);
  const bucket = rows[0]!;
  // Another worker's clock may have begun the day already.
  const day = bucket.day !== null && bucket.day > today.date ? bucket.day : today.date;
  const sentToday = bucket.day === day ? bucket.day_segments : 0;
  const leftToday = ahead || perDay === null ? Infinity : perDay - sentToday;
  if (leftToday <= 0) return { granted: 0, waitMs: 0, fullUntil: today.ends };
  const seconds = Math.max(0, now.getTime() - bucket.refilled_at.getTime()) / 1000;
  const held = Math.min(capacity, bucket.tokens + rate * seconds);
  const borrowed = ahead ? capacity : 0;
  const available = held + borrowed;
  const granted = available >= 1 ? Math.max(least, Math.min(Math.floor(available), want, leftToday)) : 0;
  await sql`
    update send_permits set tokens = ${held - granted}, refilled_at = greatest(refilled_at, ${now}),
      carrier_day = ${day}::date, day_segments = ${sentToday + granted}
    where organization_id = ${organizationId}`.execute(trx);
  const worthAsking = Math.min(want, Math.max(1, rate * askEverySeconds));
  return { granted, waitMs: granted > 0 ? 0 : Math.ceil(((worthAsking - available) / rate) * 1000), fullUntil: null };
}

/** The segments that an organization has sent in the carriers' day of `now`, by that day; none where nothing is paced. */
export async function sentInCarrierDay(trx: Trx, organizationId: string, now: Date): Promise<Map<string, number>> {
  const { date } = carrierDay(now);
  const { rows } = await sql<{ sent: number }>`
    select day_segments as sent from send_permits
    where organization_id = ${organizationId} and carrier_day = ${date}::date`.execute(trx);
  return new Map(rows.map(({ sent }) => [date, sent]));
}
