/**
 * The deliveries to a webhook endpoint: has everything delivered that is due, sleeps until the next attempt after a
 * failure, and delivers again. It knows nothing of the events; an event costs a row and no history of its own. After an idle
 * hour it ends, and the next event starts it anew.
 */
import { continueAsNew, proxyActivities } from '@temporalio/workflow';
import type { WebhookActivities } from '../../activities/webhooks.ts';
import { taskQueues } from '../task-queues.ts';
import { workWhenDue } from '../work-when-due/loop.ts';
import type { WebhookDeliveryInput } from './messages.ts';

// Safe to repeat: what was on its way goes out once more under the same id, by which receivers know it.
const { deliverWebhooks } = proxyActivities<WebhookActivities>({
  taskQueue: taskQueues.webhooks,
  startToCloseTimeout: '25h',
  scheduleToCloseTimeout: '30d',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});

export function webhookDelivery(input: WebhookDeliveryInput): Promise<void> {
  return workWhenDue({
    work: () => deliverWebhooks(input),
    continueAsNew: () => continueAsNew<typeof webhookDelivery>(input),
    leastPauseMs: 250,
    idleMs: 3_600_000,
  });
}
