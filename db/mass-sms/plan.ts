/** When the batches of a mass SMS start: written, moved by people, and spaced out again when they are late. */
import {
  type BatchRules,
  type FirstStart,
  nextBatchStart,
  type PlannedBatch,
  planBatches,
} from '../../domain/mass-sms/batches.ts';
import type { Trx } from '../database.ts';
import { type Batch, batchesOf, batchRules, isOpen, type SendingOrganization } from './mass-sms.ts';
import { estimateEnd } from './end.ts';
import type { MassSmsRow } from '../schema.ts';

/** Writes when the open batches will start. When the mass SMS will end is estimated after it: end.ts. */
export async function writePlan(
  trx: Trx,
  row: Pick<MassSmsRow, 'id' | 'organization_id'>,
  plan: readonly PlannedBatch[],
): Promise<void> {
  await trx
    .insertInto('mass_sms_batches')
    .values(
      plan.map(({ number, size, startAt }) => ({
        organization_id: row.organization_id,
        mass_sms_id: row.id,
        number,
        size,
        start_at: startAt,
        status: 'scheduled' as const,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['mass_sms_id', 'number'])
        .doUpdateSet((excluded) => ({ start_at: excluded.ref('excluded.start_at') })),
    )
    .execute();
}

const sizesOf = (batches: readonly Batch[]): number[] => batches.map(({ size }) => size);

/**
 * Plans the open batches anew; the later ones follow daily. With `continuing` false, a batch that is being sent right now
 * keeps going and the next one moves.
 *
 * @param first tells when the first of them starts, which was to start at `planned`
 * @returns the start of the first batch that was moved, or null when none is open
 * @throws {NeverOpensError}
 */
export async function replan(
  trx: Trx,
  row: MassSmsRow,
  { settings }: SendingOrganization,
  { first, continuing }: { first: (rules: BatchRules, planned: Date) => FirstStart; continuing: boolean },
): Promise<Date | null> {
  const open = (await batchesOf(trx, row.id)).filter(isOpen);
  const moved = continuing || open[0]?.status !== 'sending' ? open : open.slice(1);
  const [next] = moved;
  if (!next) return null;
  const rules = batchRules(row, settings);
  const start = first(rules, next.startAt);
  await writePlan(trx, row, planBatches(rules, sizesOf(moved), start, next.number));
  // Until the first batch has begun, its start is that of the whole.
  const isFirst = next.number === 1 && next.status === 'scheduled';
  await trx
    .updateTable('mass_sms')
    .set({ daily_at: start.dailyAt, ...(isFirst && { start_at: start.startAt }) })
    .where('id', '=', row.id)
    .execute();
  return start.startAt;
}

/**
 * A batch begins: those after it that are due before the next day's turn move on, one a day. After days without a worker,
 * or once the window has lost days, they are all overdue and would leave one behind the other.
 *
 * @throws {NeverOpensError}
 */
export async function spaceOut(
  trx: Trx,
  row: MassSmsRow,
  organization: SendingOrganization,
  { number, startedAt }: { number: number; startedAt: Date },
): Promise<void> {
  const later = (await batchesOf(trx, row.id)).filter((batch) => batch.number > number && isOpen(batch));
  const [next] = later;
  if (!next) return;
  const rules = batchRules(row, organization.settings);
  const { daily_at: dailyAt } = row;
  const startAt = nextBatchStart(rules, startedAt, dailyAt);
  if (next.startAt >= startAt) return;
  await writePlan(trx, row, planBatches(rules, sizesOf(later), { startAt, dailyAt }, next.number));
  await estimateEnd(trx, row, organization, startedAt);
}
