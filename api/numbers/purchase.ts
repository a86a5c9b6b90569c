/** Buying numbers: a chosen one for one user or for several who share it, or one for each of hundreds of users (B2). */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { beginJob, findJob } from '../../db/numbers/jobs.ts';
import { findNumber, findNumberByPhone, type Line } from '../../db/numbers/lines.ts';
import { insertPurchases, type NewPurchase, purchaseResults } from '../../db/numbers/purchases.ts';
import { areaCodeOf, countryOfAreaCode } from '../../domain/numbers/area-codes.ts';
import { audit } from '../shared/audit.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import { command, commandOutside } from '../shared/idempotency.ts';
import { invalid, refused } from '../shared/problems.ts';
import { id, phoneNumber } from '../shared/schemas.ts';
import { requireAccount } from './account.ts';
import { numberJob, readJob } from './jobs.ts';
import { startJob, untilFinished } from './job-start.ts';
import { lockFreeUsers, lockUsers, objectionTo } from './line-users.ts';
import { requirePool } from './pools.ts';
import { number, toNumber } from './schemas.ts';
import { acceptTerms, requireTerms } from './terms.ts';

const userIds = z.array(id('user'));
const poolId = id('pool').nullable().default(null).meta({ description: 'The pool that the numbers join' });

const newNumber = z
  .strictObject({
    phoneNumber: phoneNumber.meta({ description: 'As `GET /v1/numbers/available` shows it' }),
    userIds: userIds
      .max(100)
      .default([])
      .meta({ description: 'Who texts from it; several share it, and none need to with a pool' }),
    poolId,
    acceptTerms,
  })
  .refine(({ userIds, poolId }) => userIds.length > 0 || poolId !== null, {
    path: ['userIds'],
    message: 'name at least one user, or a pool',
  });

const bulk = z.strictObject({
  userIds: userIds.min(1, 'must name at least one user').max(1_000, 'must name at most 1,000 users'),
  areaCode: z
    .union([z.literal('match-mobile'), z.string().regex(/^\d{3}$/)], 'must be match-mobile or three digits')
    .meta({ description: "`match-mobile` for that of each user's own mobile number", examples: ['415'] }),
  allowNearby: z
    .boolean()
    .default(false)
    .meta({ description: 'Where nothing is on sale: the area codes within 100 miles, nearest first' }),
  poolId,
  acceptTerms,
});

/** Begins the purchase of one chosen number. @returns the run; that of the first request when this one repeats it */
async function beginOne(trx: Trx, request: FastifyRequest, body: z.infer<typeof newNumber>, requestKey: string | null) {
  const organizationId = organizationOf(request);
  const at = request.server.deps.clock.now();
  await requirePool(trx, organizationId, body.poolId);
  const job = {
    organizationId,
    kind: 'purchase',
    poolId: body.poolId,
    actor: actorOf(request),
    requestKey,
    at,
  } as const;
  // Before anything is judged: a repeated request must not find its own purchase in its way.
  const { id: jobId, isNew } = await beginJob(trx, job);
  if (!isNew) return jobId;
  await requireAccount(trx, organizationId);
  const own = await findNumberByPhone(trx, organizationId, body.phoneNumber);
  if (own) {
    const detail = `The organization has this number already (${own.id}): change it with PATCH /v1/numbers/${own.id}.`;
    throw refused('already_yours', detail, { numberId: own.id });
  }
  const users = await lockFreeUsers(trx, organizationId, body.userIds);
  const purchase = { userIds: users.map((user) => user.id), wanted: body.phoneNumber };
  await insertPurchases(trx, { organizationId, jobId, at }, [purchase]);
  await audit(trx, request, 'number.purchase_requested', jobId, { userIds: purchase.userIds, termsAccepted: true });
  return jobId;
}

type Bought = { kind: 'bought'; line: Line } | { kind: 'waiting'; job: z.infer<typeof numberJob> };

