/** What other sides may say to the `optIn` workflow. */
import { defineSignal } from '@temporalio/workflow';

/** A user's requests to a contact. */
export interface OptInInput {
  organizationId: string;
  userId: string;
  contactId: string;
}

/** The contact said YES or STOP; what it said is in Postgres. */
export const answeredSignal = defineSignal('answered');
