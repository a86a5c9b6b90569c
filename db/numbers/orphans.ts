/** Numbers that are in an account and used by nobody, and numbers of ours that are gone (B10). */
import { sql } from 'kysely';
import { insertAuditEntry } from '../organizations/audit.ts';
import type { Database, Db, Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { tellOfMessages } from '../messages/messages.ts';
import type { NumberRow } from '../schema.ts';
import { rerouteFromGone } from './reroute.ts';
import { giveUpWaiting } from './waiting-messages.ts';

/**
 * Takes organizations whose account was not looked at since `before`: of several workers each gets others.
 *
 * @returns a few of their ids
 */
export async function accountsToCheck(system: Db, { before, now }: { before: Date; now: Date }): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    update organizations set numbers_checked_at = ${now} where id in (
      select id from organizations
      where account_sid is not null and (numbers_checked_at is null or numbers_checked_at < ${before})
      order by numbers_checked_at nulls first limit 20 for update skip locked
    ) returning id`.execute(system);
  return rows.map(({ id }) => id);
}

/** A number as we know it. */
export interface KnownNumber {
  id: string;
  purchasedAt: Date;
  /** It is being released, or was lately: Twilio's list may still show it. */
  isLeaving: boolean;
}

/**
 * What we believe to be in the account, by SID.
 *
 * @param since numbers that were released after it are among them
 */
export async function numbersBySid(trx: Trx, organizationId: string, since: Date): Promise<Map<string, KnownNumber>> {
  const rows = await trx
    .selectFrom('phone_numbers')
    .select(['id', 'twilio_sid', 'purchased_at', 'releasing_since', 'released_at'])
    .where('organization_id', '=', organizationId)
    .where((is) => is.or([is('released_at', 'is', null), is('released_at', '>', since)]))
    .execute();
  return new Map(
    rows.map((row) => {
      const isLeaving = row.releasing_since !== null || row.released_at !== null;
      return [row.twilio_sid, { id: row.id, purchasedAt: row.purchased_at, isLeaving }];
    }),
  );
}

/** Shows a number that somebody put into the account, to be adopted or released. */
export async function insertOrphan(
  trx: Trx,
  organizationId: string,
  { sid, phoneNumber, boughtAt }: { sid: string; phoneNumber: string; boughtAt: Date },
  at: Date,
): Promise<string | null> {
  const id = newId('number', at);
  const result = await trx
    .insertInto('phone_numbers')
    .values({
      id,
      organization_id: organizationId,
      phone_number: phoneNumber,
      twilio_sid: sid,
      purchased_at: boughtAt,
      orphan_since: at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 0n ? null : id;
}

/** What we know of a number by its SID, whether or not it was released; the newest row of it. */
export async function findOnRecord(trx: Trx, organizationId: string, sid: string): Promise<NumberRow | undefined> {
  return trx
    .selectFrom('phone_numbers')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('twilio_sid', '=', sid)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/**
 * Twilio says that this organization has a number: whatever else is on record for it, here or with another organization, is
 * out of date (its account was closed, or the number was released in Twilio's console) and must not stand in the way.
 */
export async function takeOver(
  database: Database,
  { organizationId, phoneNumber, sid, at }: { organizationId: string; phoneNumber: string; sid: string; at: Date },
): Promise<void> {
  const stale = await database.system
    .selectFrom('phone_numbers')
    .select(['id', 'organization_id'])
    .where('phone_number', '=', phoneNumber)
    .where((is) => is.or([is('organization_id', '!=', organizationId), is('twilio_sid', '!=', sid)]))
    .where('released_at', 'is', null)
    .execute();
  for (const { id, organization_id: owner } of stale) {
    await database.inOrganization(owner, (trx) => writeDownAsGone(trx, owner, { id, at }));
  }
}

/**
 * Writes that a number is not in the account any more, although nobody released it here. What waits to leave from it leaves
 * from another; where there is none it is cancelled, but for a mass SMS, which says so when it is sent.
 */
export async function writeDownAsGone(
  trx: Trx,
  organizationId: string,
  number: { id: string; at: Date },
): Promise<void> {
  const line = await markGone(trx, organizationId, number);
  if (line === null) return;
  const gone = { lines: [line], now: number.at };
  const changed = await giveUpWaiting(trx, organizationId, gone);
  await rerouteFromGone(trx, organizationId, gone);
  await tellOfMessages(trx, organizationId, changed, number.at);
}

/** @returns the number, E.164; null when it is not so: a release of it has begun meanwhile */
async function markGone(
  trx: Trx,
  organizationId: string,
  { id, at }: { id: string; at: Date },
): Promise<string | null> {
  const row = await trx
    .updateTable('phone_numbers')
    .set({ released_at: at, registered: false, register_at: null })
    .where('id', '=', id)
    .where('released_at', 'is', null)
    .where('releasing_since', 'is', null)
    .returning(['phone_number', 'twilio_sid'])
    .executeTakeFirst();
  if (!row) return null;
  await trx.deleteFrom('phone_number_users').where('number_id', '=', id).execute();
  const entry = { organizationId, actor: 'longwave', action: 'number.gone_at_twilio', subject: id, at };
  await insertAuditEntry(trx, { ...entry, detail: { sid: row.twilio_sid } });
  return row.phone_number;
}

/** Takes the orphans of an account that is replaced by another one off the record. */
export async function forgetOrphans(trx: Trx, organizationId: string, at: Date): Promise<void> {
  await trx
    .updateTable('phone_numbers')
    .set({ released_at: at })
    .where('organization_id', '=', organizationId)
    .where('orphan_since', 'is not', null)
    .where('released_at', 'is', null)
    .execute();
}
