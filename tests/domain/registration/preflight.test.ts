/** What reviewers would reject, found before any fee is paid (A1, A2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Intake, IntakeDraft } from '../../../domain/registration/intake.ts';
import {
  type Finding,
  hasErrors,
  preflight,
  type PreflightContext,
  type SiteCheck,
} from '../../../domain/registration/preflight.ts';
import { kinds } from '../../../domain/registration/preflight/findings.ts';
import { honest } from './intakes.ts';
import { campaignCases } from './preflight-cases/campaign.ts';
import { type Case, type Change, draft } from './preflight-cases/changes.ts';
import { companyCases } from './preflight-cases/company.ts';
import { messagesCases } from './preflight-cases/messages.ts';
import { reviewed } from './preflight-cases/reviewed.ts';

/** Every kind of finding, by what gives it and by what nearly does. */
const cases: Record<keyof typeof kinds, Case> = { ...companyCases, ...campaignCases, ...messagesCases };

function run({ draft = {}, context = {} }: Change): Finding[] {
  const { intake, context: usual } = honest.staffing;
  return preflight(
    {
      ...intake,
      ...draft,
      address: { ...intake.address, ...draft.address },
      representative: { ...intake.representative, ...draft.representative },
    },
    { ...usual, ...context },
  );
}

const entries = Object.entries(cases);
/** What is new in it. */
const news = ({ draft, context }: Change): string =>
  JSON.stringify({ ...draft, ...context }, (_, value: unknown) =>
    typeof value === 'string' && known.has(value) ? '…' : value,
  ).replaceAll(/(.{160}).{40,}/gs, '$1…');
const known = new Set(honest.staffing.intake.messageSamples);
const found = entries.flatMap(([code, { found, ...expected }]) =>
  found.map(([field, change]) => [code, field, news(change), expected, change] as const),
);
const near = entries.flatMap(([code, { not }]) => not.map((change) => [code, news(change), change] as const));

