/** The tables, as Kysely sees them. Migrations are the source; this file follows them. */
import type { ColumnType, Generated, Selectable } from 'kysely';
import type { Drops } from '../domain/mass-sms/drop-report.ts';
import type { MassSmsStatus, WindowClosePolicy } from '../domain/mass-sms/mass-sms.ts';
import type { MessageStatus } from '../domain/messages/status.ts';
import type { ConversationTables } from './schema/conversations.ts';
import type { NumberTables } from './schema/numbers.ts';
import type { RegistrationTables } from './schema/registration.ts';
import type { MassSmsMore, TemplateTables } from './schema/templates.ts';
import type { WebhookTables } from './schema/webhooks.ts';
import type { SettingsOverrides } from '../domain/settings.ts';
import type { Purpose } from '../domain/purpose.ts';

export type Json<T> = ColumnType<T, string, string>;

export interface Schema extends RegistrationTables, NumberTables, ConversationTables, TemplateTables, WebhookTables {
  organizations: {
    id: string;
    name: string;
    domain: string;
    country: string | null;
    region: string | null;
    organization_number: string | null;
    time_zone: string;
    settings: ColumnType<SettingsOverrides, string | undefined, string>;
    module_on: Generated<boolean>;
    account_sid: string | null;
    /** Encrypted; see secrets.ts. */
    auth_token: string | null;
    messaging_service_sid: string | null;
    /** Those it has sent through before: its numbers may still be in them. */
    former_messaging_services: Generated<string[]>;
    /** What the carriers allow this organization's brand and campaign; null means that nothing is known, and no pacing. */
    segments_per_second: number | null;
    /** Brought by the organization itself, and not made for it. */
    own_account: Generated<boolean>;
    numbers_checked_at: Date | null;
    /** When the cell that replies are forwarded to was last told that nobody reads what is written back. */
    forwarding_notice_at: Date | null;
    /** The beginning of the hour in which replies were last passed on, and how many in that hour. */
    forwarded_since: Date | null;
    forwarded: Generated<number>;
    /** When the digest will look again; null while it does not know of what waits. */
    digest_at: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  users: {
    id: string;
    organization_id: string;
    name: string;
    email: string;
    mobile: string | null;
    time_zone: string | null;
    active: Generated<boolean>;
    permissions: Generated<string[]>;
    created_at: Date;
    updated_at: Date;
  };
  api_keys: {
    id: string;
    organization_id: string | null;
    kind: 'operator' | 'organization' | 'user';
    user_id: string | null;
    permissions: Generated<string[]>;
    key_hash: Buffer;
    created_at: Date;
    revoked_at: Date | null;
  };
  audit_log: {
    id: string;
    organization_id: string | null;
    actor: string;
    action: string;
    subject: string;
    detail: Json<Record<string, unknown>>;
    at: Date;
  };
  idempotency_keys: {
    scope: string;
    key: string;
    organization_id: string | null;
    request_hash: Buffer;
    status: number;
    body: Json<unknown>;
    created_at: Date;
  };
  contacts: {
    id: string;
    organization_id: string;
    first_name: string | null;
    last_name: string | null;
    mobile: string | null;
    home_phone: string | null;
    email: string | null;
    postal_code: string | null;
    time_zone: string | null;
    owner_id: string | null;
    attributes: ColumnType<Record<string, string>, string | undefined, string>;
    phone_status: 'valid' | 'invalid' | 'missing';
    consent_transactional: Generated<boolean>;
    consent_promotional: Generated<boolean>;
    created_at: Date;
    updated_at: Date;
  };
  contact_lists: { id: string; organization_id: string; name: string; created_at: Date };
  contact_list_members: { organization_id: string; list_id: string; contact_id: string; position: Generated<number> };
  consent_ledger: {
    id: string;
    organization_id: string;
    contact_id: string;
    phone_number: string | null;
    purpose: Purpose;
    granted: boolean;
    method: string;
    evidence: string | null;
    actor: string;
    source: string | null;
    at: Date;
  };
  opt_outs: {
    id: string;
    organization_id: string | null;
    phone_number: string;
    line: string | null;
    method: string;
    at: Date;
  };
  mass_sms: MassSmsMore & {
    id: string;
    organization_id: string;
    name: string;
    status: MassSmsStatus;
    audience: Json<AudienceDefinition>;
    excluded: Json<ExclusionCounts>;
    recipients: number;
    pool_id: string;
    purpose: Purpose;
    body: string;
    time_zone: string;
    /** When the first batch began; until then, when it is to. */
    start_at: Date;
    /** `HH:MM` in its time zone: when a batch starts. */
    daily_at: string;
    end_at: Date;
    end_at_is_estimate: Generated<boolean>;
    allow_weekends: boolean;
    at_window_close: WindowClosePolicy;
    first_batch_size: number;
    daily_batch_size: number;
    cause: ColumnType<MassSmsCause | null, string | null, string | null>;
    created_by: string;
    created_at: Date;
    updated_at: Date;
    workflow_started_at: Date | null;
    /** Since it was last released from suspended: messages claimed before do not count any more. */
    drop_rate_since: Date | null;
    /** What is reported of messages claimed before does not put it in error any more. */
    resumed_at: Date | null;
  };
  mass_sms_batches: {
    organization_id: string;
    mass_sms_id: string;
    number: number;
    size: number;
    start_at: Date;
    status: BatchStatus;
  };
  mass_sms_tallies: {
    organization_id: string;
    mass_sms_id: string;
    batch_number: number;
    /** A message status, or `unsubscribed`. */
    kind: string;
    count: ColumnType<number, never, never>;
  };
  audiences: { id: string; organization_id: string; definition: Json<AudienceDefinition>; created_at: Date };
  send_permits: {
    organization_id: string;
    tokens: number;
    refilled_at: Date;
    /** `YYYY-MM-DD`, read as text. */
    carrier_day: ColumnType<Date | null, string | null, string | null>;
    day_segments: Generated<number>;
  };
  messages: {
    id: string;
    organization_id: string;
    direction: 'inbound' | 'outbound';
    source: 'user' | 'journey' | 'mass_sms' | 'opt_in' | 'contact' | 'forward' | 'auto_respond';
    purpose: Purpose;
    status: MessageStatus;
    /** Our number in the exchange. */
    line: string;
    /** The contact's number in the exchange. */
    contact_number: string;
    contact_id: string | null;
    user_id: string | null;
    body: string;
    /** Twilio's count where it has told, else ours; null before it was sent. */
    segments: number | null;
    media_urls: string[] | null;
    mass_sms_id: string | null;
    batch_number: number | null;
    rank: number | null;
    attempt_id: string | null;
    attempts: Generated<number>;
    claimed_at: Date | null;
    twilio_sid: string | null;
    error_code: number | null;
    cancel_reason: string | null;
    /** Asked for by whoever wrote it, for a later moment. */
    send_at: Date | null;
    /** Somebody wrote it to this contact now: only the law holds it, and only with a warning. */
    direct: Generated<boolean>;
    created_at: Date;
    accepted_at: Date | null;
    sent_at: Date | null;
    finished_at: Date | null;
    unsubscribed_at: Date | null;
  };
  message_events: {
    message_id: string;
    organization_id: string;
    status: MessageStatus;
    /** Empty for what Twilio has not told: that a message was held, and when it was queued after all. */
    twilio_sid: string;
    error_code: number | null;
    at: Date;
  };
  /** Kept by a trigger on `messages`: what was attempted and what came in. */
  usage_tallies: {
    organization_id: string;
    /** The first day of a month of UTC. */
    month: ColumnType<Date, string, string>;
    line: string;
    /** Empty where no user is known. */
    user_id: string;
    purpose: Purpose;
    direction: 'inbound' | 'outbound';
    messages: number;
    segments: number;
  };
  inbound_receipts: { message_sid: string; organization_id: string; message_id: string; at: Date };
  fees: {
    id: string;
    organization_id: string;
    kind: string;
    /** Decimal, in units of the currency. */
    amount: ColumnType<string, number, never>;
    currency: string;
    reference: string;
    description: string;
    at: Date;
  };
  emails: {
    id: string;
    organization_id: string;
    key: string;
    recipient: string;
    subject: string;
    body: string;
    created_at: Date;
    /** Null once it was sent. */
    next_attempt_at: Date | null;
    attempts: Generated<number>;
    sent_at: Date | null;
    error: string | null;
  };
  twilio_event_receipts: { event_id: string; organization_id: string; at: Date };
}

/** Whom a mass SMS is for: a list by name or a search, and at most so many of them in rank order. */
export interface AudienceDefinition {
  list?: string | undefined;
  query?: string | undefined;
  limitToTop?: number | undefined;
  purpose: Purpose;
}

export const exclusionReasons = ['noPhone', 'invalid', 'unsubscribed', 'noConsent', 'duplicate', 'overLimit'] as const;
export type ExclusionReason = (typeof exclusionReasons)[number];
export type ExclusionCounts = Record<ExclusionReason, number>;

export type BatchStatus = 'scheduled' | 'sending' | 'sent' | 'expired' | 'cancelled';

/** Why a mass SMS stands in Error or Suspended. */
export interface MassSmsCause {
  code: string;
  detail: string;
  /** With `drop_rate`: what was counted when it was suspended. */
  drops?: Drops;
}

export type OrganizationRow = Selectable<Schema['organizations']>;
export type UserRow = Selectable<Schema['users']>;
export type ContactRow = Selectable<Schema['contacts']>;
export type MassSmsRow = Selectable<Schema['mass_sms']>;
export type RegistrationRow = Selectable<Schema['registrations']>;
export type PoolRow = Selectable<Schema['number_pools']>;
export type NumberRow = Selectable<Schema['phone_numbers']>;
export type NumberJobRow = Selectable<Schema['number_jobs']>;
export type PurchaseRow = Selectable<Schema['number_purchases']>;
export type ConversationRow = Selectable<Schema['conversations']>;
export type OptInRequestRow = Selectable<Schema['opt_in_requests']>;
export type AttemptRow = Selectable<Schema['registration_attempts']>;
