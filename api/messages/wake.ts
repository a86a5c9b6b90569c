/** What follows a commit: Temporal hears of what was queued. */
import type { FastifyRequest } from 'fastify';
import { markOptInStarted } from '../../db/opt-in-settling.ts';
import { startOptIn } from '../../workflows/opt-in/start.ts';
import { wakeOutbox } from '../../workflows/outbox/start.ts';
import { organizationOf } from '../auth.ts';

/** Temporal must not keep the caller waiting: what it does not hear now, the sweep tells it. */
const tellWithinMs = 2_000;

/** An opt-in request that was made on the way. */
export interface NewOptIn {
  requestId: string;
  userId: string;
  contactId: string;
}

/** Wakes the organization's outbox, and starts the workflow of an opt-in request. Never throws: the sweep does the rest. */
export async function wakeAfterCommit(request: FastifyRequest, optIn: NewOptIn | null = null): Promise<void> {
  const { database, clock, temporal } = request.server.deps;
  const organizationId = organizationOf(request);
  try {
    const { connection, workflow } = temporal.client;
    const told = async () => {
      await wakeOutbox(workflow, { organizationId });
      if (optIn) await startOptIn(workflow, { organizationId, userId: optIn.userId, contactId: optIn.contactId });
    };
    await connection.withDeadline(Date.now() + tellWithinMs, told);
    if (!optIn) return;
    await database.inOrganization(organizationId, (trx) => markOptInStarted(trx, optIn.requestId, clock.now()));
  } catch (error) {
    request.log.warn({ err: error, organizationId }, 'waking the outbox is left to the sweep');
  }
}
