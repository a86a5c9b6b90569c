/** Mass SMS: created and read. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { messageIdsMadeAt } from '../../db/ids.ts';
import { findMassSms, markWorkflowStarted, sendingOrganization } from '../../db/mass-sms/mass-sms.ts';
import { createMassSms, sendingPools } from '../../db/mass-sms/create.ts';
import { listMassSms, listRecipients } from '../../db/mass-sms/list.ts';
import { findOrganization } from '../../db/organizations/organizations.ts';
import { findUser } from '../../db/organizations/users.ts';
import { type MassSmsStatus, massSmsStatuses } from '../../domain/mass-sms/mass-sms.ts';
import { merge, mergeCodesIn } from '../../domain/messages/merge-codes.ts';
import { inWordsOf, longestBody, withDisclaimer } from '../../domain/messages/text.ts';
import { messageStatuses } from '../../domain/messages/status.ts';
import type { Purpose } from '../../domain/purpose.ts';
import { localTime } from '../../domain/send-window.ts';
import type { Settings } from '../../domain/settings.ts';
import { startMassSms } from '../../workflows/mass-sms/start.ts';
import { massSmsPurpose, requireKnownList } from './audience.ts';
import { audit } from '../shared/audit.ts';
import { actorOf, organizationOf, principalOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { requireEnabled } from '../organization/module.ts';
import { decodeCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { invalid, notFound, refused } from '../shared/problems.ts';
import { idParams, search } from '../shared/schemas.ts';
import { wordingOf } from '../shared/wording.ts';
import { tellTemporal } from '../temporal/tell.ts';
import { autoRespondOf } from './auto-respond.ts';
import { readMassSms, withFigures } from './read.ts';
import { massSms, newMassSms, recipient, startAt } from './schemas.ts';
import { refusePlan, requireStart } from './start.ts';

export const defaultLeadMs = 90 * 60_000;
const shownByDefault: readonly MassSmsStatus[] = ['scheduled', 'in_process', 'paused', 'error'];

type NewMassSmsBody = z.infer<typeof newMassSms>;

/** The pool to send from: the one named, or the only one, or the only one of the purpose. @throws {Problem} 422 */
async function senderOf(
  trx: Trx,
  organizationId: string,
  { poolId, purpose }: { poolId: string | undefined; purpose: Purpose },
) {
  const pools = await sendingPools(trx, organizationId);
  const ofPurpose = pools.filter((one) => one.purpose === purpose);
  const choice =
    poolId !== undefined ? pools.filter(({ id }) => id === poolId) : pools.length === 1 ? pools : ofPurpose;
  const pool = choice.length === 1 ? choice[0] : undefined;
  if (!pool) {
    if (poolId !== undefined) throw refused('unknown_pool', 'There is no such number pool: GET /v1/pools lists them.');
    if (pools.length === 0) throw refused('no_pool', 'This organization has no number pool: buy a number first.');
    const which = ofPurpose.length === 0 ? 'none of them' : 'more than one of them';
    throw refused(
      'pool_required',
      `There are several number pools, and ${which} is for ${purpose} messages: choose one with poolId.`,
    );
  }
  if (pool.lines.length > 0) return pool;
  throw refused(
    'no_numbers',
    `The pool "${pool.name}" has no registered number: buy one, or wait for its registration.`,
  );
}

/** Values for the merge codes of organization and user. @throws {Problem} 422 */
async function mergeValues(trx: Trx, request: FastifyRequest, body: string): Promise<Record<string, string>> {
  const organizationId = organizationOf(request);
  const organization = await findOrganization(trx, organizationId);
  const { userId } = principalOf(request);
  const user = userId ? await findUser(trx, organizationId, userId) : undefined;
  if (mergeCodesIn(body).includes('user.name') && !user) {
    throw refused('user_required', 'The message names {{user.name}}: act as a user with the header Longwave-User.');
  }
  return { 'organization.name': organization?.name ?? '', ...(user && { 'user.name': user.name }) };
}

