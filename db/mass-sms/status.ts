/** Moving a mass SMS and its batches from one state to another, and telling of it: the one place where they change. */
import { sql } from 'kysely';
import { progress, type MassSmsStatus } from '../../domain/mass-sms/mass-sms.ts';
import type { MassSmsFacts, MassSmsNews } from '../../domain/mass-sms/notices.ts';
import type { Trx } from '../database.ts';
import { inRange, type RankRange } from '../messages/outgoing.ts';
import { batchesOf, talliesOf } from './mass-sms.ts';
import { tellOfMassSms } from './notices.ts';
import type { BatchStatus, MassSmsCause } from '../schema.ts';

/** Those that say of themselves what has happened. */
const newsOf: Partial<Record<MassSmsStatus, MassSmsNews>> = {
  paused: 'mass_sms.paused',
  suspended: 'mass_sms.suspended',
  cancelled: 'mass_sms.cancelled',
  completed: 'mass_sms.completed',
  error: 'mass_sms.error',
};
const atRest: ReadonlySet<MassSmsStatus> = new Set(['paused', 'suspended', 'error']);

/** What is to be told of a change; undefined when nothing is: of a step that is done twice, or of the first batch. */
const newsOfChange = (before: MassSmsStatus, after: MassSmsStatus): MassSmsNews | undefined =>
  before === after ? undefined : (newsOf[after] ?? (atRest.has(before) ? 'mass_sms.resumed' : undefined));

export async function setStatus(
  trx: Trx,
  id: string,
  status: MassSmsStatus,
  { now, cause = null, endAt }: { now: Date; cause?: MassSmsCause | null; endAt?: Date },
): Promise<void> {
  const before = await trx
    .selectFrom('mass_sms')
    .select('status')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow();
  await trx
    .updateTable('mass_sms')
    .set({
      status,
      cause: cause && JSON.stringify(cause),
      updated_at: now,
      ...(endAt && { end_at: endAt, end_at_is_estimate: false }),
    })
    .where('id', '=', id)
    .execute();
  const news = newsOfChange(before.status, status);
  if (news) await tellOfMassSms(trx, { id, news, at: now });
}

/** A batch begins, and with the first one the whole. @param startedAt when it really does: its deadline counts from there */
export async function beginBatch(trx: Trx, massSmsId: string, number: number, startedAt: Date): Promise<void> {
  await trx
    .updateTable('mass_sms_batches')
    .set({ status: 'sending', start_at: startedAt })
    .where('mass_sms_id', '=', massSmsId)
    .where('number', '=', number)
    .execute();
  if (number > 1) return;
  await trx.updateTable('mass_sms').set({ start_at: startedAt }).where('id', '=', massSmsId).execute();
}

/** Whether some of a batch was cancelled because its window had closed, by whichever run of it. */
export async function hasExpired(trx: Trx, range: RankRange): Promise<boolean> {
  const { rows } = await sql`
    select from messages m where ${inRange(range)} and m.status = 'cancelled' and m.cancel_reason = 'expired'
    limit 1`.execute(trx);
  return rows.length > 0;
}

/** A batch has ended. @param status `expired` when not all of it has left */
export async function endBatch(
  trx: Trx,
  massSmsId: string,
  { number, status, at }: { number: number; status: Extract<BatchStatus, 'sent' | 'expired'>; at: Date },
): Promise<void> {
  const result = await trx
    .updateTable('mass_sms_batches')
    .set({ status })
    .where('mass_sms_id', '=', massSmsId)
    .where('number', '=', number)
    .where('status', '<>', status)
    .executeTakeFirst();
  if (result.numUpdatedRows === 0n) return;
  const batch = await ended(trx, massSmsId, number);
  await tellOfMassSms(trx, { id: massSmsId, news: 'mass_sms.batch_sent', batch, at });
}

async function ended(trx: Trx, massSmsId: string, number: number): Promise<NonNullable<MassSmsFacts['batch']>> {
  const { size, status } = (await batchesOf(trx, massSmsId)).find((batch) => batch.number === number)!;
  const tally = (await talliesOf(trx, [massSmsId])).get(massSmsId)?.get(number) ?? {};
  return { number, size, sent: progress(tally, size).sent, expired: status === 'expired' };
}
