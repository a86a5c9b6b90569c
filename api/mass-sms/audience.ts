/** Whom a mass SMS would reach, and why others are left out. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { countAudience, findAudience, insertAudience, listExcluded, listExists } from '../../db/contacts/audience.ts';
import type { Trx } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { readSettings } from '../../db/organizations/organizations.ts';
import { type AudienceDefinition, exclusionReasons } from '../../db/schema.ts';
import { type Purpose, purposes } from '../../domain/purpose.ts';
import { organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { decodeCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound, refused } from '../shared/problems.ts';
import { id, idParams, text } from '../shared/schemas.ts';
import { publishedTemplate, purposeOf } from '../shared/wording.ts';

/** What a mass SMS is for where neither the request nor a template says so: the consent to it is the harder to have. */
export const massSmsPurpose: Purpose = 'promotional';

/** The fields that say whom a mass SMS is for; {@link oneSource} checks them together. */
export const audienceFields = {
  list: text(200).optional().meta({ description: 'The name of a contact list' }),
  query: text(200).optional().meta({ description: 'A search, as in GET /contacts?q=' }),
  limitToTop: z.int().min(1).max(1_000_000).optional().meta({ description: 'Most recipients, in rank order' }),
};

/** For `.refine`: a list or a search, not both. */
export const oneSource = ({ list, query }: { list?: string | undefined; query?: string | undefined }): boolean =>
  (list === undefined) !== (query === undefined);
export const oneSourceError = { path: ['list'], message: 'send either list or query' };

/** @throws {Problem} 422 when the definition names a list that does not exist */
export async function requireKnownList(
  trx: Trx,
  organizationId: string,
  { list }: { list?: string | undefined },
): Promise<void> {
  if (list === undefined || (await listExists(trx, organizationId, list))) return;
  throw refused('unknown_list', 'There is no contact list of this name: check it, or import contacts with ?list=.');
}

const newAudience = z
  .strictObject({
    ...audienceFields,
    templateId: id('template').optional().meta({ description: 'What it is to be made with: a published one' }),
    purpose: z
      .enum(purposes)
      .optional()
      .meta({ description: "Whose consent is needed; by default the template's, or promotional" }),
  })
  .refine(oneSource, oneSourceError);

const count = z.int().min(0);
/** How many are left out for each reason. */
export const excludedCounts = z
  .object({
    noPhone: count,
    invalid: count,
    unsubscribed: count,
    noConsent: count,
    duplicate: count,
    overLimit: count,
  })
  .meta({ id: 'ExclusionCounts', description: 'Each match is counted once, for the first reason in this order' });

const audience = z
  .object({ id: id('audience'), matches: count, excluded: excludedCounts, recipients: count })
  .meta({ id: 'Audience' });

const excludedContact = z
  .object({
    contactId: id('contact'),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    mobile: z.string().nullable(),
    rank: z.int().min(1),
    reason: z.enum(exclusionReasons),
  })
  .meta({ id: 'ExcludedContact' });

export const audienceRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const config = { access: 'mass-sms:send' } as const;
  const tags = ['Mass SMS'];

  app.post(
    '/mass-sms/audience',
    {
      config,
      schema: {
        tags,
        summary: 'Count an audience',
        description: 'Recipients are the matches less each exclusion. Nothing is sent.',
        body: newAudience,
        response: { 200: audience },
      },
    },
    async (request, reply) => {
      const organizationId = organizationOf(request);
      const { body } = await command(request, reply, async (trx) => {
        const { templateId, purpose: given, ...who } = request.body;
        await requireKnownList(trx, organizationId, who);
        const template = templateId === undefined ? null : await publishedTemplate(trx, organizationId, templateId);
        const definition: AudienceDefinition = { ...who, purpose: purposeOf(template, given, massSmsPurpose) };
        const { massSmsLimit } = await readSettings(trx, organizationId);
        const counted = await countAudience(trx, organizationId, definition, massSmsLimit);
        const at = clock.now();
        const audienceId = newId('audience', at);
        await insertAudience(trx, { id: audienceId, organizationId, definition, at });
        return { status: 200, body: { id: audienceId, ...counted } };
      });
      return body;
    },
  );

  app.get(
    '/mass-sms/audience/:id/excluded',
    {
      config,
      schema: {
        tags,
        summary: 'See who is left out and why, as of now',
        params: idParams,
        querystring: z.object({ reason: z.enum(exclusionReasons).optional(), ...pageQuery }),
        response: { 200: pageOf(excludedContact) },
      },
    },
    async (request) => {
      const { reason, limit, cursor } = request.query;
      const after = decodeCursor(cursor, z.int().min(0));
      const organizationId = organizationOf(request);
      const rows = await database.inOrganization(organizationId, async (trx) => {
        const definition = await findAudience(trx, organizationId, request.params.id);
        if (!definition) throw notFound('audience');
        const { massSmsLimit } = await readSettings(trx, organizationId);
        return listExcluded(trx, organizationId, definition, massSmsLimit, { reason, limit: limit + 1, after });
      });
      return toPage(
        rows,
        limit,
        (row) => row.rank,
        (row) => row,
      );
    },
  );
};
