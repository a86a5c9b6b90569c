/**
 * A campaign is reviewed by the carriers: mostly a week, up to ten, at times longer. Each rejection waits for a
 * correction, any number of times. Ends when the campaign is verified.
 *
 * As in brandVerification, Postgres is the judge and every step can be repeated.
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
  type CampaignState,
  type CampaignStatus,
  notInThisState,
  type RegistrationCommand,
} from '../../domain/registration/status.ts';
import { oneAtATime } from '../one-at-a-time.ts';
import { Polling } from '../polling.ts';
import { isRefused, registrationActivities as act } from '../registration-activities.ts';
import { type CampaignReviewInput, changedSignal, resubmitUpdate, stateQuery } from './messages.ts';

const longestPollMs = 12 * 3_600_000;

export async function campaignReview(input: CampaignReviewInput): Promise<CampaignStatus> {
  try {
    return await live(input);
  } finally {
    // Also when it is cancelled: a command under way is answered.
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

async function live(input: CampaignReviewInput): Promise<CampaignStatus> {
  const { organizationId, carried } = input;
  const ref = { organizationId };
  const polling = new Polling(longestPollMs, carried?.pollMs);
  let state: CampaignState = carried?.state ?? { status: 'not_started', nextAt: null };
  let isToSubmit = false;
  const inTurn = oneAtATime();

  const adopt = (next: CampaignState): CampaignState => {
    if (next.status !== state.status) polling.restart();
    state = next;
    setCurrentDetails(state.nextAt === null ? state.status : `${state.status}, next step at ${state.nextAt}`);
    return state;
  };

  const onlyFailed = (_command: RegistrationCommand): void => {
    if (state.status === 'failed') return;
    throw ApplicationFailure.create({
      message: `The campaign is ${state.status}, not failed.`,
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
        onlyFailed(command);
        const next = adopt(await act.beginCampaignAttempt({ ...ref, actor: command.actor }));
        isToSubmit = true;
        polling.wake();
        return next;
      }),
    { validator: onlyFailed },
  );

  if (!carried) {
    adopt(await act.beginCampaignAttempt(ref));
    isToSubmit = state.status !== 'failed' && state.status !== 'verified';
  }
  while (!isVerified()) {
    if (workflowInfo().continueAsNewSuggested && !isToSubmit) {
      await condition(allHandlersFinished);
      // A command may have come, and been obeyed, meanwhile: what it asks for is not carried over.
      if (isToSubmit) continue;
      await continueAsNew<typeof campaignReview>({ ...input, carried: { version: 1, state, pollMs: polling.waitMs } });
    }
    if (isToSubmit) {
      isToSubmit = false;
      await submit();
    }
    adopt(await act.lookAtCampaign(ref));
    if (!isVerified() && !isToSubmit) await polling.wait(state.nextAt);
  }
  return state.status;

  async function submit(): Promise<void> {
    try {
      await act.ensureMessagingService(ref);
      await act.submitCampaign(ref);
    } catch (error) {
      // The reasons are in Postgres, where the next look finds them.
      if (!isRefused(error)) throw error;
    }
  }
}