describe('preflight', () => {
  it.for(Object.entries(honest))('lets the honest company pass: %s', ([, { intake, context }]) => {
    const findings = preflight(intake, context);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(hasErrors(findings)).toBe(false);
  });

  it('has nothing at all to say of the one that also writes its name as everybody does', () => {
    expect(preflight(honest.staffing.intake, honest.staffing.context)).toEqual([]);
  });

  it.for(found)('finds %s at %s in %s', ([code, field, , { severity, twilioCode }, change]) => {
    const findings = run(change);
    expect(findings).toContainEqual(expect.objectContaining({ code, field, severity, twilioCode }));
    expect(hasErrors(findings)).toBe(findings.some((finding) => finding.severity === 'error'));
  });

  it.for(near)('does not find %s in %s', ([code, , change]) => {
    expect(run(change).map((finding) => finding.code)).not.toContain(code);
  });

  it.for(Object.entries(reviewed))('judges a company as a reviewer would: %s', ([, { name, draft, findings }]) => {
    const found = run({
      draft: { ...draft, legalName: name },
      context: { organization: { ...honest.staffing.context.organization, name } },
    });
    const lines = found.map(({ severity, code, field, twilioCode }) => `${severity} ${code} ${field} ${twilioCode}`);
    expect(lines).toEqual(findings.map((line) => expect.stringContaining(line)));
  });

  it('knows these findings', () => {
    const listed = Object.entries(kinds).map(([code, [severity]]) => `${severity} ${code}`);
    expect(listed.toSorted()).toEqual(entries.map(([code, { severity }]) => `${severity} ${code}`).toSorted());
    expect(listed.toSorted()).toMatchInlineSnapshot(`
      [
        "error age_gate_not_declared",
        "error brand_email_domain",
        "error brand_email_free",
        "error description_length",
        "error email_malformed",
        "error flow_conditions_consent",
        "error flow_pre_checked",
        "error forbidden_content",
        "error link_not_declared",
        "error message_flow_length",
        "error missing",
        "error opt_in_keyword_shape",
        "error opt_in_message_length",
        "error phone_invalid",
        "error phone_not_declared",
        "error po_box",
        "error registration_number_shape",
        "error sample_count",
        "error sample_length",
        "error samples_without_brand",
        "error samples_without_opt_out",
        "error url_invalid",
        "error url_shortener",
        "warning age_gate_mention",
        "warning description_vague",
        "warning emergency_wording",
        "warning evidence_missing",
        "warning flow_bundles_consent",
        "warning flow_leaves_no_room_for_evidence",
        "warning flow_shares_consent",
        "warning flow_without_disclosures",
        "warning flow_without_place",
        "warning flow_without_sms",
        "warning forbidden_mention",
        "warning legal_name_differs",
        "warning legal_name_suffix",
        "warning lending_not_declared",
        "warning link_not_shown",
        "warning phone_not_shown",
        "warning private_mailbox",
        "warning representative_email_domain",
        "warning representative_email_free",
        "warning sample_without_brand",
        "warning sample_without_opt_out",
        "warning samples_alike",
        "warning url_not_secure",
        "warning url_refused",
        "warning url_unreachable",
        "warning website_domain_differs",
        "warning work_from_home",
      ]
    `);
  });

  it('tells which field is missing, for each that must be filled in', () => {
    const context = { organization: { name: 'Acme', domain: 'acme.com' }, hasEvidence: true };
    expect(preflight({ companyType: 'public' }, context).map(({ code, field }) => `${code} ${field}`))
      .toMatchInlineSnapshot(`
      [
        "missing legalName",
        "missing businessType",
        "missing registrationIdentifier",
        "missing registrationNumber",
        "missing industry",
        "missing website",
        "missing regionsOfOperation",
        "missing stockTicker",
        "missing stockExchange",
        "missing address.street",
        "missing address.city",
        "missing address.region",
        "missing address.postalCode",
        "missing address.country",
        "missing representative.firstName",
        "missing representative.lastName",
        "missing representative.email",
        "missing representative.phone",
        "missing representative.title",
        "missing representative.jobPosition",
        "missing description",
        "missing messageFlow",
        "missing messageSamples",
        "missing privacyPolicyUrl",
        "missing termsUrl",
      ]
    `);
    expect(preflight({}, context).map(({ field }) => field)).not.toContain('stockTicker');
  });

  it('takes each page for what it is: its own field and code', () => {
    const unreachable: SiteCheck = { reachable: false, detail: '' };
    const findings = run({
      context: {
        sites: { website: { reachable: true, status: 401 }, privacyPolicyUrl: unreachable, termsUrl: unreachable },
      },
    });
    expect(findings.map(({ field, code, twilioCode }) => [field, code, twilioCode])).toEqual([
      ['website', 'url_refused', 30921],
      ['privacyPolicyUrl', 'url_unreachable', 30933],
      ['termsUrl', 'url_unreachable', 30934],
    ]);
  });

  it('lists findings in the order of the questionnaire, samples by their number', () => {
    const samples = Array.from({ length: 12 }, () => 'Hi.');
    const findings = run({
      draft: { legalName: '', termsUrl: 'x', website: 'x', messageSamples: samples, representative: { phone: 'x' } },
      context: { hasEvidence: false },
    });
    expect([...new Set(findings.map(({ field }) => field))]).toEqual([
      'legalName',
      'website',
      'representative.phone',
      'evidence',
      'messageSamples',
      ...samples.map((_, i) => `messageSamples[${i}]`),
      'hasEmbeddedLinks',
      'hasEmbeddedPhone',
      'termsUrl',
    ]);
  });

  it('says of any draft, however little is filled in, what is wrong and what to do, at a field that exists', () => {
    fc.assert(
      fc.property(drafts, contexts, (draft, context) => {
        const findings = preflight(draft, context);
        for (const { field, code, reason, remedy } of findings) {
          expect(field).toMatch(fields);
          expect(kinds).toHaveProperty(code);
          expect(reason.trim()).not.toBe('');
          expect(remedy.trim()).not.toBe('');
        }
        expect(preflight(draft, context)).toEqual(findings);
      }),
      { numRuns: 1_000 },
    );
  });

  it.for(hostile)('takes no more than in proportion for a text of %j', (part) => {
    const length = 6_000;
    const [short, long] = [part.repeat(length / part.length), part.repeat((4 * length) / part.length)];
    const time = (text: string): number => {
      const change = draft({ description: text, messageFlow: text, optInMessage: text, messageSamples: [text, text] });
      const times = Array.from({ length: 5 }, () => {
        // Of the processor: whatever else the machine does must not count.
        const started = process.cpuUsage();
        run(change);
        const { user, system } = process.cpuUsage(started);
        return (user + system) / 1000;
      });
      return Math.min(...times);
    };
    time(short);
    // In the square it would be sixteen times as much.
    expect(time(long)).toBeLessThan(11 * time(short) + 5);
  });
});

