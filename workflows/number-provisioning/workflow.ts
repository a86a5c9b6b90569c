/**
 * Works off a run of purchases, or of releases: a number for each of hundreds of users, a few at a time. What was done and
 * why something was not is in Postgres while it goes on, so that a run that is begun again goes on with the rest.
 */
import {
  ActivityCancellationType,
  CancellationScope,
  continueAsNew,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { NumberActivities } from '../../activities/numbers/activities.ts';
import type { OpenItems } from '../../activities/numbers/jobs.ts';
import { taskQueues } from '../task-queues.ts';
import type { NumberProgress, NumberProvisioningInput } from './messages.ts';

/** Of one run: Twilio turns accounts away that ask for too much at once, and other organizations buy as well. */
const atOnce = 4;
/** Where nothing could be bought for so long, nothing can be: what could not be either is not each tried for a day. */
const longMs = 12 * 3_600_000;

// Safe to repeat: they read, or find the state already reached.
const { openItems, closeJob, abandonPurchase, abandonRelease } = proxyActivities<NumberActivities>({
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '30d',
  retry: { initialInterval: '200ms', maximumInterval: '1m' },
});

// Safe to repeat: each looks for what an earlier attempt has done at Twilio before it does anything there. A step under way
// is over within seconds, and what it bought is then on record.
const { buyNumber, releaseNumber } = proxyActivities<NumberActivities>({
  taskQueue: taskQueues.bulk,
  startToCloseTimeout: '5m',
  scheduleToCloseTimeout: '1d',
  heartbeatTimeout: '10s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** Runs `lane` several times at once. Fails when one of them does, once all are over. */
async function inLanes(lane: () => Promise<void>): Promise<void> {
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

export async function numberProvisioning(input: NumberProvisioningInput): Promise<NumberProgress> {
  const { organizationId, jobId } = input;
  const progress: NumberProgress = input.carried ?? { version: 1, done: 0, failed: 0 };

  const count = (isDone: boolean): void => {
    if (isDone) progress.done += 1;
    else progress.failed += 1;
    setCurrentDetails(`${progress.done} done, ${progress.failed} failed`);
  };

  let lastEndAt = Date.now();
  /** What cannot be done for a day ends with that as its reason, and holds up nothing. */
  const attempt = async (work: () => Promise<boolean>, abandon: () => Promise<void>): Promise<void> => {
    try {
      count(await work());
      lastEndAt = Date.now();
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('given up', { error: String(error) });
      await abandon();
      count(false);
    }
  };

  const purchase = (purchaseId: string) =>
    attempt(
      async () => (await buyNumber({ organizationId, purchaseId })) === 'provisioned',
      () => abandonPurchase({ organizationId, purchaseId, reason: 'gave_up' }),
    );
  const release = (numberId: string) =>
    attempt(
      async () => (await releaseNumber({ organizationId, jobId, numberId })) === 'released',
      () => abandonRelease({ organizationId, jobId, numberId }),
    );

  let page: OpenItems = { kind: 'purchase', ids: [] };
  let reading: Promise<OpenItems> | null = null;
  const begun = new Set<string>();
  const isAway = () => Date.now() - lastEndAt > longMs;
  /** The next item, read page by page; null when all are begun, or no more are to be. */
  const next = async (): Promise<string | null> => {
    while (!isAway() && !workflowInfo().continueAsNewSuggested) {
      const id = page.ids.find((open) => !begun.has(open));
      if (id !== undefined) {
        begun.add(id);
        return id;
      }
      reading ??= openItems({ organizationId, jobId }).finally(() => (reading = null));
      page = await reading;
      // So far there was nothing to try.
      lastEndAt = Date.now();
      if (page.ids.every((open) => begun.has(open))) break;
    }
    return null;
  };

  try {
    await inLanes(async () => {
      for (let id = await next(); id !== null; id = await next()) {
        await (page.kind === 'purchase' ? purchase : release)(id);
      }
    });
    if (isAway()) {
      await abandonAll('gave_up');
    } else if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof numberProvisioning>({ organizationId, jobId, carried: progress });
    }
    await closeJob({ organizationId, jobId });
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // From outside, as ops can in the Web UI: the facts in Postgres must say so too.
    await CancellationScope.nonCancellable(async () => {
      await abandonAll('cancelled');
      await closeJob({ organizationId, jobId });
    });
    throw error;
  }
  return progress;

  async function abandonAll(reason: 'cancelled' | 'gave_up'): Promise<void> {
    for (;;) {
      const { kind, ids } = await openItems({ organizationId, jobId });
      if (ids.length === 0) return;
      const abandon = (id: string) =>
        kind === 'purchase'
          ? abandonPurchase({ organizationId, purchaseId: id, reason })
          : abandonRelease({ organizationId, jobId, numberId: id });
      await Promise.all(ids.map(abandon));
      for (const _ of ids) count(false);
    }
  }
}
