/** A2P brands as Twilio writes them, and as events tell of them. */
import type { RegistrationEvent } from '../events/streams.ts';
import { iso8601 } from '../http/wire.ts';

export type BrandStatus =
  'PENDING' | 'IN_REVIEW' | 'APPROVED' | 'FAILED' | 'SUSPENDED' | 'DELETION_PENDING' | 'DELETION_FAILED';
export type IdentityStatus = 'SELF_DECLARED' | 'UNVERIFIED' | 'VERIFIED' | 'VETTED_VERIFIED';

/** One of `errors` of a brand or a campaign. */
export interface RegistrationError {
  error_code: number;
  description: string;
  fields: string[];
  url: string;
}

/** The registry's mail to the company: whoever clicks its link proves that the company is who it says. */
export interface IdentityLink {
  state: 'live' | 'clicked' | 'failed';
  /** Epoch milliseconds. */
  expiresAt: number;
  /** When somebody clicks it by themselves; null where nobody does. */
  clickAt: number | null;
}

export interface Brand {
  sid: string;
  accountSid: string;
  customerProfileSid: string;
  a2pProfileSid: string;
  mock: boolean;
  skipAutomaticSecVet: boolean;
  status: BrandStatus;
  /** Null until the registry has decided. */
  identityStatus: IdentityStatus | null;
  /** The registry's id, from the first approval on. */
  tcrId: string | null;
  errors: RegistrationError[];
  resubmissions: number;
  /** The last one sent; null before the first and after a resubmission. */
  link: IdentityLink | null;
  /** When the registry approves it by itself; null where it does not, or has decided. */
  approvalAt: number | null;
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
}

export function registrationError(error_code: number, description?: string, fields: string[] = []): RegistrationError {
  return {
    error_code,
    description: description ?? `Error ${error_code}`,
    fields,
    url: `https://www.twilio.com/docs/api/errors/${error_code}`,
  };
}

/** Whether campaigns may be made of a brand. */
export function isVerified({ status, identityStatus }: Brand): boolean {
  return status === 'APPROVED' && (identityStatus === 'VERIFIED' || identityStatus === 'VETTED_VERIFIED');
}

/** Only brands with secondary vetting get a score; a fair one for all. */
function scoreOf({ status, skipAutomaticSecVet }: Brand): number | null {
  return status === 'APPROVED' && !skipAutomaticSecVet ? 75 : null;
}

/** A brand as Twilio writes it. */
export function brandAnswer(brand: Brand): Record<string, unknown> {
  const url = `https://messaging.twilio.com/v1/a2p/BrandRegistrations/${brand.sid}`;
  const failed = brand.status === 'FAILED';
  const decided = brand.tcrId === null ? null : false;
  return {
    sid: brand.sid,
    account_sid: brand.accountSid,
    customer_profile_bundle_sid: brand.customerProfileSid,
    a2p_profile_bundle_sid: brand.a2pProfileSid,
    date_created: iso8601(brand.createdAt),
    date_updated: iso8601(brand.updatedAt),
    brand_type: 'STANDARD',
    status: brand.status,
    tcr_id: brand.tcrId,
    failure_reason: failed ? brand.errors.map(({ description }) => description).join('; ') : null,
    errors: brand.errors,
    url,
    brand_score: scoreOf(brand),
    brand_feedback: null,
    identity_status: brand.identityStatus,
    russell_3000: decided,
    government_entity: decided,
    tax_exempt_status: null,
    skip_automatic_sec_vet: brand.skipAutomaticSecVet,
    mock: brand.mock,
    links: { brand_vettings: `${url}/Vettings`, brand_registration_otps: `${url}/SmsOtp` },
  };
}

const EVENT_STATUS: Partial<Record<BrandStatus, string>> = { APPROVED: 'registered', FAILED: 'registration_failed' };

/**
 * What happened to a brand, as Event Streams tells it; what does not apply is left out.
 *
 * @param name the end of the event's type, such as `brand-registered`
 */
export function brandEvent(brand: Brand, name: string): RegistrationEvent {
  const score = scoreOf(brand);
  return {
    type: `brand-registration.${name}`,
    source: brand.sid,
    data: {
      brandsid: brand.sid,
      brandstatus: EVENT_STATUS[brand.status] ?? brand.status.toLowerCase(),
      ...(brand.identityStatus === null ? {} : { identitystatus: brand.identityStatus.toLowerCase() }),
      ...(brand.tcrId === null ? {} : { externalbrandid: brand.tcrId }),
      ...(score === null ? {} : { brandscore: score, vettingscore: score }),
      ...(brand.errors.length === 0
        ? {}
        : {
            brandregistrationerrors: brand.errors.map(({ error_code, description, fields, url }) => ({
              registrationerrorcode: error_code,
              registrationerrordescription: description,
              registrationerrorfields: fields,
              registrationerrorurl: url,
            })),
          }),
      createddate: brand.createdAt,
      updateddate: brand.updatedAt,
    },
  };
}
