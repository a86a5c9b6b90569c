/** What has not been sent yet leaves from another line, when its own line is to be released, or is gone. */
import { sql } from 'kysely';
import { isFinal } from '../../domain/mass-sms/mass-sms.ts';
import type { Trx } from '../database.ts';
import { wholeRange } from '../mass-sms/mass-sms.ts';
import { sendingPools } from '../mass-sms/create.ts';
import { inRange, type RankRange } from '../messages/outgoing.ts';
import type { MassSmsRow } from '../schema.ts';
import { keptLine, recordLines, type SendingPool } from './sticky-senders.ts';

/** So long after a mass SMS has ended no request of its messages is under way any more, even one held up on its way. */
const endedForMs = 3_600_000;

/**
 * Mass SMS with messages that wait to be sent or whose outcome is open, in order of id. They are locked: nothing of them is
 * claimed before this transaction ends.
 */
async function unsettledMassSms(trx: Trx, organizationId: string, now: Date): Promise<MassSmsRow[]> {
  return trx
    .selectFrom('mass_sms')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where((or) =>
      or.or([
        or('status', 'not in', ['completed', 'cancelled']),
        or('updated_at', '>', new Date(now.getTime() - endedForMs)),
      ]),
    )
    .where((is) =>
      is.exists(
        is
          .selectFrom('mass_sms_tallies')
          .select('kind')
          .whereRef('mass_sms_tallies.mass_sms_id', '=', 'mass_sms.id')
          .where('kind', 'in', ['queued', 'sending', 'in_doubt'])
          .where('count', '>', 0),
      ),
    )
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
}

/** The messages of a mass SMS on these lines, as a condition on `messages`. */
function onLines(row: MassSmsRow, lines: readonly string[]) {
  const { massSmsId, ids } = wholeRange(row);
  return sql<boolean>`mass_sms_id = ${massSmsId} and id >= ${ids.from} and id < ${ids.to}
    and line = any(${[...lines]}::text[])`;
}

async function hasUnsettled(trx: Trx, row: MassSmsRow, lines: readonly string[]): Promise<boolean> {
  // What is queued of a mass SMS that has ended is cancelled, not sent.
  const open = isFinal(row.status) ? ['sending', 'in_doubt'] : ['queued', 'sending', 'in_doubt'];
  const { rows } = await sql`
    select from messages where ${onLines(row, lines)} and status = any(${open}) limit 1`.execute(trx);
  return rows.length > 0;
}

/** Whether anything may still leave, or be leaving, from one of these lines. */
export async function mayStillSend(
  trx: Trx,
  organizationId: string,
  { lines, now }: { lines: readonly string[]; now: Date },
): Promise<boolean> {
  for (const row of await unsettledMassSms(trx, organizationId, now)) {
    if (await hasUnsettled(trx, row, lines)) return true;
  }
  return false;
}

interface Affected {
  row: MassSmsRow;
  /** What else it can leave from; null when that is nothing. */
  to: SendingPool | null;
}

/** The mass SMS of which something waits on these lines, or may come back to them. */
async function affectedBy(
  trx: Trx,
  organizationId: string,
  { lines, now }: { lines: readonly string[]; now: Date },
): Promise<Affected[]> {
  const sending = await sendingPools(trx, organizationId);
  const others = new Map(sending.map((pool) => [pool.id, pool.lines.filter((line) => !lines.includes(line))]));
  const affected: Affected[] = [];
  for (const row of await unsettledMassSms(trx, organizationId, now)) {
    if (isFinal(row.status) || !(await hasUnsettled(trx, row, lines))) continue;
    const left = others.get(row.pool_id) ?? [];
    affected.push({ row, to: left.length > 0 ? { id: row.pool_id, lines: left } : null });
  }
  return affected;
}

/**
 * Moves what is queued on these lines to other lines of its mass SMS's pool; each contact keeps the new one. What is being
 * sent stays until its outcome is known.
 *
 * @returns the mass SMS that would be left without a line: if there are any, nothing was moved
 */
export async function reroute(
  trx: Trx,
  organizationId: string,
  { lines, now }: { lines: readonly string[]; now: Date },
): Promise<MassSmsRow[]> {
  const affected = await affectedBy(trx, organizationId, { lines, now });
  const stranded = affected.filter(({ to }) => to === null);
  if (stranded.length > 0) return stranded.map(({ row }) => row);
  for (const { row, to } of affected) await moveQueued(trx, row, lines, to!);
  return [];
}

/**
 * The same for lines that are gone already: what has no other line waits on its own until its pool has one, and keeps
 * nothing else from moving.
 */
export async function rerouteFromGone(
  trx: Trx,
  organizationId: string,
  { lines, now }: { lines: readonly string[]; now: Date },
): Promise<void> {
  for (const { row, to } of await affectedBy(trx, organizationId, { lines, now })) {
    if (to) await moveQueued(trx, row, lines, to);
  }
}

/**
 * Moves what of a mass SMS is about to leave from lines that are the organization's no more: it was being sent when they
 * went, or its pool had no other line then. Looks at no message while the organization has all the lines it ever had.
 */
export async function leaveGoneLines(
  trx: Trx,
  organizationId: string,
  { range, now }: { range: RankRange; now: Date },
): Promise<void> {
  const { rows: gone } = await sql<{ line: string }>`
    select phone_number as line from phone_numbers where organization_id = ${organizationId}
    group by phone_number having bool_and(released_at is not null or orphan_since is not null)`.execute(trx);
  if (gone.length === 0) return;
  const { rows: waiting } = await sql<{ line: string }>`
    select distinct m.line from messages m
    where ${inRange(range)} and m.status = 'queued' and m.line = any(${gone.map(({ line }) => line)}::text[])`.execute(
    trx,
  );
  if (waiting.length > 0) await rerouteFromGone(trx, organizationId, { lines: waiting.map(({ line }) => line), now });
}

async function moveQueued(trx: Trx, row: MassSmsRow, lines: readonly string[], to: SendingPool): Promise<void> {
  const { organization_id: organizationId } = row;
  // Also for what is being sent: it may be given back between the two statements.
  const contacts = sql`
    select distinct contact_number from messages
    where ${onLines(row, lines)} and status in ('queued', 'sending', 'in_doubt')`;
  await recordLines(organizationId, to, contacts).execute(trx);
  await sql`
    update messages set line = ${keptLine(organizationId, to, sql`messages.contact_number`)}
    where ${onLines(row, lines)} and status = 'queued'`.execute(trx);
}
