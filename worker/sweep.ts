/** What must happen in the end although something was away when it should have; done by every worker. */
import type { WorkflowClient } from '@temporalio/client';
import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { organizationsWithEmails } from '../db/notifications/emails.ts';
import { forgetEvents } from '../db/conversations/live-events.ts';
import { markRegistrationStarted, submittedRegistrations } from '../db/registration/registrations.ts';
import { forgetRequestKeys, markJobStarted, runningJobs } from '../db/numbers/jobs.ts';
import { markWorkflowStarted, massSmsNotStarted, massSmsOverdue } from '../db/mass-sms/mass-sms.ts';
import { startMassSms } from '../workflows/mass-sms/start.ts';
import { startNumberJob } from '../workflows/number-provisioning/start.ts';
import { startRegistration } from '../workflows/registration/start.ts';
import { seeToOptIns, wakeReconciliations } from './answers-sweep.ts';
import { wakeDigests } from './digest-sweep.ts';
import { outboxSweep } from './outbox-sweep.ts';
import { forgetOldDeliveries, webhookSweep } from './webhook-sweep.ts';

/** The API itself starts the workflow of a mass SMS within this time of creating it. */
const headStartMs = 3_000;
/** A batch this late is either being sent, and then its workflow runs, or its workflow is gone. */
const overdueMs = 600_000;
/** Partitions are made this far ahead, so that no message ever waits for one. */
const monthsAhead = 3;

export interface SweepDeps {
  database: Database;
  clock: Clock;
  workflows: WorkflowClient;
  /** Sends an organization's emails that are due; never throws. */
  sendEmails: (organizationId: string) => void;
  /** Told what went wrong; the next round tries again. */
  onError: (error: unknown) => void;
}

/** What is done over and over: about several of its duties a worker knows more than this file. */
export interface Duty {
  run: () => Promise<void>;
  everyMs: number;
}

/** Starts the workflows of mass SMS that were created while Temporal was away. Harmless in several workers at once. */
async function startForgotten({ database, clock, workflows }: SweepDeps): Promise<void> {
  const before = new Date(clock.now().getTime() - headStartMs);
  for (const row of await massSmsNotStarted(database.system, before)) {
    const startAt = row.start_at.toISOString();
    await startMassSms(workflows, { organizationId: row.organization_id, massSmsId: row.id, startAt });
    await database.inOrganization(row.organization_id, (trx) => markWorkflowStarted(trx, row.id, clock.now()));
  }
}

/** Gives a workflow to each mass SMS that should be sending and has none: it was terminated, or lost with Temporal's data. */
async function startLost({ database, clock, workflows }: SweepDeps): Promise<void> {
  const before = new Date(clock.now().getTime() - overdueMs);
  for (const row of await massSmsOverdue(database.system, before)) {
    const startAt = row.start_at.toISOString();
    await startMassSms(workflows, { organizationId: row.organization_id, massSmsId: row.id, startAt });
  }
}

/** Starts the workflows of registrations that were submitted while Temporal was away. */
async function startForgottenRegistrations({ database, clock, workflows }: SweepDeps): Promise<void> {
  for (const { id, organization_id: organizationId } of await submittedRegistrations(database.system, { all: false })) {
    await startRegistration(workflows, { organizationId, registrationId: id });
    await database.inOrganization(organizationId, (trx) => markRegistrationStarted(trx, organizationId, clock.now()));
  }
}

/** Gives a workflow to each registration that waits for somebody and has none any more. */
async function startLostRegistrations({ database, workflows }: SweepDeps): Promise<void> {
  for (const { id, organization_id: organizationId } of await submittedRegistrations(database.system, { all: true })) {
    await startRegistration(workflows, { organizationId, registrationId: id });
  }
}

/** Starts the workflows of purchases and releases of numbers that were asked for while Temporal was away. */
async function startForgottenNumberJobs({ database, clock, workflows }: SweepDeps): Promise<void> {
  const before = new Date(clock.now().getTime() - headStartMs);
  for (const { id: jobId, organization_id: organizationId } of await runningJobs(database.system, {
    before,
    all: false,
  })) {
    await startNumberJob(workflows, { organizationId, jobId });
    await database.inOrganization(organizationId, (trx) => markJobStarted(trx, jobId, clock.now()));
  }
}

