/**
 * An organization's outbox: sleeps until the next message falls due, has everything sent that is, and sleeps again. It
 * knows nothing of the messages; a message costs a row and no workflow. After an idle hour it ends, and whoever queues the
 * next message starts it anew.
 */
import { ActivityCancellationType, continueAsNew, proxyActivities } from '@temporalio/workflow';
import type { OutboxActivities } from '../../activities/outbox/outbox.ts';
import { taskQueues } from '../task-queues.ts';
import { workWhenDue } from '../work-when-due/loop.ts';
import type { OutboxInput } from './messages.ts';

// Safe to repeat: it goes on with what is still waiting, and first settles what an earlier attempt left in doubt.
const { dispatchDue } = proxyActivities<OutboxActivities>({
  taskQueue: taskQueues.bulk,
  startToCloseTimeout: '25h',
  scheduleToCloseTimeout: '30d',
  heartbeatTimeout: '10s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});

export function outbox(input: OutboxInput): Promise<void> {
  return workWhenDue({
    work: () => dispatchDue(input),
    continueAsNew: () => continueAsNew<typeof outbox>(input),
    leastPauseMs: 250,
    idleMs: 3_600_000,
  });
}
