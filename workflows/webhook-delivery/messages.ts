/** What other sides may say to the `webhookDelivery` workflow. */
import { defineSignal } from '@temporalio/workflow';

export interface WebhookDeliveryInput {
  organizationId: string;
  endpointId: string;
}

/** There is something to deliver, or the endpoint was changed: look again. */
export const wakeSignal = defineSignal('wake');
