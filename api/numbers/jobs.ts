/** Runs of purchases and of releases: which there were, and what became of each, while it goes on and afterwards. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { countResults, findJob, type JobCount, listJobs } from '../../db/numbers/jobs.ts';
import { purchaseResults } from '../../db/numbers/purchases.ts';
import { releaseResults } from '../../db/numbers/releases.ts';
import type { NumberJobRow } from '../../db/schema.ts';
import { purchaseFailures } from '../../domain/numbers/purchases.ts';
import { organizationOf } from '../shared/auth.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound } from '../shared/problems.ts';
import { id, idParams, instant } from '../shared/schemas.ts';

const purchaseStates = ['waiting', 'provisioned', 'failed'] as const;
const releaseStates = ['waiting', 'released', 'failed'] as const;
const failures = Object.keys(purchaseFailures) as (keyof typeof purchaseFailures)[];

const summary = {
  id: id('numberJob'),
  kind: z.enum(['purchase', 'release']),
  state: z.enum(['running', 'finished']),
  counts: z.object({
    total: z.int(),
    waiting: z.int(),
    provisioned: z.int(),
    released: z.int(),
    failed: z.int(),
  }),
  createdAt: instant,
  finishedAt: instant.nullable(),
};

const numberJobSummary = z.object(summary).meta({ id: 'NumberJobSummary' });

export const numberJob = z
  .object({
    ...summary,
    results: z
      .array(
        z.object({
          status: z.enum([...purchaseStates, ...releaseStates]),
          userId: id('user').nullable().meta({ description: 'Whose line it is to be; null with a release' }),
          numberId: id('number').nullable(),
          phoneNumber: z.string().nullable(),
          registered: z.boolean().nullable(),
          reason: z.enum(failures).nullable().meta({ description: 'Why no number was bought, for programs' }),
          detail: z.string().nullable().meta({ description: 'Why it failed and what to do about it' }),
        }),
      )
      .meta({ description: 'One per user of a purchase, one per number of a release' }),
  })
  .meta({ id: 'NumberJob' });

type NumberJob = z.infer<typeof numberJob>;
type Result = NumberJob['results'][number];

async function resultsOf(trx: Trx, job: NumberJobRow): Promise<Result[]> {
  if (job.kind === 'release') {
    const rows = await releaseResults(trx, job.id);
    return rows.map(({ state: status, numberId, phoneNumber, detail }) => ({
      status,
      userId: null,
      numberId,
      phoneNumber,
      registered: null,
      reason: null,
      detail,
    }));
  }
  return (await purchaseResults(trx, job.id)).flatMap(({ userIds, state: status, numberId, phoneNumber, ...row }) =>
    (userIds.length > 0 ? userIds : [null]).map((userId) => ({
      status,
      userId,
      numberId,
      phoneNumber,
      registered: row.registered,
      reason: row.reason,
      detail: row.detail,
    })),
  );
}

function toSummary(job: NumberJobRow, counted: readonly Pick<JobCount, 'status' | 'count'>[]) {
  const counts = { total: 0, waiting: 0, provisioned: 0, released: 0, failed: 0 };
  for (const { status, count } of counted) {
    counts[status] += count;
    counts.total += count;
  }
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    counts,
    createdAt: job.created_at.toISOString(),
    finishedAt: job.finished_at?.toISOString() ?? null,
  };
}

export async function readJob(trx: Trx, job: NumberJobRow): Promise<NumberJob> {
  const results = await resultsOf(trx, job);
  const counted = results.map(({ status }) => ({ status, count: 1 }));
  return { ...toSummary(job, counted), results };
}

export const numberJobRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;
  const config = { access: 'numbers:manage' } as const;
  const tags = ['Numbers'];

  app.get(
    '/numbers/jobs',
    {
      config,
      schema: {
        tags,
        summary: 'List purchases and releases of numbers, the newest first',
        querystring: z.object(pageQuery),
        response: { 200: pageOf(numberJobSummary) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = { limit: limit + 1, before: decodeIdCursor(cursor) };
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, async (trx) => {
        const rows = await listJobs(trx, organizationId, page);
        const ids = rows.map((row) => row.id);
        const counts = Map.groupBy(await countResults(trx, ids), ({ jobId }) => jobId);
        return toPage(
          rows,
          limit,
          (row) => row.id,
          (row) => toSummary(row, counts.get(row.id) ?? []),
        );
      });
    },
  );

  app.get(
    '/numbers/jobs/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Read what became of a bulk purchase or release, also while it goes on',
        params: idParams,
        response: { 200: numberJob },
      },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, async (trx) => {
        const job = await findJob(trx, organizationId, request.params.id);
        if (!job) throw notFound('run');
        return readJob(trx, job);
      });
    },
  );
};
