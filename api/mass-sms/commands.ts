/** Pause, resume, reschedule and cancel: updates of the workflow, answered with what became of the mass SMS. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { markWorkflowStarted } from '../../db/mass-sms/mass-sms.ts';
import { findListedMassSms, type ListedMassSms } from '../../db/mass-sms/list.ts';
import {
  acknowledgementRequired,
  allowedActions,
  isFinal,
  isRunning,
  type MassSmsAction,
  type MassSmsCommand,
  needsAcknowledgement,
  noBatchToMove,
  type Refusal,
  transitionNotAllowed,
  windowNeverOpens,
} from '../../domain/mass-sms/mass-sms.ts';
import { massSmsWorkflowId } from '../../workflows/ids.ts';
import { lookSignal, updates } from '../../workflows/mass-sms/messages.ts';
import { startMassSms } from '../../workflows/mass-sms/start.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import type { Deps } from '../deps.ts';
import { commandOutside } from '../shared/idempotency.ts';
import { conflict, notFound, Problem, refused } from '../shared/problems.ts';
import { idParams } from '../shared/schemas.ts';
import {
  endedMeanwhile,
  failureOf,
  isUnanswered,
  nextTry,
  obeyOnce,
  obeyWithinMs,
  unanswered,
} from '../temporal/updates.ts';
import { readMassSms } from './read.ts';
import { massSms, startAt } from './schemas.ts';
import { requireStart } from './start.ts';

/** How long a workflow that was told to look may take until it has heard what Postgres knows, and how often it is asked. */
const hearsWithinMs = 5_000;
const askAgainMs = 200;

const notAllowed = (action: MassSmsAction, { status, allowed }: Refusal): Problem =>
  conflict(
    'not-in-this-state',
    `A mass SMS that is ${status.replace('_', ' ')} cannot ${action}. ` +
      (allowed.length > 0 ? `Allowed now: ${allowed.join(', ')}.` : 'Nothing can be done with it any more.'),
    allowed,
  );

/** `resume` is allowed here, but not as it was asked for. */
const notAcknowledged = ({ allowed }: Refusal): Problem =>
  conflict(
    'acknowledgement-required',
    'It was suspended for what `cause` says. Read it; then resume with acknowledge: true, which begins to count anew, ' +
      'or cancel.',
    allowed,
  );

/** `reschedule` is allowed here, but there is no batch that the start could be given to. */
const nothingToMove = ({ allowed }: Refusal): Problem =>
  conflict(
    'not-in-this-state',
    'The last batch is being sent and no other comes after it, so there is no start to change. To send what is left of it ' +
      'at another time, pause it, then resume it with that startAt.',
    allowed.filter((action) => action !== 'reschedule'),
  );

async function requireKnown(deps: Deps, organizationId: string, massSmsId: string): Promise<ListedMassSms> {
  const row = await deps.database.inOrganization(organizationId, (trx) => findListedMassSms(trx, massSmsId));
  if (!row) throw notFound('mass SMS');
  return row;
}

/** The workflow ended while the command was under way. */
async function overtaken(deps: Deps, { id, organization_id }: ListedMassSms, action: MassSmsAction): Promise<Problem> {
  const { status } = await requireKnown(deps, organization_id, id);
  const allowed = allowedActions(status);
  return allowed.includes(action) ? unanswered(`GET /v1/mass-sms/${id}`) : notAllowed(action, { status, allowed });
}

/**
 * The workflow refuses. Where Postgres would allow it, it was suspended or failed a moment ago, and the workflow has yet
 * to hear of it although it was told to look: that is when what was under way has been written.
 */
async function refusedBy(
  deps: Deps,
  { id, organization_id }: ListedMassSms,
  action: MassSmsAction,
  refusal: Refusal,
): Promise<Problem> {
  const { status } = await requireKnown(deps, organization_id, id);
  if (!allowedActions(status).includes(action)) return notAllowed(action, refusal);
  return new Problem({
    status: 503,
    slug: 'unavailable',
    detail: `It is ${status.replace('_', ' ')}, and what was under way then is still being written: repeat this in a few seconds.`,
    headers: { 'retry-after': '5' },
  });
}