/** Gives a workflow to each run of purchases or releases that is not through and has none any more. */
async function startLostNumberJobs({ database, clock, workflows }: SweepDeps): Promise<void> {
  const before = new Date(clock.now().getTime() - headStartMs);
  for (const { id: jobId, organization_id: organizationId } of await runningJobs(database.system, {
    before,
    all: true,
  })) {
    await startNumberJob(workflows, { organizationId, jobId });
  }
}

/** Sends the emails that could not be sent when they were written. */
async function sendWaitingEmails({ database, clock, sendEmails }: SweepDeps): Promise<void> {
  for (const organizationId of await organizationsWithEmails(database.system, clock.now())) {
    sendEmails(organizationId);
  }
}

/** Makes the coming months' partitions of messages and their events. */
async function makePartitions({ database, clock }: SweepDeps): Promise<void> {
  await sql`select ensure_message_partitions(${clock.now()}, ${monthsAhead})`.execute(database.system);
}

/** Idempotency keys hold for a day; nobody looks at older ones. */
async function forgetOldKeys({ database, clock }: SweepDeps): Promise<void> {
  const yesterday = new Date(clock.now().getTime() - 24 * 3_600_000);
  await database.system.deleteFrom('idempotency_keys').where('created_at', '<', yesterday).execute();
  // A run that was begun with a key is found by it for as long.
  await forgetRequestKeys(database.system, yesterday);
}

/** Twilio repeats an event for four hours; a week is plenty. */
async function forgetOldEvents({ database, clock }: SweepDeps): Promise<void> {
  const lastWeek = new Date(clock.now().getTime() - 7 * 24 * 3_600_000);
  await database.system.deleteFrom('twilio_event_receipts').where('at', '<', lastWeek).execute();
}

/** Forgets what event streams were told too long ago to resume. */
async function forgetStreamEvents({ database, clock }: SweepDeps): Promise<void> {
  await forgetEvents(database.system, clock.now());
}

/** Each duty and how often it is due. */
const duties = [
  { run: startForgotten, everyMs: 5_000 },
  { run: startForgottenRegistrations, everyMs: 5_000 },
  { run: startForgottenNumberJobs, everyMs: 5_000 },
  { run: sendWaitingEmails, everyMs: 5_000 },
  { run: outboxSweep(), everyMs: 5_000 },
  { run: webhookSweep(), everyMs: 1_000 },
  { run: seeToOptIns, everyMs: 5_000 },
  { run: wakeReconciliations, everyMs: 10_000 },
  { run: wakeDigests, everyMs: 5_000 },
  { run: startLost, everyMs: 300_000 },
  { run: startLostRegistrations, everyMs: 300_000 },
  { run: startLostNumberJobs, everyMs: 300_000 },
  { run: makePartitions, everyMs: 3_600_000 },
  { run: forgetOldKeys, everyMs: 600_000 },
  { run: forgetOldEvents, everyMs: 3_600_000 },
  { run: forgetStreamEvents, everyMs: 3_600_000 },
  { run: forgetOldDeliveries, everyMs: 3_600_000 },
];

/** Begins to sweep: every duty at once, then when it is due. @param others duties beside those above. @returns a function that waits for those under way and stops */
export function startSweep(deps: SweepDeps, others: readonly Duty[] = []): () => Promise<void> {
  const underWay = new Set<Promise<void>>();
  const perform = async (run: (deps: SweepDeps) => Promise<void>): Promise<void> => {
    try {
      await deps.clock.sync();
      await run(deps);
    } catch (error) {
      deps.onError(error);
    }
  };
  const timers = [...duties, ...others].map(({ run, everyMs }) => {
    let running = false;
    const begin = (): void => {
      if (running) return;
      running = true;
      const round = perform(run).finally(() => {
        running = false;
        underWay.delete(round);
      });
      underWay.add(round);
    };
    begin();
    return setInterval(begin, everyMs);
  });
  return async () => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(underWay);
  };
}
