/** The one way out: claiming messages, writing what became of them, and settling those in doubt. */
import { sql } from 'kysely';
import type { MessageStatus } from '../../domain/messages/status.ts';
import { longestBody, saysHowToStop, noRoom } from '../../domain/messages/text.ts';
import type { Db, Trx } from '../database.ts';
import { numbersWithoutMessages } from './first-message.ts';
import { awaitReports } from './reconciliation.ts';
import type { RefusedMessage } from './refusals.ts';

/** A part of a mass SMS by rank, both ends inclusive, among the message ids of its creation. */
export interface RankRange {
  massSmsId: string;
  ids: { from: string; to: string };
  first: number;
  last: number;
}

/** The messages of a range, as `m`. */
export const inRange = ({ massSmsId, ids, first, last }: RankRange) => sql<boolean>`
  m.mass_sms_id = ${massSmsId} and m.id >= ${ids.from} and m.id < ${ids.to} and m.rank between ${first} and ${last}`;

export interface Claimed {
  id: string;
  rank: number;
  to: string;
  from: string;
  body: string;
  /** Until when it must have been delivered, where that is not the same for all that leave with it. */
  closesAt?: Date | null;
}

export interface ClaimResult {
  claimed: Claimed[];
  /** Highest rank looked at, whether or not it may be sent: where the next claim goes on. Null when none was due. */
  lastRank: number | null;
}

/** The next recipients who need not wait for lawful hours, by rank. */
export interface Chosen {
  /** Until when each must have been delivered. */
  open: Map<number, Date>;
  /** For them no moment within the organization's window is lawful. */
  never: Set<number>;
  /** The highest rank looked at; null when nobody is left. */
  lastRank: number | null;
}

interface Text {
  body: string;
  segments: number;
}

export interface ClaimOptions {
  attemptId: string;
  limit: number;
  now: Date;
  /** The organization's settings as they were read: once they are others, nothing is claimed by them any more. */
  settings?: string;
  /** Given where not everybody may be written to now. */
  chosen?: Chosen;
  /** How the first message to a number reads, of one that does not say how to opt out. */
  asFirst?: (body: string) => Text;
}

/**
 * Claims the next due messages of a mass SMS under a new attempt: they become `sending` before any request leaves.
 *
 * Locking them, it judges each once more: opted out, deleted or with another number now, consent withdrawn since, or
 * never lawful, and it becomes `cancelled`. Nothing is claimed unless the mass SMS is in process, which is how a pause in
 * Postgres stops every worker.
 */
export async function claimMessages(trx: Trx, range: RankRange, options: ClaimOptions): Promise<ClaimResult> {
  const { attemptId, now, chosen, asFirst } = options;
  // Everybody looked at must wait: the next claim looks behind them.
  if (chosen && chosen.open.size + chosen.never.size === 0) return { claimed: [], lastRank: chosen.lastRank };
  const rows = await lockQueued(trx, range, options);
  const last = rows.at(-1);
  if (!last) return { claimed: [], lastRank: null };
  const texts = asFirst ? await firstTexts(trx, rows, asFirst) : new Map<string, Text>();
  for (const row of rows) {
    if ((texts.get(row.id)?.body.length ?? 0) <= longestBody) continue;
    row.refusal = noRoom;
    texts.delete(row.id);
  }
  await writeClaim(trx, rows, { attemptId, now, texts });
  const claimed = rows.filter((row) => row.refusal === null);
  await awaitReports(
    trx,
    claimed.map((row) => row.id),
    now,
  );
  for (const row of claimed) {
    row.body = texts.get(row.id)?.body ?? row.body;
    if (chosen) row.closesAt = chosen.open.get(row.rank)!;
  }
  return { claimed, lastRank: chosen?.lastRank ?? last.rank };
}

interface Locked extends Claimed {
  /** Why it must not leave at all. */
  refusal: string | null;
}

/** Locks the next messages that are queued, or the chosen of them. */
async function lockQueued(trx: Trx, range: RankRange, { limit, settings, chosen }: ClaimOptions): Promise<Locked[]> {
  const unchanged = sql`(select o.settings::text from organizations o where o.id = s.organization_id) = ${settings}`;
  const ranks = chosen && [...chosen.open.keys(), ...chosen.never];
  const { rows } = await sql<Locked>`
    with running as (
      select s.purpose from mass_sms s where s.id = ${range.massSmsId} and s.status = 'in_process'
        ${settings === undefined ? sql`` : sql`and ${unchanged}`} for share
    )
    select m.id, m.rank, m.contact_number as "to", m.line as "from", m.body, case
      when exists (select 1 from opt_outs o where o.phone_number = m.contact_number
        and (o.line is null or o.line = m.line)) then 'opted_out'
      when not exists (select 1 from contacts c where c.id = m.contact_id and c.mobile = m.contact_number)
        then 'contact_changed'
      when not exists (select 1 from contacts c where c.id = m.contact_id and case running.purpose
        when 'promotional' then c.consent_promotional else c.consent_transactional end) then 'no_consent'
      end as refusal
    from messages m, running
    where ${inRange(range)} and m.status = 'queued' ${ranks ? sql`and m.rank = any(${ranks}::int[])` : sql``}
    order by m.rank limit ${limit} for update of m skip locked`.execute(trx);
  for (const row of rows) if (chosen?.never.has(row.rank)) row.refusal ??= 'never_lawful';
  return rows;
}

