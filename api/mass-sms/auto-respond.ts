/** The template with which a mass SMS answers first replies (F3). */
import type { FastifyRequest } from 'fastify';
import type { Trx } from '../../db/database.ts';
import { refusedInAutoRespond } from '../../domain/mass-sms/fields.ts';
import { codesInWords, mergeCodesIn } from '../../domain/messages/merge-codes.ts';
import type { Purpose } from '../../domain/purpose.ts';
import type { Settings } from '../../domain/settings.ts';
import { organizationOf } from '../shared/auth.ts';
import { refused } from '../shared/problems.ts';
import { publishedTemplate } from '../shared/wording.ts';

interface AutoRespond {
  templateId: string;
  /** With its merge codes. */
  body: string;
  purpose: Purpose;
}

/** @returns null when none is asked for @throws {Problem} 422 */
export async function autoRespondOf(
  trx: Trx,
  request: FastifyRequest,
  { autoRespondTemplateId: templateId }: { autoRespondTemplateId?: string | undefined },
  { permittedPurposes }: Pick<Settings, 'permittedPurposes'>,
): Promise<AutoRespond | null> {
  if (templateId === undefined) return null;
  const { body, purpose } = await publishedTemplate(trx, organizationOf(request), templateId);
  const codes = refusedInAutoRespond(mergeCodesIn(body));
  if (codes.length > 0) {
    const detail = `The template of autoRespondTemplateId holds ${codesInWords(codes)}, which an answer to replies cannot: choose another template.`;
    throw refused('code_not_permitted', detail);
  }
  if (permittedPurposes.includes(purpose)) return { templateId, body, purpose };
  throw refused(
    'purpose_not_permitted',
    `The template of autoRespondTemplateId is for ${purpose} messages, and this organization may send ${permittedPurposes.join(', ')} messages only: choose another template.`,
  );
}
