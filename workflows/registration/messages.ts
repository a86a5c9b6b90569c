/** What other sides may say to the `registration` workflow. */
import { defineUpdate } from '@temporalio/workflow';
import type { RegistrationCommand } from '../../domain/registration/status.ts';

export interface RegistrationInput {
  organizationId: string;
  registrationId: string;
}

/** Stops waiting; what exists at Twilio stays there, and is found again when it is submitted anew. */
export const cancelUpdate = defineUpdate<void, [RegistrationCommand]>('cancel');
