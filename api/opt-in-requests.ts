/** Opt-in requests: asking a contact for consent, and reading what came of it. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Trx } from '../db/database.ts';
import { listOptInRequests, type OptInRefusal, requestOptIn } from '../db/consent/opt-ins.ts';
import { messageStates, tellOfMessages } from '../db/messages/messages.ts';
import type { OptInRequestRow } from '../db/schema.ts';
import { hoursApart, mostRequests } from '../domain/consent/requests.ts';
import { organizationOf, principalOf } from './shared/auth.ts';
import { command } from './shared/idempotency.ts';
import { wakeAfterCommit } from './messages/wake.ts';
import { requireEnabled } from './organization/module.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from './shared/pagination.ts';
import { notFound, type Problem, refused } from './shared/problems.ts';
import { id, instant } from './shared/schemas.ts';

const optInRequest = z
  .object({
    id: id('optInRequest'),
    contactId: id('contact'),
    userId: id('user').meta({ description: 'In whose name the contact was asked' }),
    state: z.enum(['waiting', 'accepted', 'declined', 'expired', 'cancelled']).meta({
      description: '`cancelled`: before it left, or because the consent was recorded in another way',
    }),
    requestedAt: instant,
    expiresAt: instant.meta({ description: 'Seven days after it has left, or may leave at the earliest' }),
    endedAt: instant.nullable().meta({ description: 'Null while it waits' }),
    messageId: id('message').meta({ description: 'The message that asks; it waits for the sending window' }),
  })
  .meta({ id: 'OptInRequest' });

const toRequest = (row: OptInRequestRow): z.infer<typeof optInRequest> => ({
  id: row.id,
  contactId: row.contact_id,
  userId: row.user_id,
  state: row.state,
  requestedAt: row.requested_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
  endedAt: row.ended_at?.toISOString() ?? null,
  messageId: row.message_id,
});

const remedies: Readonly<Record<OptInRefusal['reason'], string>> = {
  no_mobile: 'The contact has no mobile number that can be texted: correct it with PATCH /v1/contacts/{id}.',
  no_line:
    'This user has no registered line to ask from: give the user one with POST /v1/numbers, or wait for its registration.',
  opted_out: 'The contact has opted out: only the contact can change that, by texting START.',
  already_opted_in: 'The contact has opted in already: write to them with POST /v1/messages.',
  limit_reached: `This user has asked the contact ${mostRequests} times, which is as often as is allowed: get the consent in another way.`,
  too_soon: `The last request of this user was made less than ${hoursApart} hours ago: ask again at \`possibleAt\`.`,
};

const refusalOf = ({ reason, possibleAt }: OptInRefusal): Problem =>
  refused(reason, remedies[reason], possibleAt ? { possibleAt: possibleAt.toISOString() } : {});

/** @throws {Problem} 404, 409 or 422 */
async function ask(trx: Trx, request: FastifyRequest, contactId: string, at: Date): Promise<OptInRequestRow> {
  const organizationId = organizationOf(request);
  const { userId } = principalOf(request);
  if (!userId) {
    throw refused('user_required', 'A contact is asked by a person: act as a user with the header Longwave-User.');
  }
  await requireEnabled(trx, organizationId);
  const outcome = await requestOptIn(trx, { organizationId, userId, contactId, at });
  if (!outcome) throw notFound('contact');
  if ('refusal' in outcome) throw refusalOf(outcome.refusal);
  const { message_id: messageId } = outcome.request;
  await tellOfMessages(trx, organizationId, await messageStates(trx, [messageId]), at);
  return outcome.request;
}

export const optInRequestRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const tags = ['Opt-in'];

  app.post(
    '/opt-in-requests',
    {
      config: { access: 'messages:send' },
      schema: {
        tags,
        summary: 'Ask a contact for consent to be texted',
        description: `In the name of the user who calls, from that user's line, in the words of the setting \`optInRequest\`; at most ${mostRequests} times per user and contact, ${hoursApart} hours apart. 422 says why not, in this order: \`no_mobile\`, \`opted_out\`, \`already_opted_in\`, \`limit_reached\`, \`too_soon\` with \`possibleAt\`, or \`no_line\`. Until it has left it can be cancelled and released like any message, by its \`messageId\`.`,
        body: z.strictObject({ contactId: id('contact') }),
        response: { 202: optInRequest },
      },
    },
    async (request, reply) => {
      const { status, body } = await command(request, reply, async (trx) => ({
        status: 202 as const,
        body: toRequest(await ask(trx, request, request.body.contactId, clock.now())),
      }));
      await wakeAfterCommit(request, { requestId: body.id, userId: body.userId, contactId: body.contactId });
      return reply.code(status).send(body);
    },
  );

  app.get(
    '/opt-in-requests',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'List opt-in requests, newest first',
        querystring: z.object({ ...pageQuery, contactId: id('contact').optional() }),
        response: { 200: pageOf(optInRequest) },
      },
    },
    async (request) => {
      const { limit, cursor, contactId } = request.query;
      const organizationId = organizationOf(request);
      const page = { contactId, limit: limit + 1, after: decodeIdCursor(cursor) };
      const rows = await database.inOrganization(organizationId, (trx) => listOptInRequests(trx, organizationId, page));
      return toPage(rows, limit, (row) => row.id, toRequest);
    },
  );
};
