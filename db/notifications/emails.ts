/** Emails to be sent: written in the transaction of what they tell of, sent afterwards, and again until it works. */
import type { Db, Trx } from '../database.ts';
import { newId } from '../ids.ts';

export interface NewEmail {
  organizationId: string;
  /** What it is about: the same is said once. */
  key: string;
  recipient: string;
  subject: string;
  /** Plain text. */
  body: string;
  at: Date;
  /** For whoever has to know it. */
  id?: string;
  /** When it may go out; at once by default. */
  notBefore?: Date;
}

/** Waits between the tries of one email; the last one is repeated. */
const waitsMs = [10_000, 60_000, 300_000, 1_800_000, 7_200_000];
/** Whoever sends has this long before another may try the same email. */
const leaseMs = 60_000;

/** Writes an email to be sent, once per key. @returns whether it is a new one */
export async function queueEmail(trx: Trx, email: NewEmail): Promise<boolean> {
  const { organizationId, at, id = newId('email', at), notBefore = at, ...rest } = email;
  const result = await trx
    .insertInto('emails')
    .values({ id, organization_id: organizationId, ...rest, created_at: at, next_attempt_at: notBefore })
    .onConflict((conflict) => conflict.constraint('emails_once').doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export interface DueEmail {
  id: string;
  recipient: string;
  subject: string;
  body: string;
  created_at: Date;
  attempts: number;
}

/** Takes the next email that is due, for this sender alone: a crash leaves it to be sent when the lease is over. */
export async function claimEmail(trx: Trx, organizationId: string, at: Date): Promise<DueEmail | undefined> {
  return (
    trx
      .updateTable('emails')
      .set({ next_attempt_at: new Date(at.getTime() + leaseMs) })
      // Equal to one, and not in a list of one: a list may be read again for each row, and then takes others as well.
      .where('id', '=', (due) =>
        due
          .selectFrom('emails')
          .select('id')
          .where('organization_id', '=', organizationId)
          .where('next_attempt_at', '<=', at)
          .orderBy('next_attempt_at')
          .orderBy('id')
          .limit(1)
          .forUpdate()
          .skipLocked(),
      )
      .returning(['id', 'recipient', 'subject', 'body', 'created_at', 'attempts'])
      .executeTakeFirst()
  );
}

export async function markEmailSent(trx: Trx, id: string, at: Date): Promise<void> {
  await trx
    .updateTable('emails')
    .set((eb) => ({ sent_at: at, next_attempt_at: null, error: null, attempts: eb('attempts', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

/** Keeps why it did not go out, and when it is tried again. @param final nobody will ever accept it */
export async function markEmailFailed(
  trx: Trx,
  { id, attempts }: Pick<DueEmail, 'id' | 'attempts'>,
  { error, final, at }: { error: string; final: boolean; at: Date },
): Promise<void> {
  const wait = waitsMs[Math.min(attempts, waitsMs.length - 1)]!;
  await trx
    .updateTable('emails')
    .set((eb) => ({
      error: error.slice(0, 500),
      attempts: eb('attempts', '+', 1),
      next_attempt_at: final ? null : new Date(at.getTime() + wait),
    }))
    .where('id', '=', id)
    .execute();
}

/** The organizations that have emails due. */
export async function organizationsWithEmails(system: Db, at: Date): Promise<string[]> {
  const rows = await system
    .selectFrom('emails')
    .select('organization_id')
    .distinct()
    .where('next_attempt_at', '<=', at)
    .limit(1_000)
    .execute();
  return rows.map((row) => row.organization_id);
}
