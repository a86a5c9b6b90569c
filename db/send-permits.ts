/** The token bucket that paces an organization's sending (B9), shared by every worker through one row. */
import { sql } from 'kysely';
import type { Trx } from './database.ts';

export interface Permits {
  /** Segments that may be sent now; 0 when the bucket is empty. */
  granted: number;
  /** How long until there may be some. */
  waitMs: number;
}

interface PermitRequest {
  /** Segments per second. */
  rate: number;
  want: number;
  least: number;
  /** The product's clock. */
  now: Date;
  /** What goes ahead of bulk may borrow the next second's worth; bulk then waits until that is paid back. */
  ahead?: boolean;
}

/**
 * Takes up to `want` segments from the bucket, and at least `least`, or none when it is empty.
 *
 * The bucket holds one second's worth, so no worker can overrun the rate and an idle organization starts at once. A
 * message of more segments than it holds goes out on credit, which everybody's next wait pays back: if it had to wait
 * for a fuller bucket, others with shorter messages would empty it again and again before its turn comes.
 */
export async function takePermits(
  trx: Trx,
  organizationId: string,
  { rate, want, least, now, ahead = false }: PermitRequest,
): Promise<Permits> {
  const capacity = Math.max(rate, 1);
  await trx
    .insertInto('send_permits')
    .values({ organization_id: organizationId, tokens: capacity, refilled_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const bucket = await trx
    .selectFrom('send_permits')
    .select(['tokens', 'refilled_at'])
    .where('organization_id', '=', organizationId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const seconds = Math.max(0, now.getTime() - bucket.refilled_at.getTime()) / 1000;
  const held = Math.min(capacity, bucket.tokens + rate * seconds);
  const borrowed = ahead ? capacity : 0;
  const available = held + borrowed;
  const granted = available >= 1 ? Math.max(least, Math.min(Math.floor(available), want)) : 0;
  await sql`
    update send_permits set tokens = ${held - granted}, refilled_at = greatest(refilled_at, ${now})
    where organization_id = ${organizationId}`.execute(trx);
  return { granted, waitMs: granted > 0 ? 0 : Math.ceil(((1 - available) / rate) * 1000) };
}
