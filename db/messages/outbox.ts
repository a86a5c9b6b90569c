/** The outbox: what waits to leave one by one, why it waits, and who is sending it. */
import { sql } from 'kysely';
import type { Due } from '../../domain/messages/due.ts';
import type { MessageStatus } from '../../domain/messages/status.ts';
import type { Db, Trx } from '../database.ts';
import { nothingHasLeft } from './first-message.ts';
import type { Unsettled } from './outgoing.ts';
import { awaitReports } from './reconciliation.ts';
import type { Schema } from '../schema.ts';

/** 0 for replies and opt-in requests, 1 for what was written ahead. */
export type Priority = 0 | 1;

export interface OutboxEntry {
  messageId: string;
  organizationId: string;
  contactNumber: string;
  line: string;
  priority: Priority;
  due: Due;
  /** By somebody who may: the organization's own window does not hold it. */
  released?: boolean;
}

export async function enqueue(trx: Trx, entries: readonly OutboxEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await trx
    .insertInto('outbox')
    .values(
      entries.map(({ messageId, organizationId, contactNumber, line, priority, due, released = false }) => ({
        message_id: messageId,
        organization_id: organizationId,
        contact_number: contactNumber,
        line,
        priority,
        due_at: due.at,
        held_reason: due.reason,
        held_detail: due.detail,
        released,
      })),
    )
    .execute();
}

/** A message that is due, as it is judged before it leaves. */
export interface Candidate {
  id: string;
  contactId: string | null;
  status: MessageStatus;
  source: Schema['messages']['source'];
  to: string;
  from: string;
  body: string;
  direct: boolean;
  sendAt: Date | null;
  /** By somebody who may: the organization's window does not hold it. */
  released: boolean;
  /** When the last request left of the same user to the same contact; null unless this is one too. */
  askedAt: Date | null;
  /** Why it must not leave at all. */
  refusal: string | null;
  /** Nothing has left for this number before it, and it does not mention STOP. */
  lacksDisclaimer: boolean;
  postalCode: string | null;
  timeZone: string | null;
  organizationName: string;
  userName: string | null;
}

/** A reply that could not leave for so long is none any more: it needs consent and waits for the window. */
const directWithinMs = 24 * 3_600_000;
/** An earlier message of the thread whose outcome is open for longer than this holds up nobody any more. */
const waitsForEarlierMs = 120_000;

/** Whether an entry `o` waits for one before it in its thread. A sub-select per row: a join would read all of the outbox. */
const waitsFor = (earlier: ReturnType<typeof sql<boolean>>) => sql<boolean>`coalesce((
  select true from outbox e
  where e.organization_id = o.organization_id and e.contact_number = o.contact_number and e.line = o.line
    and (e.due_at, e.message_id) < (o.due_at, o.message_id) and ${earlier}
  limit 1), false)`;

/**
 * The line of an entry `o` is being released. What waits on it is left alone until that is decided: it moves to another
 * line, ends with its own, or leaves after all when the release fails.
 */
const lineIsLeaving = sql<boolean>`exists (
  select from phone_numbers p where p.phone_number = o.line and p.organization_id = o.organization_id
    and p.released_at is null and p.releasing_since is not null)`;

/** The contact has agreed already, or the request was ended: an answer to the question would count for nothing. */
const isSettled = sql<boolean>`(c.consent_transactional or exists (
  select from opt_in_requests r where r.organization_id = m.organization_id and r.contact_id = m.contact_id
    and r.message_id = m.id and r.state <> 'waiting'))`;

/** When the contact was last asked by the user whose request `m` is. */
const askedAt = sql<Date | null>`(
  select max(x.claimed_at) from opt_in_requests r join messages x on x.id = r.message_id
  where r.organization_id = m.organization_id and r.contact_id = m.contact_id and r.user_id = m.user_id
    and x.status not in ('scheduled', 'queued', 'cancelled'))`;

