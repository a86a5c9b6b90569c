/** The jobs on a career site. Of a confidential one nobody learns who lacks the permission `jobs:confidential`. */
import type { FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { z } from 'zod';
import { principalOf, requirePermission } from '../shared/auth.ts';
import { id } from '../shared/schemas.ts';
import { routesOf } from './routes.ts';
import { nameText, publicAddress, stamps, titleText, toStamps } from './schemas.ts';

const fields = {
  title: titleText(200).meta({ examples: ['Registered nurse'] }),
  reference: nameText(100).meta({ description: 'The number of the requisition', examples: ['REQ-1042'] }),
  url: publicAddress,
  confidential: z.boolean().meta({ description: 'Shown to, and used by, those with `jobs:confidential` only' }),
};

const job = z
  .object({
    id: id('job'),
    careerSiteId: id('careerSite'),
    title: z.string(),
    reference: z.string(),
    url: z.string(),
    confidential: z.boolean(),
    ...stamps,
  })
  .meta({ id: 'CareerSiteJob' });

/** Whether the caller may see, use and write confidential jobs. */
export const seesConfidentialJobs = (request: FastifyRequest): boolean =>
  principalOf(request).permissions.has('jobs:confidential');

export const careerSiteJobRoutes = routesOf({
  table: 'career_site_jobs',
  kind: 'job',
  names: { one: 'job', many: 'the jobs of a career site' },
  tag: 'Directory',
  path: '/jobs',
  isOfCareerSite: true,
  fields,
  defaults: { confidential: fields.confidential.default(false) },
  answer: job,
  narrow: (request) => (seesConfidentialJobs(request) ? [] : [sql<boolean>`not confidential`]),
  // Who made a job confidential that they then cannot see would have lost it.
  require: (_trx, request, { fields: { confidential } }) => {
    if (confidential) requirePermission(principalOf(request), 'jobs:confidential');
  },
  toColumns: (given) => given,
  toAnswer: (row) => ({
    id: row.id,
    careerSiteId: row.career_site_id,
    title: row.title,
    reference: row.reference,
    url: row.url,
    confidential: row.confidential,
    ...toStamps(row),
  }),
  taken: {
    career_site_jobs_reference: {
      reason: 'reference_taken',
      detail: 'Another job of this career site has this reference: use another one, or change that job.',
    },
  },
});
