/** The registration of an organization: read, filled in, checked and submitted. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import {
  addDeclarations,
  addToTimeline,
  findRegistration,
  markRegistrationStarted,
  setState,
} from '../../db/registration/registrations.ts';
import { type Finding, preflight } from '../../domain/registration/preflight.ts';
import { cleanedSamples } from '../../domain/registration/samples.ts';
import { allowedActions, isEditable } from '../../domain/registration/status.ts';
import { startRegistration } from '../../workflows/registration/start.ts';
import { audit } from '../shared/audit.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import { command, commandOutside } from '../shared/idempotency.ts';
import { conflict } from '../shared/problems.ts';
import { tellTemporal } from '../temporal/tell.ts';
import { intake, intakeChanges } from './intake.ts';
import { correct, keepForSubmission, openQuestionnaire, preflightContext, readQuestionnaire } from './questionnaire.ts';
import { readRegistration } from './read.ts';
import { cleaning, finding, registration } from './schemas.ts';
import { checkSites } from './site-check.ts';
import { notNow } from './standing.ts';

const declared = (message: string) => z.literal(true, { error: message });

const declarations = z.strictObject({
  accurate: declared('must be true: somebody has to declare that the information is accurate').meta({
    description: 'The information is accurate',
  }),
  representativeAgrees: declared('must be true: the representative has to agree to be contacted').meta({
    description: 'The authorized representative has agreed to be contacted',
  }),
});

/** What is wrong with what was filled in; what was not yet is for preflight and submission to say. */
const aboutWhatIsThere = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ code, field }) => code !== 'missing' && field !== 'evidence');

/** @throws {Problem} 409 or 422 */
async function submit(trx: Trx, request: FastifyRequest): Promise<void> {
  const at = request.server.deps.clock.now();
  const { organization, row, facts, intake: filledIn } = await openQuestionnaire(trx, organizationOf(request), at);
  if (organization.own_account) {
    throw conflict(
      'own-account',
      'This organization sends from an account of its own, which is registered outside Longwave: there is nothing to submit.',
    );
  }
  if (!allowedActions(facts).includes('submit')) throw notNow('submit', facts);
  const actor = actorOf(request);
  // A campaign that went on while the registration was cancelled was checked, and nobody can correct it now.
  if (isEditable(facts)) await keepForSubmission(trx, organization, filledIn, at);
  await addDeclarations(trx, organization.id, actor, at);
  await setState(trx, row, 'submitted', at);
  await addToTimeline(trx, {
    organizationId: organization.id,
    subject: 'registration',
    event: 'submitted',
    actor,
    detail: 'The registration was submitted, and both declarations were made.',
    awaiting: 'twilio',
    at,
  });
  await audit(trx, request, 'registration.submitted', row.id);
}

/** Starts the workflow of what was submitted; left to the sweep when Temporal is away. */
async function start(request: FastifyRequest): Promise<void> {
  const { database, clock } = request.server.deps;
  const organizationId = organizationOf(request);
  const row = await database.inOrganization(organizationId, (trx) => findRegistration(trx, organizationId));
  // A repeated request comes after whatever became of the first one.
  if (row?.state !== 'submitted' || row.workflow_started_at) return;
  await tellTemporal(request.server.deps, request.log, {
    what: 'the workflow',
    about: { registrationId: row.id },
    tell: async (workflow) => {
      await startRegistration(workflow, { organizationId, registrationId: row.id });
      await database.inOrganization(organizationId, (trx) => markRegistrationStarted(trx, organizationId, clock.now()));
    },
  });
}

export const registrationRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock, checkSite } = app.deps;
  const tags = ['Registration'];
  const config = { access: 'registration:manage' } as const;

  app.get(
    '/registration',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'Where the registration with the carriers stands',
        description: `Every key of the organization may read it. What was filled in and submitted (\`intake\`, \`evidence\`,
\`declarations\`, \`changes\` and each attempt's \`submission\`) is shown with the permission \`registration:manage\` only.`,
        response: { 200: registration },
      },
    },
    async (request) => database.inOrganization(organizationOf(request), (trx) => readRegistration(trx, request)),
  );

  app.put(
    '/registration/intake',
    {
      config,
      schema: {
        tags,
        summary: 'Fill in the questionnaire, field by field',
        description: `What is sent is saved, \`null\` removes a field, the rest stays; \`address\` and \`representative\` merge the
same way. Choices are read whatever their case and punctuation, and by common names such as LLC. Findings are about
what was filled in, and block nothing before submission. Once submitted, a correction that leaves errors is refused with
422 and \`findings\`, and nothing of it is saved.`,
        body: intakeChanges,
        response: { 200: z.object({ intake, findings: z.array(finding), changes: z.array(cleaning) }) },
      },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, async (trx) => {
        const questionnaire = await openQuestionnaire(trx, organizationId, clock.now());
        const { organization, facts } = questionnaire;
        if (!isEditable(facts)) throw notNow('intake', facts);
        const filledIn = await correct(trx, request, questionnaire, request.body);
        // From here on workflows submit what they find: nothing that was not checked may be there.
        if (facts.state === 'submitted') await keepForSubmission(trx, organization, filledIn, clock.now());
        const findings = preflight(filledIn, await preflightContext(trx, organization));
        const { changes } = cleanedSamples(filledIn.messageSamples ?? []);
        return { intake: filledIn, findings: aboutWhatIsThere(findings), changes };
      });
    },
  );

  app.post(
    '/registration/preflight',
    {
      config,
      schema: {
        tags,
        summary: 'Find what reviewers would reject, before anything is paid',
        description: 'Also opens the website, the privacy policy and the terms, as a reviewer would.',
        response: { 200: z.object({ findings: z.array(finding), changes: z.array(cleaning) }) },
      },
    },
    async (request, reply) => {
      const answer = await commandOutside(request, reply, async () => {
        const organizationId = organizationOf(request);
        const { filledIn, context } = await database.inOrganization(organizationId, async (trx) => {
          const { organization, intake } = await readQuestionnaire(trx, organizationId);
          return { filledIn: intake, context: await preflightContext(trx, organization) };
        });
        const findings = preflight(filledIn, { ...context, sites: await checkSites(filledIn, checkSite) });
        const { changes } = cleanedSamples(filledIn.messageSamples ?? []);
        return { status: 200 as const, body: { findings, changes } };
      });
      return reply.send(answer.body);
    },
  );

  app.post(
    '/registration/submit',
    {
      config,
      schema: {
        tags,
        summary: 'Submit the registration',
        description: 'Fees become due. Refused with 422 and `findings` when preflight has errors.',
        body: declarations,
        response: { 202: registration },
      },
    },
    async (request, reply) => {
      const { status, body } = await command(request, reply, async (trx) => {
        await submit(trx, request);
        return { status: 202 as const, body: await readRegistration(trx, request) };
      });
      await start(request);
      return reply.code(status).send(body);
    },
  );
};
