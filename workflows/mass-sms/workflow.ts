/**
 * The life of a mass SMS: it waits for each batch, has it sent, and obeys pause, resume, reschedule and cancel.
 *
 * Postgres is the judge of the status, this workflow of the time: every activity answers with the status it found or
 * made and the instant at which there is something to do next, and the workflow sleeps until then. A crash between any
 * two steps repeats an activity, and each of them is harmless to repeat.
 */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { BatchActivities } from '../../activities/mass-sms/batches.ts';
import type { MassSmsActivities } from '../../activities/mass-sms/commands.ts';
import {
  allowedActions,
  isFinal,
  type MassSmsAction,
  massSmsActions,
  type MassSmsCommand,
  type MassSmsState,
  type Refusal,
  transitionNotAllowed,
} from '../../domain/mass-sms/mass-sms.ts';
import { taskQueues } from '../task-queues.ts';
import { lookSignal, type MassSmsInput, stateQuery, updates } from './messages.ts';

// Safe to repeat: one transaction that finds the state already reached and does nothing more.
const { applyCommand } = proxyActivities<MassSmsActivities>({
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '1h',
  retry: { initialInterval: '200ms', maximumInterval: '10s' },
});

// Safe to repeat: it goes on with what is still queued, and first settles what an earlier attempt left in doubt.
// An attempt lasts no longer than a window does, and a batch that cannot be run for a month needs a person.
const { runBatch } = proxyActivities<BatchActivities>({
  taskQueue: taskQueues.bulk,
  startToCloseTimeout: '25h',
  scheduleToCloseTimeout: '30d',
  heartbeatTimeout: '10s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});

/** As `applyCommand`; what Postgres refuses is thrown as the workflow's own refusals are, for the API to read. */
async function apply(command: Parameters<typeof applyCommand>[0]): Promise<MassSmsState> {
  try {
    return await applyCommand(command);
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    throw cause instanceof ApplicationFailure ? cause : error;
  }
}

export async function massSms(input: MassSmsInput): Promise<MassSmsState> {
  try {
    return await live(input);
  } catch (error) {
    // A batch that is cancelled may end with a failure of its own.
    if (!isCancellation(error) && !CancellationScope.current().consideredCancelled) throw error;
    // Cancelled from outside, as ops can in the Web UI: the facts in Postgres must say so too.
    const { organizationId, massSmsId } = input;
    await CancellationScope.nonCancellable(() =>
      applyCommand({ organizationId, massSmsId, action: 'cancel', force: true, actor: 'operator:temporal' }),
    );
    throw error;
  }
}

async function live(input: MassSmsInput): Promise<MassSmsState> {
  const { organizationId, massSmsId } = input;
  const state: MassSmsState = input.carried ?? { version: 1, status: 'scheduled', runAt: input.startAt };
  // In an object: the compiler would take a variable that only closures set for one that never changes.
  const now: { sending: CancellationScope | null } = { sending: null };
  let commanding = false;
  // Counts the commands obeyed and the calls to look: a wait that sees it change starts over.
  let calls = 0;
  let hasJustRun = false;

  const adopt = (next: MassSmsState): void => {
    state.status = next.status;
    state.runAt = next.runAt;
    setCurrentDetails(state.runAt === null ? state.status : `${state.status}, next at ${state.runAt}`);
  };

  const refuse = (action: MassSmsAction): never => {
    const allowed = allowedActions(state.status);
    const refusal: Refusal = { status: state.status, allowed };
    throw ApplicationFailure.create({
      message: `A mass SMS that is ${state.status} cannot ${action}.`,
      type: transitionNotAllowed,
      nonRetryable: true,
      details: [refusal],
    });
  };

  const obey = async (action: MassSmsAction, command: MassSmsCommand): Promise<MassSmsState> => {
    // One command at a time; the second judges what the first has made of the state. All who wait wake up at once.
    while (commanding) await condition(() => !commanding);
    if (!allowedActions(state.status).includes(action)) refuse(action);
    commanding = true;
    try {
      // Postgres first: no worker claims another message from this moment, not even one cut off from Temporal.
      adopt(await apply({ organizationId, massSmsId, action, ...command }));
      calls += 1;
      if (action === 'pause' || action === 'cancel') {
        now.sending?.cancel();
        await condition(() => now.sending === null);
        // The batch gave back what had not left yet: that is cancelled too.
        if (action === 'cancel') adopt(await apply({ organizationId, massSmsId, action, ...command }));
      }
      return { ...state };
    } finally {
      commanding = false;
    }
  };

  for (const action of massSmsActions) {
    setHandler(updates[action], (command) => obey(action, command), {
      validator: (_command: MassSmsCommand) => {
        if (!allowedActions(state.status).includes(action)) refuse(action);
      },
    });
  }
  setHandler(stateQuery, () => state);
  setHandler(lookSignal, () => {
    // What is under way looks by itself.
    if (now.sending || commanding || isFinal(state.status)) return;
    state.runAt = new Date().toISOString();
    calls += 1;
  });

  // A final status may leave messages in doubt to be settled.
  while (!isFinal(state.status) || state.runAt !== null) {
    // A command under way decides what comes next, the end included.
    if (commanding) {
      await condition(() => !commanding);
      continue;
    }
    const seen = calls;
    const changed = () => calls !== seen;

    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof massSms>({ ...input, carried: state });
    }
    if (state.runAt === null) {
      await condition(changed);
      continue;
    }
    // The activity judges by another clock: an answer that has passed here must not make the two spin.
    const waitMs = Math.max(Date.parse(state.runAt) - Date.now(), hasJustRun ? 1_000 : 0);
    hasJustRun = false;
    if (waitMs > 0 && (await condition(changed, waitMs))) continue;

    try {
      const next = await CancellationScope.cancellable(() => {
        now.sending = CancellationScope.current();
        return runBatch({ organizationId, massSmsId });
      });
      // A command obeyed meanwhile has judged later than this answer, unless the answer is the end.
      if (!changed() || isFinal(next.status)) adopt(next);
      hasJustRun = !changed();
    } catch (error) {
      // A command ended it, and however it ended then (a worker that shuts down or dies answers otherwise than with a
      // cancellation), the loop looks at what the command made of the state. Anything else ends the workflow.
      if (!changed()) throw error;
    } finally {
      now.sending = null;
    }
  }
  await condition(allHandlersFinished);
  return state;
}
