/** What Twilio's words about a brand or a campaign mean: the one place that knows its statuses. */

/** A brand registration as Twilio shows it. */
export interface TwilioBrand {
  status: string;
  identityStatus: string | null;
  errorCodes: readonly number[];
}

/**
 * `waiting`: under review. `linked`: registered, and the representative has a link to follow. `link_failed`: the link
 * lapsed, bounced or did not prove anything.
 */
export type BrandVerdict = 'waiting' | 'linked' | 'link_failed' | 'verified' | 'failed';

/** Authentication+ (the identity link) went wrong: domain, lapsed, undeliverable, failed, bad domain, code lapsed. */
const linkErrors = new Set([21736, 21737, 21738, 21739, 21740, 21741]);

/** Errors may stand beside APPROVED without meaning a failure; unknown statuses mean that something is still going on. */
export function brandVerdict({ status, identityStatus, errorCodes }: TwilioBrand): BrandVerdict {
  if (status === 'FAILED' || status === 'SUSPENDED') return 'failed';
  if (status !== 'APPROVED') return 'waiting';
  if (identityStatus === 'VERIFIED' || identityStatus === 'VETTED_VERIFIED') return 'verified';
  return errorCodes.some((code) => linkErrors.has(code)) ? 'link_failed' : 'linked';
}

export type CampaignVerdict = 'waiting' | 'verified' | 'failed';

/** Unknown statuses mean that something is still going on. */
export function campaignVerdict(status: string): CampaignVerdict {
  if (status === 'VERIFIED') return 'verified';
  return status === 'FAILED' || status === 'SUSPENDED' ? 'failed' : 'waiting';
}

export type ProfileVerdict = 'waiting' | 'approved' | 'rejected';

/** A customer profile or trust product. */
export function profileVerdict(status: string): ProfileVerdict {
  if (status === 'twilio-approved') return 'approved';
  return status === 'twilio-rejected' ? 'rejected' : 'waiting';
}

/** An answer Twilio gave before it heard of the resubmission is believed no longer than this to be a stale one. */
const stalenessMs = 600_000;

/** Whether Twilio changed something at `since` or later; its times have whole seconds. */
export const hasChangedSince = (changedAt: Date, since: Date): boolean =>
  changedAt.getTime() >= Math.floor(since.getTime() / 1000) * 1000;

/** Whether a failure that Twilio shows is that of the attempt before: it was last changed before this attempt was made. */
export function isStale(changedAt: Date, askedAt: Date | null, now: Date): boolean {
  if (!askedAt || now.getTime() - askedAt.getTime() > stalenessMs) return false;
  return !hasChangedSince(changedAt, askedAt);
}

/** Stands for "it is not there any more" among Twilio's reasons: its code for what does not exist. */
export const goneAtTwilio = 20404;
