/** What a refused message teaches about its number, so that no later audience matches it in vain. */
import { sql } from 'kysely';
import { isDeadNumber, isOptedOut, stoppingReason } from '../domain/error-codes.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';

export interface RefusedMessage {
  contactNumber: string;
  /** Twilio's. */
  errorCode: number;
}

/**
 * Marks numbers that can never receive SMS as invalid, and records the opt-outs that Twilio knows and we do not: its
 * block holds for this organization's messaging service.
 */
export async function learnFromRefusals(
  trx: Trx,
  organizationId: string,
  refused: readonly RefusedMessage[],
  now: Date,
): Promise<void> {
  const dead = refused.filter(({ errorCode }) => isDeadNumber(errorCode)).map((one) => one.contactNumber);
  if (dead.length > 0) {
    await trx
      .updateTable('contacts')
      .set({ phone_status: 'invalid', updated_at: now })
      .where('organization_id', '=', organizationId)
      .where(sql<boolean>`mobile = any(${dead})`)
      .where('phone_status', '=', 'valid')
      .execute();
  }
  const optedOut = new Set(refused.filter(({ errorCode }) => isOptedOut(errorCode)).map((one) => one.contactNumber));
  if (optedOut.size > 0) {
    await trx
      .insertInto('opt_outs')
      .values(
        // In one order: two that learn the same at once would otherwise wait for each other.
        [...optedOut].toSorted().map((number) => ({
          id: newId('optOut', now),
          organization_id: organizationId,
          phone_number: number,
          line: null,
          method: 'twilio_21610',
          at: now,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/**
 * Puts mass SMS in Error whose messages are refused for a reason that concerns all of them. In a transaction of its own:
 * a claim locks the mass SMS before messages, a report the other way round.
 */
export async function stopRefused(
  trx: Trx,
  refused: readonly { massSmsId: string | null; errorCode: number }[],
  now: Date,
): Promise<void> {
  for (const { massSmsId, errorCode } of refused) {
    const reason = stoppingReason(errorCode);
    if (massSmsId === null || reason === null) continue;
    await trx
      .updateTable('mass_sms')
      .set({
        status: 'error',
        cause: JSON.stringify({ code: String(errorCode), detail: `${reason} Settle it with Twilio, then resume.` }),
        updated_at: now,
      })
      .where('id', '=', massSmsId)
      .where('status', '=', 'in_process')
      .execute();
  }
}
