/** What carriers and Twilio charged for an organization: added to, never changed. */
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';

export interface Fee {
  organizationId: string;
  kind: 'brand_registration' | 'identity_check' | 'campaign_review';
  /** US dollars. */
  amount: number;
  /** What it was paid for: each is charged once. */
  reference: string;
  description: string;
  at: Date;
}

/** Records a fee once per kind and reference. */
export async function recordFee(trx: Trx, fee: Fee): Promise<void> {
  const { organizationId, kind, amount, reference, description, at } = fee;
  if (amount === 0) return;
  await trx
    .insertInto('fees')
    .values({
      id: newId('fee', at),
      organization_id: organizationId,
      kind,
      amount,
      currency: 'USD',
      reference,
      description,
      at,
    })
    .onConflict((conflict) => conflict.constraint('fees_once').doNothing())
    .execute();
}

export function feesOf(trx: Trx, organizationId: string) {
  return trx
    .selectFrom('fees')
    .select(['kind', 'amount', 'currency', 'reference', 'description', 'at'])
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute();
}
