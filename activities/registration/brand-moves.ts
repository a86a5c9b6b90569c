/** The moves of a brand between its statuses, each one transaction: row, timeline, attempt, fee and emails together. */
import { recordFee } from '../../db/registration/fees.ts';
import { decideAttempt, lastAttempt } from '../../db/registration/attempts.ts';
import { addToTimeline, moveBrand } from '../../db/registration/registrations.ts';
import type { Trx } from '../../db/database.ts';
import type { RegistrationRow } from '../../db/schema.ts';
import { type Explanation, explainRejection } from '../../domain/registration/rejections.ts';
import {
  type BrandState,
  reminderDays,
  verificationGraceMs,
  verificationMs,
} from '../../domain/registration/status.ts';
import { brandFailed, identityLinkReminder, identityLinkSent, verificationExpired } from '../../email/registration.ts';
import type { Refusal } from '../../twilio/errors.ts';
import type { Registration, RegistrationDeps } from './deps.ts';
import { tellOfChange, tellOperator, tellRepresentative } from './notices.ts';
import { inOneLine, refuse } from './refusals.ts';

const dayMs = 86_400_000;
/** Twilio: the identity link was not followed in time. */
const linkLapsed = 21737;

/** What the workflow needs to know of the brand as it stands. */
export function brandState(row: RegistrationRow, now: Date): BrandState {
  return { status: row.brand_status, round: row.verification_round, nextAt: nextBrandStep(row, now) };
}

/** The next reminder, or the lapse of the link. */
function nextBrandStep({ brand_status: status, verification_sent_at: sentAt }: RegistrationRow, now: Date) {
  if (status !== 'registered' || sentAt === null) return null;
  const afters = [...reminderDays.map((days) => days * dayMs), verificationMs, verificationMs + verificationGraceMs];
  const steps = afters.map((after) => sentAt.getTime() + after);
  const next = steps.find((at) => at > now.getTime());
  return new Date(next ?? now.getTime()).toISOString();
}

const representativeName = ({ intake: { representative } }: Registration): string =>
  `${representative.firstName} ${representative.lastName}`;

/** The registry has sent the representative a link, the `round`th. */
export async function linkSent(
  trx: Trx,
  deps: RegistrationDeps,
  registration: Registration,
  { round, sentAt, actor, at }: { round: number; sentAt: Date; actor: string; at: Date },
): Promise<void> {
  const { row, organization } = registration;
  const until = new Date(sentAt.getTime() + verificationMs);
  await moveBrand(trx, row, {
    status: 'registered',
    actor,
    detail:
      round === 1
        ? 'The registry knows the company, and has sent the representative an identity link that lives 7 days.'
        : 'The registry has sent the representative another identity link, which lives 7 days.',
    awaiting: 'representative',
    at,
  });
  await trx
    .updateTable('registrations')
    .set({ verification_round: round, verification_sent_at: sentAt })
    .where('id', '=', row.id)
    .execute();
  const about = { organization: organization.name, name: representativeName(registration), until, round };
  await tellRepresentative(trx, registration, { key: `identity-link:${round}`, at, ...identityLinkSent(about) });
  await tellOfChange(trx, deps, registration, {
    key: `brand-registered:${round}`,
    at,
    what: 'The brand is registered; the representative has to confirm their identity.',
    next: `the representative follows the link in the registry's email by ${until.toISOString().slice(0, 10)}.`,
  });
}

/** Reminds the representative, once on each day it is due; of several that are due only the last. */
export async function remind(trx: Trx, registration: Registration, at: Date): Promise<void> {
  const { row, organization } = registration;
  const { verification_sent_at: sentAt, verification_round: round } = row;
  if (sentAt === null) return;
  const day = reminderDays.findLast((days) => sentAt.getTime() + days * dayMs <= at.getTime());
  if (day === undefined) return;
  const until = new Date(sentAt.getTime() + verificationMs);
  const daysLeft = Math.max(1, Math.round((until.getTime() - at.getTime()) / dayMs));
  const text = identityLinkReminder({
    organization: organization.name,
    name: representativeName(registration),
    until,
    daysLeft,
  });
  if (!(await tellRepresentative(trx, registration, { key: `identity-reminder:${round}:${day}`, at, ...text }))) return;
  await addToTimeline(trx, {
    organizationId: organization.id,
    subject: 'brand',
    event: 'reminded',
    actor: 'longwave',
    detail: `The representative was reminded; ${daysLeft === 1 ? 'one day is' : `${daysLeft} days are`} left.`,
    awaiting: 'representative',
    at,
  });
}

