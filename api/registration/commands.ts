/** Resend, resubmit and cancel: updates of the registration's workflows, answered with where it stands then. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { markRegistrationStarted } from '../../db/registration/registrations.ts';
import type { RegistrationRow } from '../../db/schema.ts';
import { explainRejection } from '../../domain/registration/rejections.ts';
import {
  allowedActions,
  notInThisState,
  refusedByTwilio,
  type RegistrationAction,
  type RegistrationCommand,
} from '../../domain/registration/status.ts';
import * as brand from '../../workflows/brand-verification/messages.ts';
import * as campaign from '../../workflows/campaign-review/messages.ts';
import { brandWorkflowId, campaignWorkflowId, registrationWorkflowId } from '../../workflows/ids.ts';
import { cancelUpdate } from '../../workflows/registration/messages.ts';
import { startRegistration } from '../../workflows/registration/start.ts';
import { audit } from '../shared/audit.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import { commandOutside } from '../shared/idempotency.ts';
import { type Problem, refused, unavailable } from '../shared/problems.ts';
import { endedMeanwhile, failureOf, isUnanswered, obeyOnce, obeyWithinMs, unanswered } from '../temporal/updates.ts';
import { type IntakeChanges, intakeChanges } from './intake.ts';
import { correct, keepForSubmission, openQuestionnaire, readQuestionnaire } from './questionnaire.ts';
import { readRegistration } from './read.ts';
import { registration } from './schemas.ts';
import { notNow } from './standing.ts';

/** How long a workflow may take to start the child that the command is for, or to hear of a change. */
const appearWithinMs = 5_000;

/** Which workflow obeys a command, and by which update. */
const receivers = {
  'brand/resend': { update: brand.resendUpdate, idOf: (row: RegistrationRow) => brandWorkflowId(row.id) },
  'brand/resubmit': { update: brand.resubmitUpdate, idOf: (row: RegistrationRow) => brandWorkflowId(row.id) },
  'campaign/resubmit': { update: campaign.resubmitUpdate, idOf: (row: RegistrationRow) => campaignWorkflowId(row.id) },
  cancel: { update: cancelUpdate, idOf: (row: RegistrationRow) => registrationWorkflowId(row.organization_id) },
} as const;

interface Order {
  action: RegistrationAction;
  row: RegistrationRow;
  command: RegistrationCommand;
  /** The same for a repetition of the request; null for what cannot be one. */
  requestKey: string | null;
}

/**
 * Locks the registration, requires that the command is allowed now, and keeps the corrections that come with a
 * resubmission.
 *
 * @param mayRepeat with an Idempotency-Key this may be the repetition of a command that was obeyed and changed the state:
 * then nothing is kept, and the workflow, which remembers its answer, decides
 */
function prepare(
  request: FastifyRequest,
  { action, corrections, mayRepeat }: { action: RegistrationAction; corrections?: IntakeChanges; mayRepeat: boolean },
): Promise<RegistrationRow> {
  const { database, clock } = request.server.deps;
  const organizationId = organizationOf(request);
  return database.inOrganization(organizationId, async (trx) => {
    const questionnaire = await openQuestionnaire(trx, organizationId, clock.now());
    const { organization, row, facts } = questionnaire;
    if (!allowedActions(facts).includes(action)) {
      if (!mayRepeat) throw notNow(action, facts);
      return row;
    }
    if (corrections) {
      const corrected = await correct(trx, request, questionnaire, corrections);
      await keepForSubmission(trx, organization, corrected, clock.now());
    }
    await audit(trx, request, `registration.${action.replace('/', '_')}_requested`, row.id);
    return row;
  });
}

/** @throws {Problem} 409 that says where the registration stands by now, unless the command is allowed */
async function requireAllowed(request: FastifyRequest, action: RegistrationAction): Promise<void> {
  const organizationId = organizationOf(request);
  const { facts } = await request.server.deps.database.inOrganization(organizationId, (trx) =>
    readQuestionnaire(trx, organizationId),
  );
  if (!allowedActions(facts).includes(action)) throw notNow(action, facts);
}

