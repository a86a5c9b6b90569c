/** Screenshots and documents that show how contacts opt in. Reviewers open them at an address that nobody can guess. */
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

/** In the order in which it was uploaded. */
export function evidenceOf(trx: Trx, organizationId: string) {
  return trx
    .selectFrom('registration_evidence')
    .select(columns)
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute();
}

export async function countEvidence(trx: Trx, organizationId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('registration_evidence')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('organization_id', '=', organizationId)
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
