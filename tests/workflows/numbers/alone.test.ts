/**
 * The `numberProvisioning` workflow alone, its activities played by the tests: runs of many pages, and items that cannot be
 * done for a day.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenItems } from '../../../activities/numbers/jobs.ts';
import { numbersWorkflowId } from '../../../workflows/ids.ts';
import type { numberProvisioning } from '../../../workflows/index.ts';
import { taskQueues } from '../../../workflows/task-queues.ts';
import { eventually } from '../../harness/eventually.ts';
import { workflowBundle } from '../../replay/bundle.ts';
import { keepHistory } from '../../replay/record.ts';
import { type SmallHistories, startSmallHistories } from '../small-histories.ts';
import { type SkippingTime, startSkippingTime } from '../skipping-time.ts';

interface PurchaseRef {
  purchaseId: string;
}
interface ReleaseRef {
  numberId: string;
}

/** What Postgres would say of a run, and what was done about it. */
interface Play {
  kind: OpenItems['kind'];
  items: readonly string[];
  waiting: string[];
  /** As in `buy npu_1`, in order. */
  done: string[];
  atOnce: number;
  mostAtOnce: number;
  finished: boolean;
  /** What becomes of the item at a place; what it throws is tried again. */
  outcome(place: number): Promise<boolean>;
}
const plays = new Map<string, Play>();
const playOf = (item: string): Play => [...plays.values()].find(({ waiting }) => waiting.includes(item))!;

const end = (play: Play, id: string, how: string): void => {
  play.waiting = play.waiting.filter((other) => other !== id);
  play.done.push(`${how} ${id}`);
};
async function work(id: string, verb: string): Promise<boolean> {
  const play = playOf(id);
  play.mostAtOnce = Math.max(play.mostAtOnce, (play.atOnce += 1));
  try {
    const isDone = await play.outcome(play.items.indexOf(id));
    end(play, id, isDone ? verb : 'failed');
    return isDone;
  } finally {
    play.atOnce -= 1;
  }
}
const pageSize = 10;
const activities = {
  openItems: async ({ jobId }: { jobId: string }): Promise<OpenItems> => {
    const { kind, waiting } = plays.get(jobId)!;
    return { kind, ids: waiting.slice(0, pageSize) };
  },
  closeJob: async ({ jobId }: { jobId: string }) => void (plays.get(jobId)!.finished = true),
  buyNumber: async ({ purchaseId }: PurchaseRef) => ((await work(purchaseId, 'bought')) ? 'provisioned' : 'failed'),
  releaseNumber: async ({ numberId }: ReleaseRef) => ((await work(numberId, 'released')) ? 'released' : 'failed'),
  abandonPurchase: async ({ purchaseId, reason }: PurchaseRef & { reason: string }) =>
    end(playOf(purchaseId), purchaseId, reason),
  abandonRelease: async ({ numberId }: ReleaseRef) => end(playOf(numberId), numberId, 'abandoned'),
};

async function start(client: Client, count: number, change: Partial<Play> = {}) {
  const jobId = `njb_${randomUUID()}`;
  const kind = change.kind ?? 'purchase';
  const items = Array.from({ length: count }, () => `${kind === 'purchase' ? 'npu' : 'num'}_${randomUUID()}`);
  const play: Play = {
    kind,
    items,
    waiting: [...items],
    done: [],
    atOnce: 0,
    mostAtOnce: 0,
    finished: false,
    outcome: async () => true,
    ...change,
  };
  plays.set(jobId, play);
  const handle = await client.workflow.start<typeof numberProvisioning>('numberProvisioning', {
    taskQueue: taskQueues.control,
    workflowId: numbersWorkflowId(jobId),
    args: [{ organizationId: `org_${randomUUID()}`, jobId }],
  });
  return { jobId, items, play, handle };
}

