/**
 * An organization is registered with the carriers: a subaccount of its own, a verified brand, a verified campaign; then
 * its SMS module is enabled. Takes days, or ten weeks, and survives whatever happens meanwhile: every step finds what
 * was made before.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  executeChild,
  isCancellation,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { notInThisState } from '../../domain/registration/status.ts';
import { brandWorkflowId, campaignWorkflowId } from '../ids.ts';
import { registrationActivities as act } from '../registration-activities.ts';
import { brandVerification } from '../brand-verification/workflow.ts';
import { campaignReview } from '../campaign-review/workflow.ts';
import { cancelUpdate, type RegistrationInput } from './messages.ts';

export async function registration(input: RegistrationInput): Promise<void> {
  const { organizationId, registrationId } = input;
  const ref = { organizationId };
  const work = new CancellationScope();
  // In an object: the compiler would take variables that only closures set for ones that never change.
  const end: { of: 'completed' | 'cancelled' | null; by: string | null } = { of: null, by: null };

  setHandler(cancelUpdate, async ({ actor }) => {
    end.by = actor;
    work.cancel();
    await condition(() => end.of !== null);
    if (end.of === 'completed') {
      throw ApplicationFailure.nonRetryable('The registration was completed at this moment.', notInThisState);
    }
  });

  try {
    await work.run(async () => {
      setCurrentDetails('setting up the account');
      await act.ensureSubaccount(ref);
      await act.ensureEventStream(ref);

      setCurrentDetails('waiting for the brand');
      await executeChild(brandVerification, {
        workflowId: brandWorkflowId(registrationId),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: 'Waits for the brand, and for its representative',
        args: [{ organizationId, registrationId }],
      });

      setCurrentDetails('waiting for the campaign');
      await executeChild(campaignReview, {
        workflowId: campaignWorkflowId(registrationId),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: 'Waits for the carriers: up to ten weeks, and beyond',
        args: [{ organizationId, registrationId }],
      });

      await act.registerNumbers(ref);
      await act.completeRegistration(ref);
      setCurrentDetails('complete');
    });
    end.of = 'completed';
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // By a command, or from outside, as ops can in the Web UI: the facts in Postgres must say so too.
    await CancellationScope.nonCancellable(() =>
      act.cancelRegistration({
        ...ref,
        actor: end.by ?? 'operator:temporal',
        cancelledAt: new Date().toISOString(),
      }),
    );
    end.of = 'cancelled';
    if (end.by === null) throw error;
  }
  await condition(allHandlersFinished);
}
