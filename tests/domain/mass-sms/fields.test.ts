/** F2: which campaign, network, site, page and job a message must name, by its merge codes. */
import { describe, expect, it } from 'vitest';
import {
  type FieldName,
  fieldNames,
  type FieldRules,
  judgeFields,
  type NamedThings,
  refusedInAutoRespond,
} from '../../../domain/mass-sms/fields.ts';
import { mergeCodes } from '../../../domain/messages/merge-codes.ts';

const site = { id: 'crs_1', url: 'https://acme.example' };
/** Everything there is, and as it must be. */
const things = {
  marketingCampaignId: { published: true, landingPageUrl: 'https://acme.example/spring' },
  talentNetworkId: { joinUrl: 'https://acme.example/join' },
  careerSiteId: site,
  pageId: { careerSiteId: site.id, url: 'https://acme.example/nurses' },
  jobId: { careerSiteId: site.id, title: 'Nurse', url: 'https://acme.example/jobs/1', confidential: false },
} as const satisfies NamedThings;

const only = (names: readonly FieldName[]): NamedThings =>
  Object.fromEntries(Object.entries(things).filter(([name]) => names.includes(name as FieldName)));

const judge = (rules: Partial<FieldRules>) =>
  judgeFields({ codes: [], given: {}, mayUseConfidentialJobs: true, mayBelongToCampaign: true, ...rules });

const subsets = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: 2 ** all.length }, (_, bits) =>
    all.filter((_, place) => Math.floor(bits / 2 ** place) % 2 === 1),
  );

describe('every subset of the merge codes with every subset of the fields', () => {
  /** The requirement as a table of truth: one row for each field, read off F2 and not off the code. */
  const truth: Record<FieldName, { fills: Record<string, string>; toleratedBeside: string[] }> = {
    marketingCampaignId: { fills: { 'campaign.landingPageUrl': 'https://acme.example/spring' }, toleratedBeside: [] },
    talentNetworkId: { fills: { 'talentNetwork.joinUrl': 'https://acme.example/join' }, toleratedBeside: [] },
    careerSiteId: {
      fills: { 'careerSite.url': 'https://acme.example' },
      toleratedBeside: ['page.url', 'job.url', 'job.title'],
    },
    pageId: { fills: { 'page.url': 'https://acme.example/nurses' }, toleratedBeside: [] },
    jobId: { fills: { 'job.title': 'Nurse', 'job.url': 'https://acme.example/jobs/1' }, toleratedBeside: [] },
  };

  const sorted = (names: string[], values: object) =>
    JSON.stringify([names.toSorted(), Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1))]);

  it.each([
    ['of a mass SMS', { mayBelongToCampaign: true, templateCareerSite: null }],
    ['of a single message', { mayBelongToCampaign: false, templateCareerSite: null }],
    ['of a mass SMS whose template is for the site', { mayBelongToCampaign: true, templateCareerSite: site }],
    ['of a single message whose template is for the site', { mayBelongToCampaign: false, templateCareerSite: site }],
  ])('%s is judged as an oracle does that goes by a table', (_, setting) => {
    let cases = 0;
    for (const codes of subsets(mergeCodes)) {
      const present = new Set(codes);
      for (const fields of subsets(fieldNames)) {
        const wanted: string[] = [];
        const filled: Record<string, string> = {};
        for (const field of Object.keys(truth) as FieldName[]) {
          const { fills, toleratedBeside } = truth[field];
          const wants = Object.keys(fills).some((code) => present.has(code));
          const has = fields.includes(field);
          const byTemplate = field === 'careerSiteId' && setting.templateCareerSite !== null;
          if (wants && !has && !byTemplate) wanted.push(`${field} required`);
          const tolerated =
            toleratedBeside.some((code) => present.has(code)) ||
            (field === 'marketingCampaignId' && setting.mayBelongToCampaign);
          if (has && !wants && !tolerated) wanted.push(`${field} not_needed`);
          if (has || byTemplate)
            for (const [code, value] of Object.entries(fills)) if (present.has(code)) filled[code] = value;
        }
        const { findings, values } = judge({ codes, given: only(fields), ...setting });
        const found = findings.map(({ path, reason }) => `${path} ${reason}`);
        // Compared as text: expect() alone would take most of the time of so many cases.
        const [left, right] = [
          [found, values],
          [wanted, filled],
        ].map((pair) => JSON.stringify(pair));
        if (left !== right && sorted(found, values) !== sorted(wanted, filled))
          expect({ codes, fields, found, values }).toEqual({ codes, fields, found: wanted, values: filled });
        cases += 1;
      }
    }
    expect(cases).toBe(2 ** 10 * 2 ** 5);
  });
});