/** @throws {Problem} 422 with why the number was not bought */
async function outcomeOf(trx: Trx, organizationId: string, jobId: string): Promise<Bought> {
  const [result] = await purchaseResults(trx, jobId);
  if (result?.state === 'failed') throw refused(result.reason!, result.detail!, { jobId });
  if (result?.numberId) {
    const line = await findNumber(trx, organizationId, result.numberId);
    if (line) return { kind: 'bought', line };
  }
  const job = await findJob(trx, organizationId, jobId);
  return { kind: 'waiting', job: await readJob(trx, job!) };
}

/** Begins a bulk purchase. Users who cannot be given a line are results that failed, and hold up nobody. */
async function beginBulk(trx: Trx, request: FastifyRequest, body: z.infer<typeof bulk>): Promise<string> {
  const organizationId = organizationOf(request);
  await requireAccount(trx, organizationId);
  await requirePool(trx, organizationId, body.poolId);
  const users = await lockUsers(trx, organizationId, body.userIds);
  const at = request.server.deps.clock.now();
  const { areaCode, allowNearby } = body;
  const { id: jobId } = await beginJob(trx, {
    organizationId,
    kind: 'purchase',
    areaCode,
    allowNearby,
    poolId: body.poolId,
    actor: actorOf(request),
    at,
  });
  const purchases = users.map((user): NewPurchase => {
    const failure = objectionTo(user);
    return failure === null ? { userIds: [user.id] } : { userIds: [user.id], failure };
  });
  await insertPurchases(trx, { organizationId, jobId, at }, purchases);
  await audit(trx, request, 'number.bulk_purchase_requested', jobId, {
    users: users.length,
    areaCode,
    allowNearby,
    termsAccepted: true,
  });
  return jobId;
}

/** @throws {Problem} 400 for what is no place's area code */
function requireAreaCode(areaCode: string, path: string): void {
  if (areaCode === 'match-mobile' || ['US', 'CA'].includes(countryOfAreaCode(areaCode) ?? '')) return;
  throw invalid([{ path, message: 'is not an area code of the United States or Canada' }]);
}

export const numberPurchaseRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;
  const config = { access: 'numbers:manage' } as const;
  const tags = ['Numbers'];

  app.post(
    '/numbers',
    {
      config,
      schema: {
        tags,
        summary: 'Buy a number for one user, for several who share it, or for a pool',
        description: `Answers 201 with the number once it is bought; when that takes longer than 15 seconds, 202 with the run that buys
it (\`GET /v1/numbers/jobs/{id}\`).`,
        body: newNumber,
        response: { 201: number, 202: numberJob },
      },
    },
    async (request, reply) => {
      const { body } = request;
      await requireTerms(request, body.acceptTerms);
      requireAreaCode(areaCodeOf(body.phoneNumber) ?? '', 'phoneNumber');
      const organizationId = organizationOf(request);
      const answer = await commandOutside(request, reply, async (requestKey) => {
        const jobId = await database.inOrganization(organizationId, (trx) => beginOne(trx, request, body, requestKey));
        if (await startJob(request, jobId)) await untilFinished(request, jobId);
        const bought = await database.inOrganization(organizationId, (trx) => outcomeOf(trx, organizationId, jobId));
        return bought.kind === 'bought'
          ? { status: 201 as const, body: toNumber(bought.line) }
          : { status: 202 as const, body: bought.job };
      });
      return answer.status === 201 ? reply.code(201).send(answer.body) : reply.code(202).send(answer.body);
    },
  );

  app.post(
    '/numbers/bulk',
    {
      config,
      schema: {
        tags,
        summary: 'Buy a number for each of up to 1,000 users',
        description: '`GET /v1/numbers/jobs/{jobId}` tells user by user what became of it, also while it goes on.',
        body: bulk,
        response: { 202: z.object({ jobId: id('numberJob') }) },
      },
    },
    async (request, reply) => {
      await requireTerms(request, request.body.acceptTerms);
      requireAreaCode(request.body.areaCode, 'areaCode');
      const { status, body } = await command(request, reply, async (trx) => ({
        status: 202 as const,
        body: { jobId: await beginBulk(trx, request, request.body) },
      }));
      await startJob(request, body.jobId);
      return reply.code(status).send(body);
    },
  );
};
