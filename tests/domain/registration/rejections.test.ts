/** Twilio's refusals in plain words (A5, A7). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainRejection } from '../../../domain/registration/rejections.ts';

/** Codes of reference, with whether a correction of the intake can help. */
const brandCodes = {
  fixable: [
    18011, 18601, 21736, 21737, 21738, 21739, 21740, 21741, 22214, 22215, 22216, 22217, 22218, 30701, 30702, 30790,
    30792, 30795, 30799,
  ],
  final: [21724, 21725, 21731, 30703],
};
const campaignCodes = {
  fixable: [
    21717, 21720, 30544, 30556, 30886, 30887, 30888, 30889, 30890, 30891, 30892, 30893, 30894, 30895, 30896, 30899,
    30900, 30901, 30902, 30907, 30908, 30909, 30910, 30913, 30917, 30919, 30921, 30923, 30924, 30925, 30929, 30931,
    30932, 30933, 30934,
  ],
  final: [21729, 30882, 30883, 30884, 30885, 30897, 30898, 30930],
};
const fixable = [...brandCodes.fixable, ...campaignCodes.fixable];
const final = [...brandCodes.final, ...campaignCodes.final];

const intakeField =
  /^(?:legalName|businessType|registrationIdentifier|registrationNumber|industry|website|regionsOfOperation|companyType|stockTicker|stockExchange|brandContactEmail|address\.(?:street2?|city|region|postalCode|country)|representative\.(?:firstName|lastName|email|phone|title|jobPosition)|useCase|description|messageFlow|evidence|messageSamples(?:\[\d+\])?|hasEmbeddedLinks|hasEmbeddedPhone|ageGated|directLending|privacyPolicyUrl|termsUrl|optInMessage|optInKeywords)$/;
const unknown = explainRejection({ code: 99_999 });

describe('a refusal', () => {
  it.for([...fixable, ...final])('with code %d is explained, with what to do and where', (code) => {
    const explanation = explainRejection({ code });
    expect(explanation.code).toBe(code);
    expect(explanation.fixable).toBe(fixable.includes(code));
    expect(explanation.reason).not.toBe(unknown.reason);
    for (const field of explanation.fields) expect(field).toMatch(intakeField);
    for (const words of [explanation.reason, explanation.remedy]) {
      expect(words).toMatch(/^[A-Z].{20,}[."]$/);
      // Codes and the trade's abbreviations say nothing to an operator.
      expect(words).not.toMatch(/\b\d{5}\b|\b(?:TCR|DCA|CTA|ISV|A2P|10DLC|SHAFT|SID|API|MNO|CSP)\b/);
    }
  });

  it.for(final)('with code %d is final: no field to correct', (code) => {
    expect(explainRejection({ code }).fields).toEqual([]);
  });

  it.for([
    ['USE_CASE_DESCRIPTION', 'description'],
    ['MESSAGE_FLOW', 'messageFlow'],
    ['MessageFlow', 'messageFlow'],
    ['message_flow', 'messageFlow'],
    ['SAMPLE_MESSAGE_1', 'messageSamples[0]'],
    ['SAMPLE_MESSAGE_5', 'messageSamples[4]'],
    ['MESSAGE_SAMPLES', 'messageSamples'],
    ['PRIVACY_POLICY_URL', 'privacyPolicyUrl'],
    ['TERMS_AND_CONDITIONS_URL', 'termsUrl'],
    ['HAS_EMBEDDED_LINKS', 'hasEmbeddedLinks'],
    ['US_APP_TO_PERSON_USECASE', 'useCase'],
    ['business_name', 'legalName'],
    ['business_registration_number', 'registrationNumber'],
    ['TAX_ID', 'registrationNumber'],
    ['STOCK_SYMBOL', 'stockTicker'],
    ['NONPROFIT', 'companyType'],
    ['GOVERNMENT_ENTITY', 'companyType'],
    ['website_url', 'website'],
    ['brand_contact_email', 'brandContactEmail'],
    ['email', 'representative.email'],
    ['phone_number', 'representative.phone'],
    ['job_position', 'representative.jobPosition'],
    ['postal_code', 'address.postalCode'],
    ['iso_country', 'address.country'],
  ] as const)("of Twilio's field %s concerns %s", ([twilio, field]) => {
    expect(explainRejection({ code: 30_893, fields: [twilio] }).fields).toEqual([field]);
    expect(field).toMatch(intakeField);
  });

  it("concerns the fields that Twilio names rather than the code's usual ones, each once", () => {
    const fields = ['MESSAGE_FLOW', 'SAMPLE_MESSAGE_2', 'OTHERS', 'call_to_action'];
    expect(explainRejection({ code: 30_886, fields }).fields).toEqual(['messageFlow', 'messageSamples[1]']);
  });

  it("concerns the code's usual fields when Twilio names none that we know", () => {
    expect(explainRejection({ code: 30_909, fields: ['OTHERS'] }).fields).toEqual(['messageFlow', 'evidence']);
    expect(explainRejection({ code: 30_909, fields: [] }).fields).toEqual(['messageFlow', 'evidence']);
  });

  it("with an unknown code is told in Twilio's words, with its fields", () => {
    const description = 'Sample message contains a riddle.';
    expect(explainRejection({ code: 30_999, fields: ['SAMPLE_MESSAGE_1'], description })).toEqual({
      code: 30_999,
      reason: description,
      remedy: expect.stringContaining('resubmit'),
      fields: ['messageSamples[0]'],
      fixable: true,
    });
  });

  it('is explained whatever Twilio sends', () => {
    const error = fc.record(
      {
        code: fc.oneof(fc.constantFrom(...fixable, ...final), fc.integer()),
        fields: fc.array(fc.oneof(fc.string(), fc.constantFrom('SAMPLE_MESSAGE_0', 'sample', '__proto__', 'EIN'))),
        description: fc.string(),
      },
      { requiredKeys: ['code'] },
    );
    fc.assert(
      fc.property(error, (given) => {
        const { reason, remedy, fields } = explainRejection(given);
        expect(reason.trim()).not.toBe('');
        expect(remedy.trim()).not.toBe('');
        for (const field of fields) expect(field).toMatch(intakeField);
        expect(new Set(fields).size).toBe(fields.length);
      }),
    );
  });
});
