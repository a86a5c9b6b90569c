/** The text of a message: of a template or as written, with what its merge codes stand for (F2). */
import type { FastifyRequest } from 'fastify';
import type { Trx } from '../../db/database.ts';
import { findCareerSite, type GivenIds, thingsNamed } from '../../db/templates/directory.ts';
import type { MassSmsOrigin } from '../../db/schema/templates.ts';
import { findTemplate, type TemplateRow } from '../../db/templates/templates.ts';
import { type FieldFinding, judgeFields } from '../../domain/mass-sms/fields.ts';
import { mergeCodes, mergeCodesIn, unknownCodesMessage, unknownMergeCodes } from '../../domain/messages/merge-codes.ts';
import type { Purpose } from '../../domain/purpose.ts';
import { organizationOf } from './auth.ts';
import { seesConfidentialJobs } from '../directory/jobs.ts';
import { invalid, type Problem, refused } from './problems.ts';
import { id, text } from './schemas.ts';

/** A text that may hold merge codes, and no others. */
export const textWithCodes = (max: number, mayHold: readonly string[] = mergeCodes) =>
  text(max).superRefine((written, context) => {
    const unknown = unknownMergeCodes(written, mayHold);
    if (unknown.length > 0) context.addIssue({ code: 'custom', message: unknownCodesMessage(unknown, mayHold) });
  });

const needed = (by: string) => `Required exactly when the message holds ${by}`;

/** The fields that say what a message is made with; {@link hasText} checks them together. */
export const wordingFields = {
  templateId: id('template').optional().meta({ description: 'A published one; a `body` beside it is an edited text' }),
  marketingCampaignId: id('marketingCampaign')
    .optional()
    .meta({ description: needed('{{campaign.landingPageUrl}}, and published then; a mass SMS may belong to any') }),
  talentNetworkId: id('talentNetwork')
    .optional()
    .meta({ description: needed('{{talentNetwork.joinUrl}}') }),
  careerSiteId: id('careerSite')
    .optional()
    .meta({
      description: `${needed('{{careerSite.url}}')}, unless the template is for one; may stand beside pageId and jobId`,
    }),
  pageId: id('page')
    .optional()
    .meta({ description: needed('{{page.url}}') }),
  jobId: id('job')
    .optional()
    .meta({ description: needed('{{job.title}} or {{job.url}}') }),
};

/** For `.refine`: there is something to say. */
export const hasText = ({
  body,
  templateId,
}: {
  body?: string | undefined;
  templateId?: string | undefined;
}): boolean => body !== undefined || templateId !== undefined;
export const hasTextError = { path: ['body'], message: 'send body, templateId or both' };

type Given = GivenIds & { body?: string | undefined; templateId?: string | undefined; purpose?: Purpose | undefined };

interface Wording {
  /** With its merge codes. */
  body: string;
  purpose: Purpose;
  /** What its codes stand for that are not of a contact, the user or the organization. */
  values: Record<string, string>;
  origin: MassSmsOrigin;
}

/** @throws {Problem} 422 */
export async function publishedTemplate(trx: Trx, organizationId: string, templateId: string): Promise<TemplateRow> {
  const template = await findTemplate(trx, organizationId, templateId);
  if (!template) throw refused('unknown_template', 'There is no such template: GET /v1/templates lists them.');
  if (template.published) return template;
  throw refused('template_not_published', 'The template is not published: publish it first, or choose another one.');
}

/**
 * What a message is for: as given, else as its template is, else what is ordinary.
 *
 * @throws {Problem} 422 when the template is for another purpose
 */
export function purposeOf(template: TemplateRow | null, given: Purpose | undefined, ordinary: Purpose): Purpose {
  const purpose = given ?? template?.purpose ?? ordinary;
  if (!template || purpose === template.purpose) return purpose;
  const detail = `The template is for ${template.purpose} messages: leave purpose out, or choose another template.`;
  throw refused('other_purpose', detail);
}

/** What the request alone gets wrong is a 400; what the things it names do not allow, a 422. */
function problemOf(findings: readonly FieldFinding[]): Problem {
  const errors = findings.map(({ path, message }) => ({ path, message }));
  if (findings.some(({ reason }) => reason === 'required' || reason === 'not_needed')) return invalid(errors);
  const [first] = findings;
  return refused(first!.reason, errors.map(({ path, message }) => `${path} ${message}.`).join(' '), { errors });
}

/**
 * Words a message: the template's text unless it was edited.
 *
 * @param ordinary the purpose of a message that is given none and made with no template
 * @param mayBelongToCampaign whether the message keeps a campaign that its text does not name
 * @param alsoSays codes of a text that goes with it, which the same fields fill
 * @throws {Problem} 400 or 422
 */
export async function wordingOf(
  trx: Trx,
  request: FastifyRequest,
  given: Given,
  {
    ordinary,
    mayBelongToCampaign,
    alsoSays = [],
  }: { ordinary: Purpose; mayBelongToCampaign: boolean; alsoSays?: readonly string[] },
): Promise<Wording> {
  const organizationId = organizationOf(request);
  const { templateId } = given;
  const template = templateId === undefined ? null : await publishedTemplate(trx, organizationId, templateId);
  const purpose = purposeOf(template, given.purpose, ordinary);
  const body = given.body ?? template!.body;
  const siteId = template?.career_site_id;
  const { findings, values } = judgeFields({
    codes: [...mergeCodesIn(body), ...alsoSays],
    given: await thingsNamed(trx, organizationId, given),
    templateCareerSite: siteId ? ((await findCareerSite(trx, organizationId, siteId)) ?? null) : null,
    mayUseConfidentialJobs: seesConfidentialJobs(request),
    mayBelongToCampaign,
  });
  if (findings.length > 0) throw problemOf(findings);
  return { body, purpose, values, origin: originOf(given) };
}

const originOf = (given: Given): MassSmsOrigin => ({
  template_id: given.templateId ?? null,
  marketing_campaign_id: given.marketingCampaignId ?? null,
  talent_network_id: given.talentNetworkId ?? null,
  career_site_id: given.careerSiteId ?? null,
  page_id: given.pageId ?? null,
  job_id: given.jobId ?? null,
});
