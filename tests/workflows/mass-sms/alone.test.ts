/**
 * The `massSms` workflow alone, its activities played by the tests: what cannot be brought about from outside. On a
 * development server of its own that suggests to continue as new after a few events, as a real one does after thousands.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { type Client, type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandInput } from '../../../activities/mass-sms/commands.ts';
import { nextTry, obeyOnce } from '../../../api/temporal/updates.ts';
import { type MassSmsState, transitionNotAllowed, windowNeverOpens } from '../../../domain/mass-sms/mass-sms.ts';
import type { massSms } from '../../../workflows/index.ts';
import { lookSignal, stateQuery, updates } from '../../../workflows/mass-sms/messages.ts';
import { taskQueues } from '../../../workflows/task-queues.ts';
import { eventually } from '../../harness/eventually.ts';
import { workflowBundle } from '../../replay/bundle.ts';
import { keepHistory } from '../../replay/record.ts';
import { type SmallHistories, startSmallHistories } from '../small-histories.ts';

/** What the activities answer; each test sets its own. */
interface Play {
  applyCommand(input: CommandInput): Promise<MassSmsState>;
  runBatch(context: Context): Promise<MassSmsState>;
}
const plays = new Map<string, Play>();
const playOf = (massSmsId: string): Play => plays.get(massSmsId)!;

let temporal: SmallHistories;
let client: Client;

beforeAll(async () => {
  temporal = await startSmallHistories(80);
  client = temporal.client;
  await temporal.work({
    taskQueue: taskQueues.control,
    workflowBundle: await workflowBundle(),
    activities: { applyCommand: (input: CommandInput) => playOf(input.massSmsId).applyCommand(input) },
  });
  await temporal.work({
    taskQueue: taskQueues.bulk,
    activities: {
      runBatch: ({ massSmsId }: { massSmsId: string }) => playOf(massSmsId).runBatch(Context.current()),
    },
    maxHeartbeatThrottleInterval: '100ms',
  });
});
afterAll(async () => {
  await temporal?.stop();
});

const state = (status: MassSmsState['status'], runAt: Date | null = null): MassSmsState => ({
  version: 1,
  status,
  runAt: runAt && runAt.toISOString(),
});
const inAnHour = () => new Date(Date.now() + 3_600_000);

async function start(play: Play, startAt = new Date()): Promise<WorkflowHandle<typeof massSms>> {
  const massSmsId = `mms_${randomUUID()}`;
  plays.set(massSmsId, play);
  return client.workflow.start<typeof massSms>('massSms', {
    taskQueue: taskQueues.control,
    workflowId: `mass-sms/${massSmsId}`,
    args: [{ organizationId: `org_${randomUUID()}`, massSmsId, startAt: startAt.toISOString() }],
  });
}
const command = { actor: 'user:usr_1' };

/** A batch that goes on until it is cancelled, and then ends as `end` says. */
function endless(end: () => Promise<MassSmsState>) {
  const begun = Promise.withResolvers<void>();
  return {
    begun: begun.promise,
    run: async (context: Context): Promise<MassSmsState> => {
      begun.resolve();
      const beating = setInterval(() => context.heartbeat(), 50);
      try {
        await context.cancelled.catch(() => {});
        return await end();
      } finally {
        clearInterval(beating);
      }
    },
  };
}