describe('what a field names', () => {
  const landing = ['campaign.landingPageUrl'];
  const about = ['page.url', 'job.title', 'job.url'];
  const elsewhere = { id: 'crs_2', url: 'https://elsewhere.example' };
  const unpublished = { marketingCampaignId: { ...things.marketingCampaignId, published: false } };
  const pageless = { marketingCampaignId: { published: true, landingPageUrl: null } };
  const secret = { jobId: { ...things.jobId, confidential: true } };

  it.each<[string, Partial<FieldRules>, string[]]>([
    ['a campaign that is published, with a landing page', { codes: landing, given: only(['marketingCampaignId']) }, []],
    ['one that is not published', { codes: landing, given: unpublished }, ['marketingCampaignId not_published']],
    ['one without a landing page', { codes: landing, given: pageless }, ['marketingCampaignId no_landing_page']],
    ['either, where the message only belongs to it', { given: unpublished }, []],
    ['the other, where the message only belongs to it', { given: pageless }, []],
    ['a campaign that there is not', { given: { marketingCampaignId: null } }, ['marketingCampaignId unknown']],
    ['a network that there is not', { codes: ['talentNetwork.joinUrl'], given: { talentNetworkId: null } }, ['talentNetworkId unknown']],
    ['a page and a job without a site', { codes: about, given: only(['pageId', 'jobId']) }, []],
    ['a page and a job of the site', { codes: about, given: only(['pageId', 'jobId', 'careerSiteId']) }, []],
    [
      'a page and a job of another site',
      { codes: about, given: { ...only(['pageId', 'jobId']), careerSiteId: elsewhere } },
      ['pageId other_career_site', 'jobId other_career_site'],
    ],
    [
      'a page and a job of another site than the template is for',
      { codes: about, given: only(['pageId', 'jobId']), templateCareerSite: elsewhere },
      ['pageId other_career_site', 'jobId other_career_site'],
    ],
    [
      'a site that the template is not for',
      { codes: ['careerSite.url'], given: only(['careerSiteId']), templateCareerSite: elsewhere },
      ['careerSiteId other_career_site'],
    ],
    [
      'a site, a page and a job that there are not',
      { codes: [...about, 'careerSite.url'], given: { careerSiteId: null, pageId: null, jobId: null } },
      ['careerSiteId unknown', 'pageId unknown', 'jobId unknown'],
    ],
    ['a confidential job, with the privilege', { codes: ['job.url'], given: secret }, []],
    ['a confidential job, without it', { codes: ['job.url'], given: secret, mayUseConfidentialJobs: false }, ['jobId unknown']],
    ['a job that is not confidential, without it', { codes: ['job.url'], given: only(['jobId']), mayUseConfidentialJobs: false }, []],
  ])('%s', (_, rules, expected) => {
    expect(judge(rules).findings.map(({ path, reason }) => `${path} ${reason}`)).toEqual(expected);
  }); // prettier-ignore

  it('that is confidential reads, without the privilege, exactly as one that there is not', () => {
    const hidden = judge({ codes: ['job.url'], given: secret, mayUseConfidentialJobs: false });
    const none = judge({ codes: ['job.url'], given: { jobId: null }, mayUseConfidentialJobs: false });
    expect(hidden.findings).toEqual(none.findings);
  });

  it('is said with what to do', () => {
    const { findings } = judge({ codes: ['job.title', 'job.url'], given: { talentNetworkId: things.talentNetworkId } });
    expect(findings.map(({ path, message }) => `${path} ${message}`)).toEqual([
      'talentNetworkId is not needed: leave it out, or write {{talentNetwork.joinUrl}} in the message',
      'jobId is required: the message holds {{job.title}} and {{job.url}}',
    ]);
  });
});

it('an auto-respond template holds no code of a job or a career site (F3)', () => {
  expect(refusedInAutoRespond(mergeCodes)).toEqual(['job.title', 'job.url', 'careerSite.url', 'page.url']);
  expect(refusedInAutoRespond(['contact.firstName', 'campaign.landingPageUrl'])).toEqual([]);
});
