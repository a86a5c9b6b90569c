/** Tells the workflows that wait for an answer to an opt-in request that there is one. */
import type { FastifyBaseLogger } from 'fastify';
import { answeredOptIns } from '../../db/consent/workflows.ts';
import { tellOptIn } from '../../workflows/opt-in/start.ts';
import { wakeOutbox } from '../../workflows/outbox/start.ts';
import type { Deps } from '../deps.ts';
import { tellTemporal } from '../temporal/tell.ts';

/**
 * After a message that may be an answer: wakes the workflows, which release what was held, and the outbox, which sends
 * the confirmation. What it does not manage, the sweeps do. Never throws.
 */
export async function tellOptIns(
  deps: Deps,
  log: FastifyBaseLogger,
  { organizationId, contactNumber }: { organizationId: string; contactNumber: string },
): Promise<void> {
  await tellTemporal(deps, log, {
    what: 'the answer to an opt-in request',
    about: { organizationId },
    tell: async (workflow) => {
      const pairs = await deps.database.inOrganization(organizationId, (trx) =>
        answeredOptIns(trx, organizationId, contactNumber),
      );
      if (pairs.length === 0) return;
      await Promise.all([...pairs.map((pair) => tellOptIn(workflow, pair)), wakeOutbox(workflow, { organizationId })]);
    },
  });
}
