/** What Twilio reports of messages: late, twice, out of order, or before its own answer to the request. */
import { sql } from 'kysely';
import { isOptedOut, stoppingReason } from '../../domain/error-codes.ts';
import { type MessageStatus, statusRank } from '../../domain/messages/status.ts';
import { countSegments } from '../../domain/messages/segments.ts';
import type { Database, Trx } from '../database.ts';
import { tellOfMessages } from './messages.ts';
import { learnFromRefusals, type RefusedMessage, type StoppingReport, stopRefused } from './refusals.ts';

export interface StatusReport {
  messageId: string;
  sid: string;
  status: MessageStatus;
  errorCode: number | null;
  /** As Twilio counted them; its callbacks do not say. */
  segments?: number | null;
  /** When it reached us. */
  at: Date;
}

export interface AppliedReports {
  refused: RefusedMessage[];
  /** Those that tell why nothing more of their mass SMS can be sent. */
  stopping: StoppingReport[];
  /** Messages reported under another SID than the one known: Twilio has two of them. */
  doubled: string[];
  /** Those written one by one whose status is now as reported: a mass SMS has too many to tell of each. */
  changed: { id: string; contactId: string | null; status: MessageStatus }[];
}

/**
 * Takes reports of one organization, told by Twilio or asked for: applies them, and learns from those that refuse.
 *
 * @returns messages that Twilio has twice
 */
export async function takeReports(
  database: Database,
  organizationId: string,
  reports: readonly StatusReport[],
  now: Date,
): Promise<string[]> {
  const { stopping, doubled } = await database.inOrganization(organizationId, async (trx) => {
    const applied = await applyStatusReports(trx, reports);
    await learnFromRefusals(trx, organizationId, applied.refused, now);
    await tellOfMessages(trx, organizationId, applied.changed, now);
    return applied;
  });
  if (stopping.length > 0) await database.inOrganization(organizationId, (trx) => stopRefused(trx, stopping, now));
  return doubled;
}

/**
 * Applies reports of one organization in one transaction. Each counts once per message, status and SID; a message only
 * moves forward; reports of messages the organization does not have are dropped. The error of a report that comes too late
 * to count is none: a message that was delivered has reached its number. That Twilio knows an opt-out is true all the same.
 */
export async function applyStatusReports(trx: Trx, reports: readonly StatusReport[]): Promise<AppliedReports> {
  const column = <T>(of: (report: StatusReport) => T): T[] => reports.map(of);
  const ids = column((report) => report.messageId);
  const { rows: uncounted } = await sql<{ id: string; body: string }>`
    with known as (
      select m.id, m.organization_id, m.segments, m.body, r.status, r.sid, r.error_code, r.at
      from unnest(${ids}::text[], ${column((r) => r.status)}::text[], ${column((r) => r.sid)}::text[],
        ${column((r) => r.errorCode)}::int[], ${column((r) => r.at)}::timestamptz[])
        as r (id, status, sid, error_code, at)
      join messages m on m.id = r.id where m.id = any(${ids})
    ), kept as (
      insert into message_events (message_id, organization_id, status, twilio_sid, error_code, at)
      select id, organization_id, status, sid, error_code, at from known
      -- Twilio repeats reports, to several processes: in one order, so that two that insert the same never wait for
      -- each other.
      order by id, status, sid
      on conflict do nothing
    )
    select id, body from known where segments is null`.execute(trx);
  // Twilio does not say how many segments it sent, and the worker that knew may be gone.
  const segments = new Map(uncounted.map(({ id, body }) => [id, countSegments(body).segments]));

  // An update takes one row per message: the report furthest along, and with it the time the message was sent.
  const furthest = new Map<string, StatusReport & { sentAt: Date | null }>();
  for (const report of reports) {
    const known = furthest.get(report.messageId);
    const sentAt = report.status === 'sent' ? report.at : (known?.sentAt ?? null);
    const best = known && statusRank[known.status] >= statusRank[report.status] ? known : report;
    furthest.set(report.messageId, { ...best, sentAt });
  }
  // In the order of ids, so that two transactions take the row locks in the same order.
  const last = [...furthest.values()].toSorted((a, b) => (a.messageId < b.messageId ? -1 : 1));
  const moves = sql`message_status_rank(m.status) < message_status_rank(r.status)`;
  const { rows } = await sql<{
    id: string;
    contact_number: string;
    mass_sms_id: string | null;
    claimed_at: Date | null;
    error_code: number | null;
    contact_id: string | null;
    status: MessageStatus;
    told: boolean;
    doubled: boolean;
    counts: boolean;
  }>`
    update messages m set
      status = case when ${moves} then r.status else m.status end,
      twilio_sid = coalesce(m.twilio_sid, r.sid),
      error_code = case when ${moves} or m.status = r.status then coalesce(r.error_code, m.error_code)
        else m.error_code end,
      accepted_at = coalesce(m.accepted_at, r.at),
      segments = coalesce(r.counted, m.segments, r.segments),
      sent_at = coalesce(m.sent_at, r.sent_at),
      finished_at = case when message_status_rank(r.status) = 7 then coalesce(m.finished_at, r.at) else m.finished_at end
    from unnest(${last.map((r) => r.messageId)}::text[], ${last.map((r) => r.status)}::text[],
      ${last.map((r) => r.sid)}::text[], ${last.map((r) => r.errorCode)}::int[],
      ${last.map((r) => r.at)}::timestamptz[], ${last.map((r) => r.sentAt)}::timestamptz[],
      ${last.map((r) => segments.get(r.messageId) ?? null)}::int[], ${last.map((r) => r.segments ?? null)}::int[])
      as r (id, status, sid, error_code, at, sent_at, segments, counted)
    where m.id = r.id and m.id = any(${last.map((r) => r.messageId)}) and m.direction = 'outbound'
    returning m.id, m.contact_number, m.mass_sms_id, m.claimed_at, r.error_code, m.contact_id, m.status,
      m.status = r.status as counts,
      m.source not in ('mass_sms', 'forward') and m.status <> old.status as told, m.twilio_sid <> r.sid as doubled`.execute(
    trx,
  );
  return {
    refused: rows.flatMap(({ contact_number: contactNumber, error_code: errorCode, counts }) =>
      errorCode !== null && (counts || isOptedOut(errorCode)) ? [{ contactNumber, errorCode }] : [],
    ),
    stopping: rows.flatMap(({ mass_sms_id: massSmsId, claimed_at: claimedAt, error_code: errorCode, counts }) =>
      counts && massSmsId !== null && claimedAt !== null && errorCode !== null && stoppingReason(errorCode) !== null
        ? [{ massSmsId, claimedAt, errorCode }]
        : [],
    ),
    doubled: rows.filter((row) => row.doubled).map((row) => row.id),
    changed: rows.filter((row) => row.told).map(({ id, contact_id: contactId, status }) => ({ id, contactId, status })),
  };
}
