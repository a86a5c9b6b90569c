/** What other sides may say to and ask of the `campaignReview` workflow. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CampaignState, RegistrationCommand } from '../../domain/registration/status.ts';

export interface CampaignReviewInput {
  organizationId: string;
  registrationId: string;
  /** What to go on from when the workflow continues as new. */
  carried?: { version: 1; state: CampaignState; pollMs: number };
}

/** Submits the corrected intake, which is in Postgres by then. */
export const resubmitUpdate = defineUpdate<CampaignState, [RegistrationCommand]>('resubmit');
/** Twilio says that something changed: time to look. */
export const changedSignal = defineSignal('changed');
export const stateQuery = defineQuery<CampaignState>('state');
