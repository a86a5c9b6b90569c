/** What Twilio refused: the facts in Postgres, and what the workflow is told of them. */
import { ApplicationFailure } from '@temporalio/common';
import type { Trx } from '../../db/database.ts';
import type { Explanation } from '../../domain/registration/rejections.ts';
import { refusedByTwilio } from '../../domain/registration/status.ts';
import { readRegistration, type Registration, type RegistrationDeps } from './deps.ts';

/** What a workflow is told of a request that Twilio refused: the code, and none of Twilio's words. */
export const refusedRequest = (code: number): ApplicationFailure =>
  ApplicationFailure.create({
    message: 'Twilio refused this request.',
    type: refusedByTwilio,
    nonRetryable: true,
    details: [code],
  });

type Reject = (
  trx: Trx,
  deps: RegistrationDeps,
  registration: Registration,
  rejection: { reasons: Explanation[]; at: Date },
) => Promise<void>;

/**
 * Rejects a part of the registration in a transaction of its own.
 *
 * @returns the failure that ends the submission in the workflow
 */
export async function refuse(
  deps: RegistrationDeps,
  organizationId: string,
  { reasons, reject }: { reasons: Explanation[]; reject: Reject },
): Promise<ApplicationFailure> {
  const { database, clock } = deps;
  await database.inOrganization(organizationId, async (trx) => {
    const registration = await readRegistration(trx, organizationId, { lock: true });
    await reject(trx, deps, registration, { reasons, at: clock.now() });
  });
  deps.sendEmails(organizationId);
  return refusedRequest(reasons[0]?.code ?? 0);
}

/** The reasons in one line of the timeline. */
export const inOneLine = (reasons: readonly Explanation[]): string =>
  reasons.map(({ reason }) => reason).join(' ') || 'Twilio gave no reason.';
