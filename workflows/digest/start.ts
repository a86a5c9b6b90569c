/** How an organization's digest is woken, and started where it is not running. */
import type { WorkflowClient } from '@temporalio/client';
import { digestWorkflowId } from '../ids.ts';
import { wake } from '../work-when-due/start.ts';
import type { DigestInput } from './messages.ts';

export const wakeDigest = (client: WorkflowClient, { organizationId }: DigestInput): Promise<void> =>
  wake(
    client,
    'digest',
    { organizationId },
    {
      workflowId: digestWorkflowId(organizationId),
      staticSummary: 'Sends the daily digest of notifications',
    },
  );