/** The texts, by id, of those that are the first to their number and do not say how to opt out (C3). */
async function firstTexts(trx: Trx, rows: readonly Locked[], asFirst: (body: string) => Text) {
  const silent = rows.filter(({ refusal, body }) => refusal === null && !saysHowToStop(body));
  if (silent.length === 0) return new Map<string, Text>();
  const first = await numbersWithoutMessages(
    trx,
    silent.map(({ to }) => to),
  );
  return new Map(silent.filter(({ to }) => first.has(to)).map(({ id, body }) => [id, asFirst(body)]));
}

/** One statement for all outcomes: a transaction that changed the tallies twice could deadlock with another. */
async function writeClaim(
  trx: Trx,
  rows: readonly Locked[],
  { attemptId, now, texts }: { attemptId: string; now: Date; texts: ReadonlyMap<string, Text> },
): Promise<void> {
  const ids = rows.map((row) => row.id);
  const all = texts.size > 0 ? rows.map(({ id }) => texts.get(id)) : [];
  // Left out where no text changes, which is nearly always.
  const newText =
    all.length > 0 ? sql`, body = coalesce(r.body, m.body), segments = coalesce(r.segments, m.segments)` : sql``;
  await sql`
    update messages m set
      status = case when r.refusal is null then 'sending' else 'cancelled' end,
      cancel_reason = r.refusal,
      finished_at = case when r.refusal is null then null else ${now}::timestamptz end,
      attempt_id = ${attemptId}, attempts = m.attempts + 1, claimed_at = ${now} ${newText}
    from unnest(${ids}::text[], ${rows.map((row) => row.refusal)}::text[], ${all.map((text) => text?.body ?? null)}::text[],
      ${all.map((text) => text?.segments ?? null)}::int[]) as r (id, refusal, body, segments)
    where m.id = r.id and m.id = any(${ids})`.execute(trx);
}

/**
 * Of messages that were claimed, the ids of those whose numbers have opted out by now, as far as that reaches. A sub-select
 * per row: a join would read all opt-outs.
 */
