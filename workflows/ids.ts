/** How workflows are addressed: one builder per process. */
export const massSmsWorkflowId = (massSmsId: string): string => `mass-sms/${massSmsId}`;
