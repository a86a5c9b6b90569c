/** Creating a mass SMS: its row, a message for each recipient and its batches, in the caller's transaction. */
import { type RawBuilder, sql } from 'kysely';
import {
  batchSizes,
  firstStart,
  planBatches,
  requireFewBatches,
  type WantedStart,
} from '../../domain/mass-sms/batches.ts';
import type { WindowClosePolicy } from '../../domain/mass-sms/mass-sms.ts';
import { merge, textsAndCodes } from '../../domain/messages/merge-codes.ts';
import type { Purpose } from '../../domain/purpose.ts';
import type { Settings } from '../../domain/settings.ts';
import { audienceCte, type AudienceCount, countVerdicts, type VerdictCount } from '../contacts/audience.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { findMassSms } from './mass-sms.ts';
import { estimateEnd } from './end.ts';
import { tellOfMassSms } from './notices.ts';
import { writePlan } from './plan.ts';
import { chosenLine, keptLine, recordLines } from '../numbers/sticky-senders.ts';
import type { AudienceDefinition, ExclusionCounts } from '../schema.ts';
import type { MassSmsOrigin } from '../schema/templates.ts';

export interface NewMassSms extends WantedStart {
  organizationId: string;
  name: string;
  audience: AudienceDefinition;
  pool: { id: string; lines: readonly string[] };
  /** With merge codes; all but those of the contact are in `values`. */
  body: string;
  values: Partial<Record<string, string>>;
  /** The template and what it is about; nothing by default. */
  origin?: MassSmsOrigin;
  /** What answers the first reply of each recipient; nothing by default. */
  autoRespond?: { templateId: string; body: string; purpose: Purpose } | null;
  timeZone: string;
  allowWeekends: boolean;
  atWindowClose: WindowClosePolicy;
  createdBy: string;
  settings: Settings;
  segmentsPerSecond: number | null;
  now: Date;
}

export type Created =
  /** `longest`: characters of the longest text, the disclaimer of a first message not counted. */
  | { kind: 'created'; id: string; startAt: Date; longest: number }
  | { kind: 'no_recipients'; matches: number; excluded: ExclusionCounts };

/**
 * Creates a mass SMS for everyone the audience reaches now. Recipients keep their rank; a contact hears from the line of
 * the pool they have heard from before, for as long as it sends.
 *
 * @throws {NeverOpensError} when the sending window never opens on an allowed day
 * @throws {TooManyBatchesError}
 */
export async function createMassSms(trx: Trx, input: NewMassSms): Promise<Created> {
  const { organizationId, audience, pool, settings, now } = input;
  const id = newId('massSms', now);
  const { matches, excluded, recipients, longest } = await insertRecipients(trx, id, input);
  if (recipients === 0) return { kind: 'no_recipients', matches, excluded };

  const rules = { window: settings.sendWindow, timeZone: input.timeZone, allowWeekends: input.allowWeekends };
  const sizes = batchSizes(recipients, settings.firstBatchSize, settings.dailyBatchSize);
  requireFewBatches(sizes.length);
  const { startAt, dailyAt } = firstStart(rules, input);
  await trx
    .insertInto('mass_sms')
    .values({
      id,
      organization_id: organizationId,
      name: input.name,
      status: 'scheduled',
      audience: JSON.stringify(audience),
      excluded: JSON.stringify(excluded),
      recipients,
      pool_id: pool.id,
      purpose: audience.purpose,
      body: input.body,
      ...input.origin,
      auto_respond_template_id: input.autoRespond?.templateId ?? null,
      auto_respond_body: input.autoRespond ? merge(input.autoRespond.body, input.values) : null,
      auto_respond_purpose: input.autoRespond?.purpose ?? null,
      time_zone: input.timeZone,
      start_at: startAt,
      daily_at: dailyAt,
      end_at: startAt,
      allow_weekends: input.allowWeekends,
      at_window_close: input.atWindowClose,
      first_batch_size: settings.firstBatchSize,
      daily_batch_size: settings.dailyBatchSize,
      created_by: input.createdBy,
      created_at: now,
      updated_at: now,
    })
    .execute();
  await writePlan(trx, { id, organization_id: organizationId }, planBatches(rules, sizes, { startAt, dailyAt }));
  await estimateEnd(trx, (await findMassSms(trx, id))!, input, now);
  await tellOfMassSms(trx, { id, news: 'mass_sms.scheduled', at: now });
  return { kind: 'created', id, startAt, longest };
}

