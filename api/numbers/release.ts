/** Releasing numbers (B7): it cannot be undone, so it has to be confirmed in so many words. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { beginJob, findJob } from '../../db/numbers/jobs.ts';
import { beginRelease, knownNumbers, releaseResults } from '../../db/numbers/releases.ts';
import { releaseConfirmation, wouldLeaveWithoutLine } from '../../domain/numbers/releases.ts';
import { audit } from '../shared/audit.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import { commandOutside } from '../shared/idempotency.ts';
import { refused } from '../shared/problems.ts';
import { id } from '../shared/schemas.ts';
import { startJob, untilFinished } from './job-start.ts';

/** In words; all of them are in `numberIds`. */
const namedAtMost = 10;

const release = z.strictObject({
  numberIds: z
    .array(id('number'))
    .min(1, 'must name at least one number')
    .max(500, 'must name at most 500 numbers')
    .transform((ids) => [...new Set(ids)]),
  confirm: z
    .string()
    .max(100)
    .optional()
    .meta({ description: `Must be \`${releaseConfirmation}\``, examples: [releaseConfirmation] }),
});

const released = z
  .object({
    jobId: id('numberJob'),
    state: z.enum(['running', 'finished']),
    released: z.array(id('number')),
    failed: z.array(
      z.object({
        numberId: id('number'),
        detail: z.string().meta({ description: 'Why it was not released and what to do about it' }),
      }),
    ),
    waiting: z
      .array(id('number'))
      .meta({ description: 'Nothing is queued on these any more, but they are not released yet' }),
  })
  .meta({ id: 'Release' });

/** @throws {Problem} 422 without the exact confirmation; who tried is on record then */
async function requireConfirmation(request: FastifyRequest, { numberIds, confirm }: z.infer<typeof release>) {
  if (confirm === releaseConfirmation) return;
  const organizationId = organizationOf(request);
  await request.server.deps.database.inOrganization(organizationId, async (trx) => {
    // What is no id of ours might be anything, and the audit log is for ids.
    const known = await knownNumbers(trx, organizationId, numberIds);
    const detail = { reason: 'confirmation_required', numberIds: known };
    await audit(trx, request, 'number.release_refused', organizationId, detail);
  });
  throw refused(
    'confirmation_required',
    `Releasing a number cannot be undone: Twilio may give it to somebody else, and nobody can text or call you on it any more. Its message history stays. If you mean it, send confirm: "${releaseConfirmation}".`,
  );
}

/** @returns the run; that of the first request when this one repeats it. @throws {Problem} 422, and nothing has changed */
async function begin(trx: Trx, request: FastifyRequest, numberIds: string[], requestKey: string | null) {
  const organizationId = organizationOf(request);
  const at = request.server.deps.clock.now();
  // Before anything is judged: a repeated request must not find its own release in its way.
  const job = { organizationId, kind: 'release', actor: actorOf(request), requestKey, at } as const;
  const { id: jobId, isNew } = await beginJob(trx, job);
  if (!isNew) return jobId;
  const begun = await beginRelease(trx, { organizationId, jobId, numberIds, at });
  if (begun.kind === 'unknown') {
    const { numberIds: unknown } = begun;
    const more = unknown.length > namedAtMost ? ` and ${unknown.length - namedAtMost} more` : '';
    const detail = `There are no such numbers here, so none was released: ${unknown.slice(0, namedAtMost).join(', ')}${more}. GET /v1/numbers lists those there are.`;
    throw refused('unknown_number', detail, { numberIds: unknown });
  }
  if (begun.kind === 'in_use') {
    const massSms = begun.massSms.map(({ id, name, status }) => ({ id, name, status }));
    throw refused('in_use', wouldLeaveWithoutLine(massSms), { massSms });
  }
  for (const numberId of numberIds) await audit(trx, request, 'number.release_requested', numberId, { jobId });
  return jobId;
}

async function outcomeOf(trx: Trx, organizationId: string, jobId: string): Promise<z.infer<typeof released>> {
  const job = await findJob(trx, organizationId, jobId);
  const results = await releaseResults(trx, jobId);
  const inState = (state: string) => results.filter((result) => result.state === state);
  return {
    jobId,
    state: job!.state,
    released: inState('released').map((result) => result.numberId),
    failed: inState('failed').map(({ numberId, detail }) => ({ numberId, detail: detail! })),
    waiting: inState('waiting').map((result) => result.numberId),
  };
}

/** Starts the run and waits for it, unless Temporal is away: then the sweep starts it, and nobody knows when. */
async function carryOut(request: FastifyRequest, jobId: string) {
  const { database } = request.server.deps;
  const organizationId = organizationOf(request);
  if (await startJob(request, jobId)) await untilFinished(request, jobId);
  const body = await database.inOrganization(organizationId, (trx) => outcomeOf(trx, organizationId, jobId));
  return { status: body.state === 'finished' ? (200 as const) : (202 as const), body };
}

export const numberReleaseRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;

  app.post(
    '/numbers/release',
    {
      config: { access: 'numbers:manage' },
      schema: {
        tags: ['Numbers'],
        summary: 'Release numbers, which cannot be undone',
        description:
          'What waits on them leaves from other numbers of its pool, or from the line its user has now, and is cancelled where there is none. 202 when it takes longer than 15 seconds: `GET /v1/numbers/jobs/{id}` tells how it goes on.',
        body: release,
        response: { 200: released, 202: released },
      },
    },
    async (request, reply) => {
      await requireConfirmation(request, request.body);
      const { status, body } = await commandOutside(request, reply, async (requestKey) => {
        const jobId = await database.inOrganization(organizationOf(request), (trx) =>
          begin(trx, request, request.body.numberIds, requestKey),
        );
        return carryOut(request, jobId);
      });
      return reply.code(status).send(body);
    },
  );
};