/** What patterns might begin at every character, or strip layer by layer. */
const hostile =
  `[|{|<|(|{{|[link |<phone|"|'|“|'"|it's |1. |10) |• |- |Sample: |a|a.|a-|1-|1|$1,|+1 |800-|(5|a@|@|\n| |.|!|É|a. |STOP |reply with |text |share |send data to |text from |by submitting the |consent |box |never |no |no a, |do not use |is |porn|casino |debt |earn $1|msg |data |beer `.split(
    '|',
  );

const fields =
  /^(?:legalName|businessType|registrationIdentifier|registrationNumber|industry|website|regionsOfOperation|companyType|stockTicker|stockExchange|brandContactEmail|address\.(?:street2?|city|region|postalCode|country)|representative\.(?:firstName|lastName|email|phone|title|jobPosition)|notificationEmail|description|messageFlow|evidence|messageSamples(?:\[\d+\])?|hasEmbeddedLinks|hasEmbeddedPhone|ageGated|directLending|privacyPolicyUrl|termsUrl|optInMessage|optInKeywords)$/;

const phrase = fc.constantFrom(
  ...Object.values(honest).flatMap(({ intake }) =>
    [intake.description, intake.messageFlow].concat(intake.messageSamples),
  ),
  'https://bit.ly/x',
  'payday loan',
  'beer',
  'pre-checked',
  'P.O. Box 5',
  'rosa@gmail.com',
  '1. "quoted"',
  '12-3456789',
);
const words = fc.oneof(
  phrase,
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.array(phrase, { maxLength: 3 }).map((parts) => parts.join(' ')),
);
const flag = fc.boolean();
const partial = { requiredKeys: [] };
const drafts: fc.Arbitrary<IntakeDraft> = fc.record(
  {
    legalName: words,
    registrationIdentifier: fc.constantFrom('EIN', 'VAT'),
    registrationNumber: words,
    website: words,
    regionsOfOperation: fc.constant<Intake['regionsOfOperation']>([]),
    companyType: fc.constantFrom('public', 'private'),
    brandContactEmail: words,
    address: fc.record({ street: words, street2: words, city: words }, partial),
    representative: fc.record({ firstName: words, email: words, phone: words }, partial),
    notificationEmail: words,
    description: words,
    messageFlow: words,
    messageSamples: fc.array(words, { maxLength: 7 }),
    hasEmbeddedLinks: flag,
    hasEmbeddedPhone: flag,
    ageGated: flag,
    directLending: flag,
    privacyPolicyUrl: words,
    termsUrl: words,
    optInMessage: words,
    optInKeywords: fc.array(words, { maxLength: 3 }),
  },
  partial,
);
const check = fc.option(
  fc.oneof(
    fc.record({ reachable: fc.constant(true as const), status: fc.integer({ min: 100, max: 599 }) }),
    fc.record({ reachable: fc.constant(false as const), detail: fc.string() }),
  ),
);
const contexts: fc.Arbitrary<PreflightContext> = fc.record(
  {
    organization: fc.record({ name: words, domain: words }),
    hasEvidence: flag,
    sites: fc.record({ website: check, privacyPolicyUrl: check, termsUrl: check }),
  },
  { requiredKeys: ['organization', 'hasEvidence'] },
);