/**
 * Locks the next messages of an organization that are due, in order within each thread: one waits for those before it.
 * Each is judged once more (opted out, the contact deleted or with another number now, consent withdrawn, the line given
 * up). One that somebody else changes at this moment is left for the next time.
 */
export async function lockDue(
  trx: Trx,
  organizationId: string,
  { priority, limit, now }: { priority: Priority; limit: number; now: Date },
): Promise<Candidate[]> {
  const patience = new Date(now.getTime() - waitsForEarlierMs);
  const isDirect = sql<boolean>`(m.direct
    and (m.source = 'forward' or m.created_at > ${new Date(now.getTime() - directWithinMs)}))`;
  const { rows } = await sql<Candidate>`
    with due as materialized (
      select o.message_id, o.due_at, o.released from outbox o
      where o.organization_id = ${organizationId} and o.priority = ${priority} and o.due_at <= ${now}
        and o.claimed_at is null and not ${lineIsLeaving}
        and not ${waitsFor(sql`(e.claimed_at is null or e.claimed_at > ${patience})`)}
      order by o.due_at, o.message_id limit ${limit} for update skip locked)
    select m.id, m.contact_id as "contactId", m.status, m.source, m.contact_number as "to", m.line as "from", m.body,
      ${isDirect} as direct, m.send_at as "sendAt", due.released, c.postal_code as "postalCode", c.time_zone as "timeZone",
      g.name as "organizationName", u.name as "userName",
      m.source <> 'forward' and m.body !~ '\\mSTOP\\M'
        and ${nothingHasLeft(sql`m.organization_id`, sql`m.contact_number`)} as "lacksDisclaimer",
      case when m.source = 'opt_in' and not m.direct then ${askedAt} end as "askedAt",
      case
        when exists (select from opt_outs x where x.phone_number = m.contact_number
          and (x.line is null or x.line = m.line)) then 'opted_out'
        when not exists (select from phone_numbers p where p.organization_id = m.organization_id
          and p.phone_number = m.line and p.released_at is null) then 'line_released'
        when m.source = 'forward' then null
        when c.id is null then 'contact_changed'
        when m.source = 'opt_in' and not m.direct and ${isSettled} then 'opt_in_settled'
        when m.source <> 'opt_in' and not (case when m.purpose = 'promotional' then c.consent_promotional
          else c.consent_transactional or ${isDirect} end) then 'no_consent'
      end as refusal
    from due
    join messages m on m.id = due.message_id
    join organizations g on g.id = m.organization_id
    left join users u on u.id = m.user_id
    left join contacts c on c.id = m.contact_id and c.mobile = m.contact_number
    order by due.due_at, due.message_id
    for update of m skip locked`.execute(trx);
  return rows;
}

/** What was decided about messages that were locked. */
export interface Verdicts {
  /** They leave now, those with a text with that one. */
  sending: readonly { id: string; text: { body: string; segments: number } | null }[];
  cancelled: readonly { id: string; reason: string }[];
  /** It is not their time: a window has closed, or was changed. */
  later: readonly { id: string; due: Due }[];
  /** They wait no more: cancelled meanwhile, or Twilio reported of them after all. */
  gone: readonly string[];
}

