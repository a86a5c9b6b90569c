/** How an organization's outbox is woken, and started where it is not running. */
import type { WorkflowClient } from '@temporalio/client';
import { outboxWorkflowId } from '../ids.ts';
import { wake } from '../work-when-due/start.ts';
import type { OutboxInput } from './messages.ts';

export const wakeOutbox = (client: WorkflowClient, { organizationId }: OutboxInput): Promise<void> =>
  wake(
    client,
    'outbox',
    { organizationId },
    {
      workflowId: outboxWorkflowId(organizationId),
      staticSummary: 'Sends what falls due one by one',
    },
  );
