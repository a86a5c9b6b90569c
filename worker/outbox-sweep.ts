/** Wakes the outboxes that have something due, in case the wake of whoever queued it was lost. */
import type { WorkflowClient } from '@temporalio/client';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { overdueOutboxes } from '../db/messages/outbox.ts';
import { wakeOutbox } from '../workflows/outbox/start.ts';

/** The API itself wakes the outbox within this time. */
const headStartMs = 3_000;
/** One that stays overdue is either at work or cannot send, and looks again by itself: it is woken less and less often. */
const pauses = { leastMs: 4_000, mostMs: 600_000 };
const wokenAtOnce = 20;

interface OutboxSweepDeps {
  database: Database;
  clock: Clock;
  workflows: WorkflowClient;
}

/** @returns the duty; it remembers whom it has woken */
export function outboxSweep(): (deps: OutboxSweepDeps) => Promise<void> {
  let woken = new Map<string, { at: number; pauseMs: number }>();

  return async ({ database, clock, workflows }) => {
    const before = new Date(clock.now().getTime() - headStartMs);
    const overdue = await overdueOutboxes(database.system, before);
    // Who is not overdue any more is forgotten.
    woken = new Map(overdue.flatMap((id) => (woken.has(id) ? [[id, woken.get(id)!] as const] : [])));
    const isToWake = (id: string): boolean => {
      const last = woken.get(id);
      return !last || performance.now() >= last.at + last.pauseMs;
    };
    const wake = async (organizationId: string): Promise<void> => {
      await wakeOutbox(workflows, { organizationId });
      const last = woken.get(organizationId);
      const pauseMs = last ? Math.min(last.pauseMs * 2, pauses.mostMs) : pauses.leastMs;
      woken.set(organizationId, { at: performance.now(), pauseMs });
    };
    const due = overdue.filter(isToWake);
    for (let from = 0; from < due.length; from += wokenAtOnce) {
      const results = await Promise.allSettled(due.slice(from, from + wokenAtOnce).map(wake));
      const failures = results.filter((result) => result.status === 'rejected');
      // All of them: Temporal is away, and the rest waits for the next round.
      if (failures.length === results.length) throw failures[0]!.reason;
    }
  };
}
