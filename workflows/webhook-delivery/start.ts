/** How the deliveries to a webhook endpoint are woken, and started where they are not running. */
import type { WorkflowClient } from '@temporalio/client';
import { webhooksWorkflowId } from '../ids.ts';
import { taskQueues } from '../task-queues.ts';
import { wakeSignal, type WebhookDeliveryInput } from './messages.ts';

export async function wakeWebhooks(client: WorkflowClient, input: WebhookDeliveryInput): Promise<void> {
  await client.signalWithStart('webhookDelivery', {
    taskQueue: taskQueues.control,
    workflowId: webhooksWorkflowId(input.endpointId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    priority: { fairnessKey: input.organizationId },
    staticSummary: 'Delivers events to a webhook endpoint',
    args: [input],
    signal: wakeSignal,
    signalArgs: [],
  });
}
