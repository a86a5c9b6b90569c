/** The tables of registration, as Kysely sees them. */
import type { ColumnType, Generated } from 'kysely';
import type { IntakeDraft } from '../../domain/registration/intake.ts';
import type { Explanation } from '../../domain/registration/rejections.ts';
import type {
  BrandStatus,
  CampaignStatus,
  MessagingServiceStatus,
  Party,
  RegistrationState,
} from '../../domain/registration/status.ts';

export interface RegistrationTables {
  registrations: {
    id: string;
    organization_id: string;
    state: Generated<RegistrationState>;
    intake: ColumnType<IntakeDraft, string | undefined, string>;
    brand_status: Generated<BrandStatus>;
    brand_since: Date | null;
    brand_reasons: ColumnType<Explanation[], string | undefined, string>;
    campaign_status: Generated<CampaignStatus>;
    campaign_since: Date | null;
    campaign_reasons: ColumnType<Explanation[], string | undefined, string>;
    messaging_service_status: Generated<MessagingServiceStatus>;
    messaging_service_since: Date | null;
    submitted_at: Date | null;
    verification_round: Generated<number>;
    verification_sent_at: Date | null;
    subaccount_name: string | null;
    workflow_started_at: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  registration_declarations: {
    id: string;
    organization_id: string;
    declaration: 'accurate' | 'representative_agrees';
    actor: string;
    at: Date;
  };
  registration_evidence: {
    id: string;
    organization_id: string;
    token: string;
    file_name: string;
    media_type: 'image/png' | 'image/jpeg' | 'application/pdf';
    content: Buffer;
    /** Bytes. */
    size: number;
    sha256: Buffer;
    actor: string;
    at: Date;
  };
  registration_timeline: {
    id: string;
    organization_id: string;
    at: Date;
    subject: RegistrationSubject;
    event: string;
    actor: string;
    detail: string;
    awaiting: Party;
  };
  registration_attempts: {
    organization_id: string;
    part: 'brand' | 'campaign';
    number: number;
    actor: string;
    begun_at: Date;
    asked_at: Date | null;
    submitted_at: Date | null;
    decided_at: Date | null;
    outcome: 'verified' | 'failed' | null;
    reasons: ColumnType<Explanation[], string | undefined, string>;
    submission: ColumnType<Record<string, unknown> | null, string | undefined, string>;
  };
  registration_resources: { organization_id: string; kind: ResourceKind; sid: string | null; asked_at: Date | null };
}

export type RegistrationSubject = 'registration' | 'brand' | 'campaign' | 'messaging_service';

/** What registration makes at Twilio, one of each per organization. */
export type ResourceKind =
  | 'account'
  | 'event_sink'
  | 'event_subscription'
  | 'customer_profile'
  | 'business_information'
  | 'representative'
  | 'address'
  | 'address_document'
  | 'trust_product'
  | 'a2p_information'
  | 'brand'
  | 'messaging_service'
  | 'campaign'
  | 'identity_link';
