/** Mass SMS: created with its recipients and batches in one transaction, moved between its states, and read. */
import { sql } from 'kysely';
import { type BatchRules, lastMoment } from '../../domain/mass-sms/batches.ts';
import type { Tally } from '../../domain/mass-sms/mass-sms.ts';
import { inWordsOf } from '../../domain/messages/text.ts';
import { type Settings, withDefaults } from '../../domain/settings.ts';
import type { Db, Trx } from '../database.ts';
import { messageIdsMadeAt } from '../ids.ts';
import { cancelUnsent, type RankRange } from '../messages/outgoing.ts';
import type { BatchStatus, MassSmsRow } from '../schema.ts';
import { findUser } from '../organizations/users.ts';

/** One mass SMS of the transaction's organization, or undefined. `lock` keeps others from changing its state meanwhile. */
export async function findMassSms(trx: Trx, id: string, { lock = false } = {}): Promise<MassSmsRow | undefined> {
  const query = trx.selectFrom('mass_sms').selectAll().where('id', '=', id);
  return (lock ? query.forUpdate() : query).executeTakeFirst();
}

/** Where a mass SMS may be sent from and how fast: what dispatch needs to know of the organization. */
export interface SendingOrganization {
  name: string;
  settings: Settings;
  /** The text in which Postgres keeps what differs from the defaults: tells whether they are still the same. */
  settingsAsStored: string;
  accountSid: string | null;
  /** Encrypted. */
  authToken: string | null;
  messagingServiceSid: string | null;
  moduleOn: boolean;
  segmentsPerSecond: number | null;
}

export async function sendingOrganization(trx: Trx, organizationId: string): Promise<SendingOrganization> {
  const row = await trx
    .selectFrom('organizations')
    .select([
      'name',
      'settings',
      'account_sid',
      'auth_token',
      'messaging_service_sid',
      'module_on',
      'segments_per_second',
    ])
    .select(sql<string>`settings::text`.as('settings_as_stored'))
    .where('id', '=', organizationId)
    .executeTakeFirstOrThrow();
  return {
    name: row.name,
    settingsAsStored: row.settings_as_stored,
    settings: withDefaults(row.settings),
    accountSid: row.account_sid,
    authToken: row.auth_token,
    messagingServiceSid: row.messaging_service_sid,
    moduleOn: row.module_on,
    segmentsPerSecond: row.segments_per_second,
  };
}

/** The user who created it, unless a key did that acts as nobody. */
export const userOf = ({ created_by: actor }: Pick<MassSmsRow, 'created_by'>): string | undefined =>
  /^user:(.*)/.exec(actor)?.[1];

/** The organization's disclaimer as the mass SMS says it: in the name of the user who created it, if one did. */
export async function disclaimerOf(
  trx: Trx,
  row: MassSmsRow,
  { name, settings }: SendingOrganization,
): Promise<string> {
  const userId = userOf(row);
  const user = userId === undefined ? undefined : await findUser(trx, row.organization_id, userId);
  return inWordsOf(settings.disclaimer, name, user?.name ?? null);
}

export const batchRules = (row: MassSmsRow, settings: Settings): BatchRules => ({
  window: settings.sendWindow,
  timeZone: row.time_zone,
  allowWeekends: row.allow_weekends,
});

export interface Batch {
  number: number;
  size: number;
  startAt: Date;
  status: BatchStatus;
}