/** Whoever gets it as their first message gets the disclaimer with it. @throws {Problem} 422 */
function requireRoom(characters: number): void {
  if (characters <= longestBody) return;
  const detail =
    `With the longest name and the disclaimer, which is a part of the first message to a contact, it has ${characters} ` +
    `characters, and ${longestBody} are allowed: shorten it, or say in it how to opt out, with the word STOP.`;
  throw refused('too_long', detail, { characters, limit: longestBody });
}

/**
 * What a mass SMS says, and what its answer to replies says, which the same fields fill: the same for a forecast.
 *
 * @throws {Problem} 400 or 422
 */
export async function massSmsText(trx: Trx, request: FastifyRequest, body: NewMassSmsBody, settings: Settings) {
  const autoRespond = await autoRespondOf(trx, request, body, settings);
  const alsoSays = autoRespond ? mergeCodesIn(autoRespond.body) : [];
  const wording = await wordingOf(trx, request, body, {
    ordinary: massSmsPurpose,
    mayBelongToCampaign: true,
    alsoSays,
  });
  if (!settings.permittedPurposes.includes(wording.purpose)) {
    const permitted = settings.permittedPurposes.join(', ');
    throw refused(
      'purpose_not_permitted',
      `This organization may send ${permitted} messages only: choose that purpose, or change permittedPurposes in the settings.`,
    );
  }
  const names = await mergeValues(trx, request, `${wording.body} ${autoRespond?.body ?? ''}`);
  const values = { ...wording.values, ...names };
  const disclaimer = inWordsOf(settings.disclaimer, names['organization.name']!, names['user.name'] ?? null);
  const common = merge(wording.body, values);
  const extra = withDisclaimer(common, disclaimer).length - common.length;
  requireRoom(common.length + extra);
  /** @param longest characters of the longest text, now that the names are known @throws {Problem} 422 */
  const requireRoomFor = (longest: number): void => requireRoom(longest + extra);
  return { ...wording, values, common, disclaimer, autoRespond, requireRoomFor };
}

async function create(trx: Trx, request: FastifyRequest, body: NewMassSmsBody, now: Date): Promise<string> {
  const organizationId = organizationOf(request);
  const { list, query, limitToTop } = body;
  await requireEnabled(trx, organizationId);
  await requireKnownList(trx, organizationId, body);
  const { settings, segmentsPerSecond } = await sendingOrganization(trx, organizationId);
  const { timeZone = settings.sendWindow.timeZone } = body;
  const text = await massSmsText(trx, request, body, settings);
  requireStart(body.startAt, now);
  const wanted = body.startAt ?? new Date(now.getTime() + (body.immediate ? 0 : defaultLeadMs));
  const created = await createMassSms(trx, {
    organizationId,
    name: body.name ?? `${list ?? query} ${localTime(now, timeZone).toISODate()}`,
    audience: { list, query, limitToTop, purpose: text.purpose },
    pool: await senderOf(trx, organizationId, { poolId: body.poolId, purpose: text.purpose }),
    body: text.body,
    values: text.values,
    origin: text.origin,
    autoRespond: text.autoRespond,
    timeZone,
    startAt: wanted < now ? now : wanted,
    immediate: body.immediate,
    allowWeekends: body.allowWeekends,
    atWindowClose: body.atWindowClose,
    createdBy: actorOf(request),
    settings,
    segmentsPerSecond,
    now,
  }).catch(refusePlan);
  if (created.kind === 'created') {
    text.requireRoomFor(created.longest);
    return created.id;
  }
  const { matches, excluded } = created;
  throw refused('no_recipients', 'Nobody would get this message: `excluded` says why.', { matches, excluded });
}

const statusFilter = z
  .string()
  .max(200)
  .transform((written) => written.split(','))
  .pipe(z.array(z.enum(massSmsStatuses)).min(1))
  .meta({ description: 'Statuses separated by commas; by default scheduled,in_process,paused,error' });

