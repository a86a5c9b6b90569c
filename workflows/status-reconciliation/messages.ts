/** What other sides may say to the `statusReconciliation` workflow. */
import { defineSignal } from '@temporalio/workflow';

export interface ReconciliationInput {
  organizationId: string;
}

/** Messages are due to be asked about: look now. */
export const wakeSignal = defineSignal('wake');
