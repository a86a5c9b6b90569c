/** What a refused message teaches about its number, so that no later audience matches it in vain. */
import { sql } from 'kysely';
import { isDeadNumber, isOptedOut, stoppingReason } from '../../domain/error-codes.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { findMassSms } from '../mass-sms/mass-sms.ts';
import { setStatus } from '../mass-sms/status.ts';

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

/** Why a mass SMS cannot go on, as one of its messages tells. */
export interface StoppingReport {
  massSmsId: string;
  /** Twilio's, one with a `stoppingReason`. */
  errorCode: number;
  /** When the message was claimed. */
  claimedAt: Date;
}

/**
 * Puts mass SMS in Error whose messages are refused for a reason that concerns all of them, unless they were claimed before
 * somebody settled it and resumed. In a transaction of its own: a claim locks the mass SMS before messages, a report the
 * other way round.
 */
export async function stopRefused(trx: Trx, reports: readonly StoppingReport[], now: Date): Promise<void> {
  const last = new Map(
    reports
      .toSorted((a, b) => a.claimedAt.getTime() - b.claimedAt.getTime())
      .map((report) => [report.massSmsId, report]),
  );
  // In one order: two that stop the same at once would otherwise wait for each other.
  for (const { massSmsId, errorCode, claimedAt } of [...last.values()].toSorted((a, b) =>
    a.massSmsId < b.massSmsId ? -1 : 1,
  )) {
    const row = await findMassSms(trx, massSmsId, { lock: true });
    if (row?.status !== 'in_process' || (row.resumed_at && claimedAt <= row.resumed_at)) continue;
    const detail = `${stoppingReason(errorCode)} Settle it with Twilio, then resume.`;
    await setStatus(trx, massSmsId, 'error', { now, cause: { code: String(errorCode), detail } });
  }
}
