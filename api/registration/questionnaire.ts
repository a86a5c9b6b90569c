/** The questionnaire in Postgres: opened under its lock, corrected, and checked before anybody is asked to pay for it. */
import type { FastifyRequest } from 'fastify';
import type { Trx } from '../../db/database.ts';
import { findOrganization } from '../../db/organizations/organizations.ts';
import { hasEvidence } from '../../db/registration/evidence.ts';
import { findRegistration, openRegistration, saveIntake } from '../../db/registration/registrations.ts';
import type { OrganizationRow, RegistrationRow } from '../../db/schema.ts';
import { type IntakeDraft, withPolicies } from '../../domain/registration/intake.ts';
import type { StepFacts } from '../../domain/registration/next-step.ts';
import { hasErrors, preflight, type PreflightContext } from '../../domain/registration/preflight.ts';
import { withDefaults } from '../../domain/settings.ts';
import { audit } from '../shared/audit.ts';
import { notFound, refused } from '../shared/problems.ts';
import { type IntakeChanges, mergeIntake } from './intake.ts';
import { factsOf } from './standing.ts';

export interface Questionnaire {
  organization: OrganizationRow;
  /** Undefined before anything was entered. */
  row: RegistrationRow | undefined;
  facts: StepFacts;
  /** With the policies of the settings. */
  intake: IntakeDraft;
}

/** One that exists, and stays as it is until the transaction ends. */
export type OpenQuestionnaire = Questionnaire & { row: RegistrationRow };

async function questionnaireOf(trx: Trx, organizationId: string, row: RegistrationRow | undefined) {
  const organization = await findOrganization(trx, organizationId);
  if (!organization) throw notFound('organization');
  const intake = withPolicies(row?.intake ?? {}, withDefaults(organization.settings));
  return { organization, facts: factsOf(row, organization), intake };
}

export async function readQuestionnaire(trx: Trx, organizationId: string): Promise<Questionnaire> {
  const row = await findRegistration(trx, organizationId);
  return { row, ...(await questionnaireOf(trx, organizationId, row)) };
}

/** Locks the registration; an empty draft is made of it when there is none. */
export async function openQuestionnaire(trx: Trx, organizationId: string, at: Date): Promise<OpenQuestionnaire> {
  const row = await openRegistration(trx, organizationId, at);
  return { row, ...(await questionnaireOf(trx, organizationId, row)) };
}

/** Saves what is corrected in a questionnaire that was opened, and answers what became of it. */
export async function correct(
  trx: Trx,
  request: FastifyRequest,
  { organization, row }: OpenQuestionnaire,
  changes: IntakeChanges,
): Promise<IntakeDraft> {
  const stored = mergeIntake(row.intake, changes);
  if (Object.keys(changes).length > 0) {
    await saveIntake(trx, organization.id, stored, request.server.deps.clock.now());
    await audit(trx, request, 'registration.intake_changed', row.id, { fields: Object.keys(changes) });
  }
  return withPolicies(stored, withDefaults(organization.settings));
}

/** What preflight has to know beside the questionnaire. */
export async function preflightContext(
  trx: Trx,
  { id, name, domain }: Pick<OrganizationRow, 'id' | 'name' | 'domain'>,
): Promise<PreflightContext> {
  return { organization: { name, domain }, hasEvidence: await hasEvidence(trx, id) };
}

/**
 * Keeps a questionnaire for submission, policies included: what was checked is what is submitted.
 *
 * @throws {Problem} 422 with the findings, unless preflight passes. It does not look at pages: a network that is down
 * must not block anybody.
 */
export async function keepForSubmission(
  trx: Trx,
  organization: OrganizationRow,
  intake: IntakeDraft,
  now: Date,
): Promise<void> {
  const findings = preflight(intake, await preflightContext(trx, organization));
  if (hasErrors(findings)) {
    throw refused(
      'preflight_failed',
      'Reviewers would reject this registration: correct the fields with errors in `findings` and send it again.',
      { findings },
    );
  }
  await saveIntake(trx, organization.id, intake, now);
}