describe('a run of hundreds', () => {
  let temporal: SmallHistories;
  let client: Client;
  beforeAll(async () => {
    temporal = await startSmallHistories(150);
    client = temporal.client;
    await temporal.work({ taskQueue: taskQueues.control, workflowBundle: await workflowBundle(), activities });
    await temporal.work({ taskQueue: taskQueues.bulk, activities });
  });
  afterAll(() => temporal?.stop());

  it('continues as new when the server suggests it, does each item once, a few at a time, and forgets none', async () => {
    // Nobody of the first goes on before as many are at work as may be.
    const allAtOnce = Promise.withResolvers<void>();
    const { jobId, items, play, handle } = await start(client, 95, {
      outcome: async (place) => {
        if ([...plays.values()].some(({ atOnce }) => atOnce === 4)) allAtOnce.resolve();
        await allAtOnce.promise;
        await sleep(30);
        return place % 7 !== 0;
      },
    });
    const { firstExecutionRunId: first } = handle;
    const progress = await handle.result();

    const failed = items.filter((_, place) => place % 7 === 0);
    expect(progress).toEqual({ version: 1, done: 95 - failed.length, failed: failed.length });
    expect(play.done.toSorted()).toEqual(
      items.map((id) => `${failed.includes(id) ? 'failed' : 'bought'} ${id}`).toSorted(),
    );
    expect(play.mostAtOnce).toBe(4);
    expect(play.finished).toBe(true);
    const { runId: last, historyLength } = await client.workflow.getHandle(numbersWorkflowId(jobId)).describe();
    expect(last).not.toBe(first);
    // Pages are small beside what a history holds.
    expect(historyLength).toBeLessThan(300);
    await keepHistory(client, numbersWorkflowId(jobId), 'numberProvisioning.continuingAsNew', first);
    await keepHistory(client, numbersWorkflowId(jobId), 'numberProvisioning.continuedAsNew');
  });

  it('of releases goes the same way', async () => {
    const { jobId, items, play, handle } = await start(client, 23, { kind: 'release' });
    expect(await handle.result()).toEqual({ version: 1, done: 23, failed: 0 });
    expect(play.done.toSorted()).toEqual(items.map((id) => `released ${id}`).toSorted());
    await keepHistory(client, numbersWorkflowId(jobId), 'numberProvisioning.releases');
  });

  it('that is cancelled while every item fails abandons all of them, and ends', async () => {
    const tried = new Set<number>();
    const { jobId, items, play, handle } = await start(client, 33, {
      outcome: async (place) => {
        tried.add(place);
        throw new Error('Twilio is away');
      },
    });
    await eventually(async () => expect(tried.size).toBe(4));
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow('cancelled');
    expect(play.done.toSorted()).toEqual(items.map((id) => `cancelled ${id}`).toSorted());
    expect(play.finished).toBe(true);
    await keepHistory(client, numbersWorkflowId(jobId), 'numberProvisioning.cancelledWhileTwilioIsAway');
  });
});

describe('what cannot be done', () => {
  let time: SkippingTime;
  beforeAll(async () => {
    time = await startSkippingTime();
    await time.work({ taskQueue: taskQueues.control, workflowBundle: await workflowBundle(), activities });
    await time.work({ taskQueue: taskQueues.bulk, activities });
  });
  afterAll(() => time?.stop());

  describe('for a day', () => {
    const unauthorized = Object.assign(new Error('Authenticate'), { status: 401, code: 20003 });
    const tries = new Map<number, number>();
    let one: Awaited<ReturnType<typeof start>>;
    let all: Awaited<ReturnType<typeof start>>;
    let lasted: number;
    beforeAll(async () => {
      one = await start(time.client, 12, {
        outcome: async (place) => {
          if (place !== 1 && place !== 5) return true;
          tries.set(place, (tries.get(place) ?? 0) + 1);
          throw unauthorized;
        },
      });
      all = await start(time.client, 25, {
        outcome: async (place) => {
          if (place === 0) return true;
          // An hour and not a minute: the same with fewer tries.
          throw ApplicationFailure.create({ message: 'Twilio is away', nextRetryDelay: '1 hour' });
        },
      });
      // The others go on at once, also those of the next page.
      await eventually(async () => {
        if (one.play.done.length < 10 || all.play.done.length < 1) throw new Error('the others do not go on');
      });
      const begun = await time.now();
      await time.skip(25 * 3_600_000);
      await Promise.all([one.handle.result(), all.handle.result()]);
      lasted = (await time.now()) - begun;
    });

    it('is given up, once, and the others did not wait for it', async () => {
      const { items, play, handle } = one;
      expect(await handle.result()).toEqual({ version: 1, done: 10, failed: 2 });
      expect(play.done.slice(0, 10).every((done) => done.startsWith('bought'))).toBe(true);
      expect(play.done.slice(10).toSorted()).toEqual([`gave_up ${items[1]}`, `gave_up ${items[5]}`].toSorted());
      expect(play.finished).toBe(true);
      expect(lasted).toBeGreaterThan(86_400_000);
      // About once a minute: often enough to be through soon after Twilio is back.
      for (const place of [1, 5]) expect(tries.get(place)).toBeGreaterThan(1_300);
      await keepHistory(time.client, handle.workflowId, 'numberProvisioning.oneGivenUp');
    });

    it('because Twilio is away is given up all together: hundreds do not take a day each', async () => {
      const { items, play, handle } = all;
      expect(await handle.result()).toEqual({ version: 1, done: 1, failed: 24 });
      const [first, ...rest] = items;
      expect(play.done[0]).toBe(`bought ${first}`);
      expect(play.done.slice(1).toSorted()).toEqual(rest.map((id) => `gave_up ${id}`).toSorted());
      expect(play.finished).toBe(true);
      expect(lasted).toBeLessThan(26 * 3_600_000);
      await keepHistory(time.client, handle.workflowId, 'numberProvisioning.allGivenUp');
    });
  });

  it('because there is no such purchase is given up at once', async () => {
    const { items, play, handle } = await start(time.client, 9, {
      outcome: async (place) => {
        if (place === 1) throw ApplicationFailure.nonRetryable('There is no such purchase.', 'NotFound');
        return true;
      },
    });
    expect(await handle.result()).toEqual({ version: 1, done: 8, failed: 1 });
    expect(play.done).toContain(`gave_up ${items[1]}`);
  });
});
