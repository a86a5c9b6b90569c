/** What preflight can find. */

export interface Finding {
  /** Of the intake: `legalName`, `address.street`, `messageSamples[1]`; or `evidence`. */
  field: string;
  /** Errors block submission, warnings do not. */
  severity: 'error' | 'warning';
  code: string;
  /** What Twilio would refuse it with, as far as that is known. */
  twilioCode: number | null;
  reason: string;
  remedy: string;
}

export type SiteCheck = { reachable: true; status: number } | { reachable: false; detail: string };

export interface PreflightContext {
  organization: { name: string; domain: string };
  /** Whether a screenshot of the opt-in was uploaded. */
  hasEvidence: boolean;
  /** What fetching each page gave; null or absent when it was not tried. */
  sites?: Record<'website' | 'privacyPolicyUrl' | 'termsUrl', SiteCheck | null>;
}

/** Every kind of finding: whether it blocks, and Twilio's code unless the finding knows better. */
export const kinds = {
  missing: ['error', null],

  legal_name_suffix: ['warning', 30795],
  legal_name_differs: ['warning', 30894],
  registration_number_shape: ['error', 30795],
  url_invalid: ['error', 30891],
  url_not_secure: ['warning', 30891],
  url_unreachable: ['warning', 30891],
  url_refused: ['warning', 30891],
  website_domain_differs: ['warning', 30891],
  po_box: ['error', 30799],
  private_mailbox: ['warning', 30799],
  email_malformed: ['error', null],
  brand_email_free: ['error', 21740],
  brand_email_domain: ['error', 21740],
  representative_email_free: ['warning', 18601],
  representative_email_domain: ['warning', 18601],
  phone_invalid: ['error', null],

  description_length: ['error', 30886],
  description_vague: ['warning', 30886],
  message_flow_length: ['error', 30909],
  flow_without_sms: ['warning', 30896],
  flow_without_place: ['warning', 30909],
  flow_without_disclosures: ['warning', 30924],
  flow_pre_checked: ['error', 30925],
  flow_conditions_consent: ['error', 30931],
  flow_bundles_consent: ['warning', 30923],
  flow_shares_consent: ['warning', 30932],
  flow_leaves_no_room_for_evidence: ['warning', 30909],
  evidence_missing: ['warning', 30909],

  sample_count: ['error', 30893],
  sample_length: ['error', 30893],
  samples_alike: ['warning', 30893],
  samples_without_brand: ['error', 30893],
  sample_without_brand: ['warning', 30893],
  samples_without_opt_out: ['error', 30893],
  sample_without_opt_out: ['warning', 30893],
  url_shortener: ['error', 30892],
  link_not_declared: ['error', 30889],
  link_not_shown: ['warning', 30889],
  phone_not_declared: ['error', 30889],
  phone_not_shown: ['warning', 30889],

  forbidden_content: ['error', 30897],
  forbidden_mention: ['warning', 30897],
  work_from_home: ['warning', 30897],
  age_gate_not_declared: ['error', 30888],
  age_gate_mention: ['warning', 30888],
  lending_not_declared: ['warning', 30895],
  emergency_wording: ['warning', 30929],

  opt_in_message_length: ['error', null],
  opt_in_keyword_shape: ['error', null],
} as const satisfies Record<string, readonly [Finding['severity'], number | null]>;

export function finding(
  code: keyof typeof kinds,
  field: string,
  reason: string,
  remedy: string,
  twilioCode: number | null = kinds[code][1],
): Finding {
  return { field, severity: kinds[code][0], code, twilioCode, reason, remedy };
}
