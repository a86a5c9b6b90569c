/**
 * The `digest` workflow alone, its activity played by the tests, on a development server that suggests to continue as new
 * after a few events.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wakeDigest } from '../../../workflows/digest/start.ts';
import { digestWorkflowId } from '../../../workflows/ids.ts';
import { taskQueues } from '../../../workflows/task-queues.ts';
import { eventually } from '../../harness/eventually.ts';
import { workflowBundle } from '../../replay/bundle.ts';
import { keepHistory } from '../../replay/record.ts';
import { type SmallHistories, startSmallHistories, expectALookForEachWake } from '../small-histories.ts';

/** What `sendDigest` answers; each test sets its own. */
type Play = () => Promise<Date | null>;
const plays = new Map<string, Play>();

let temporal: SmallHistories;
let client: Client;
beforeAll(async () => {
  temporal = await startSmallHistories(40);
  client = temporal.client;
  await temporal.work({
    taskQueue: taskQueues.control,
    workflowBundle: await workflowBundle(),
    activities: {
      sendDigest: async ({ organizationId }: { organizationId: string }) => {
        const nextAt = await plays.get(organizationId)!();
        return { nextAt: nextAt?.toISOString() ?? null };
      },
    },
  });
});
afterAll(async () => {
  await temporal?.stop();
});

const inADay = () => new Date(Date.now() + 86_400_000);

async function wake(play: Play) {
  const organizationId = `org_${randomUUID()}`;
  plays.set(organizationId, play);
  const again = () => wakeDigest(client.workflow, { organizationId });
  await again();
  const workflowId = digestWorkflowId(organizationId);
  const status = async () => (await client.workflow.getHandle(workflowId).describe()).status.name;
  return { workflowId, again, status };
}

describe('digest', () => {
  it('sleeps until the instant it is told, sends, and ends when nothing waits any more', async () => {
    const looks: number[] = [];
    const { workflowId, status } = await wake(async () => {
      looks.push(Date.now());
      return looks.length === 1 ? new Date(Date.now() + 2_000) : null;
    });
    await eventually(async () => expect(await status()).toBe('COMPLETED'));
    expect(looks).toHaveLength(2);
    expect(looks[1]! - looks[0]!).toBeGreaterThanOrEqual(1_900);
    await keepHistory(client, workflowId, 'digest.sent');
  });

  it('looks anew when it is woken: the time of the digest may have changed', async () => {
    let looks = 0;
    const { workflowId, again, status } = await wake(async () => {
      looks += 1;
      return looks === 1 ? inADay() : null;
    });
    await eventually(async () => expect(looks).toBe(1));
    await again();
    await eventually(async () => expect(await status()).toBe('COMPLETED'));
    expect(looks).toBe(2);
    await keepHistory(client, workflowId, 'digest.woken');
  });

  it('looks once more when it is woken while it finds that nothing waits', async () => {
    const begun = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    let looks = 0;
    const { again, status } = await wake(async () => {
      looks += 1;
      if (looks === 1) {
        begun.resolve();
        await going.promise;
      }
      return null;
    });
    await begun.promise;
    await again();
    going.resolve();
    await eventually(async () => expect(await status()).toBe('COMPLETED'));
    expect(looks).toBe(2);
  });

  it('does not spin on an answer that has passed already', async () => {
    let looks = 0;
    const { workflowId } = await wake(async () => {
      looks += 1;
      return new Date(Date.now() - 5_000);
    });
    await sleep(3_000);
    expect(looks).toBeLessThanOrEqual(4);
    await client.workflow.getHandle(workflowId).terminate();
  });

  it('continues as new when the server suggests it, with a look', async () => {
    let looks = 0;
    const { workflowId, again } = await wake(async () => {
      looks += 1;
      return inADay();
    });
    const runId = await expectALookForEachWake(client, { workflowId, again, looks: () => looks });
    await keepHistory(client, workflowId, 'digest.continuingAsNew', runId);
    await client.workflow.getHandle(workflowId).terminate();
  });
});
