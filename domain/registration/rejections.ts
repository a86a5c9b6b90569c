/** What Twilio's refusals of brands and campaigns mean (A5, A7), for an operator who does not know Twilio. */
import { brandRejections } from './rejected-brands.ts';
import { type Rejection, campaignRejections } from './rejected-campaigns.ts';

export interface Explanation {
  /** Twilio's. */
  code: number;
  reason: string;
  remedy: string;
  /** Of the intake, to be corrected; empty when nothing in it is wrong. */
  fields: string[];
  fixable: boolean;
}

const rejections: Readonly<Record<number, Rejection>> = { ...brandRejections, ...campaignRejections };

/** Twilio's names of fields, without case and underscores, by the intake's. Twilio writes them in three styles. */
const twilioFields: Readonly<Record<string, readonly string[]>> = {
  legalName: ['business_name', 'legal_name', 'company_name', 'customer_name', 'brand_name'],
  businessType: ['business_type', 'entity_type'],
  registrationIdentifier: ['business_registration_identifier'],
  registrationNumber: ['business_registration_number', 'tax_id', 'ein'],
  industry: ['business_industry', 'industry', 'vertical'],
  website: ['website_url', 'website', 'social_media_profile_urls'],
  regionsOfOperation: ['business_regions_of_operation'],
  companyType: ['company_type', 'nonprofit', 'government_entity', 'tax_exempt_status'],
  stockTicker: ['stock_ticker', 'stock_symbol'],
  stockExchange: ['stock_exchange'],
  brandContactEmail: ['brand_contact_email', 'business_contact_email'],
  'address.street': ['street', 'address', 'address_sids'],
  'address.street2': ['street_secondary'],
  'address.city': ['city'],
  'address.region': ['region', 'state'],
  'address.postalCode': ['postal_code', 'zip_code'],
  'address.country': ['iso_country', 'country'],
  'representative.firstName': ['first_name'],
  'representative.lastName': ['last_name'],
  'representative.email': ['email'],
  'representative.phone': ['phone_number', 'phone'],
  'representative.title': ['business_title'],
  'representative.jobPosition': ['job_position'],
  useCase: ['us_app_to_person_usecase', 'use_case', 'campaign_use_case'],
  description: ['description', 'use_case_description', 'campaign_description'],
  // The intake has no texts of its own for STOP and HELP: Twilio answers them, and the flow describes them.
  messageFlow: [
    'message_flow',
    'call_to_action',
    'opt_in',
    'opt_out_message',
    'opt_out_keywords',
    'help_message',
    'help_keywords',
    'subscriber_opt_in',
  ],
  messageSamples: ['message_samples', 'sample_messages', 'sample_message'],
  hasEmbeddedLinks: ['has_embedded_links', 'embedded_links', 'embedded_link'],
  hasEmbeddedPhone: ['has_embedded_phone', 'embedded_phone', 'embedded_phone_number'],
  ageGated: ['age_gated', 'age_gated_content'],
  directLending: ['direct_lending'],
  privacyPolicyUrl: ['privacy_policy_url', 'privacy_policy'],
  termsUrl: ['terms_and_conditions_url', 'terms_and_conditions', 'terms_url'],
  optInMessage: ['opt_in_message'],
  optInKeywords: ['opt_in_keywords'],
};

const plain = (name: string): string => name.replaceAll(/[^a-z\d]/gi, '').toLowerCase();

const byTwilioField = new Map(
  Object.entries(twilioFields).flatMap(([field, names]) => names.map((name) => [plain(name), field] as const)),
);

/** The field of the intake that Twilio's is made from, or none. Twilio counts samples from one. */
function intakeField(name: string): string[] {
  const sample = /^(?:samplemessage|messagesample|sample)s?(\d{1,2})$/.exec(plain(name));
  if (sample) return [Number(sample[1]) > 0 ? `messageSamples[${Number(sample[1]) - 1}]` : 'messageSamples'];
  const field = byTwilioField.get(plain(name));
  return field === undefined ? [] : [field];
}

/** In plain words. The fields that Twilio names win over those that the code usually concerns. */
export function explainRejection(error: {
  code: number;
  fields?: readonly string[];
  description?: string;
}): Explanation {
  const named = [...new Set((error.fields ?? []).flatMap(intakeField))];
  const known = rejections[error.code];
  if (known) {
    const { reason, remedy, fields, final } = known;
    return {
      code: error.code,
      reason,
      remedy,
      fields: named.length > 0 ? named : [...fields],
      fixable: final !== true,
    };
  }
  return {
    code: error.code,
    reason: error.description?.trim() || 'Twilio refused the registration and gave no reason in words.',
    remedy:
      named.length > 0
        ? 'Correct the fields named here, then resubmit. If it is refused again for the same reason, ask Twilio support.'
        : 'Compare the questionnaire with what Twilio says here and correct what does not agree, then resubmit. If nothing is wrong, ask Twilio support.',
    fields: named,
    fixable: true,
  };
}
