/** Which campaign, network, site, page and job a message must name, by the merge codes it holds (F2). */
import { codesInWords, type DirectoryCode, directoryCodes } from '../messages/merge-codes.ts';

export const fieldNames = ['marketingCampaignId', 'talentNetworkId', 'careerSiteId', 'pageId', 'jobId'] as const;
export type FieldName = (typeof fieldNames)[number];

/** What the given ids name. A field that is absent was not given; null: there is no such thing for this caller. */
export interface NamedThings {
  marketingCampaignId?: { published: boolean; landingPageUrl: string | null } | null;
  talentNetworkId?: { joinUrl: string } | null;
  careerSiteId?: { id: string; url: string } | null;
  pageId?: { careerSiteId: string; url: string } | null;
  jobId?: { careerSiteId: string; title: string; url: string; confidential: boolean } | null;
}

export interface FieldFinding {
  path: FieldName;
  /** `required` and `not_needed` are told by the request alone, the others by what it names. */
  reason: 'required' | 'not_needed' | 'unknown' | 'not_published' | 'no_landing_page' | 'other_career_site';
  /** Follows the name of the field; says what to do. */
  message: string;
}

export interface FieldRules {
  /** The merge codes of the message; those that no field fills are passed over. */
  codes: readonly string[];
  given: NamedThings;
  /** The site the template is for: it stands in for `careerSiteId`. */
  templateCareerSite?: { id: string; url: string } | null;
  /** Has the caller the permission `jobs:confidential`? */
  mayUseConfidentialJobs: boolean;
  /** A mass SMS belongs to a marketing campaign, whatever its text says; a single message keeps none. */
  mayBelongToCampaign: boolean;
}

export interface JudgedFields {
  findings: FieldFinding[];
  /** What the codes of the message stand for; complete when there is no finding. */
  values: Partial<Record<DirectoryCode, string>>;
}

const codesOf: Readonly<Record<FieldName, readonly DirectoryCode[]>> = {
  marketingCampaignId: ['campaign.landingPageUrl'],
  talentNetworkId: ['talentNetwork.joinUrl'],
  careerSiteId: ['careerSite.url'],
  pageId: ['page.url'],
  jobId: ['job.title', 'job.url'],
};

const unknown: Readonly<Record<FieldName, string>> = {
  marketingCampaignId: 'names no marketing campaign of this organization: GET /v1/marketing-campaigns lists them',
  talentNetworkId: 'names no talent network of this organization: GET /v1/talent-networks lists them',
  careerSiteId: 'names no career site of this organization: GET /v1/career-sites lists them',
  pageId: 'names no page of this organization: GET /v1/career-sites/{id}/pages lists those of a career site',
  jobId: 'names no job of this organization: GET /v1/career-sites/{id}/jobs lists those of a career site',
};

/** The codes of an auto-respond template that are refused (F3): it answers whoever writes, about no job and no site. */
export const refusedInAutoRespond = (codes: readonly string[]): string[] =>
  codes.filter((code) => code.startsWith('job.') || code.startsWith('careerSite.') || code.startsWith('page.'));

/**
 * A field is required exactly when a code of the message needs it. One that nothing needs is refused, so that nobody
 * believes it did something, with two exceptions: a mass SMS may belong to any marketing campaign, and a career site may
 * stand beside a page or a job, which then must be its own.
 */
export function judgeFields(rules: FieldRules): JudgedFields {
  const { codes, given } = rules;
  const findings = fieldNames.flatMap((path) => {
    const needing = codesOf[path].filter((code) => codes.includes(code));
    const finding = given[path] === undefined ? missing(path, needing, rules) : judgeGiven(path, needing, rules);
    return finding === null ? [] : [finding];
  });
  const all = allValues(rules);
  const needed = directoryCodes.filter((code) => codes.includes(code) && all[code] !== undefined);
  return { findings, values: Object.fromEntries(needed.map((code) => [code, all[code]])) };
}

function missing(path: FieldName, needing: readonly string[], { templateCareerSite }: FieldRules): FieldFinding | null {
  if (needing.length === 0 || (path === 'careerSiteId' && templateCareerSite)) return null;
  return { path, reason: 'required', message: `is required: the message holds ${codesInWords(needing)}` };
}

function judgeGiven(path: FieldName, needing: readonly string[], rules: FieldRules): FieldFinding | null {
  if (needing.length === 0 && !mayStandAlone(path, rules)) {
    const filled = codesInWords(codesOf[path], 'or');
    return { path, reason: 'not_needed', message: `is not needed: leave it out, or write ${filled} in the message` };
  }
  if (!rules.given[path] || (path === 'jobId' && isHiddenJob(rules))) {
    return { path, reason: 'unknown', message: unknown[path] };
  }
  if (path === 'marketingCampaignId') return needing.length === 0 ? null : judgeLandingPage(rules);
  return judgeSite(path, rules);
}

/** Whether a field makes sense that no code of the message needs. */
function mayStandAlone(path: FieldName, { codes, mayBelongToCampaign }: FieldRules): boolean {
  if (path === 'marketingCampaignId') return mayBelongToCampaign;
  return path === 'careerSiteId' && [...codesOf.pageId, ...codesOf.jobId].some((code) => codes.includes(code));
}

/** To who may not see it, a confidential job is one that there is not. */
const isHiddenJob = ({ given, mayUseConfidentialJobs }: FieldRules): boolean =>
  given.jobId?.confidential === true && !mayUseConfidentialJobs;

function judgeLandingPage({ given }: FieldRules): FieldFinding | null {
  const { published, landingPageUrl } = given.marketingCampaignId!;
  const path = 'marketingCampaignId';
  if (!published) {
    const message = 'names a marketing campaign that is not published: publish it, or choose another one';
    return { path, reason: 'not_published', message };
  }
  if (landingPageUrl !== null) return null;
  const message = 'names a marketing campaign without a landing page: give it a landingPageUrl, or choose another one';
  return { path, reason: 'no_landing_page', message };
}

/** The template's site comes first; what is given must be of it, or else of the site that is given beside it. */
function judgeSite(path: FieldName, { given, templateCareerSite }: FieldRules): FieldFinding | null {
  const siteOf: Partial<Record<FieldName, string | undefined>> = {
    careerSiteId: given.careerSiteId?.id,
    pageId: given.pageId?.careerSiteId,
    jobId: given.jobId?.careerSiteId,
  };
  const wanted = templateCareerSite?.id ?? given.careerSiteId?.id;
  const own = siteOf[path];
  if (wanted === undefined || own === undefined || own === wanted) return null;
  const site = templateCareerSite ? 'the one the template is for' : 'careerSiteId';
  const message =
    path === 'careerSiteId'
      ? `is another career site than ${site}: leave it out, or choose another template`
      : `is of another career site than ${site}: choose one of that site`;
  return { path, reason: 'other_career_site', message };
}

function allValues({ given, templateCareerSite }: FieldRules): Partial<Record<DirectoryCode, string | undefined>> {
  return {
    'campaign.landingPageUrl': given.marketingCampaignId?.landingPageUrl ?? undefined,
    'talentNetwork.joinUrl': given.talentNetworkId?.joinUrl,
    'careerSite.url': (templateCareerSite ?? given.careerSiteId)?.url,
    'page.url': given.pageId?.url,
    'job.title': given.jobId?.title,
    'job.url': given.jobId?.url,
  };
}