/** The batches of several mass SMS, each in order. */
export async function batchesOfAll(trx: Trx, ids: readonly string[]): Promise<Map<string, Batch[]>> {
  const result = new Map<string, Batch[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return result;
  const rows = await trx
    .selectFrom('mass_sms_batches')
    .selectAll()
    .where('mass_sms_id', 'in', ids)
    .orderBy('number')
    .execute();
  for (const { mass_sms_id: id, number, size, start_at: startAt, status } of rows) {
    result.get(id)!.push({ number, size, startAt, status });
  }
  return result;
}

export const batchesOf = async (trx: Trx, massSmsId: string): Promise<Batch[]> =>
  (await batchesOfAll(trx, [massSmsId])).get(massSmsId)!;

/** A batch that has not been sent to its end. */
export const isOpen = (batch: Batch): boolean => batch.status === 'scheduled' || batch.status === 'sending';

/** The ranks of one batch of a mass SMS. */
export function rankRange(row: MassSmsRow, batches: readonly Batch[], number: number): RankRange {
  const before = batches.filter((batch) => batch.number < number).reduce((sum, batch) => sum + batch.size, 0);
  const size = batches.find((batch) => batch.number === number)?.size ?? 0;
  return { massSmsId: row.id, ids: messageIdsMadeAt(row.created_at), first: before + 1, last: before + size };
}

/** All ranks of a mass SMS. */
export const wholeRange = (row: MassSmsRow): RankRange => ({
  massSmsId: row.id,
  ids: messageIdsMadeAt(row.created_at),
  first: 1,
  last: row.recipients,
});

/** Until when the batch may send if it runs now, or null when it may not. */
export const sendingEnds = (row: MassSmsRow, settings: Settings, now: Date): Date | null =>
  lastMoment(batchRules(row, settings), now);

/** Cancels everything that has not left, and the batches that are open. */
export async function cancelRest(trx: Trx, row: MassSmsRow, now: Date): Promise<number> {
  const cancelled = await cancelUnsent(trx, wholeRange(row), { reason: 'cancelled', now });
  await trx
    .updateTable('mass_sms_batches')
    .set({ status: 'cancelled' })
    .where('mass_sms_id', '=', row.id)
    .where('status', 'in', ['scheduled', 'sending'])
    .execute();
  return cancelled;
}

/** Tallies by mass SMS and batch, for those named. */
export async function talliesOf(trx: Trx, ids: readonly string[]): Promise<Map<string, Map<number, Tally>>> {
  const result = new Map<string, Map<number, Tally>>();
  if (ids.length === 0) return result;
  const rows = await trx.selectFrom('mass_sms_tallies').selectAll().where('mass_sms_id', 'in', ids).execute();
  for (const row of rows) {
    const batches = result.get(row.mass_sms_id) ?? new Map<number, Tally>();
    const tally = batches.get(row.batch_number) ?? {};
    tally[row.kind as keyof Tally] = row.count;
    result.set(row.mass_sms_id, batches.set(row.batch_number, tally));
  }
  return result;
}

/** Adds up the tallies of batches. */
export function totalTally(batches: Iterable<Tally>): Tally {
  const total: Tally = {};
  for (const tally of batches) {
    for (const [kind, count] of Object.entries(tally) as [keyof Tally, number][])
      total[kind] = (total[kind] ?? 0) + count;
  }
  return total;
}

/** Says that Temporal has the workflow. */
export async function markWorkflowStarted(trx: Trx, id: string, now: Date): Promise<void> {
  await trx.updateTable('mass_sms').set({ workflow_started_at: now }).where('id', '=', id).execute();
}

interface Startable {
  id: string;
  organization_id: string;
  start_at: Date;
}

/** Mass SMS that Temporal has not been told of yet, oldest first; for the sweep, across organizations. */
export async function massSmsNotStarted(system: Db, createdBefore: Date): Promise<Startable[]> {
  return system
    .selectFrom('mass_sms')
    .select(['id', 'organization_id', 'start_at'])
    .where('workflow_started_at', 'is', null)
    .where('created_at', '<', createdBefore)
    .orderBy('created_at')
    .limit(100)
    .execute();
}

/** Mass SMS that should be sending since `dueBefore`; for the sweep, which makes sure that each has a workflow. */
export async function massSmsOverdue(system: Db, dueBefore: Date): Promise<Startable[]> {
  return system
    .selectFrom('mass_sms')
    .select(['id', 'organization_id', 'start_at'])
    .where('status', 'in', ['scheduled', 'in_process'])
    .where((is) =>
      is.exists(
        is
          .selectFrom('mass_sms_batches')
          .select('number')
          .whereRef('mass_sms_batches.mass_sms_id', '=', 'mass_sms.id')
          .where('mass_sms_batches.status', 'in', ['scheduled', 'sending'])
          .where('mass_sms_batches.start_at', '<', dueBefore),
      ),
    )
    .orderBy('start_at')
    .limit(200)
    .execute();
}
