/** What fails again and again for a reason that is not the customer's: a person has to hear of it (G2). */
import { Context } from '@temporalio/activity';
import { addToTimeline } from '../../db/registration/registrations.ts';
import { registrationStuck } from '../../email/registration.ts';
import { type OrganizationRef, readRegistration, type RegistrationDeps } from './deps.ts';
import { tellOperator } from './notices.ts';

/** With pauses of 1, 2, 4 … seconds: after a minute. */
const tellAtAttempt = 7;

// oxlint-disable-next-line typescript/no-explicit-any -- any activities, whatever they take beside the organization
type Activities = Record<string, (given: any) => Promise<unknown>>;

/** The same activities; one that has failed for a minute is told to the operator, once per run of it. */
export function reportingWhatIsStuck<A extends Activities>(deps: RegistrationDeps, activities: A): A {
  const reporting = Object.entries(activities).map(([name, activity]) => [
    name,
    async (given: OrganizationRef) => {
      try {
        return await activity(given);
      } catch (error) {
        if (Context.current().info.attempt === tellAtAttempt) await report(deps, given.organizationId, error);
        throw error;
      }
    },
  ]);
  return Object.fromEntries(reporting) as A;
}

/** Our own words, or Twilio's code: what Twilio says may repeat what the company said. */
function causeOf(error: unknown): string {
  const { status, code, message } = error as { status?: number; code?: number | string; message?: string };
  if (typeof status === 'number') return `Twilio answers ${status}${code === undefined ? '' : ` (${code})`}.`;
  return typeof code === 'string' ? `Twilio cannot be reached (${code}).` : (message ?? String(error));
}

async function report(deps: RegistrationDeps, organizationId: string, error: unknown): Promise<void> {
  const { database, clock } = deps;
  const cause = causeOf(error);
  const at = clock.now();
  await database.inOrganization(organizationId, async (trx) => {
    const registration = await readRegistration(trx, organizationId);
    const { name } = registration.organization;
    const { workflowExecution, activityType } = Context.current().info;
    const key = `stuck:${activityType}:${workflowExecution?.runId ?? ''}`;
    const isNew = await tellOperator(trx, deps, registration, {
      key,
      at,
      ...registrationStuck({ organization: name, cause }),
    });
    if (!isNew) return;
    await addToTimeline(trx, {
      organizationId,
      subject: 'registration',
      event: 'delayed',
      actor: 'longwave',
      detail: `A step does not succeed and is tried again: ${cause}`,
      awaiting: 'operator',
      at,
    });
  });
  deps.sendEmails(organizationId);
}
