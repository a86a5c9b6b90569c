/** How an organization's reconciliation is woken, and started where it is not running. */
import type { WorkflowClient } from '@temporalio/client';
import { reconciliationWorkflowId } from '../ids.ts';
import { wake } from '../work-when-due/start.ts';
import type { ReconciliationInput } from './messages.ts';

export const wakeReconciliation = (client: WorkflowClient, { organizationId }: ReconciliationInput): Promise<void> =>
  wake(
    client,
    'statusReconciliation',
    { organizationId },
    {
      workflowId: reconciliationWorkflowId(organizationId),
      staticSummary: 'Asks Twilio about messages whose final status never came',
    },
  );
