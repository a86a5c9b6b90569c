/** Contacts who want no more texts, and those who want them again: how far it reaches, what it ends, what proves it (C4). */
import { sql } from 'kysely';
import { purposes } from '../../domain/purpose.ts';
import { type Settings, withDefaults } from '../../domain/settings.ts';
import { unflagRevocations } from '../conversations/conversations.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { ChangedMessages } from './opt-ins.ts';

export interface Withdrawal {
  organizationId: string;
  /** Null for a number that is no contact's. */
  contactId: string | null;
  /** The contact's number. */
  number: string;
  /** Ours, which it was said to. */
  line: string;
  /** By a keyword, or in free text that a user confirmed to mean it. */
  method: 'reply' | 'free_text_confirmed';
  evidence: string;
  actor: string;
  at: Date;
}

/** How the ledger says that one line only is meant. */
const forOneLine = {
  reply: 'reply_to_this_number_only',
  free_text_confirmed: 'free_text_confirmed_for_this_number_only',
} as const;

/** A withdrawal counts against the mass SMS whose message came last within this time. */
const attributionDays = 7;

/**
 * How far a withdrawal reaches. An organization that brought its own account has the account's token and can sign such a
 * message itself, so what it says counts for itself alone.
 */
async function reachOf(trx: Trx, organizationId: string): Promise<{ scope: Settings['optOutScope']; isOwn: boolean }> {
  const { settings, isOwn } = await trx
    .selectFrom('organizations')
    .select(['settings', 'own_account as isOwn'])
    .where('id', '=', organizationId)
    .executeTakeFirstOrThrow();
  const wanted = withDefaults(settings).optOutScope;
  return { scope: isOwn && wanted === 'platform' ? 'organization' : wanted, isOwn };
}

/**
 * Blocks the number as far as the organization's setting says, cancels what has not left, and counts against the mass
 * SMS that was answered. Messages of other organizations are stopped where they are claimed.
 *
 * @returns whether it was not blocked before, and what was cancelled of messages written one by one
 */
export async function optOut(
  trx: Trx,
  withdrawal: Withdrawal,
): Promise<{ isNew: boolean; cancelled: ChangedMessages }> {
  const { organizationId, number, line, method } = withdrawal;
  const { scope } = await reachOf(trx, organizationId);
  // Messages before blocks, as reports of Twilio lock them: two who wait for each other would end a STOP in an error.
  const cancelled = await cancelUnsent(trx, withdrawal, scope);
  await countUnsubscribed(trx, withdrawal);
  const isNew = await block(trx, withdrawal, { organizationId: scope === 'platform' ? null : organizationId, scope });
  // What was said to this organization stands when the contact lets another one write again.
  if (scope === 'platform') await block(trx, withdrawal, { organizationId, scope });
  await writeLedger(trx, withdrawal, { granted: false, method: scope === 'number' ? forOneLine[method] : method });
  await unflagRevocations(trx, { organizationId, contactNumber: number, ...(scope === 'number' && { line }) });
  return { isNew, cancelled };
}

/** @returns whether it is a new one */
async function block(
  trx: Trx,
  { number, line, method, at }: Withdrawal,
  { organizationId, scope }: { organizationId: string | null; scope: Settings['optOutScope'] },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows: inserted } = await trx
    .insertInto('opt_outs')
    .values({
      id: newId('optOut', at),
      organization_id: organizationId,
      phone_number: number,
      line: scope === 'number' ? line : null,
      method,
      at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (inserted ?? 0n) > 0n;
}

/** The outbox first, as whoever sends locks it first: two who wait for each other would end a STOP in an error. */
async function cancelUnsent(
  trx: Trx,
  { organizationId, number, line, at }: Withdrawal,
  scope: Settings['optOutScope'],
): Promise<ChangedMessages> {
  const where = sql`organization_id = ${organizationId} and contact_number = ${number}
    and (line = ${line} or ${scope !== 'number'})`;
  await sql`delete from outbox where ${where} and claimed_at is null`.execute(trx);
  const { rows } = await sql<ChangedMessages[number] & { isBulk: boolean }>`
    update messages set status = 'cancelled', cancel_reason = 'opted_out', finished_at = ${at}
    where ${where} and status in ('held', 'scheduled', 'queued')
    returning id, contact_id as "contactId", status, mass_sms_id is not null as "isBulk"`.execute(trx);
  return rows.filter(({ isBulk }) => !isBulk).map(({ id, contactId, status }) => ({ id, contactId, status }));
}

async function countUnsubscribed(trx: Trx, { organizationId, number, at }: Withdrawal): Promise<void> {
  const since = new Date(at.getTime() - attributionDays * 86_400_000);
  await sql`
    update messages set unsubscribed_at = ${at} where unsubscribed_at is null and id = (
      select id from messages
      where organization_id = ${organizationId} and contact_number = ${number} and direction = 'outbound'
        and mass_sms_id is not null and accepted_at >= ${since}
      order by accepted_at desc limit 1)`.execute(trx);
}

/**
 * Lifts every block this organization's contact can lift: its own, its line's, and, but for own accounts, the platform's.
 * What the contact has said to another organization stands there.
 */
export async function optBackIn(trx: Trx, wish: Withdrawal): Promise<void> {
  const { isOwn } = await reachOf(trx, wish.organizationId);
  const lifted = await trx
    .deleteFrom('opt_outs')
    .where('phone_number', '=', wish.number)
    .where((or) => or.or([or('line', 'is', null), or('line', '=', wish.line)]))
    .$if(isOwn, (query) => query.where('organization_id', '=', wish.organizationId))
    .executeTakeFirst();
  if (lifted.numDeletedRows > 0n) await writeLedger(trx, wish, { granted: true, method: wish.method });
}

/** A withdrawal is of every purpose; who comes back gets only those that were consented to before. */
async function writeLedger(
  trx: Trx,
  { organizationId, contactId, number, line, evidence, actor, at }: Withdrawal,
  { granted, method }: { granted: boolean; method: string },
): Promise<void> {
  if (contactId === null) return;
  const contact = await trx
    .selectFrom('contacts')
    .select(['consent_transactional', 'consent_promotional'])
    .where('id', '=', contactId)
    .executeTakeFirst();
  const had = { transactional: contact?.consent_transactional, promotional: contact?.consent_promotional };
  const entries = purposes
    .filter((purpose) => !granted || had[purpose])
    .map((purpose) => ({
      id: newId('ledgerEntry', at),
      organization_id: organizationId,
      contact_id: contactId,
      phone_number: number,
      purpose,
      granted,
      method,
      evidence,
      actor,
      source: line,
      at,
    }));
  if (entries.length > 0) await trx.insertInto('consent_ledger').values(entries).execute();
}
