/** When a mass SMS is expected to end: written whenever its plan moves or a batch stops before its end. */
import { sql } from 'kysely';
import type { Tally } from '../../domain/mass-sms/mass-sms.ts';
import { saysHowToStop, withDisclaimer } from '../../domain/messages/text.ts';
import { segmentsPerDay } from '../../domain/registration/throughput.ts';
import { countSegments } from '../../domain/messages/segments.ts';
import { sendingTimes } from '../../domain/mass-sms/sending-times.ts';
import type { Trx } from '../database.ts';
import { numbersWithoutMessages } from '../messages/first-message.ts';
import {
  type Batch,
  batchesOf,
  batchRules,
  disclaimerOf,
  isOpen,
  type SendingOrganization,
  sendingOrganization,
  talliesOf,
  wholeRange,
} from './mass-sms.ts';
import { inRange } from '../messages/outgoing.ts';
import type { MassSmsRow } from '../schema.ts';
import { sentInCarrierDay } from '../messages/send-permits.ts';

/** So many texts tell how long they are: names differ by a few letters. */
const texts = 50;

/** Segments of one message of a mass SMS, on average: with the disclaimer where it will be the first to its number. */
async function typicalSegments(trx: Trx, row: MassSmsRow): Promise<number> {
  const range = { ...wholeRange(row), last: texts };
  const { rows } = await sql<{ body: string; to: string; queued: boolean }>`
    select m.body, m.contact_number as "to", m.status = 'queued' as queued from messages m
    where ${inRange(range)}`.execute(trx);
  const silent = rows.filter(({ body, queued }) => queued && !saysHowToStop(body)).map(({ to }) => to);
  const first = silent.length === 0 ? new Set<string>() : await numbersWithoutMessages(trx, silent);
  const disclaimer =
    first.size === 0 ? '' : await disclaimerOf(trx, row, await sendingOrganization(trx, row.organization_id));
  const total = rows.reduce((sum, { body, to, queued }) => {
    const leaving = queued && first.has(to) ? withDisclaimer(body, disclaimer) : body;
    return sum + countSegments(leaving).segments;
  }, 0);
  return rows.length === 0 ? 1 : total / rows.length;
}

const latest = (one: Date, other: Date): Date => (one < other ? other : one);

const leftOf = ({ size }: Batch, tally: Tally | undefined): number =>
  tally ? (tally.queued ?? 0) + (tally.sending ?? 0) + (tally.in_doubt ?? 0) : size;

/**
 * Writes the estimate from what is left of the open batches, at the organization's rate and inside its window.
 *
 * @param heldUntil when the last recipient of the batch that is being sent may be written to; the next batch waits for it
 * @throws {NeverOpensError}
 */
export async function estimateEnd(
  trx: Trx,
  row: MassSmsRow,
  { settings, segmentsPerSecond }: Pick<SendingOrganization, 'settings' | 'segmentsPerSecond'>,
  now: Date,
  heldUntil: Date = now,
): Promise<void> {
  const open = (await batchesOf(trx, row.id)).filter(isOpen);
  if (open.length === 0) return;
  const tallies = (await talliesOf(trx, [row.id])).get(row.id);
  const each = await typicalSegments(trx, row);
  const left = open.map((batch) => ({
    startAt: batch.startAt < now ? now : batch.startAt,
    segments: Math.ceil(leftOf(batch, tallies?.get(batch.number)) * each),
  }));
  const rules = batchRules(row, settings);
  const pace = {
    segmentsPerSecond,
    segmentsPerDay: segmentsPerDay(segmentsPerSecond),
    atWindowClose: row.at_window_close,
  };
  const [current, ...later] = left;
  const sentBefore = await sentInCarrierDay(trx, row.organization_id, now);
  const first = sendingTimes(rules, [current!], { ...pace, sentBefore });
  const through = latest(heldUntil, first.batches[0]!.endAt);
  for (const [day, sent] of first.days) sentBefore.set(day, (sentBefore.get(day) ?? 0) + sent);
  const rest = later.map(({ startAt, segments }) => ({ startAt: latest(startAt, through), segments }));
  const end = sendingTimes(rules, rest, { ...pace, sentBefore }).batches.at(-1)?.endAt ?? through;
  await trx.updateTable('mass_sms').set({ end_at: end, end_at_is_estimate: true }).where('id', '=', row.id).execute();
}
