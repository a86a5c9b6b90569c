/** How workflows are addressed: one builder per process. */
export const massSmsWorkflowId = (massSmsId: string): string => `mass-sms/${massSmsId}`;
export const registrationWorkflowId = (organizationId: string): string => `registration/${organizationId}`;
export const brandWorkflowId = (registrationId: string): string => `brand/${registrationId}`;
export const campaignWorkflowId = (registrationId: string): string => `campaign/${registrationId}`;
export const optInWorkflowId = ({ userId, contactId }: { userId: string; contactId: string }): string =>
  `opt-in/${userId}/${contactId}`;
export const outboxWorkflowId = (organizationId: string): string => `outbox/${organizationId}`;
export const reconciliationWorkflowId = (organizationId: string): string => `reconcile/${organizationId}`;
export const numbersWorkflowId = (jobId: string): string => `numbers/${jobId}`;
export const digestWorkflowId = (organizationId: string): string => `digest/${organizationId}`;
export const webhooksWorkflowId = (endpointId: string): string => `webhooks/${endpointId}`;