/** Starts the registration's workflow, which starts the one that is asked. */
async function begin(request: FastifyRequest, { id, organization_id: organizationId }: RegistrationRow): Promise<void> {
  const { database, temporal, clock } = request.server.deps;
  await startRegistration(temporal.client.workflow, { organizationId, registrationId: id });
  await database.inOrganization(organizationId, (trx) => markRegistrationStarted(trx, organizationId, clock.now()));
}

/**
 * Has the workflow obey. One that is not there is started: it was submitted while Temporal was away, ended by hand or
 * under the command, or lost with Temporal's data, and Postgres knows what is left to do. One that says no to what Postgres allows has not
 * heard of the change yet. Both are asked again for a moment.
 *
 * @throws {Problem} 409, 422 or 503
 */
async function ask(request: FastifyRequest, { action, row, command, requestKey }: Order): Promise<void> {
  const { connection, workflow } = request.server.deps.temporal.client;
  const { update, idOf } = receivers[action];
  const handle = workflow.getHandle(idOf(row));
  const deadline = Date.now() + obeyWithinMs;
  const patience = Date.now() + appearWithinMs;
  let begun = false;
  for (;;) {
    try {
      await connection.withDeadline(deadline, () =>
        obeyOnce<RegistrationCommand>(handle, update, { command, requestKey }),
      );
      return;
    } catch (error) {
      const failure = failureOf(error);
      if (failure?.type === refusedByTwilio) throw notAtTwilio(Number(failure.details?.[0] ?? 0));
      if (isUnanswered(error)) throw unanswered('GET /v1/registration');
      const isMissing = error instanceof WorkflowNotFoundError || failure?.type === endedMeanwhile;
      if (!isMissing && failure?.type !== notInThisState) throw error;
      await requireAllowed(request, action);
      if (isMissing && !begun) {
        await connection.withDeadline(deadline, () => begin(request, row));
        begun = true;
      }
    }
    if (Date.now() >= patience) throw unavailable('The workflow of this registration');
    await sleep(200);
  }
}

function notAtTwilio(code: number): Problem {
  const { reason, remedy } = explainRejection({ code });
  return refused('refused_by_twilio', `Twilio refused this (${code}). ${reason} ${remedy}`, { code });
}

function obey(request: FastifyRequest, reply: FastifyReply, action: RegistrationAction, corrections?: IntakeChanges) {
  const { database } = request.server.deps;
  return commandOutside(request, reply, async (requestKey) => {
    const mayRepeat = requestKey !== null;
    const row = await prepare(request, { action, mayRepeat, ...(corrections && { corrections }) });
    await ask(request, { action, row, command: { actor: actorOf(request) }, requestKey });
    const body = await database.inOrganization(organizationOf(request), (trx) => readRegistration(trx, request));
    return { status: 200 as const, body };
  });
}

export const registrationCommandRoutes: FastifyPluginAsyncZod = async (app) => {
  const route = {
    config: { access: 'registration:manage' },
    schema: { tags: ['Registration'], response: { 200: registration } },
  } as const;

  app.post(
    '/registration/brand/resend',
    { ...route, schema: { ...route.schema, summary: 'Have the identity link sent again, for another 7 days' } },
    async (request, reply) => reply.send((await obey(request, reply, 'brand/resend')).body),
  );

  app.post(
    '/registration/cancel',
    { ...route, schema: { ...route.schema, summary: 'Take the registration back' } },
    async (request, reply) => reply.send((await obey(request, reply, 'cancel')).body),
  );

  for (const part of ['brand', 'campaign'] as const) {
    app.post(
      `/registration/${part}/resubmit`,
      {
        ...route,
        schema: {
          ...route.schema,
          summary: `Correct a rejected ${part} and submit it again`,
          description:
            'The corrections are saved as by `PUT /registration/intake`, and only if preflight has no errors.',
          body: intakeChanges.nullish(),
        },
      },
      async (request, reply) => reply.send((await obey(request, reply, `${part}/resubmit`, request.body ?? {})).body),
    );
  }
};