export async function optedOut(trx: Trx, messages: readonly Claimed[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    select m.id
    from unnest(${messages.map(({ id }) => id)}::text[], ${messages.map(({ to }) => to)}::text[],
      ${messages.map(({ from }) => from)}::text[]) as m (id, number, line)
    where coalesce((
      select true from opt_outs o where o.phone_number = m.number and (o.line is null or o.line = m.line)
      limit 1), false)`.execute(trx);
  return new Set(rows.map(({ id }) => id));
}

/**
 * What became of one claimed message. `queued` gives it back: nothing has left, or Twilio surely did not take it.
 * `cancelled`: the contact has opted out since the claim, so nothing has left.
 */
export interface SendResult {
  id: string;
  status: MessageStatus;
  sid: string | null;
  errorCode: number | null;
  /** By our own count: Twilio's answer says 0 for a message through a messaging service. */
  segments: number | null;
}

/**
 * Writes the results of an attempt in one statement. An accepted message moves forward only. Any other result (given back
 * to `queued`, cancelled, refused, or of unknown outcome and so `in_doubt`) counts only while this attempt still holds the
 * message and no report from Twilio has overtaken it.
 *
 * @returns the messages that Twilio refused
 */
export async function writeResults(
  trx: Trx,
  { attemptId, results: given, now }: { attemptId: string; results: readonly SendResult[]; now: Date },
): Promise<RefusedMessage[]> {
  // In the order of ids, as status reports are applied: the two often meet, and would wait for each other's rows.
  const results = given.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const moves = sql`case when r.sid is not null then message_status_rank(m.status) < message_status_rank(r.status)
    else m.attempt_id = ${attemptId} and m.status = 'sending' end`;
  // A report that overtook the answer has the further status already; the SID and the time of acceptance are still news.
  const { rows } = await sql<RefusedMessage>`
    with written as (update messages m set
      status = case when ${moves} then r.status else m.status end,
      twilio_sid = coalesce(m.twilio_sid, r.sid),
      error_code = coalesce(m.error_code, r.error_code),
      segments = coalesce(m.segments, r.segments),
      accepted_at = case when r.sid is null then m.accepted_at else coalesce(m.accepted_at, ${now}) end,
      cancel_reason = case when ${moves} and r.status = 'cancelled' and r.sid is null then 'opted_out'
        else m.cancel_reason end,
      finished_at = case when ${moves} and r.status in ('failed', 'cancelled') then ${now}::timestamptz
        else m.finished_at end
    from unnest(${results.map((r) => r.id)}::text[], ${results.map((r) => r.status)}::text[],
      ${results.map((r) => r.sid)}::text[], ${results.map((r) => r.errorCode)}::int[],
      ${results.map((r) => r.segments)}::int[]) as r (id, status, sid, error_code, segments)
    where m.id = r.id and m.id = any(${results.map((r) => r.id)}) and (${moves} or r.sid is not null)
    returning m.contact_number as "contactNumber", r.error_code as "errorCode")
    select * from written where "errorCode" is not null`.execute(trx);
  return rows;
}

export interface Unsettled {
  id: string;
  to: string;
  from: string;
  body: string;
  claimedAt: Date;
}

/** The messages of a range whose request may or may not have reached Twilio, oldest claim first. */
export async function unsettledMessages(trx: Trx, range: RankRange): Promise<Unsettled[]> {
  const { rows } = await sql<Unsettled>`
    select m.id, m.contact_number as "to", m.line as "from", m.body, m.claimed_at as "claimedAt" from messages m
    where ${inRange(range)} and m.status in ('sending', 'in_doubt')
    order by m.claimed_at`.execute(trx);
  return rows;
}

/**
 * Of these SIDs, the ones already known as another message to this number. To the end of the transaction nobody else looks
 * for one to it: two messages that read the same would take the same SID.
 */
export async function sidsOfOthers(
  trx: Trx,
  { id, to, sids }: { id: string; to: string; sids: readonly string[] },
): Promise<Set<string>> {
  const key = sql`'settling/' || current_setting('longwave.organization_id') || '/' || ${to}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(trx);
  const rows = await trx
    .selectFrom('messages')
    .select('twilio_sid')
    .where('organization_id', '=', sql<string>`current_setting('longwave.organization_id')`)
    .where('contact_number', '=', to)
    .where('twilio_sid', 'in', sids)
    .where('id', '!=', id)
    .execute();
  return new Set(rows.map((row) => row.twilio_sid!));
}

/** Twilio has it: the message takes the SID, Twilio's state and its segments. */
export async function settleAsSent(
  trx: Trx,
  id: string,
  found: { sid: string; status: MessageStatus; errorCode: number | null; segments: number },
  now: Date,
): Promise<void> {
  await sql`
    update messages set status = ${found.status}, twilio_sid = ${found.sid}, error_code = ${found.errorCode},
      segments = ${found.segments},
      accepted_at = coalesce(accepted_at, ${now}),
      finished_at = case when message_status_rank(${found.status}) = 7 then ${now}::timestamptz end
    where id = ${id} and status in ('sending', 'in_doubt')`.execute(trx);
}

/** Twilio does not know it: it may be sent again. Guarded by its claim, so that a newer attempt is left alone. */
export async function settleAsUnsent(trx: Trx, id: string, claimedAt: Date): Promise<void> {
  await trx
    .updateTable('messages')
    .set({ status: 'queued', attempt_id: null })
    .where('id', '=', id)
    .where('claimed_at', '=', claimedAt)
    .where('status', 'in', ['sending', 'in_doubt'])
    .execute();
}

/** Nobody can tell: it ends as failed, with the reason, and is not sent again. */
export async function settleAsUnknown(trx: Trx, id: string, now: Date): Promise<void> {
  await trx
    .updateTable('messages')
    .set({ status: 'failed', cancel_reason: 'outcome_unknown', finished_at: now })
    .where('id', '=', id)
    .where('status', 'in', ['sending', 'in_doubt'])
    .execute();
}

/** How many messages of a range still wait to be sent, and how many are unsettled. */
export async function countLeft(trx: Trx, range: RankRange): Promise<{ queued: number; unsettled: number }> {
  const { rows } = await sql<{ queued: number; unsettled: number }>`
    select count(*) filter (where m.status = 'queued') as queued,
      count(*) filter (where m.status in ('sending', 'in_doubt')) as unsettled
    from messages m
    where ${inRange(range)}`.execute(trx);
  return rows[0]!;
}

/** Cancels what of a range has not left: the mass SMS was cancelled, or its batch expired. Returns how many. */
export async function cancelUnsent(
  trx: Trx,
  range: RankRange,
  { reason, now }: { reason: string; now: Date },
): Promise<number> {
  const result = await trx
    .updateTable('messages')
    .set({ status: 'cancelled', cancel_reason: reason, finished_at: now })
    .where('mass_sms_id', '=', range.massSmsId)
    .where('id', '>=', range.ids.from)
    .where('id', '<', range.ids.to)
    .where('rank', '>=', range.first)
    .where('rank', '<=', range.last)
    .where('status', '=', 'queued')
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/**
 * Gathers statistics on a month's messages when Postgres has none worth the name: after the first large mass SMS of a
 * month, results would otherwise be written at a fifth of the speed until autovacuum comes by.
 */
export async function refreshStatistics(system: Db, createdAt: Date): Promise<void> {
  await sql`select analyze_new_messages(${createdAt})`.execute(system);
}
