/** What other sides may say to and ask of the `massSms` workflow. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { MassSmsAction, MassSmsCommand, MassSmsState } from '../../domain/mass-sms/mass-sms.ts';

export interface MassSmsInput {
  organizationId: string;
  massSmsId: string;
  /** RFC 3339: when the first batch starts. */
  startAt: string;
  /** What to go on from: carried over when the workflow continues as new, or found in Postgres when it starts anew. */
  carried?: MassSmsState;
}

/** The update for each action. All are refused, by validator or by failure, with a `TransitionNotAllowed`. */
export const updates = {
  pause: defineUpdate<MassSmsState, [MassSmsCommand]>('pause'),
  resume: defineUpdate<MassSmsState, [MassSmsCommand]>('resume'),
  reschedule: defineUpdate<MassSmsState, [MassSmsCommand]>('reschedule'),
  cancel: defineUpdate<MassSmsState, [MassSmsCommand]>('cancel'),
} as const satisfies Record<MassSmsAction, unknown>;

export const stateQuery = defineQuery<MassSmsState>('state');

/** Postgres knows more: between two batches a report has put it in error, say. It looks, unless a batch is being sent. */
export const lookSignal = defineSignal('look');
