/** Templates: texts that are written once, approved by being published, and found by the beginning of their name. */
import type { FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Changes } from '../db/changes.ts';
import type { Trx } from '../db/database.ts';
import { findCareerSite } from '../db/templates/directory.ts';
import { readSettings } from '../db/organizations/organizations.ts';
import { templateColumns, type TemplateFields, type TemplateRow } from '../db/templates/templates.ts';
import { mergeCodesIn } from '../domain/messages/merge-codes.ts';
import { longestBody } from '../domain/messages/text.ts';
import { type Purpose, purposes } from '../domain/purpose.ts';
import { organizationOf } from './shared/auth.ts';
import { routesOf } from './directory/routes.ts';
import { nameText, stamps, toStamps } from './directory/schemas.ts';
import { refused } from './shared/problems.ts';
import { flag, id } from './shared/schemas.ts';
import { textWithCodes } from './shared/wording.ts';

const fields = {
  name: nameText(200).meta({ examples: ['Interview invitation'] }),
  body: textWithCodes(longestBody).meta({
    description: 'With merge codes: docs/templates.md has them all',
    examples: ['{{organization.name}}: Hi {{contact.firstName}}, see {{job.title}} at {{job.url}}'],
  }),
  purpose: z.enum(purposes).meta({ description: "One of the organization's `permittedPurposes`" }),
  careerSiteId: id('careerSite').nullable().meta({ description: 'The site it is for; messages need not name it then' }),
  published: z.boolean().meta({ description: 'Until then it cannot be used' }),
};

const template = z
  .object({
    id: id('template'),
    name: z.string(),
    body: z.string(),
    purpose: z.enum(purposes),
    careerSiteId: id('careerSite').nullable(),
    published: z.boolean(),
    mergeCodes: z
      .array(z.string())
      .meta({ description: 'Those in the body, once each, in order', examples: [['contact.firstName', 'job.url']] }),
    ...stamps,
  })
  .meta({ id: 'Template' });

/** @throws {Problem} 422 (A12) */
async function requirePermitted(trx: Trx, organizationId: string, purpose: Purpose): Promise<void> {
  const { permittedPurposes } = await readSettings(trx, organizationId);
  if (permittedPurposes.includes(purpose)) return;
  const permitted = permittedPurposes.join(', ');
  throw refused(
    'purpose_not_permitted',
    `This organization may send ${permitted} messages only: choose that purpose, or change permittedPurposes in the settings.`,
  );
}

async function requireRules(
  trx: Trx,
  request: FastifyRequest,
  { fields: given, current }: { fields: Changes<TemplateFields>; current: TemplateRow | null },
): Promise<void> {
  const organizationId = organizationOf(request);
  const purpose = given.purpose ?? current?.purpose;
  // One whose purpose is not permitted any more may still be renamed, and withdrawn.
  const isNewUse = purpose !== current?.purpose || (given.published === true && !current?.published);
  if (purpose && isNewUse) await requirePermitted(trx, organizationId, purpose);
  const { careerSiteId = null } = given;
  if (careerSiteId === null || (await findCareerSite(trx, organizationId, careerSiteId))) return;
  throw refused('unknown_career_site', 'There is no such career site: GET /v1/career-sites lists them.');
}

export const templateRoutes = routesOf({
  table: 'templates',
  kind: 'template',
  names: { one: 'template', many: 'templates' },
  tag: 'Templates',
  path: '/templates',
  fields,
  defaults: { careerSiteId: fields.careerSiteId.default(null), published: fields.published.default(false) },
  filters: { published: flag('Only those that are, or are not, published') },
  narrow: (request) => {
    const { published } = request.query as { published?: boolean };
    return published === undefined ? [] : [sql<boolean>`published = ${published}`];
  },
  answer: template,
  require: requireRules,
  toColumns: templateColumns,
  toAnswer: (row) => ({
    id: row.id,
    name: row.name,
    body: row.body,
    purpose: row.purpose,
    careerSiteId: row.career_site_id,
    published: row.published,
    mergeCodes: mergeCodesIn(row.body),
    ...toStamps(row),
  }),
  taken: {
    templates_name: {
      reason: 'name_taken',
      detail: 'Another template has this name: use another one, or change that template.',
    },
  },
});
