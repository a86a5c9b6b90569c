/** Screenshots and documents that show how contacts opt in. Reviewers open them at an address that nobody can guess. */
import { sql } from 'kysely';
import type { Db, Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Schema } from '../schema.ts';

export interface NewEvidence {
  organizationId: string;
  token: string;
  fileName: string;
  mediaType: Schema['registration_evidence']['media_type'];
  content: Buffer;
  sha256: Buffer;
  actor: string;
  at: Date;
}

/** What is told of a piece of evidence; not its content. */
const columns = ['id', 'token', 'file_name', 'media_type', 'size', 'sha256', 'at'] as const;

export async function insertEvidence(trx: Trx, evidence: NewEvidence) {
  const { organizationId, token, fileName, mediaType, content, sha256, actor, at } = evidence;
  return trx
    .insertInto('registration_evidence')
    .values({
      id: newId('evidence', at),
      organization_id: organizationId,
      token,
      file_name: fileName,
      media_type: mediaType,
      content,
      size: content.length,
      sha256,
      actor,
      at,
    })
    .returning(columns)
    .executeTakeFirstOrThrow();
}

/** Those who rejected a campaign have seen it, and something newer was uploaded since: nobody is shown it again. */
const superseded = sql<boolean>`exists (
  select from registration_attempts rejected
  where rejected.organization_id = registration_evidence.organization_id
    and rejected.part = 'campaign' and rejected.outcome = 'failed'
    and rejected.decided_at >= registration_evidence.at
    and rejected.decided_at < (
      select max(newer.at) from registration_evidence newer
      where newer.organization_id = registration_evidence.organization_id
    )
)`;

/** In the order in which it was uploaded. */
export function evidenceOf(trx: Trx, organizationId: string) {
  return trx
    .selectFrom('registration_evidence')
    .select([...columns, superseded.as('superseded')])
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute();
}

/** What reviewers are shown: the newest first, and nothing that was superseded. */
export async function evidenceToShow(trx: Trx, organizationId: string): Promise<{ token: string }[]> {
  return trx
    .selectFrom('registration_evidence')
    .select('token')
    .where('organization_id', '=', organizationId)
    .where(sql<boolean>`not ${superseded}`)
    .orderBy('id', 'desc')
    .execute();
}

export async function hasEvidence(trx: Trx, organizationId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('registration_evidence')
    .select('id')
    .where('organization_id', '=', organizationId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** How many pieces were uploaded for the next submission: since the last campaign was rejected, if one was. */
export async function countNewEvidence(trx: Trx, organizationId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('registration_evidence')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('organization_id', '=', organizationId)
    .where(
      sql<boolean>`not exists (
        select from registration_attempts rejected
        where rejected.organization_id = registration_evidence.organization_id
          and rejected.part = 'campaign' and rejected.outcome = 'failed'
          and rejected.decided_at >= registration_evidence.at
      )`,
    )
    .executeTakeFirstOrThrow();
  return count;
}

/** By the token of its address. Across organizations: whoever has the address may see it. */
export function evidenceByToken(system: Db, token: string) {
  return system
    .selectFrom('registration_evidence')
    .select(['file_name', 'media_type', 'content'])
    .where('token', '=', token)
    .executeTakeFirst();
}
