/**
 * An organization's outbox: sleeps until the next message falls due, has everything sent that is, and sleeps again. It
 * knows nothing of the messages; a message costs a row and no workflow. After an idle hour it ends, and whoever queues the
 * next message starts it anew.
 */
import {
  ActivityCancellationType,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { OutboxActivities } from '../../activities/outbox.ts';
import { taskQueues } from '../task-queues.ts';
import { type OutboxInput, wakeSignal } from './messages.ts';

const idleMs = 3_600_000;
/** The activity judges by another clock: an answer that has passed here must not make the two spin. */
const leastPauseMs = 250;

// Safe to repeat: it goes on with what is still waiting, and first settles what an earlier attempt left in doubt.
const { dispatchDue } = proxyActivities<OutboxActivities>({
  taskQueue: taskQueues.bulk,
  startToCloseTimeout: '25h',
  scheduleToCloseTimeout: '30d',
  heartbeatTimeout: '10s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});

export async function outbox(input: OutboxInput): Promise<void> {
  // In an object: the compiler would take a variable that only closures set for one that never changes.
  const wake = { isAsked: false };
  setHandler(wakeSignal, () => {
    wake.isAsked = true;
  });

  for (;;) {
    wake.isAsked = false;
    const { nextAt } = await dispatchDue(input);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof outbox>(input);
    setCurrentDetails(nextAt === null ? 'nothing waits' : `next at ${nextAt}`);
    const waitMs = nextAt === null ? idleMs : Math.max(Date.parse(nextAt) - Date.now(), leastPauseMs);
    await condition(() => wake.isAsked, waitMs);
    // Not by what `condition` answers: a signal may have come together with the timer that ended the wait.
    if (nextAt === null && !wake.isAsked) return;
  }
}
