/**
 * A company becomes a verified brand: its details are approved by Twilio, the brand by the registry, and the
 * representative's identity by a link that lives seven days. Ends when the brand is verified, however often it was
 * corrected and the link sent again.
 *
 * Postgres is the judge of the status: every look answers with where the brand stands and when there is something to do
 * although nothing changes at Twilio (a reminder, a lapse). A crash between any two steps repeats an activity.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type BrandState,
  type BrandStatus,
  notInThisState,
  type RegistrationCommand,
} from '../../domain/registration/status.ts';
import { oneAtATime } from '../one-at-a-time.ts';
import { Polling } from '../polling.ts';
import { isRefused, registrationActivities as act, unwrapped } from '../registration-activities.ts';
import { type BrandVerificationInput, changedSignal, resendUpdate, resubmitUpdate, stateQuery } from './messages.ts';

const longestPollMs = 6 * 3_600_000;

export async function brandVerification(input: BrandVerificationInput): Promise<BrandStatus> {
  try {
    return await live(input);
  } finally {
    // Also when it is cancelled: a command under way is answered.
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

async function live(input: BrandVerificationInput): Promise<BrandStatus> {
  const { organizationId, carried } = input;
  const ref = { organizationId };
  const polling = new Polling(longestPollMs, carried?.pollMs);
  let state: BrandState = carried?.state ?? { status: 'draft', round: 0, nextAt: null };
  let isToSubmit = false;
  const inTurn = oneAtATime();

  const adopt = (next: BrandState): BrandState => {
    if (next.status !== state.status) polling.restart();
    state = next;
    setCurrentDetails(state.nextAt === null ? state.status : `${state.status}, next step at ${state.nextAt}`);
    return state;
  };

  const only = (status: BrandStatus) => (_command: RegistrationCommand) => {
    if (state.status === status) return;
    throw ApplicationFailure.create({
      message: `The brand is ${state.status}, not ${status}.`,
      type: notInThisState,
      nonRetryable: true,
    });
  };

  const isVerified = (): boolean => state.status === 'verified';

  setHandler(changedSignal, () => polling.wake());
  setHandler(stateQuery, () => state);
  setHandler(
    resubmitUpdate,
    (command) =>
      inTurn(async () => {
        // Another one may have been obeyed since the validator looked.
        only('failed')(command);
        const next = adopt(await act.beginBrandAttempt({ ...ref, actor: command.actor }));
        isToSubmit = true;
        polling.wake();
        return next;
      }),
    { validator: only('failed') },
  );
  setHandler(
    resendUpdate,
    (command) =>
      inTurn(async () => {
        only('verification_expired')(command);
        try {
          await putContacts();
          return adopt(await act.resendIdentityLink({ ...ref, actor: command.actor, round: state.round }));
        } catch (error) {
          throw unwrapped(error);
        }
      }),
    { validator: only('verification_expired') },
  );

  if (!carried) {
    adopt(await act.beginBrandAttempt(ref));
    // Also a workflow that starts anew in the middle of this finds what was done.
    isToSubmit = state.status === 'submitted';
    if (state.status === 'registered' || state.status === 'verification_expired') {
      await putContacts().catch((error: unknown) => {
        if (!isRefused(error)) throw error;
      });
    }
  }
  while (!isVerified()) {
    if (workflowInfo().continueAsNewSuggested && !isToSubmit) {
      await condition(allHandlersFinished);
      // A command may have come, and been obeyed, meanwhile: what it asks for is not carried over.
      if (isToSubmit) continue;
      await continueAsNew<typeof brandVerification>({
        ...input,
        carried: { version: 1, state, pollMs: polling.waitMs },
      });
    }
    if (isToSubmit) {
      isToSubmit = false;
      await submit();
    }
    adopt(await act.lookAtBrand(ref));
    if (!isVerified() && !isToSubmit) await polling.wait(state.nextAt);
  }
  return state.status;

  /** The next identity link goes to whom the questionnaire names now. */
  async function putContacts(): Promise<void> {
    await act.putRepresentative(ref);
    await act.putA2pInformation(ref);
  }

  /** Brings everything at Twilio to what the questionnaire says, waits for the profile, and submits the brand. */
  async function submit(): Promise<void> {
    try {
      await act.createCustomerProfile(ref);
      await act.putBusinessInformation(ref);
      await act.putRepresentative(ref);
      await act.ensureAddress(ref);
      await act.putAddressDocument(ref);
      await act.assignToCustomerProfile(ref);
      await act.submitCustomerProfile(ref);

      await act.createTrustProduct(ref);
      await act.putA2pInformation(ref);
      await act.assignToTrustProduct(ref);
      await act.submitTrustProduct(ref);

      // The trust product may still be in review when the brand is submitted; the profile may not.
      for (;;) {
        const verdict = await act.lookAtCustomerProfile(ref);
        if (verdict === 'approved') break;
        if (verdict === 'rejected') return;
        await polling.wait();
      }
      await act.submitBrand(ref);
    } catch (error) {
      // The reasons are in Postgres, where the next look finds them.
      if (!isRefused(error)) throw error;
    }
  }
}
