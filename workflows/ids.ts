/** How workflows are addressed: one builder per process. */
export const massSmsWorkflowId = (massSmsId: string): string => `mass-sms/${massSmsId}`;
export const registrationWorkflowId = (organizationId: string): string => `registration/${organizationId}`;
export const brandWorkflowId = (registrationId: string): string => `brand/${registrationId}`;
export const campaignWorkflowId = (registrationId: string): string => `campaign/${registrationId}`;
export const numbersWorkflowId = (jobId: string): string => `numbers/${jobId}`;
