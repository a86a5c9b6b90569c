/** What other sides may say to and ask of the `brandVerification` workflow. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BrandState, RegistrationCommand } from '../../domain/registration/status.ts';

export interface BrandVerificationInput {
  organizationId: string;
  registrationId: string;
  /** What to go on from when the workflow continues as new. */
  carried?: { version: 1; state: BrandState; pollMs: number };
}

/** Has the registry send another identity link, which lives another 7 days. */
export const resendUpdate = defineUpdate<BrandState, [RegistrationCommand]>('resend');
/** Submits the corrected intake, which is in Postgres by then. */
export const resubmitUpdate = defineUpdate<BrandState, [RegistrationCommand]>('resubmit');
/** Twilio says that something changed: time to look. */
export const changedSignal = defineSignal('changed');
export const stateQuery = defineQuery<BrandState>('state');
