/** Opt-in requests that nobody sees to, and messages whose reports nobody asks for: what the sweep does about them. */
import { markOptInStarted, neglectedOptIns } from '../db/consent/workflows.ts';
import { overdueLooks } from '../db/messages/reconciliation.ts';
import { startOptIn, tellOptIn } from '../workflows/opt-in/start.ts';
import { wakeReconciliation } from '../workflows/status-reconciliation/start.ts';
import type { SweepDeps } from './sweep.ts';

/** The API starts the workflow of a request itself within this time. */
const headStartMs = 3_000;
/** The workflow has settled an answer, or an expiry, by then. */
const settledAfterMs = 10_000;

/** Sees to requests made, answered or expired while Temporal was away, and to those whose workflow was lost. */
export async function seeToOptIns({ database, clock, workflows, onError }: SweepDeps): Promise<void> {
  const ago = (ms: number) => new Date(clock.now().getTime() - ms);
  const limits = { madeBefore: ago(headStartMs), endedBefore: ago(settledAfterMs) };
  for (const { requestId, isNew, ...pair } of await neglectedOptIns(database.system, limits)) {
    try {
      await (isNew ? startOptIn : tellOptIn)(workflows, pair);
      if (!isNew) continue;
      await database.inOrganization(pair.organizationId, (trx) => markOptInStarted(trx, requestId, clock.now()));
    } catch (error) {
      // One that cannot be seen to must not keep the others from it.
      onError(error);
    }
  }
}

/** Wakes the reconciliation of organizations that have messages due to be asked about. */
export async function wakeReconciliations({ database, clock, workflows, onError }: SweepDeps): Promise<void> {
  for (const organizationId of await overdueLooks(database.system, clock.now())) {
    await wakeReconciliation(workflows, { organizationId }).catch(onError);
  }
}
