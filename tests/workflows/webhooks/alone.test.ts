/**
 * The `webhookDelivery` workflow alone, its activity played by the tests, on a development server that suggests to continue
 * as new after a few events, as a real one does after thousands.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { webhooksWorkflowId } from '../../../workflows/ids.ts';
import { taskQueues } from '../../../workflows/task-queues.ts';
import { wakeWebhooks } from '../../../workflows/webhook-delivery/start.ts';
import { eventually } from '../../harness/eventually.ts';
import { workflowBundle } from '../../replay/bundle.ts';
import { keepHistory } from '../../replay/record.ts';
import { type SmallHistories, startSmallHistories, expectALookForEachWake } from '../small-histories.ts';

/** What `deliverWebhooks` answers; each test sets its own. */
const plays = new Map<string, () => Date | null>();

let temporal: SmallHistories;
let client: Client;
beforeAll(async () => {
  temporal = await startSmallHistories(40);
  client = temporal.client;
  await temporal.work({ taskQueue: taskQueues.control, workflowBundle: await workflowBundle() });
  await temporal.work({
    taskQueue: taskQueues.webhooks,
    activities: {
      deliverWebhooks: async ({ endpointId }: { endpointId: string }) => ({
        nextAt: plays.get(endpointId)!()?.toISOString() ?? null,
      }),
    },
  });
});
afterAll(async () => {
  await temporal?.stop();
});

async function wake(play: () => Date | null) {
  const input = { organizationId: `org_${randomUUID()}`, endpointId: `whe_${randomUUID()}` };
  plays.set(input.endpointId, play);
  const again = () => wakeWebhooks(client.workflow, input);
  await again();
  return { workflowId: webhooksWorkflowId(input.endpointId), again };
}

it('looks at once, when it is told to, and when the next attempt is due', async () => {
  const looks: number[] = [];
  const { workflowId, again } = await wake(() => {
    looks.push(Date.now());
    return looks.length === 2 ? new Date(Date.now() + 1_500) : null;
  });
  await eventually(async () => expect(looks).toHaveLength(1));
  await again();
  await eventually(async () => expect(looks).toHaveLength(3));
  expect(looks[2]! - looks[1]!).toBeGreaterThanOrEqual(1_400);
  await keepHistory(client, workflowId, 'webhookDelivery.woken');
  await client.workflow.getHandle(workflowId).terminate();
});

it('continues as new when the server suggests it, with a look, so that no wake is lost', async () => {
  let looks = 0;
  const { workflowId, again } = await wake(() => {
    looks += 1;
    return null;
  });
  const runId = await expectALookForEachWake(client, { workflowId, again, looks: () => looks });
  await keepHistory(client, workflowId, 'webhookDelivery.continuingAsNew', runId);
  await client.workflow.getHandle(workflowId).terminate();
});
