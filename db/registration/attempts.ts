/** Every submission of a brand or a campaign, with its outcome: the history of a registration. */
import type { Explanation } from '../../domain/registration/rejections.ts';
import type { Trx } from '../database.ts';
import type { AttemptRow } from '../schema.ts';

type Part = AttemptRow['part'];

/** All of them, brand first, in order. */
export function attemptsOf(trx: Trx, organizationId: string): Promise<AttemptRow[]> {
  return trx
    .selectFrom('registration_attempts')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('part')
    .orderBy('number')
    .execute();
}

/** The newest attempt, or undefined. */
export async function lastAttempt(trx: Trx, organizationId: string, part: Part): Promise<AttemptRow | undefined> {
  return trx
    .selectFrom('registration_attempts')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('part', '=', part)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** When the first attempt was submitted; null before. */
export async function firstSubmission(trx: Trx, organizationId: string, part: Part): Promise<Date | null> {
  const row = await trx
    .selectFrom('registration_attempts')
    .select((eb) => eb.fn.min('submitted_at').as('at'))
    .where('organization_id', '=', organizationId)
    .where('part', '=', part)
    .executeTakeFirstOrThrow();
  return row.at;
}

/** Begins the next attempt, unless the last one is still undecided: then that one goes on. */
export async function beginAttempt(
  trx: Trx,
  { organizationId, part, actor, at }: { organizationId: string; part: Part; actor: string; at: Date },
): Promise<AttemptRow> {
  const last = await lastAttempt(trx, organizationId, part);
  if (last && last.decided_at === null) return last;
  return trx
    .insertInto('registration_attempts')
    .values({ organization_id: organizationId, part, number: (last?.number ?? 0) + 1, actor, begun_at: at })
    .returningAll()
    .executeTakeFirstOrThrow();
}

const thisAttempt = (trx: Trx, { organization_id: organizationId, part, number }: AttemptRow) =>
  trx
    .updateTable('registration_attempts')
    .where('organization_id', '=', organizationId)
    .where('part', '=', part)
    .where('number', '=', number);

/** Twilio is about to be asked. */
export async function markAsked(trx: Trx, attempt: AttemptRow, at: Date): Promise<void> {
  await thisAttempt(trx, attempt).set({ asked_at: at }).execute();
}

/** Twilio has it. @param submission what was submitted, where it is worth comparing */
export async function markSubmitted(
  trx: Trx,
  attempt: AttemptRow,
  at: Date,
  submission?: Record<string, unknown>,
): Promise<void> {
  await thisAttempt(trx, attempt)
    .set({ submitted_at: at, ...(submission && { submission: JSON.stringify(submission) }) })
    .execute();
}

/** The last attempt was decided; one that is decided stays as it is, unless Twilio thinks better of a rejection. */
export async function decideAttempt(
  trx: Trx,
  organizationId: string,
  part: Part,
  decision: { outcome: 'verified' | 'failed'; reasons?: Explanation[]; at: Date },
): Promise<void> {
  const last = await lastAttempt(trx, organizationId, part);
  const { outcome, reasons = [], at } = decision;
  if (!last || (last.decided_at !== null && !(last.outcome === 'failed' && outcome === 'verified'))) return;
  await thisAttempt(trx, last)
    .set({ outcome, reasons: JSON.stringify(reasons), decided_at: at })
    .execute();
}
