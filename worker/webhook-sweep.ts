/** Wakes the deliveries to webhook endpoints: nobody who writes an event has to know that there are any. */
import type { WorkflowClient } from '@temporalio/client';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { forgetDeliveries } from '../db/webhooks/deliveries.ts';
import { idleEndpoints } from '../db/webhooks/endpoints.ts';
import { wakeWebhooks } from '../workflows/webhook-delivery/start.ts';

/** The workflow itself sees to what falls due within this time. */
const headStartMs = 3_000;
/** One that stays idle waits for a worker, which is not hurried by more signals: it is woken less and less often. */
const pauses = { leastMs: 4_000, mostMs: 60_000 };
const wokenAtOnce = 20;

interface WebhookSweepDeps {
  database: Database;
  clock: Clock;
  workflows: WorkflowClient;
}

/** @returns the duty; it remembers whom it has woken */
export function webhookSweep(): (deps: WebhookSweepDeps) => Promise<void> {
  let woken = new Map<string, { at: number; pauseMs: number }>();

  return async ({ database, clock, workflows }) => {
    const now = clock.now();
    const before = new Date(now.getTime() - headStartMs);
    const idle = await idleEndpoints(database.system, { now, before });
    // Who is not idle any more is forgotten.
    woken = new Map(idle.flatMap(({ endpointId: id }) => (woken.has(id) ? [[id, woken.get(id)!] as const] : [])));
    const due = idle.filter(({ endpointId }) => {
      const last = woken.get(endpointId);
      return !last || performance.now() >= last.at + last.pauseMs;
    });
    const wake = async (endpoint: (typeof idle)[number]): Promise<void> => {
      await wakeWebhooks(workflows, endpoint);
      const last = woken.get(endpoint.endpointId);
      const pauseMs = last ? Math.min(last.pauseMs * 2, pauses.mostMs) : pauses.leastMs;
      woken.set(endpoint.endpointId, { at: performance.now(), pauseMs });
    };
    for (let from = 0; from < due.length; from += wokenAtOnce) {
      const results = await Promise.allSettled(due.slice(from, from + wokenAtOnce).map(wake));
      const failures = results.filter((result) => result.status === 'rejected');
      // All of them: Temporal is away, and the rest waits for the next round.
      if (failures.length === results.length) throw failures[0]!.reason;
    }
  };
}

/** Forgets what the log of deliveries need not show any more. */
export async function forgetOldDeliveries({ database, clock }: WebhookSweepDeps): Promise<void> {
  await forgetDeliveries(database.system, clock.now());
}
