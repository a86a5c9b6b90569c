/** Messages that Twilio may have, until their final status has come: asked about when reports stay away (D5). */
import { sql } from 'kysely';
import { firstLookAt } from '../../domain/messages/awaited-reports.ts';
import type { MessageStatus } from '../../domain/messages/status.ts';
import type { Db, Trx } from '../database.ts';

/**
 * Remembers messages that are claimed, before any of their requests leaves: whatever crashes afterwards, somebody asks what
 * became of them. For the transaction's organization.
 */
export async function awaitReports(trx: Trx, messageIds: readonly string[], claimedAt: Date): Promise<void> {
  if (messageIds.length === 0) return;
  await trx
    .insertInto('awaited_reports')
    .values({
      organization_id: sql<string>`current_setting('longwave.organization_id')`,
      message_ids: [...messageIds],
      claimed_at: claimedAt,
      look_at: firstLookAt(claimedAt),
    })
    .execute();
}

/** Messages claimed together, some of which may have no final status. */
export interface AwaitedReports {
  id: number;
  messageIds: string[];
  claimedAt: Date;
}

/** The next that are due to be asked about, the most overdue first. */
export async function nextAwaited(trx: Trx, organizationId: string, now: Date): Promise<AwaitedReports | undefined> {
  return trx
    .selectFrom('awaited_reports')
    .select(['id', 'message_ids as messageIds', 'claimed_at as claimedAt'])
    .where('organization_id', '=', organizationId)
    .where('look_at', '<=', now)
    .orderBy('look_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

/** A message without a final status. */
export interface OpenMessage {
  id: string;
  status: Extract<MessageStatus, 'sending' | 'in_doubt' | 'accepted' | 'sent'>;
  /** Null while it is in doubt: then `settle.ts` looks for it. */
  sid: string | null;
}

/** Those of the messages whose outcome is open; one that was given back is claimed, and remembered, anew. */
export async function openMessages(trx: Trx, messageIds: readonly string[]): Promise<OpenMessage[]> {
  if (messageIds.length === 0) return [];
  const { rows } = await sql<OpenMessage>`
    select id, status, twilio_sid as sid from messages
    where id = any(${[...messageIds]}::text[]) and status in ('sending', 'in_doubt', 'accepted', 'sent')
      and finished_at is null
    order by id`.execute(trx);
  return rows;
}

/** Goes on awaiting some of them until `lookAt`; of none, it is over. */
export async function awaitLonger(
  trx: Trx,
  { id }: AwaitedReports,
  { messageIds, lookAt }: { messageIds: readonly string[]; lookAt: Date },
): Promise<void> {
  if (messageIds.length === 0) await trx.deleteFrom('awaited_reports').where('id', '=', id).execute();
  else {
    const open = { message_ids: [...messageIds], look_at: lookAt };
    await trx.updateTable('awaited_reports').set(open).where('id', '=', id).execute();
  }
}

/** Puts off everything that is due: Twilio cannot be asked now. */
export async function postponeLooks(
  trx: Trx,
  organizationId: string,
  { now, until }: { now: Date; until: Date },
): Promise<void> {
  await trx
    .updateTable('awaited_reports')
    .set({ look_at: until })
    .where('organization_id', '=', organizationId)
    .where('look_at', '<=', now)
    .execute();
}

/** No report will come: they stay what they are, unless one comes after all. */
export async function finishUnreported(trx: Trx, messageIds: readonly string[], now: Date): Promise<void> {
  if (messageIds.length === 0) return;
  await sql`
    update messages set finished_at = ${now}
    where id = any(${[...messageIds]}::text[]) and status in ('accepted', 'sent') and finished_at is null`.execute(trx);
}

/** When the organization's next look is due; null when no report is awaited. */
export async function nextLookDue(trx: Trx, organizationId: string): Promise<Date | null> {
  const row = await trx
    .selectFrom('awaited_reports')
    .select('look_at')
    .where('organization_id', '=', organizationId)
    .orderBy('look_at')
    .limit(1)
    .executeTakeFirst();
  return row?.look_at ?? null;
}

/** Organizations with looks due since `before`, for the sweep. */
export async function overdueLooks(system: Db, before: Date): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select o.id from organizations o
    where exists (select from awaited_reports a where a.organization_id = o.id and a.look_at < ${before})
    limit 500`.execute(system);
  return rows.map(({ id }) => id);
}