/** The link lapsed, or did not work: the operator is told. */
export async function linkFailed(
  trx: Trx,
  deps: RegistrationDeps,
  registration: Registration,
  { reasons, at }: { reasons: Explanation[]; at: Date },
): Promise<void> {
  const { row, organization } = registration;
  const moved = await moveBrand(trx, row, {
    status: 'verification_expired',
    reasons,
    actor: 'carriers',
    detail: reasons.every(({ code }) => code === linkLapsed)
      ? 'The identity link was not followed within 7 days.'
      : `The identity link did not work: ${inOneLine(reasons)}`,
    awaiting: 'operator',
    at,
  });
  if (!moved) return;
  const text = verificationExpired({ organization: organization.name, reasons });
  await tellOperator(trx, deps, registration, { key: `identity-expired:${row.verification_round}`, at, ...text });
}

export async function brandVerified(
  trx: Trx,
  deps: RegistrationDeps,
  registration: Registration,
  { brandSid, at }: { brandSid: string; at: Date },
): Promise<void> {
  const { row, organization, intake } = registration;
  const byLink = row.verification_round > 0;
  const moved = await moveBrand(trx, row, {
    status: 'verified',
    actor: byLink ? 'representative' : 'carriers',
    detail: byLink ? 'The representative confirmed their identity: the brand is verified.' : 'The brand is verified.',
    awaiting: 'twilio',
    at,
  });
  if (!moved) return;
  await decideAttempt(trx, organization.id, 'brand', { outcome: 'verified', at });
  // Only public companies are charged for it, at each completion.
  if (intake.companyType === 'public' && byLink) {
    await recordFee(trx, {
      organizationId: organization.id,
      kind: 'identity_check',
      amount: deps.fees.identityCheck,
      reference: `${brandSid}/${row.verification_round}`,
      description: 'Identity check of a public company (Authentication+)',
      at,
    });
  }
  await tellOfChange(trx, deps, registration, {
    key: `brand-verified:${row.verification_round}`,
    at,
    what: 'The brand is verified.',
    next: 'the campaign is submitted to the carriers.',
  });
}

/** The brand was rejected: its reasons are kept, the operator is told. */
export async function brandRejected(
  trx: Trx,
  deps: RegistrationDeps,
  registration: Registration,
  { reasons, at }: { reasons: Explanation[]; at: Date },
): Promise<void> {
  const { row, organization } = registration;
  const moved = await moveBrand(trx, row, {
    status: 'failed',
    reasons,
    actor: 'carriers',
    detail: `The brand was rejected: ${inOneLine(reasons)}`,
    awaiting: 'operator',
    at,
  });
  if (!moved) return;
  await decideAttempt(trx, organization.id, 'brand', { outcome: 'failed', reasons, at });
  const number = (await lastAttempt(trx, organization.id, 'brand'))?.number ?? 1;
  const text = brandFailed({ organization: organization.name, reasons });
  await tellOperator(trx, deps, registration, { key: `brand-failed:${number}`, at, ...text });
}

/** As `brandRejected`, in a transaction of its own. @returns the failure that ends the submission in the workflow */
export const failBrand = (deps: RegistrationDeps, organizationId: string, reasons: Explanation[]) =>
  refuse(deps, organizationId, { reasons, reject: brandRejected });

/** As `failBrand`, for a request that Twilio refused. */
export const refuseBrand = (deps: RegistrationDeps, organizationId: string, { code, message }: Refusal) =>
  failBrand(deps, organizationId, [explainRejection({ code, description: message })]);
