/** What other sides may say to the `digest` workflow. */
import { defineSignal } from '@temporalio/workflow';

export interface DigestInput {
  organizationId: string;
}

/** Something waits that it may not know of, or the time of the digest has changed: look again. */
export const wakeSignal = defineSignal('wake');
