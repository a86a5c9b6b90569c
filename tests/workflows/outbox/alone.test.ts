/**
 * The `outbox` workflow alone, its activity played by the tests, on a development server that suggests to continue as new
 * after a few events, as a real one does after thousands.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxWorkflowId } from '../../../workflows/ids.ts';
import { wakeOutbox } from '../../../workflows/outbox/start.ts';
import { taskQueues } from '../../../workflows/task-queues.ts';
import { eventually } from '../../harness/eventually.ts';
import { workflowBundle } from '../../replay/bundle.ts';
import { historyFromJson } from '../../replay/history-json.ts';
import { historiesFolder, keepHistory, replayErrors } from '../../replay/record.ts';
import { type SmallHistories, startSmallHistories, expectALookForEachWake } from '../small-histories.ts';

/** What `dispatchDue` answers; each test sets its own. */
type Play = (context: Context) => Promise<Date | null>;
const plays = new Map<string, Play>();

let temporal: SmallHistories;
let client: Client;
beforeAll(async () => {
  temporal = await startSmallHistories(40);
  client = temporal.client;
  await temporal.work({ taskQueue: taskQueues.control, workflowBundle: await workflowBundle() });
  await temporal.work({
    taskQueue: taskQueues.bulk,
    activities: {
      dispatchDue: async ({ organizationId }: { organizationId: string }) => {
        const nextAt = await plays.get(organizationId)!(Context.current());
        return { nextAt: nextAt && nextAt.toISOString() };
      },
    },
    maxHeartbeatThrottleInterval: '100ms',
  });
});
afterAll(async () => {
  await temporal?.stop();
});

const inAnHour = () => new Date(Date.now() + 3_600_000);

async function wake(play: Play) {
  const organizationId = `org_${randomUUID()}`;
  plays.set(organizationId, play);
  const again = () => wakeOutbox(client.workflow, { organizationId });
  await again();
  return { workflowId: outboxWorkflowId(organizationId), again };
}

describe('outbox', () => {
  it('looks at once, when it is told to, and when what waits falls due', async () => {
    const looks: number[] = [];
    const { workflowId, again } = await wake(async () => {
      looks.push(Date.now());
      return looks.length === 2 ? new Date(Date.now() + 1_500) : inAnHour();
    });
    await eventually(async () => expect(looks).toHaveLength(1));
    await again();
    await eventually(async () => expect(looks).toHaveLength(3));
    expect(looks[2]! - looks[1]!).toBeGreaterThanOrEqual(1_400);
    await sleep(500);
    expect(looks).toHaveLength(3);
    await keepHistory(client, workflowId, 'outbox.woken');
    await client.workflow.getHandle(workflowId).terminate();
  });

  it('looks again after a wake that came while it was sending', async () => {
    const begun = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    let looks = 0;
    const { workflowId, again } = await wake(async (context) => {
      looks += 1;
      if (looks > 1) return inAnHour();
      begun.resolve();
      const beating = setInterval(() => context.heartbeat(), 100);
      await going.promise;
      clearInterval(beating);
      return inAnHour();
    });
    await begun.promise;
    await again();
    await again();
    going.resolve();
    await eventually(async () => expect(looks).toBe(2));
    await sleep(500);
    expect(looks).toBe(2);
    await client.workflow.getHandle(workflowId).terminate();
  });

  it('does not spin on an answer that has passed already', async () => {
    let looks = 0;
    const { workflowId } = await wake(async () => {
      looks += 1;
      return new Date(Date.now() - 1_000);
    });
    await sleep(2_000);
    expect(looks).toBeLessThanOrEqual(9);
    await client.workflow.getHandle(workflowId).terminate();
  });

  it('continues as new when the server suggests it, with a look, so that no wake is lost', async () => {
    let looks = 0;
    const { workflowId, again } = await wake(async () => {
      looks += 1;
      return inAnHour();
    });
    const runId = await expectALookForEachWake(client, { workflowId, again, looks: () => looks });
    await keepHistory(client, workflowId, 'outbox.continuingAsNew', runId);
    await client.workflow.getHandle(workflowId).terminate();
  });

  it('woken a hundred times at once while it sends, looks once more and no oftener than it must', async () => {
    const begun = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    let looks = 0;
    const { workflowId, again } = await wake(async (context) => {
      looks += 1;
      if (looks > 1) return inAnHour();
      begun.resolve();
      const beating = setInterval(() => context.heartbeat(), 100);
      await going.promise;
      clearInterval(beating);
      return inAnHour();
    });
    await begun.promise;
    await Promise.all(Array.from({ length: 100 }, again));
    going.resolve();
    await eventually(async () => expect(looks).toBeGreaterThanOrEqual(2));
    await sleep(500);
    // Once for the wakes, and once more where it continued as new on their account.
    expect(looks).toBeLessThanOrEqual(3);
    await client.workflow.getHandle(workflowId).terminate();
  });

  it('looks again when a wake comes together with the timer that would end it', async () => {
    const recorded = await readFile(path.join(historiesFolder, 'outbox.windowOpens.v1.json'), 'utf8');
    const { events } = JSON.parse(recorded) as { events: Record<string, unknown>[] };
    const ofType = (type: string) => events.findLast(({ eventType }) => eventType === `EVENT_TYPE_${type}`)!;
    expect(events.slice(-5).map(({ eventType }) => String(eventType).slice(11))).toEqual([
      'TIMER_FIRED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
      'WORKFLOW_EXECUTION_COMPLETED',
    ]);
    // As the server has it when the signal arrives while the workflow says that it has ended: that is refused, and the
    // next task brings both.
    const task = Number(ofType('WORKFLOW_TASK_COMPLETED')['eventId']) + 1;
    const activity = structuredClone(ofType('ACTIVITY_TASK_SCHEDULED'));
    Object.assign(activity['activityTaskScheduledEventAttributes'] as object, {
      activityId: '3',
      workflowTaskCompletedEventId: String(task),
    });
    const signal = structuredClone(ofType('WORKFLOW_EXECUTION_SIGNALED'));
    const changed = [...events.slice(0, -4), signal, ...events.slice(-4, -1), activity];
    for (const [index, event] of changed.entries()) event['eventId'] = String(index + 1);
    for (const event of changed.slice(-3)) {
      const attributes = Object.entries(event).find(([name]) => name.endsWith('EventAttributes'))![1] as Record<
        string,
        string
      >;
      for (const name of ['scheduledEventId', 'startedEventId']) {
        if (attributes[name] !== undefined) attributes[name] = String(Number(attributes[name]) + 1);
      }
    }
    const history = historyFromJson({ events: changed });
    expect(await replayErrors([{ workflowId: 'together', history }], await workflowBundle())).toEqual({
      together: null,
    });
  });
});
