/** What the `statusReconciliation` workflow is started with; all that it is told is to wake (../work-when-due). */
export interface ReconciliationInput {
  organizationId: string;
}
