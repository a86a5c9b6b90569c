/** Messages one by one: written and read. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findContact } from '../../db/contacts/contacts.ts';
import type { Trx } from '../../db/database.ts';
import { findMessage, listMessages } from '../../db/messages/list.ts';
import { tellOfMessages } from '../../db/messages/messages.ts';
import { merge } from '../../domain/messages/merge-codes.ts';
import { messageStatuses } from '../../domain/messages/status.ts';
import { countSegments } from '../../domain/messages/segments.ts';
import { organizationOf, principalOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound, refused } from '../shared/problems.ts';
import { id, idParams } from '../shared/schemas.ts';
import { wordingOf } from '../shared/wording.ts';
import { beginComposing, ownerOf, requirePurpose, senderOf } from './compose.ts';
import { type Created, createMessage, isToWake, requireSendAt } from './create.ts';
import { acceptedMessage, message, newMessage, segments, toMessage } from './schemas.ts';
import { wakeAfterCommit } from './wake.ts';

/** Who writes. @throws {Problem} 422 when the key acts as nobody */
export function writerOf(request: FastifyRequest): string {
  const { userId } = principalOf(request);
  if (userId) return userId;
  throw refused('user_required', 'A message is written by a person: act as a user with the header Longwave-User.');
}

async function create(trx: Trx, request: FastifyRequest, given: z.infer<typeof newMessage>): Promise<Created> {
  const { contactId, source, sendAt = null } = given;
  const writer = source === 'user' ? writerOf(request) : null;
  const composing = await beginComposing(trx, request);
  const wording = await wordingOf(trx, request, given, { ordinary: 'transactional', mayBelongToCampaign: false });
  const { purpose } = wording;
  requirePurpose(composing, purpose);
  // Nothing of the directory holds a merge code: what is filled in here is not taken for one later.
  const body = merge(wording.body, wording.values);
  requireSendAt(sendAt, composing.now);
  const contact = await findContact(trx, composing.organizationId, contactId);
  if (!contact) throw notFound('contact');
  const sender = writer ? await senderOf(trx, composing, writer) : await ownerOf(trx, composing, contact);
  const draft = { body, purpose, source, sendAt, isBulk: false };
  return createMessage(trx, composing, { sender, contact, draft });
}

const statusFilter = z
  .string()
  .max(200)
  .transform((written) => written.split(','))
  .pipe(z.array(z.enum(messageStatuses)).min(1))
  .meta({ description: 'Statuses separated by commas' });

export const messageRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const tags = ['Messages'];
  const config = { access: 'messages:send' } as const;

  app.post(
    '/messages',
    {
      config,
      schema: {
        tags,
        summary: 'Write to one contact',
        description:
          "What a user writes without `sendAt` to a contact who wrote to the same line within 24 hours is a reply: it leaves at once, needs no consent, and has a `warning` in quiet hours. Anything else waits for the sending window and needs the contact's consent to its purpose. An automated message (`source: journey`) that lacks the consent is held while an opt-in request is asked, if it is transactional; a promotional one is refused with 422 `no_consent`.",
        body: newMessage,
        response: { 202: acceptedMessage },
      },
    },
    async (request, reply) => {
      const organizationId = organizationOf(request);
      // A repeated request wakes too: the first may have ended between its commit and its wake.
      const after = { isToWake: true, optIn: null as Created['optIn'] };
      const { status, body } = await command(request, reply, async (trx) => {
        const created = await create(trx, request, request.body);
        const { id: messageId, at, warning, optIn } = created;
        after.optIn = optIn;
        after.isToWake = optIn !== null || (await isToWake(trx, organizationId, [created]));
        const row = await findMessage(trx, organizationId, messageId);
        await tellOfMessages(trx, organizationId, [created], at);
        return { status: 202 as const, body: { ...toMessage(row!, at), warning } };
      });
      if (after.isToWake) await wakeAfterCommit(request, after.optIn);
      return reply.code(status).send(body);
    },
  );

  app.get(
    '/messages',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'List messages, newest first',
        querystring: z.object({ ...pageQuery, status: statusFilter.optional(), contactId: id('contact').optional() }),
        response: { 200: pageOf(message) },
      },
    },
    async (request) => {
      const { limit, cursor, status: statuses, contactId } = request.query;
      const organizationId = organizationOf(request);
      const page = { statuses, contactId, limit: limit + 1, before: decodeIdCursor(cursor) };
      const rows = await database.inOrganization(organizationId, (trx) => listMessages(trx, organizationId, page));
      return toPage(
        rows,
        limit,
        (row) => row.id,
        (row) => toMessage(row, clock.now()),
      );
    },
  );

  app.get(
    '/messages/:id',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'Read a message, with what happened to it',
        params: idParams,
        response: { 200: message },
      },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, async (trx) => {
        const row = await findMessage(trx, organizationId, request.params.id);
        if (!row) throw notFound('message');
        return toMessage(row, clock.now());
      });
    },
  );

  app.post(
    '/segments',
    {
      config,
      schema: {
        tags,
        summary: 'Count the segments of a text, as carriers do',
        body: z.strictObject({ body: z.string().max(10_000) }),
        response: { 200: segments },
      },
    },
    async (request, reply) => {
      const { body } = await command(request, reply, async () => ({
        status: 200 as const,
        body: countSegments(request.body.body),
      }));
      return reply.send(body);
    },
  );
};