type Given = Omit<MassSmsCommand, 'actor'>;

interface Asked {
  action: MassSmsAction;
  command: MassSmsCommand;
  /** The same for a repetition of the request; null for what cannot be one. */
  requestKey: string | null;
}

const workflowOf = ({ temporal }: Deps, { id }: ListedMassSms) =>
  temporal.client.workflow.getHandle(massSmsWorkflowId(id));

/** Starts the workflow from what Postgres knows: it was created while Temporal was away, was ended by hand, or is lost. */
async function begin({ temporal, database, clock }: Deps, row: ListedMassSms): Promise<void> {
  const organizationId = row.organization_id;
  const startsAt = row.start_at.toISOString();
  const carried = { version: 1, status: row.status, runAt: isRunning(row.status) ? startsAt : null } as const;
  await startMassSms(temporal.client.workflow, { organizationId, massSmsId: row.id, startAt: startsAt, carried });
  await database.inOrganization(organizationId, (trx) => markWorkflowStarted(trx, row.id, clock.now()));
}

/**
 * Asks the workflow. Where it refuses what Postgres allows, it has yet to hear that it was suspended or put in error: it is
 * told to look, and asked again for a while.
 */
async function update(deps: Deps, row: ListedMassSms, { action, command, requestKey }: Asked): Promise<void> {
  const handle = workflowOf(deps, row);
  const until = performance.now() + hearsWithinMs;
  for (let isTold = false; ; isTold = true) {
    try {
      await deps.temporal.client.connection.withDeadline(Date.now() + obeyWithinMs, () =>
        obeyOnce(handle, updates[action], { command, requestKey }),
      );
      return;
    } catch (error) {
      if (failureOf(error)?.type !== transitionNotAllowed || performance.now() > until) throw error;
      const { status } = await requireKnown(deps, row.organization_id, row.id);
      if (!allowedActions(status).includes(action)) throw error;
      if (!isTold) await handle.signal(lookSignal);
      await sleep(askAgainMs);
    }
  }
}

/**
 * Of one that is over: this very command may have been obeyed, and only its answer was lost. Nothing is started for it.
 *
 * @throws {Problem} 409 when it was not
 */
async function requireObeyed(
  deps: Deps,
  row: ListedMassSms,
  { action, requestKey }: Omit<Asked, 'command'>,
): Promise<void> {
  const refusal = notAllowed(action, { status: row.status, allowed: [] });
  if (requestKey === null) throw refusal;
  const { connection } = deps.temporal.client;
  const deadline = Date.now() + obeyWithinMs;
  const next = await connection
    .withDeadline(deadline, () => nextTry(workflowOf(deps, row), requestKey))
    .catch((error: unknown) => {
      throw isUnanswered(error) ? unanswered(`GET /v1/mass-sms/${row.id}`) : error;
    });
  if (next !== null) throw refusal;
}

/** Has a command obeyed. @throws {Problem} 409 when it is refused; 503 when nobody answers, or Temporal is away */
async function ask(deps: Deps, row: ListedMassSms, asked: Asked): Promise<void> {
  const { action } = asked;
  try {
    // Created while Temporal was away, and faster to ask than the sweep to start.
    if (!row.workflow_started_at) await begin(deps, row);
    try {
      await update(deps, row, asked);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      const found = await requireKnown(deps, row.organization_id, row.id);
      if (isFinal(found.status)) return await requireObeyed(deps, found, asked);
      // Ended by hand in Temporal, or lost with its data: Postgres knows what is left to do.
      await begin(deps, found);
      await update(deps, found, asked);
    }
  } catch (error) {
    if (isUnanswered(error)) throw unanswered(`GET /v1/mass-sms/${row.id}`);
    const failure = failureOf(error);
    if (failure?.type === transitionNotAllowed) {
      throw await refusedBy(deps, row, action, failure.details?.[0] as Refusal);
    }
    if (failure?.type === acknowledgementRequired) throw notAcknowledged(failure.details?.[0] as Refusal);
    if (failure?.type === noBatchToMove) throw nothingToMove(failure.details?.[0] as Refusal);
    if (failure?.type === windowNeverOpens) throw refused('window_never_opens', failure.message);
    if (failure?.type === endedMeanwhile) throw await overtaken(deps, row, action);
    throw error;
  }
}

