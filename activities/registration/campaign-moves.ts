/** The moves of a campaign between its statuses, each one transaction: row, timeline, attempt and emails together. */
import { decideAttempt, firstSubmission, lastAttempt } from '../../db/registration/attempts.ts';
import { addToTimeline, moveCampaign } from '../../db/registration/registrations.ts';
import type { Trx } from '../../db/database.ts';
import type { AttemptRow } from '../../db/schema.ts';
import type { Explanation } from '../../domain/registration/rejections.ts';
import { type CampaignState, longestReviewMs, usualReviewMs } from '../../domain/registration/status.ts';
import { campaignOverdue, campaignRejected } from '../../email/registration.ts';
import type { Registration, RegistrationDeps } from './deps.ts';
import { tellOfChange, tellOperator } from './notices.ts';
import { inOneLine, refuse } from './refusals.ts';

/** When a review that is under way is no longer the usual one, and when it is overdue. */
async function reviewLimits(trx: Trx, organizationId: string): Promise<{ usual: Date; longest: Date } | null> {
  const attempt = await lastAttempt(trx, organizationId, 'campaign');
  const first = await firstSubmission(trx, organizationId, 'campaign');
  if (!attempt?.submitted_at || !first) return null;
  return {
    usual: new Date(attempt.submitted_at.getTime() + usualReviewMs),
    longest: new Date(first.getTime() + longestReviewMs),
  };
}

/** What the workflow needs to know of the campaign as it stands. */
export async function campaignState(trx: Trx, { row }: Registration, now: Date): Promise<CampaignState> {
  const status = row.campaign_status;
  if (status === 'not_started' || status === 'failed' || status === 'verified') return { status, nextAt: null };
  const limits = await reviewLimits(trx, row.organization_id);
  const ahead = limits && [limits.usual, limits.longest].filter((at) => at > now).toSorted((a, b) => +a - +b)[0];
  return { status, nextAt: ahead ? ahead.toISOString() : null };
}

/** The review is under way: how long it has been, compared with what is usual. */
export async function campaignInReview(
  trx: Trx,
  deps: RegistrationDeps,
  registration: Registration,
  { campaignSid, at }: { campaignSid: string; at: Date },
): Promise<void> {
  const { row, organization } = registration;
  const limits = await reviewLimits(trx, organization.id);
  if (!limits) return;
  const { number } = (await lastAttempt(trx, organization.id, 'campaign'))!;
  if (at >= limits.longest) {
    const moved = await moveCampaign(trx, row, {
      status: 'overdue',
      actor: 'longwave',
      detail: 'The review has lasted more than ten weeks: the operator asks Twilio support, and the wait goes on.',
      awaiting: 'carriers',
      at,
    });
    if (!moved) return;
    const since = (await firstSubmission(trx, organization.id, 'campaign'))!;
    const text = campaignOverdue({ organization: organization.name, since, campaignSid });
    await tellOperator(trx, deps, registration, { key: 'campaign-overdue', at, ...text });
  } else if (at >= limits.usual) {
    const moved = await moveCampaign(trx, row, {
      status: 'longer_than_usual',
      actor: 'longwave',
      detail: 'The review has lasted more than a week; up to ten weeks are normal.',
      awaiting: 'carriers',
      at,
    });
    if (!moved) return;
    await tellOfChange(trx, deps, registration, {
      key: `campaign-longer:${number}`,
      at,
      what: 'The campaign review takes longer than usual.',
      next: 'the carriers decide; up to ten weeks are normal.',
    });
  } else {
    await moveCampaign(trx, row, {
      status: 'in_review',
      actor: 'carriers',
      detail: 'The campaign is in review.',
      awaiting: 'carriers',
      at,
    });
  }
}

/** Twilio has the campaign of this attempt. */
export async function campaignSubmitted(
  trx: Trx,
  deps: RegistrationDeps,
  registration: Registration,
  { attempt, at }: { attempt: AttemptRow; at: Date },
): Promise<void> {
  const { number, organization_id: organizationId } = attempt;
  await addToTimeline(trx, {
    organizationId,
    subject: 'campaign',
    event: 'with_carriers',
    actor: 'longwave',
    detail:
      number === 1
        ? 'The campaign was submitted to the carriers.'
        : `The corrected campaign was submitted to the carriers (attempt ${number}).`,
    awaiting: 'carriers',
    at,
  });
  await tellOfChange(trx, deps, registration, {
    key: `campaign-submitted:${number}`,
    at,
    what: 'The campaign is in review.',
    next: 'the carriers decide, mostly within a week.',
  });
}

export async function campaignVerified(
  trx: Trx,
  deps: RegistrationDeps,
  registration: Registration,
  at: Date,
): Promise<void> {
  const moved = await moveCampaign(trx, registration.row, {
    status: 'verified',
    actor: 'carriers',
    detail: 'The carriers approved the campaign.',
    awaiting: 'twilio',
    at,
  });
  if (!moved) return;
  await decideAttempt(trx, registration.organization.id, 'campaign', { outcome: 'verified', at });
  await tellOfChange(trx, deps, registration, {
    key: 'campaign-verified',
    at,
    what: 'The carriers approved the campaign.',
    next: registration.organization.module_on
      ? 'nothing: messages can be sent.'
      : 'enable the SMS module, and messages can be sent.',
  });
}

/** The campaign was rejected: its reasons are kept, and the operator is told, never the customer (A7). */
export async function campaignFailed(
  trx: Trx,
  deps: RegistrationDeps,
  registration: Registration,
  { reasons, at }: { reasons: Explanation[]; at: Date },
): Promise<void> {
  const { row, organization } = registration;
  const moved = await moveCampaign(trx, row, {
    status: 'failed',
    reasons,
    actor: 'carriers',
    detail: `The campaign was rejected: ${inOneLine(reasons)}`,
    awaiting: 'operator',
    at,
  });
  if (!moved) return;
  await decideAttempt(trx, organization.id, 'campaign', { outcome: 'failed', reasons, at });
  const attempt = (await lastAttempt(trx, organization.id, 'campaign'))?.number ?? 1;
  const text = campaignRejected({ organization: organization.name, attempt, reasons });
  await tellOperator(trx, deps, registration, { key: `campaign-rejected:${attempt}`, at, ...text });
}

/** As `campaignFailed`, in a transaction of its own. @returns the failure that ends the submission in the workflow */
export const refuseCampaign = (deps: RegistrationDeps, organizationId: string, reason: Explanation) =>
  refuse(deps, organizationId, { reasons: [reason], reject: campaignFailed });
