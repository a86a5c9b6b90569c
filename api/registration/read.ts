/** A registration put together from its rows. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { feesOf } from '../../db/registration/fees.ts';
import { attemptsOf } from '../../db/registration/attempts.ts';
import { evidenceOf } from '../../db/registration/evidence.ts';
import { declarationsOf, timelineOf } from '../../db/registration/registrations.ts';
import type { AttemptRow, RegistrationRow } from '../../db/schema.ts';
import type { IntakeDraft } from '../../domain/registration/intake.ts';
import { nextStep, type StepFacts } from '../../domain/registration/next-step.ts';
import { cleanedSamples } from '../../domain/registration/samples.ts';
import { allowedActions, indicator, verificationMs } from '../../domain/registration/status.ts';
import { organizationOf, principalOf } from '../shared/auth.ts';
import { readQuestionnaire } from './questionnaire.ts';
import type { evidence, registration } from './schemas.ts';
import {
  brandDetails,
  campaignDetails,
  messagingServiceDetails,
  ownAccountDetail,
  ownAccountStep,
} from './standing.ts';

type Registration = z.infer<typeof registration>;

const instantOf = (at: Date | null | undefined): string | null => at?.toISOString() ?? null;

function brandOf(row: RegistrationRow | undefined, facts: StepFacts, own: boolean): Registration['brand'] {
  const { brand, verificationSentAt } = facts;
  const sentAt = brand === 'registered' ? verificationSentAt : null;
  return {
    status: brand,
    indicator: indicator('brand', brand),
    since: instantOf(row?.brand_since),
    detail: own && brand === 'draft' ? ownAccountDetail : brandDetails[brand],
    reasons: row?.brand_reasons ?? [],
    verificationUntil: instantOf(sentAt && new Date(sentAt.getTime() + verificationMs)),
  };
}

const campaignOf = (
  row: RegistrationRow | undefined,
  { campaign }: StepFacts,
  own: boolean,
): Registration['campaign'] => ({
  status: campaign,
  indicator: indicator('campaign', campaign),
  since: instantOf(row?.campaign_since),
  detail: own && campaign === 'not_started' ? ownAccountDetail : campaignDetails[campaign],
  reasons: row?.campaign_reasons ?? [],
});

function messagingServiceOf(row: RegistrationRow | undefined, own: boolean): Registration['messagingService'] {
  const status = own ? 'registered' : (row?.messaging_service_status ?? 'not_started');
  return {
    status,
    indicator: indicator('messagingService', status),
    since: own ? null : instantOf(row?.messaging_service_since),
    detail: own ? ownAccountDetail : messagingServiceDetails[status],
    reasons: [],
  };
}

const attemptOf = (row: AttemptRow, mayManage: boolean): Registration['attempts'][number] => ({
  part: row.part,
  number: row.number,
  actor: row.actor,
  submittedAt: instantOf(row.submitted_at),
  decidedAt: instantOf(row.decided_at),
  outcome: row.outcome,
  reasons: row.reasons,
  submission: mayManage ? row.submission : null,
});

/** @param publicUrl where the outside reaches the API */
export const toEvidence = (
  row: Awaited<ReturnType<typeof evidenceOf>>[number],
  publicUrl: string,
): z.infer<typeof evidence> => ({
  id: row.id,
  fileName: row.file_name,
  mediaType: row.media_type,
  size: row.size,
  sha256: row.sha256.toString('hex'),
  url: `${publicUrl}/evidence/${row.token}`,
  at: row.at.toISOString(),
  superseded: row.superseded,
});

const dated = <Row extends { at: Date }>(row: Row) => ({ ...row, at: row.at.toISOString() });

const feeOf = (fee: Awaited<ReturnType<typeof feesOf>>[number]) => ({ ...dated(fee), amount: Number(fee.amount) });

/** What only those see who manage the registration: of the company, its representative, and who vouches for it. */
async function confidentialOf(
  trx: Trx,
  organizationId: string,
  { intake, publicUrl }: { intake: IntakeDraft; publicUrl: string },
): Promise<Pick<Registration, 'intake' | 'evidence' | 'declarations' | 'changes'>> {
  return {
    intake,
    evidence: (await evidenceOf(trx, organizationId)).map((one) => toEvidence(one, publicUrl)),
    declarations: (await declarationsOf(trx, organizationId)).map(dated),
    changes: cleanedSamples(intake.messageSamples ?? []).changes,
  };
}

/**
 * As the caller may see it. Also before anything was entered: then all of it is a draft.
 *
 * @param trx of the organization the request acts in
 */
export async function readRegistration(trx: Trx, request: FastifyRequest): Promise<Registration> {
  const organizationId = organizationOf(request);
  const { publicUrl } = request.server.deps;
  const { organization, row, facts, intake } = await readQuestionnaire(trx, organizationId);
  const own = organization.own_account;
  const mayManage = principalOf(request).permissions.has('registration:manage');
  return {
    state: facts.state,
    brand: brandOf(row, facts, own),
    campaign: campaignOf(row, facts, own),
    messagingService: messagingServiceOf(row, own),
    timeline: (await timelineOf(trx, organizationId)).map(dated),
    fees: (await feesOf(trx, organizationId)).map(feeOf),
    nextStep: own ? ownAccountStep(facts) : nextStep(facts),
    attempts: (await attemptsOf(trx, organizationId)).map((attempt) => attemptOf(attempt, mayManage)),
    allowed: allowedActions(facts).filter((action) => !own || action !== 'submit'),
    ...(mayManage
      ? await confidentialOf(trx, organizationId, { intake, publicUrl })
      : { intake: null, evidence: [], declarations: [], changes: [] }),
  };
}
