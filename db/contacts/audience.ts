/** Whom a mass SMS reaches (F1): every match of a list or a search, classified once, in one statement. */
import { type RawBuilder, sql } from 'kysely';
import type { Trx } from '../database.ts';
import { type AudienceDefinition, type ExclusionCounts, type ExclusionReason, exclusionReasons } from '../schema.ts';
import { matchesContact } from '../search.ts';

/** Every match with its rank: the place on the list, or for a search the order in which contacts were made. */
function matches(organizationId: string, { list, query }: AudienceDefinition): RawBuilder<unknown> {
  if (list !== undefined) {
    return sql`
      select c.*, row_number() over (order by m.position) as rank
      from contact_lists l
      join contact_list_members m on m.list_id = l.id
      join contacts c on c.id = m.contact_id
      where l.organization_id = ${organizationId} and l.name = ${list}`;
  }
  return sql`
    select c.*, row_number() over (order by c.id) as rank
    from contacts c
    where c.organization_id = ${organizationId} and ${matchesContact(query ?? '')}`;
}

/**
 * The CTE `audience`, for `with … insert into messages select … from audience where verdict = 'recipient'`. Columns:
 * `contact_id`, `mobile`, `rank` (bigint, from 1, among all matches), `verdict` (`recipient` or an
 * {@link ExclusionReason}) and `place` (bigint, from 1, among recipients; null for the others).
 *
 * Each match has the first verdict that applies, in the order of `exclusionReasons`. An opt-out of a single line is not
 * counted: whether it applies is known when the line is. The transaction must be in the organization, which makes
 * row-level security hide the opt-outs of others.
 *
 * @param limit most recipients: the organization's `massSmsLimit`; `limitToTop` lowers it
 */
export function audienceCte(
  organizationId: string,
  definition: AudienceDefinition,
  limit: number,
): RawBuilder<unknown> {
  const consent = sql.ref(definition.purpose === 'promotional' ? 'consent_promotional' : 'consent_transactional');
  const most = Math.min(limit, definition.limitToTop ?? limit);
  return sql`audience as (
    with matched as (${matches(organizationId, definition)}),
    checked as (
      select m.id as contact_id, m.mobile, m.rank,
        case
          when m.phone_status = 'missing' then 'noPhone'
          when m.phone_status = 'invalid' then 'invalid'
          when o.phone_number is not null then 'unsubscribed'
          when not m.${consent} then 'noConsent'
        end as barrier
      from matched m
      left join (
        select distinct phone_number from opt_outs
        where line is null and (organization_id is null or organization_id = ${organizationId})
      ) o on o.phone_number = m.mobile
    ),
    unique_numbers as (
      select contact_id, mobile, rank,
        case
          when barrier is not null then barrier
          when row_number() over (partition by mobile, barrier is null order by rank) > 1 then 'duplicate'
        end as barrier
      from checked
    ),
    counted as (
      select *, count(*) filter (where barrier is null) over (order by rank rows unbounded preceding) as place
      from unique_numbers
    )
    select contact_id, mobile, rank,
      case when barrier is not null then barrier when place > ${most}::bigint then 'overLimit' else 'recipient' end as verdict,
      case when barrier is null and place <= ${most}::bigint then place end as place
    from counted
  )`;
}

export interface AudienceCount {
  matches: number;
  excluded: ExclusionCounts;
  recipients: number;
}

/** How many match, how many of them are excluded for each reason, and how many remain. */
export async function countAudience(
  trx: Trx,
  organizationId: string,
  definition: AudienceDefinition,
  limit: number,
): Promise<AudienceCount> {
  const { rows } = await sql<VerdictCount>`
    with ${audienceCte(organizationId, definition, limit)}
    select verdict, count(*) as count from audience group by verdict`.execute(trx);
  return countVerdicts(rows);
}

export interface VerdictCount {
  verdict: ExclusionReason | 'recipient';
  count: number;
}

/** Adds up what `audience` was grouped into. */
export function countVerdicts(rows: readonly VerdictCount[]): AudienceCount {
  const counts = new Map(rows.map(({ verdict, count }) => [verdict, count]));
  const excluded = Object.fromEntries(
    exclusionReasons.map((reason) => [reason, counts.get(reason) ?? 0]),
  ) as ExclusionCounts;
  const recipients = counts.get('recipient') ?? 0;
  return { matches: rows.reduce((sum, { count }) => sum + count, 0), excluded, recipients };
}

export interface ExcludedContact {
  contactId: string;
  firstName: string | null;
  lastName: string | null;
  mobile: string | null;
  /** From 1, among all matches. */
  rank: number;
  reason: ExclusionReason;
}

/** The contacts that an audience leaves out, in rank order ("see why"). */
export async function listExcluded(
  trx: Trx,
  organizationId: string,
  definition: AudienceDefinition,
  massSmsLimit: number,
  { reason, limit, after = 0 }: { reason?: ExclusionReason | undefined; limit: number; after?: number | undefined },
): Promise<ExcludedContact[]> {
  const { rows } = await sql<ExcludedContact>`
    with ${audienceCte(organizationId, definition, massSmsLimit)}
    select a.contact_id as "contactId", c.first_name as "firstName", c.last_name as "lastName", c.mobile, a.rank,
      a.verdict as reason
    from audience a join contacts c on c.id = a.contact_id
    where a.rank > ${after}::bigint
      and ${reason === undefined ? sql`a.verdict <> 'recipient'` : sql`a.verdict = ${reason}`}
    order by a.rank limit ${limit}`.execute(trx);
  return rows;
}

/** Keeps a definition, so that its exclusions can be listed later. */
export async function insertAudience(
  trx: Trx,
  {
    id,
    organizationId,
    definition,
    at,
  }: { id: string; organizationId: string; definition: AudienceDefinition; at: Date },
): Promise<void> {
  await trx
    .insertInto('audiences')
    .values({ id, organization_id: organizationId, definition: JSON.stringify(definition), created_at: at })
    .execute();
}

export async function findAudience(
  trx: Trx,
  organizationId: string,
  id: string,
): Promise<AudienceDefinition | undefined> {
  const row = await trx
    .selectFrom('audiences')
    .select('definition')
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.definition;
}

/** Whether the organization has a list of this name. */
export async function listExists(trx: Trx, organizationId: string, name: string): Promise<boolean> {
  const row = await trx
    .selectFrom('contact_lists')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('name', '=', name)
    .executeTakeFirst();
  return Boolean(row);
}