/** Writes what was decided, before any request leaves. */
export async function decide(
  trx: Trx,
  { sending, cancelled, later, gone }: Verdicts,
  { attemptId, now }: { attemptId: string; now: Date },
): Promise<void> {
  if (sending.length > 0) {
    const ids = sending.map(({ id }) => id);
    await sql`
      update outbox set claimed_at = ${now}, attempt_id = ${attemptId}, held_reason = null, held_detail = null
      where message_id = any(${ids}::text[])`.execute(trx);
    await sql`
      update messages m set status = 'sending', attempt_id = ${attemptId}, attempts = attempts + 1, claimed_at = ${now},
        body = coalesce(r.body, m.body), segments = coalesce(r.segments, m.segments)
      from unnest(${ids}::text[], ${sending.map(({ text }) => text?.body ?? null)}::text[],
        ${sending.map(({ text }) => text?.segments ?? null)}::int[]) as r (id, body, segments)
      where m.id = r.id and m.id = any(${ids}::text[])`.execute(trx);
    await awaitReports(trx, ids, now);
  }
  if (cancelled.length > 0) {
    const ids = cancelled.map(({ id }) => id);
    await sql`
      update messages m set status = 'cancelled', cancel_reason = r.reason, finished_at = ${now}
      from unnest(${ids}::text[], ${cancelled.map(({ reason }) => reason)}::text[]) as r (id, reason)
      where m.id = r.id and m.id = any(${ids}::text[])`.execute(trx);
  }
  const ended = [...cancelled.map(({ id }) => id), ...gone];
  if (ended.length > 0) await trx.deleteFrom('outbox').where('message_id', 'in', ended).execute();
  if (later.length > 0) await postpone(trx, later);
}

/**
 * Moves messages to another moment, and with each one what waits behind it in its thread: where a window was changed all
 * are to be judged anew, and it may open between the first and the second.
 */
async function postpone(trx: Trx, later: Verdicts['later']): Promise<void> {
  await sql`
    update outbox o set due_at = r.at, held_reason = r.reason, held_detail = r.detail
    from unnest(${later.map(({ id }) => id)}::text[], ${later.map(({ due }) => due.at)}::timestamptz[],
      ${later.map(({ due }) => due.reason)}::text[], ${later.map(({ due }) => due.detail)}::text[])
      as r (id, at, reason, detail)
    where o.message_id = r.id`.execute(trx);
  await sql`
    with behind as (
      select f.message_id, e.due_at, e.held_detail
      from outbox e join outbox f on f.organization_id = e.organization_id and f.contact_number = e.contact_number
        and f.line = e.line and f.priority = e.priority and f.message_id > e.message_id and f.due_at < e.due_at
      where e.message_id = any(${later.map(({ id }) => id)}::text[]) and e.held_reason = 'outside_window'
        and f.held_reason = 'outside_window' and f.claimed_at is null
      for update of f skip locked)
    update outbox o set due_at = behind.due_at, held_detail = behind.held_detail
    from behind where o.message_id = behind.message_id`.execute(trx);
}

/**
 * Brings the outbox in line with what became of the messages that were being sent: what has surely left, or ended, leaves
 * it; what was given back waits again. Entries that somebody else holds are left for the next time, so that two who tidy
 * never wait for each other.
 */
export async function tidy(trx: Trx, organizationId: string): Promise<void> {
  await sql`
    with claimed as materialized (
      select o.message_id, m.status from outbox o join messages m on m.id = o.message_id
      where o.organization_id = ${organizationId} and o.claimed_at is not null
        and m.status not in ('sending', 'in_doubt')
      for update of o, m skip locked
    ), returned as (
      update outbox set claimed_at = null, attempt_id = null
      where message_id in (select message_id from claimed where status in ('scheduled', 'queued'))
    )
    delete from outbox where message_id in (
      select message_id from claimed where status not in ('scheduled', 'queued'))`.execute(trx);
}

/** Those whose request may or may not have reached Twilio, oldest claim first. */
export async function unsettledInOutbox(trx: Trx, organizationId: string): Promise<Unsettled[]> {
  const { rows } = await sql<Unsettled>`
    select m.id, m.contact_number as "to", m.line as "from", m.body, m.claimed_at as "claimedAt"
    from outbox o join messages m on m.id = o.message_id
    where o.organization_id = ${organizationId} and o.claimed_at is not null and m.status in ('sending', 'in_doubt')
    order by o.claimed_at`.execute(trx);
  return rows;
}