describe('massSms', () => {
  it('continues as new when the server suggests it, and goes on where it was', async () => {
    const batchTimes: number[] = [];
    const runAt = inAnHour();
    const handle = await start({
      applyCommand: async ({ action, allowWeekends }) =>
        action === 'reschedule' ? state('in_process', allowWeekends ? new Date() : runAt) : state('cancelled'),
      runBatch: async () => {
        batchTimes.push(Date.now());
        return state('in_process', runAt);
      },
    });
    const { firstExecutionRunId } = handle as unknown as { firstExecutionRunId: string };
    await eventually(async () => expect(batchTimes).toHaveLength(1));
    for (let n = 0; n < 12; n += 1) await handle.executeUpdate(updates.reschedule, { args: [command] });
    const current = client.workflow.getHandle<typeof massSms>(handle.workflowId);
    await eventually(async () => expect((await current.describe()).runId).not.toBe(firstExecutionRunId));
    expect((await client.workflow.getHandle(handle.workflowId, firstExecutionRunId).describe()).status.name).toBe(
      'CONTINUED_AS_NEW',
    );
    // It still waits for the next batch, and did not begin from the start.
    expect(await current.query(stateQuery)).toEqual(state('in_process', runAt));
    expect(batchTimes).toHaveLength(1);
    // And it still obeys.
    await current.executeUpdate(updates.reschedule, { args: [{ ...command, allowWeekends: true }] });
    await eventually(async () => expect(batchTimes).toHaveLength(2));
    await current.executeUpdate(updates.cancel, { args: [command] });
    expect(await current.result()).toEqual(state('cancelled'));
    await keepHistory(client, handle.workflowId, 'massSms.continuedAsNew');
  });

  it('answers a command that Postgres refuses with the refusal, and lives on', async () => {
    const handle = await start({
      applyCommand: async ({ action }) => {
        if (action === 'cancel') return state('cancelled');
        throw ApplicationFailure.create({
          message: 'A mass SMS that is completed cannot pause.',
          type: transitionNotAllowed,
          nonRetryable: true,
          details: [{ status: 'completed', allowed: [] }],
        });
      },
      runBatch: async () => state('in_process', inAnHour()),
    });
    const error = await handle.executeUpdate(updates.pause, { args: [command] }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    // What the API looks for to answer 409.
    expect((error as WorkflowUpdateFailedError).cause).toMatchObject({
      name: 'ApplicationFailure',
      type: transitionNotAllowed,
      details: [{ status: 'completed', allowed: [] }],
    });
    await handle.executeUpdate(updates.cancel, { args: [command] });
    expect(await handle.result()).toEqual(state('cancelled'));
  });

  it('ends when it is cancelled while it is in error', async () => {
    const handle = await start({
      applyCommand: async () => state('cancelled'),
      runBatch: async () => state('error'),
    });
    await eventually(async () => expect(await handle.query(stateQuery)).toEqual(state('error')));
    await handle.executeUpdate(updates.cancel, { args: [command] });
    expect(await handle.result()).toEqual(state('cancelled'));
  });

  it.for([
    ['a worker that is shutting down', () => Promise.reject(ApplicationFailure.retryable('shutting down', 'Draining'))],
    ['a failure', () => Promise.reject(new Error('Postgres is away'))],
    ['an answer of its own', () => Promise.resolve(state('in_process', new Date()))],
  ] as const)('survives a pause that meets %s instead of a cancelled batch, and can be resumed', async ([, end]) => {
    const batch = endless(end);
    let runs = 0;
    let resting = false;
    const handle = await start({
      applyCommand: async ({ action }) => {
        resting = action === 'pause';
        if (action === 'pause') return state('paused', new Date());
        return action === 'cancel' ? state('cancelled') : state('in_process', new Date());
      },
      runBatch: async (context) => {
        runs += 1;
        if (runs === 1) return batch.run(context);
        return resting ? state('paused') : state('completed');
      },
    });
    await batch.begun;
    expect(await handle.executeUpdate(updates.pause, { args: [command] })).toMatchObject({ status: 'paused' });
    await eventually(async () => expect(await handle.query(stateQuery)).toEqual(state('paused')));
    expect(await handle.executeUpdate(updates.resume, { args: [command] })).toMatchObject({ status: 'in_process' });
    expect(await handle.result()).toEqual(state('completed'));
  });

  it('obeys a request once, also when it was turned away and refused before, and when it is over', async () => {
    const asked: string[] = [];
    let isOpen = false;
    const handle = await start({
      applyCommand: async ({ action }) => {
        asked.push(action);
        if (action !== 'resume') return state(action === 'pause' ? 'paused' : 'cancelled');
        if (!isOpen) throw ApplicationFailure.nonRetryable('never opens', windowNeverOpens);
        return state('in_process', inAnHour());
      },
      runBatch: async () => state('in_process', inAnHour()),
    });
    const resume = () => obeyOnce(handle, updates.resume, { command, requestKey: 'resume' });
    // By the validator, which leaves no record.
    await expect(resume()).rejects.toThrow(WorkflowUpdateFailedError);
    expect(await nextTry(handle, 'resume')).toBe('resume');
    await handle.executeUpdate(updates.pause, { args: [command] });
    for (const next of ['resume/1', 'resume/2']) {
      await expect(resume()).rejects.toThrow(WorkflowUpdateFailedError);
      expect(await nextTry(handle, 'resume')).toBe(next);
    }
    isOpen = true;
    await resume();
    await resume();
    expect(asked).toEqual(['pause', 'resume', 'resume', 'resume']);
    await handle.executeUpdate(updates.cancel, { args: [command] });
    await handle.result();
    expect(await nextTry(handle, 'resume')).toBeNull();
    expect(await nextTry(handle, 'other')).toBe('other');
  });

  it('obeys one command at a time: the second judges what the first made of it', async () => {
    const order: string[] = [];
    const handle = await start(
      {
        applyCommand: async ({ action }) => {
          order.push(`${action} begins`);
          await sleep(100);
          order.push(`${action} ends`);
          return action === 'pause' ? state('paused') : state('cancelled');
        },
        runBatch: async () => state('in_process', inAnHour()),
      },
      inAnHour(),
    );
    const paused = await Promise.allSettled(
      Array.from({ length: 5 }, () => handle.executeUpdate(updates.pause, { args: [command] })),
    );
    expect(paused.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(order).toEqual(['pause begins', 'pause ends']);
    await handle.executeUpdate(updates.cancel, { args: [command] });
    // The second time for what the batch gave back.
    expect(order.slice(2)).toEqual(['cancel begins', 'cancel ends', 'cancel begins', 'cancel ends']);
    expect(await handle.result()).toMatchObject({ status: 'cancelled' });
  });

  it('looks at once when it is told to while it waits, and then obeys what it refused', async () => {
    let runs = 0;
    const handle = await start({
      applyCommand: async ({ action }) => (action === 'cancel' ? state('cancelled') : state('in_process', inAnHour())),
      runBatch: async () => {
        runs += 1;
        return runs === 1 ? state('in_process', inAnHour()) : state('error');
      },
    });
    await eventually(async () => expect(runs).toBe(1));
    const resume = () => handle.executeUpdate(updates.resume, { args: [command], updateId: 'the-same' });
    await expect(resume()).rejects.toThrow(WorkflowUpdateFailedError);
    await handle.signal(lookSignal);
    await eventually(async () => expect(await handle.query(stateQuery)).toEqual(state('error')));
    expect(await resume()).toMatchObject({ status: 'in_process' });
    await handle.executeUpdate(updates.cancel, { args: [command] });
    expect(await handle.result()).toEqual(state('cancelled'));
    expect(runs).toBe(2);
  });

  it('goes on with a batch that is being sent when it is told to look', async () => {
    const [begun, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let runs = 0;
    const handle = await start({
      applyCommand: async () => state('cancelled'),
      runBatch: async () => {
        runs += 1;
        begun.resolve();
        await told.promise;
        return state('completed');
      },
    });
    await begun.promise;
    await handle.signal(lookSignal);
    // It has heard: what comes after the signal is answered.
    await handle.query(stateQuery);
    told.resolve();
    expect(await handle.result()).toEqual(state('completed'));
    expect(runs).toBe(1);
  });

  it('cancels in Postgres too when it is cancelled from outside', async () => {
    const commands: string[] = [];
    const batch = endless(() => Promise.reject(new Error('cancelled')));
    const handle = await start({
      applyCommand: async ({ action, actor }) => {
        commands.push(`${action} by ${actor}`);
        return state('cancelled');
      },
      runBatch: (context) => batch.run(context),
    });
    await batch.begun;
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow('Workflow execution');
    expect(commands).toEqual(['cancel by operator:temporal']);
  });
});
