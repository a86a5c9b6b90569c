/** The texts an audience would get, counted without writing anything (F10). */
import { type RawBuilder, sql } from 'kysely';
import type { TextGroup } from '../../domain/mass-sms/forecast.ts';
import { mergeCodesIn } from '../../domain/messages/merge-codes.ts';
import { saysHowToStop } from '../../domain/messages/text.ts';
import type { Settings } from '../../domain/settings.ts';
import { audienceCte, type AudienceCount, countVerdicts, type VerdictCount } from '../contacts/audience.ts';
import type { Trx } from '../database.ts';
import { nothingHasLeft } from '../messages/first-message.ts';
import type { AudienceDefinition } from '../schema.ts';

export interface AudienceTexts extends AudienceCount {
  groups: TextGroup[];
}

/**
 * Names of plain letters count by their length alone, wherever they stand in a text: so thousands of names are some dozens
 * of groups. Others, which may make the text a Unicode one, stand for themselves.
 */
const asCounted = (name: string): RawBuilder<unknown> => sql`
  case when ${sql.ref(name)} ~ '^[A-Za-z0-9 .,''-]*$' and ${sql.ref(name)} !~ 'STOP'
    then repeat('a', length(${sql.ref(name)})) else coalesce(${sql.ref(name)}, '') end`;

/** @param body filled in but for the codes of the contact */
export async function textsOf(
  trx: Trx,
  organizationId: string,
  { audience, body, settings }: { audience: AudienceDefinition; body: string; settings: Settings },
): Promise<AudienceTexts> {
  const codes = mergeCodesIn(body);
  const nameOf = (code: string, name: string) => (codes.includes(code) ? asCounted(name) : sql`''`);
  const isFirst = saysHowToStop(body) ? sql`false` : nothingHasLeft(sql`${organizationId}`, sql`a.mobile`);
  const { firstBatchSize, dailyBatchSize } = settings;
  const { rows } = await sql<VerdictCount & TextGroup>`
    with ${audienceCte(organizationId, audience, settings.massSmsLimit)},
    texts as (
      select case when a.place <= ${firstBatchSize}::bigint then 1
          else 2 + (a.place - ${firstBatchSize}::bigint - 1) / ${dailyBatchSize}::bigint end as batch,
        ${nameOf('contact.firstName', 'c.first_name')} as "firstName",
        ${nameOf('contact.lastName', 'c.last_name')} as "lastName", ${isFirst} as "isFirst"
      from audience a join contacts c on c.id = a.contact_id where a.verdict = 'recipient'
    )
    select verdict, null::bigint as batch, null as "firstName", null as "lastName", null::boolean as "isFirst",
      count(*) as count
    from audience group by verdict
    union all
    select null, batch, "firstName", "lastName", "isFirst", count(*) from texts group by 2, 3, 4, 5`.execute(trx);
  const isText = (row: VerdictCount & TextGroup): boolean => row.verdict === null;
  return {
    ...countVerdicts(rows.filter((row) => !isText(row))),
    groups: rows.filter(isText).map(({ batch, firstName, lastName, isFirst: first, count }) => ({
      batch,
      firstName,
      lastName,
      isFirst: first,
      count,
    })),
  };
}
