/** How the deliveries to a webhook endpoint are woken, and started where they are not running. */
import type { WorkflowClient } from '@temporalio/client';
import { webhooksWorkflowId } from '../ids.ts';
import { wake } from '../work-when-due/start.ts';
import type { WebhookDeliveryInput } from './messages.ts';

export const wakeWebhooks = (client: WorkflowClient, input: WebhookDeliveryInput): Promise<void> =>
  wake(client, 'webhookDelivery', input, {
    workflowId: webhooksWorkflowId(input.endpointId),
    staticSummary: 'Delivers events to a webhook endpoint',
  });