/**
 * When the next message falls due that nobody is sending; null when none waits. One behind a message whose outcome is open
 * does not count: it is looked at when that one is. Nor does one that is due on a line that is being released: the sweep
 * sees it when that has failed.
 */
export async function nextDueAt(trx: Trx, organizationId: string, now: Date): Promise<Date | null> {
  const patience = new Date(now.getTime() - waitsForEarlierMs);
  const { rows } = await sql<{ at: Date }>`
    select o.due_at as at from outbox o
    where o.organization_id = ${organizationId} and o.claimed_at is null and (o.due_at > ${now} or not ${lineIsLeaving})
      and not ${waitsFor(sql`e.claimed_at > ${patience}`)}
    order by o.due_at limit 1`.execute(trx);
  return rows[0]?.at ?? null;
}

/**
 * Whether the outbox has to be woken for messages that were queued to leave at `at`: not when it will look by then anyway,
 * for one that waits already.
 */
export async function needsWake(
  trx: Trx,
  organizationId: string,
  { at, now, except }: { at: Date; now: Date; except: readonly string[] },
): Promise<boolean> {
  if (at <= now) return true;
  const row = await trx
    .selectFrom('outbox')
    .select('message_id')
    .where('organization_id', '=', organizationId)
    .where('due_at', '<=', at)
    .where('claimed_at', 'is', null)
    .$if(except.length > 0, (query) => query.where('message_id', 'not in', except))
    .limit(1)
    .executeTakeFirst();
  return !row;
}

/** Says of everything that is due why it does not leave; whoever claims or postpones it takes that back. */
export async function explainDelay(
  trx: Trx,
  organizationId: string,
  { why, now }: { why: string; now: Date },
): Promise<void> {
  await trx
    .updateTable('outbox')
    .set({ held_reason: 'paced', held_detail: why })
    .where('organization_id', '=', organizationId)
    .where('due_at', '<=', now)
    .where('claimed_at', 'is', null)
    .where((or) => or.or([or('held_reason', 'is distinct from', 'paced'), or('held_detail', '<>', why)]))
    .execute();
}

/**
 * Puts off everything that is due and goes behind replies, in its order and behind what was put off to the same moment
 * before it, and says why.
 */
export async function putOff(
  trx: Trx,
  organizationId: string,
  { until, why, now }: { until: Date; why: string; now: Date },
): Promise<void> {
  await sql`
    with due as (
      select message_id, row_number() over (order by due_at, message_id) as place from outbox
      where organization_id = ${organizationId} and priority = 1 and due_at <= ${now} and claimed_at is null
    ), last as (
      select coalesce(max(due_at), ${until}) as at from outbox
      where organization_id = ${organizationId} and priority = 1 and claimed_at is null and held_reason = 'paced'
        and due_at between ${until}::timestamptz and ${until}::timestamptz + interval '1 minute')
    update outbox o set due_at = last.at + due.place * interval '1 microsecond', held_reason = 'paced',
      held_detail = ${why}
    from due, last where o.message_id = due.message_id`.execute(trx);
}

/** Organizations with something due since `before` that has not left; for the sweep, when a wake was lost. */
export async function overdueOutboxes(system: Db, before: Date): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select g.id from organizations g
    where exists (select from outbox o where o.organization_id = g.id and o.due_at < ${before}
      and (o.claimed_at is not null or not ${lineIsLeaving}))
    order by g.id limit 5000`.execute(system);
  return rows.map(({ id }) => id);
}

/**
 * After the organization's window was changed: everything that waits for one is judged anew, all from the same moment, so
 * that the order within a thread stays. @returns whether any waits
 */
export async function judgeAnew(trx: Trx, organizationId: string, now: Date): Promise<boolean> {
  const result = await trx
    .updateTable('outbox')
    .set({ due_at: now })
    .where('organization_id', '=', organizationId)
    .where('held_reason', '=', 'outside_window')
    .where('claimed_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
