/** Mass SMS with their batches and figures, for answers. */
import type { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { batchesOf, talliesOf } from '../../db/mass-sms.ts';
import { findListedMassSms, type ListedMassSms } from '../../db/mass-sms-list.ts';
import { type massSms, toMassSms } from './schemas.ts';

type MassSms = z.infer<typeof massSms>;

/** Adds batches and figures to rows, in their order. */
export async function withFigures(trx: Trx, rows: readonly ListedMassSms[]): Promise<MassSms[]> {
  const tallies = await talliesOf(
    trx,
    rows.map((row) => row.id),
  );
  const answers: MassSms[] = [];
  for (const row of rows) answers.push(toMassSms(row, await batchesOf(trx, row.id), tallies.get(row.id) ?? new Map()));
  return answers;
}

export async function readMassSms(trx: Trx, id: string): Promise<MassSms | undefined> {
  const row = await findListedMassSms(trx, id);
  return row && (await withFigures(trx, [row]))[0];
}
