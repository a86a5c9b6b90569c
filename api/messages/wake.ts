/** What follows a commit: Temporal hears of what was queued. */
import type { FastifyRequest } from 'fastify';
import { markOptInStarted } from '../../db/consent/workflows.ts';
import { startOptIn } from '../../workflows/opt-in/start.ts';
import { wakeOutbox } from '../../workflows/outbox/start.ts';
import { organizationOf } from '../shared/auth.ts';
import { tellTemporal } from '../temporal/tell.ts';

/** An opt-in request that was made on the way. */
export interface NewOptIn {
  requestId: string;
  userId: string;
  contactId: string;
}

/** Wakes the organization's outbox, and starts the workflow of an opt-in request. Never throws: the sweep does the rest. */
export async function wakeAfterCommit(request: FastifyRequest, optIn: NewOptIn | null = null): Promise<void> {
  const { deps } = request.server;
  const organizationId = organizationOf(request);
  await tellTemporal(deps, request.log, {
    what: 'waking the outbox',
    about: { organizationId },
    tell: async (workflow) => {
      await wakeOutbox(workflow, { organizationId });
      if (!optIn) return;
      const { requestId, userId, contactId } = optIn;
      await startOptIn(workflow, { organizationId, userId, contactId });
      await deps.database.inOrganization(organizationId, (trx) => markOptInStarted(trx, requestId, deps.clock.now()));
    },
  });
}
