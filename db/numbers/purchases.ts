/** Purchases: one number for one user, or for several who share it. Each is made at most once, whatever crashes. */
import { purchaseFailures, type PurchaseFailure } from '../../domain/numbers/purchases.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { PurchaseRow } from '../schema.ts';

export interface NewPurchase {
  userIds: readonly string[];
  /** E.164, when the caller chose the number. */
  wanted?: string;
  /** Why it is not even tried. */
  failure?: { reason: PurchaseFailure; detail: string };
}

/** @param run the organization and the run they belong to */
export async function insertPurchases(
  trx: Trx,
  run: { organizationId: string; jobId: string; at: Date },
  purchases: readonly NewPurchase[],
): Promise<void> {
  if (purchases.length === 0) return;
  await trx
    .insertInto('number_purchases')
    .values(
      purchases.map(({ userIds, wanted, failure }) => ({
        id: newId('purchase', run.at),
        organization_id: run.organizationId,
        job_id: run.jobId,
        user_ids: [...userIds],
        wanted: wanted ?? null,
        state: failure ? ('failed' as const) : ('waiting' as const),
        reason: failure?.reason ?? null,
        detail: failure?.detail ?? null,
        ended_at: failure ? run.at : null,
      })),
    )
    .execute();
}

/** The first purchases of a run that are still to be made. */
export async function waitingPurchases(trx: Trx, jobId: string, limit: number): Promise<string[]> {
  const rows = await trx
    .selectFrom('number_purchases')
    .select('id')
    .where('job_id', '=', jobId)
    .where('state', '=', 'waiting')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

export interface Purchase extends PurchaseRow {
  areaCode: string | null;
  allowNearby: boolean;
  poolId: string | null;
  actor: string;
}

/** A purchase and what its run says of it. `lock` keeps others from ending it meanwhile. */
export async function findPurchase(trx: Trx, id: string, { lock = false } = {}): Promise<Purchase | undefined> {
  const query = trx
    .selectFrom('number_purchases')
    .innerJoin('number_jobs', 'number_jobs.id', 'number_purchases.job_id')
    .selectAll('number_purchases')
    .select([
      'number_jobs.area_code as areaCode',
      'number_jobs.allow_nearby as allowNearby',
      'number_jobs.pool_id as poolId',
      'number_jobs.actor',
    ])
    .where('number_purchases.id', '=', id);
  return (lock ? query.forUpdate('number_purchases') : query).executeTakeFirst();
}

/**
 * Writes that Twilio is about to be asked for a number, unless somebody else asked since the purchase was read.
 *
 * @returns whether it was written: only then may Twilio be asked. `taken`: another purchase is after the same number
 */
export async function claimCandidate(
  trx: Trx,
  { purchase, candidate, at }: { purchase: PurchaseRow; candidate: string; at: Date },
): Promise<'claimed' | 'taken' | 'overtaken'> {
  // The unique index decides between two at once; looking first spares the error, which would end the transaction.
  const other = await trx
    .selectFrom('number_purchases')
    .select('id')
    .where('candidate', '=', candidate)
    .where('state', '=', 'waiting')
    .where('id', '!=', purchase.id)
    .executeTakeFirst();
  if (other) return 'taken';
  const result = await trx
    .updateTable('number_purchases')
    .set({ candidate, asked_at: at })
    .where('id', '=', purchase.id)
    .where('state', '=', 'waiting')
    .where('asked_at', 'is not distinct from', purchase.asked_at)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n ? 'claimed' : 'overtaken';
}

/** Writes that the number last asked for is surely not ours. @param askedAt of that request: a later one is left alone */
export async function forgetCandidate(trx: Trx, purchaseId: string, askedAt: Date): Promise<void> {
  await trx
    .updateTable('number_purchases')
    .set({ candidate: null, asked_at: null })
    .where('id', '=', purchaseId)
    .where('state', '=', 'waiting')
    .where('asked_at', '=', askedAt)
    .execute();
}

/**
 * Ends a purchase that got no number; one that has ended already stays as it is.
 *
 * @param detail beyond the reason's own words
 * @param unlessAsked leaves alone what somebody is asking Twilio for at the moment
 * @returns what it is then; undefined when there is no such purchase
 */
export async function failPurchase(
  trx: Trx,
  id: string,
  {
    reason,
    detail = purchaseFailures[reason],
    at,
    unlessAsked = false,
  }: { reason: PurchaseFailure; detail?: string; at: Date; unlessAsked?: boolean },
): Promise<PurchaseRow['state'] | undefined> {
  await trx
    .updateTable('number_purchases')
    .set({ state: 'failed', reason, detail, ended_at: at })
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .$if(unlessAsked, (query) => query.where('asked_at', 'is', null))
    .execute();
  const row = await trx.selectFrom('number_purchases').select('state').where('id', '=', id).executeTakeFirst();
  return row?.state;
}

export interface BoughtNumber {
  phoneNumber: string;
  /** `PN…`. */
  sid: string;
}

/**
 * Ends a purchase with its number, which its users then have. One of them who got a line meanwhile keeps that.
 *
 * @returns the id of the number
 */
export async function provision(
  trx: Trx,
  purchase: Purchase,
  { phoneNumber, sid }: BoughtNumber,
  at: Date,
): Promise<string> {
  const id = newId('number', at);
  const { organization_id: organizationId } = purchase;
  await trx
    .insertInto('phone_numbers')
    .values({
      id,
      organization_id: organizationId,
      phone_number: phoneNumber,
      twilio_sid: sid,
      pool_id: purchase.poolId,
      purchased_at: at,
      // Whoever bought it registers it at once; the sweep, which does so as well, leaves it alone meanwhile.
      register_at: new Date(at.getTime() + 30_000),
    })
    .execute();
  if (purchase.user_ids.length > 0) {
    await trx
      .insertInto('phone_number_users')
      .values(purchase.user_ids.map((userId) => ({ organization_id: organizationId, number_id: id, user_id: userId })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await trx
    .updateTable('number_purchases')
    .set({ state: 'provisioned', candidate: phoneNumber, number_id: id, reason: null, detail: null, ended_at: at })
    .where('id', '=', purchase.id)
    .execute();
  return id;
}

export interface PurchaseResult {
  id: string;
  userIds: string[];
  state: PurchaseRow['state'];
  numberId: string | null;
  phoneNumber: string | null;
  registered: boolean | null;
  reason: PurchaseFailure | null;
  detail: string | null;
}

/** What became of a run's purchases, in their order. */
export async function purchaseResults(trx: Trx, jobId: string): Promise<PurchaseResult[]> {
  return trx
    .selectFrom('number_purchases')
    .leftJoin('phone_numbers', 'phone_numbers.id', 'number_purchases.number_id')
    .select([
      'number_purchases.id',
      'number_purchases.user_ids as userIds',
      'number_purchases.state',
      'number_purchases.number_id as numberId',
      'phone_numbers.phone_number as phoneNumber',
      'phone_numbers.registered',
      'number_purchases.reason',
      'number_purchases.detail',
    ])
    .where('number_purchases.job_id', '=', jobId)
    .orderBy('number_purchases.id')
    .execute();
}
