/** How far a registration with the carriers is, and what may be done about it. Imported by workflows: keep it small. */

export const brandStatuses = [
  'draft',
  'submitted',
  'registered',
  'verified',
  'failed',
  'verification_expired',
] as const;
/**
 * `submitted`: Twilio and the registry look at it. `registered`: the registry knows the company; its representative has
 * to follow the identity link. `verified`: a campaign can be submitted. `failed`: to be corrected.
 * `verification_expired`: the link lapsed, or did not work; another one can be sent.
 */
export type BrandStatus = (typeof brandStatuses)[number];

export const campaignStatuses = [
  'not_started',
  'in_review',
  'longer_than_usual',
  'overdue',
  'failed',
  'verified',
] as const;
/** `longer_than_usual` and `overdue` are in review too, for more than a week and more than ten. */
export type CampaignStatus = (typeof campaignStatuses)[number];

export const messagingServiceStatuses = ['not_started', 'in_progress', 'registered', 'failed'] as const;
export type MessagingServiceStatus = (typeof messagingServiceStatuses)[number];

export type Indicator = 'blue' | 'green' | 'red';

const green: Readonly<Record<'brand' | 'campaign' | 'messagingService', string>> = {
  brand: 'verified',
  campaign: 'verified',
  messagingService: 'registered',
};

/** In progress is blue, approved green, failed red (A9). */
export function indicator(
  part: keyof typeof green,
  status: BrandStatus | CampaignStatus | MessagingServiceStatus,
): Indicator {
  if (status === green[part]) return 'green';
  return status === 'failed' || status === 'verification_expired' ? 'red' : 'blue';
}

const day = 86_400_000;
/** How long the identity link lives. */
export const verificationMs = 7 * day;
/** Twilio may have sent the link later than it says: while it shows a live one, it is given so much longer. */
export const verificationGraceMs = 3_600_000;
/** When the representative is reminded, after the link was sent. */
export const reminderDays = [1, 3, 6] as const;
/** A review that lasts longer is longer than usual; counted from its own submission. */
export const usualReviewMs = 7 * day;
/** A review that lasts longer is overdue; counted from the campaign's first submission. */
export const longestReviewMs = 70 * day;

/** Whose turn it is. */
export type Party = 'operator' | 'organization' | 'representative' | 'twilio' | 'carriers' | 'nobody';

export type RegistrationState = 'draft' | 'submitted' | 'completed' | 'cancelled';

/** Completed and cancelled registrations wait for nothing; a cancelled one can be submitted again. */
export const isFinalState = (state: RegistrationState): boolean => state === 'completed' || state === 'cancelled';

/** Commands to a registration, as the API names them. */
export const registrationActions = ['brand/resend', 'brand/resubmit', 'campaign/resubmit', 'cancel'] as const;
export type RegistrationAction = (typeof registrationActions)[number];

export interface Standing {
  state: RegistrationState;
  brand: BrandStatus;
  campaign: CampaignStatus;
}

/** What can be done with a registration as it stands. */
export function allowedActions({ state, brand, campaign }: Standing): (RegistrationAction | 'submit')[] {
  if (state === 'draft' || state === 'cancelled') return ['submit'];
  if (state === 'completed') return [];
  return [
    ...(brand === 'verification_expired' ? (['brand/resend'] as const) : []),
    ...(brand === 'failed' ? (['brand/resubmit'] as const) : []),
    ...(brand === 'verified' && campaign === 'failed' ? (['campaign/resubmit'] as const) : []),
    'cancel',
  ];
}

/** Whether the intake may change: not while somebody is reviewing what it said, as they may after a cancel too. */
export const isEditable = ({ state, brand, campaign }: Standing): boolean =>
  state === 'draft' ||
  (state === 'cancelled' && (campaign === 'not_started' || campaign === 'failed')) ||
  (state === 'submitted' && (brand === 'failed' || brand === 'verification_expired' || campaign === 'failed'));

/** A command to a registration's workflows. What it is about is in Postgres by then. */
export interface RegistrationCommand {
  /** `user:usr_…`, `organization:key_…` or `operator:key_…`. */
  actor: string;
}

/** What the workflow knows of the brand. */
export interface BrandState {
  status: BrandStatus;
  /** How many identity links were sent. */
  round: number;
  /** RFC 3339: when there is something to do although nothing changed at Twilio (a reminder, a lapse); null if nothing. */
  nextAt: string | null;
}

/** What the workflow knows of the campaign. */
export interface CampaignState {
  status: CampaignStatus;
  /** RFC 3339: when it becomes longer than usual, or overdue; null if neither is ahead. */
  nextAt: string | null;
}

/** Failure type of a command that the present state does not allow. */
export const notInThisState = 'NotInThisState';
/** Failure type of a request that Twilio refused for a reason that does not go away by itself; its detail is the code. */
export const refusedByTwilio = 'RefusedByTwilio';
