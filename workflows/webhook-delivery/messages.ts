/** What the `webhookDelivery` workflow is started with; all that it is told is to wake (../work-when-due). */
export interface WebhookDeliveryInput {
  organizationId: string;
  endpointId: string;
}