/** The text of each recipient `c`: all codes at once, so that no name is taken for one. */
function textOfContact({ body, values }: NewMassSms): RawBuilder<string> {
  const ofContact: Partial<Record<string, RawBuilder<string>>> = {
    'contact.firstName': sql`coalesce(c.first_name, '')`,
    'contact.lastName': sql`coalesce(c.last_name, '')`,
  };
  const parts = textsAndCodes(body).map((part, index) =>
    index % 2 === 0 ? sql`${part}::text` : (ofContact[part] ?? sql`${values[part] ?? `{{${part}}}`}::text`),
  );
  return sql<string>`${sql.join(parts, sql` || `)}`;
}

/**
 * Judges the audience, keeps a line for each recipient who has none and inserts their messages in one statement: contacts
 * may come and go between two.
 */
async function insertRecipients(
  trx: Trx,
  massSmsId: string,
  input: NewMassSms,
): Promise<AudienceCount & { longest: number }> {
  const { organizationId, audience, pool, settings, now } = input;
  const { rows } = await sql<VerdictCount & { longest: number | null }>`
    with ${audienceCte(organizationId, audience, settings.massSmsLimit)},
    recipients as (
      select a.*, ${keptLine(organizationId, pool, sql`a.mobile`)} as kept from audience a where a.verdict = 'recipient'
    ),
    recorded as (
      ${recordLines(organizationId, pool, sql`select mobile as contact_number from recipients where kept is null`)}
    ),
    inserted as (
      insert into messages (id, organization_id, direction, source, purpose, status, line, contact_number, contact_id,
        body, mass_sms_id, batch_number, rank, created_at)
      select 'msg_' || uuid_v7(${now}), ${organizationId}, 'outbound', 'mass_sms', ${audience.purpose}, 'queued',
        coalesce(r.kept, ${chosenLine(pool, sql`r.mobile`)}), r.mobile, r.contact_id,
        ${textOfContact(input)}, ${massSmsId},
        case when r.place <= ${settings.firstBatchSize} then 1
          else 2 + (r.place - ${settings.firstBatchSize} - 1) / ${settings.dailyBatchSize}::int end,
        r.place, ${now}
      from recipients r join contacts c on c.id = r.contact_id
      returning body
    )
    select verdict, count(*) as count, (select max(length(body)) from inserted) as longest
    from audience group by verdict`.execute(trx);
  return { ...countVerdicts(rows), longest: rows[0]?.longest ?? 0 };
}

/**
 * The pools of an organization with the lines that can send, to choose a sender from. Nobody releases one of them before
 * this transaction ends: a message must not be left on a line that is gone.
 */
export async function sendingPools(
  trx: Trx,
  organizationId: string,
): Promise<{ id: string; name: string; purpose: Purpose; lines: string[] }[]> {
  const pools = await trx
    .selectFrom('number_pools')
    .select(['id', 'name', 'purpose'])
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute();
  const rows = await trx
    .selectFrom('phone_numbers')
    .select(['pool_id', 'phone_number'])
    .where('organization_id', '=', organizationId)
    .where('pool_id', 'is not', null)
    .where('registered', '=', true)
    .where('released_at', 'is', null)
    .where('releasing_since', 'is', null)
    .where('orphan_since', 'is', null)
    // In one order everywhere: two that lock the same lines would otherwise wait for each other.
    .orderBy('id')
    .forShare()
    .execute();
  const linesOf = Map.groupBy(rows, (row) => row.pool_id);
  return pools.map(({ id, name, purpose }) => ({
    id,
    name,
    purpose,
    lines: (linesOf.get(id) ?? []).map((row) => row.phone_number),
  }));
}
