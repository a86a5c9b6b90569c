/** What other sides may say to the `outbox` workflow. */
import { defineSignal } from '@temporalio/workflow';

export interface OutboxInput {
  organizationId: string;
}

/** Something became due, or due earlier: look again. */
export const wakeSignal = defineSignal('wake');