export const massSmsRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const tags = ['Mass SMS'];

  app.post(
    '/mass-sms',
    {
      config: { access: 'mass-sms:send' },
      schema: {
        tags,
        summary: 'Send a message to many contacts in daily batches',
        body: newMassSms,
        response: { 201: massSms },
      },
    },
    async (request, reply) => {
      const organizationId = organizationOf(request);
      const { status, body } = await command(request, reply, async (trx) => {
        const id = await create(trx, request, request.body, clock.now());
        await audit(trx, request, 'mass_sms.created', id, {});
        return { status: 201 as const, body: (await readMassSms(trx, id))! };
      });
      const input = { organizationId, massSmsId: body.id, startAt: body.startAt };
      await tellTemporal(app.deps, request.log, {
        what: 'the workflow',
        about: { massSmsId: body.id },
        tell: async (workflow) => {
          await startMassSms(workflow, input);
          await database.inOrganization(organizationId, (trx) => markWorkflowStarted(trx, body.id, clock.now()));
        },
      });
      return reply.code(status).send(body);
    },
  );

  app.get(
    '/mass-sms',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'List mass SMS',
        querystring: z.object({
          ...pageQuery,
          status: statusFilter.default([...shownByDefault]),
          q: search('Part of the name or of the sender'),
          startFrom: startAt.optional(),
          startTo: startAt.optional(),
          sort: z.enum(['-startAt', 'name']).default('-startAt'),
        }),
        response: { 200: pageOf(massSms) },
      },
    },
    async (request) => {
      const { limit, cursor, status: statuses, sort, ...filter } = request.query;
      const after = decodeCursor(cursor, z.object({ key: z.string().max(300), id: z.string().max(60) }));
      if (sort === '-startAt' && after && !z.iso.datetime().safeParse(after.key).success) {
        throw invalid([{ path: 'cursor', message: 'belongs to another sort order: leave it out to begin again' }]);
      }
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, async (trx) => {
        const rows = await listMassSms(trx, organizationId, { statuses, sort, after, limit: limit + 1, ...filter });
        const key = (row: (typeof rows)[number]) => (sort === 'name' ? row.name_key : row.start_at.toISOString());
        const page = toPage(
          rows,
          limit,
          (row) => ({ key: key(row), id: row.id }),
          (row) => row,
        );
        return { items: await withFigures(trx, page.items), nextCursor: page.nextCursor };
      });
    },
  );

  app.get(
    '/mass-sms/:id',
    {
      config: { access: 'member' },
      schema: { tags, summary: 'Read a mass SMS', params: idParams, response: { 200: massSms } },
    },
    async (request) => {
      const found = await database.inOrganization(organizationOf(request), (trx) =>
        readMassSms(trx, request.params.id),
      );
      if (!found) throw notFound('mass SMS');
      return found;
    },
  );

  app.get(
    '/mass-sms/:id/recipients',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'List the recipients of a mass SMS in order of rank',
        params: idParams,
        querystring: z.object({ ...pageQuery, status: z.enum(messageStatuses).optional() }),
        response: { 200: pageOf(recipient) },
      },
    },
    async (request) => {
      const { limit, cursor, status } = request.query;
      const afterRank = decodeCursor(cursor, z.int().min(0).max(2_147_483_647)) ?? 0;
      return database.inOrganization(organizationOf(request), async (trx) => {
        const row = await findMassSms(trx, request.params.id);
        if (!row) throw notFound('mass SMS');
        const ids = messageIdsMadeAt(row.created_at);
        const rows = await listRecipients(trx, row, ids, { status, afterRank, limit: limit + 1 });
        return toPage(
          rows,
          limit,
          (one) => one.rank,
          (one) => ({
            messageId: one.id,
            contactId: one.contact_id,
            to: one.contact_number,
            from: one.line,
            rank: one.rank,
            batch: one.batch_number,
            status: one.status,
            errorCode: one.error_code,
            cancelReason: one.cancel_reason,
            unsubscribedAt: one.unsubscribed_at?.toISOString() ?? null,
          }),
        );
      });
    },
  );
};
