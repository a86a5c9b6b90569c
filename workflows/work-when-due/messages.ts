/** What other sides may say to workflows that work when something is due (loop.ts). */
import { defineSignal } from '@temporalio/workflow';

/** There is something to do, or it is to be done earlier: look again. */
export const wakeSignal = defineSignal('wake');
