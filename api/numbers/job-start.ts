/** Runs of purchases and releases: their workflow is started, and waited for as long as a request may last. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { findJob, markJobStarted } from '../../db/numbers/jobs.ts';
import { startNumberJob } from '../../workflows/number-provisioning/start.ts';
import { organizationOf } from '../shared/auth.ts';
import { tellTemporal } from '../temporal/tell.ts';

const waitAtMostMs = 15_000;
const lookEveryMs = 150;

/** Starts the workflow; when Temporal is away the run is kept, and the sweep starts it. @returns whether it was started */
export function startJob(request: FastifyRequest, jobId: string): Promise<boolean> {
  const { deps } = request.server;
  const organizationId = organizationOf(request);
  return tellTemporal(deps, request.log, {
    what: 'the workflow',
    about: { jobId },
    tell: async (workflow) => {
      await startNumberJob(workflow, { organizationId, jobId });
      await deps.database.inOrganization(organizationId, (trx) => markJobStarted(trx, jobId, deps.clock.now()));
    },
  });
}

/** Waits until the run is through, or until it is time to answer. */
export async function untilFinished(request: FastifyRequest, jobId: string): Promise<void> {
  const { database } = request.server.deps;
  const organizationId = organizationOf(request);
  for (const until = Date.now() + waitAtMostMs; Date.now() < until; await sleep(lookEveryMs)) {
    const job = await database.inOrganization(organizationId, (trx) => findJob(trx, organizationId, jobId));
    if (job?.state === 'finished') return;
  }
}