export const massSmsCommandRoutes: FastifyPluginAsyncZod = async (app) => {
  const { deps } = app;

  const obey = async (
    request: FastifyRequest,
    row: ListedMassSms,
    { action, given, requestKey }: { action: MassSmsAction; given: Given; requestKey: string | null },
  ): Promise<void> => {
    const { status } = row;
    const allowed = allowedActions(status);
    // With a key this may be the repetition of a command that was obeyed: the workflow remembers its answer.
    if (!requestKey && !allowed.includes(action)) throw notAllowed(action, { status, allowed });
    if (needsAcknowledgement(status, action) && !given.acknowledge) throw notAcknowledged({ status, allowed });
    const command = { ...given, actor: actorOf(request) };
    await ask(deps, row, { action, command, requestKey });
  };

  const run = (
    request: FastifyRequest & { params: { id: string } },
    reply: FastifyReply,
    action: MassSmsAction,
    given: Given = {},
  ) =>
    commandOutside(request, reply, async (requestKey) => {
      const organizationId = organizationOf(request);
      const row = await requireKnown(deps, organizationId, request.params.id);
      // Only now: what was answered before is answered again, also when its start has passed.
      requireStart(given.startAt === undefined ? undefined : new Date(given.startAt), deps.clock.now());
      if (isFinal(row.status)) await requireObeyed(deps, row, { action, requestKey });
      else await obey(request, row, { action, given, requestKey });
      const body = await deps.database.inOrganization(organizationId, (trx) => readMassSms(trx, row.id));
      return { status: 200 as const, body: body! };
    });

  const route = {
    config: { access: 'mass-sms:manage' },
    schema: { tags: ['Mass SMS'], params: idParams, response: { 200: massSms } },
  } as const;

  app.post(
    '/mass-sms/:id/pause',
    { ...route, schema: { ...route.schema, summary: 'Pause: nothing more is sent within seconds' } },
    async (request, reply) => reply.send((await run(request, reply, 'pause')).body),
  );

  app.post(
    '/mass-sms/:id/cancel',
    { ...route, schema: { ...route.schema, summary: 'Cancel for good what has not been sent' } },
    async (request, reply) => reply.send((await run(request, reply, 'cancel')).body),
  );

  app.post(
    '/mass-sms/:id/resume',
    {
      ...route,
      schema: {
        ...route.schema,
        summary: 'Resume from paused or error, or release from suspended',
        body: z
          .strictObject({
            startAt: startAt.optional().meta({ description: 'When the next batch starts; now by default' }),
            allowWeekends: z.boolean().optional().meta({ description: 'As it was by default' }),
            acknowledge: z.literal(true).optional().meta({ description: 'From suspended: `cause` has been read' }),
          })
          .nullish(),
      },
    },
    async (request, reply) => {
      const { startAt: start, allowWeekends, acknowledge } = request.body ?? {};
      const given = {
        ...(start && { startAt: start.toISOString() }),
        allowWeekends,
        ...(acknowledge && { acknowledge }),
      };
      return reply.send((await run(request, reply, 'resume', given)).body);
    },
  );

  app.post(
    '/mass-sms/:id/reschedule',
    {
      ...route,
      schema: {
        ...route.schema,
        summary: 'Give the next batch another start, or allow weekends',
        body: z
          .strictObject({ startAt: startAt.optional(), allowWeekends: z.boolean().optional() })
          .refine((body) => body.startAt !== undefined || body.allowWeekends !== undefined, {
            path: ['startAt'],
            message: 'send startAt, allowWeekends or both',
          }),
      },
    },
    async (request, reply) => {
      const { startAt: start, allowWeekends } = request.body;
      const given = { ...(start && { startAt: start.toISOString() }), allowWeekends };
      return reply.send((await run(request, reply, 'reschedule', given)).body);
    },
  );
};
