/** Mass SMS with their batches and figures, for answers. */
import type { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { batchesOfAll, talliesOf } from '../../db/mass-sms/mass-sms.ts';
import { findListedMassSms, type ListedMassSms } from '../../db/mass-sms/list.ts';
import { type massSms, toMassSms } from './schemas.ts';

type MassSms = z.infer<typeof massSms>;

/** Adds batches and figures to rows, in their order. */
export async function withFigures(trx: Trx, rows: readonly ListedMassSms[]): Promise<MassSms[]> {
  const ids = rows.map((row) => row.id);
  const tallies = await talliesOf(trx, ids);
  const batches = await batchesOfAll(trx, ids);
  return rows.map((row) => toMassSms(row, batches.get(row.id)!, tallies.get(row.id) ?? new Map()));
}

export async function readMassSms(trx: Trx, id: string): Promise<MassSms | undefined> {
  const row = await findListedMassSms(trx, id);
  return row && (await withFigures(trx, [row]))[0];
}
