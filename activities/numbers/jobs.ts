/** Where a run stands: what of it is still to be done, and its end. */
import { finishJob, findJob, waitingReleases } from '../../db/numbers/jobs.ts';
import { waitingPurchases } from '../../db/numbers/purchases.ts';
import type { NumberDeps } from './deps.ts';

export interface JobRef {
  organizationId: string;
  jobId: string;
}

/** What is still to be done of a run, at most a page of it. */
export interface OpenItems {
  kind: 'purchase' | 'release';
  /** Of purchases or of numbers; none when the run is through. */
  ids: string[];
}

const pageSize = 100;

export function createJobActivities({ database, clock }: NumberDeps) {
  return {
    async openItems({ organizationId, jobId }: JobRef): Promise<OpenItems> {
      return database.inOrganization(organizationId, async (trx) => {
        const job = await findJob(trx, organizationId, jobId);
        if (!job || job.state === 'finished') return { kind: 'purchase', ids: [] };
        const ids = await (job.kind === 'purchase' ? waitingPurchases : waitingReleases)(trx, jobId, pageSize);
        return { kind: job.kind, ids };
      });
    },

    async closeJob({ organizationId, jobId }: JobRef): Promise<void> {
      await clock.sync();
      await database.inOrganization(organizationId, (trx) => finishJob(trx, jobId, clock.now()));
    },
  };
}
