/** Conversations: one thread per contact and line, read by everyone of the organization, each counting for themselves (D1). */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { findConversation, listConversations, type ListedConversation } from '../../db/conversations/list.ts';
import { markRead } from '../../db/conversations/conversations.ts';
import type { Trx } from '../../db/database.ts';
import { findMessage, findMessages, listMessages } from '../../db/messages/list.ts';
import { readMessageNotifications } from '../../db/notifications/notifications.ts';
import { userNames } from '../../db/organizations/users.ts';
import { organizationOf, principalOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { toMessage } from '../messages/schemas.ts';
import { decodeCursor, decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound } from '../shared/problems.ts';
import { id, idParams, phoneNumber } from '../shared/schemas.ts';
import { conversation, threadMessage, toConversation } from './schemas.ts';

const cursorKey = z.object({ at: z.iso.datetime(), id: z.string().regex(/^cnv_[0-9a-f-]{36}$/) });

/** The user who reads; empty for a key that acts as nobody: then the organization counts as one reader. */
const readerOf = (request: FastifyRequest): string => principalOf(request).userId ?? '';

async function withLastMessages(trx: Trx, rows: readonly ListedConversation[], now: Date) {
  const [first] = rows;
  if (!first) return [];
  const ids = rows.map((row) => row.last_message_id);
  const last = new Map((await findMessages(trx, first.organization_id, ids)).map((row) => [row.id, row]));
  return rows.map((row) => toConversation(row, last.get(row.last_message_id), now));
}

/** One thread as it is answered. @throws {Problem} 404 */
export async function readConversation(trx: Trx, request: FastifyRequest, conversationId: string) {
  const organizationId = organizationOf(request);
  const row = await findConversation(trx, organizationId, { id: conversationId, readerId: readerOf(request) });
  if (!row) throw notFound('conversation');
  return (await withLastMessages(trx, [row], request.server.deps.clock.now()))[0]!;
}

/** Up to where a thread is said to be read: the message named, or the contact's newest. @throws {Problem} 404 */
async function readUpTo(trx: Trx, row: ListedConversation, messageId: string | undefined): Promise<string | null> {
  if (messageId === undefined) return row.last_inbound_id;
  const named = await findMessage(trx, row.organization_id, messageId);
  if (named?.contact_number !== row.contact_number || named.line !== row.line) {
    throw notFound('message');
  }
  return messageId;
}

export const conversationRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const tags = ['Conversations'];
  const config = { access: 'member' } as const;

  app.get(
    '/conversations',
    {
      config,
      schema: {
        tags,
        summary: 'List conversations, newest activity first',
        querystring: z.object({
          ...pageQuery,
          unread: z.stringbool().optional().meta({ description: 'Only those with (or without) unread messages' }),
          contactId: id('contact').optional(),
          line: phoneNumber.optional().meta({ description: 'Only those of this number of ours' }),
        }),
        response: { 200: pageOf(conversation) },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const after = decodeCursor(cursor, cursorKey);
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, async (trx) => {
        const page = { ...filter, readerId: readerOf(request), limit: limit + 1, after };
        const rows = await listConversations(trx, organizationId, page);
        const keyOf = (row: ListedConversation) => ({ at: row.last_message_at.toISOString(), id: row.id });
        const shown = toPage(rows, limit, keyOf, (row) => row);
        return { items: await withLastMessages(trx, shown.items, clock.now()), nextCursor: shown.nextCursor };
      });
    },
  );

  app.get(
    '/conversations/:id',
    {
      config,
      schema: { tags, summary: 'Read a conversation', params: idParams, response: { 200: conversation } },
    },
    async (request) =>
      database.inOrganization(organizationOf(request), (trx) => readConversation(trx, request, request.params.id)),
  );

  app.get(
    '/conversations/:id/messages',
    {
      config,
      schema: {
        tags,
        summary: 'Read the messages of a conversation, newest first',
        description: 'All that went between the line and the contact, mass SMS included, with who wrote each.',
        params: idParams,
        querystring: z.object(pageQuery),
        response: { 200: pageOf(threadMessage) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const before = decodeIdCursor(cursor);
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, async (trx) => {
        const row = await findConversation(trx, organizationId, { id: request.params.id, readerId: '' });
        if (!row) throw notFound('conversation');
        const thread = { line: row.line, contactNumber: row.contact_number };
        const messages = await listMessages(trx, organizationId, { thread, limit: limit + 1, before });
        const names = await userNames(
          trx,
          organizationId,
          messages.flatMap(({ user_id: user }) => user ?? []),
        );
        const keyOf = ({ id }: (typeof messages)[number]) => id;
        return toPage(messages, limit, keyOf, (one) => ({
          ...toMessage(one, clock.now()),
          userName: names.get(one.user_id ?? '') ?? null,
        }));
      });
    },
  );

  app.post(
    '/conversations/:id/read',
    {
      config,
      schema: {
        tags,
        summary: 'Say that a conversation was read, up to a message or to its end',
        description:
          'Of the acting user, or of the organization. It never goes back to an earlier message. The notifications of what was read are read too.',
        params: idParams,
        body: z.strictObject({ messageId: id('message').optional() }).nullish(),
        response: { 200: conversation },
      },
    },
    async (request, reply) => {
      const organizationId = organizationOf(request);
      const userId = readerOf(request);
      const { body } = await command(request, reply, async (trx) => {
        const row = await findConversation(trx, organizationId, { id: request.params.id, readerId: userId });
        if (!row) throw notFound('conversation');
        const upTo = await readUpTo(trx, row, request.body?.messageId);
        if (upTo !== null) {
          const read = { conversationId: row.id, userId, upTo };
          await markRead(trx, organizationId, read);
          await readMessageNotifications(trx, organizationId, { ...read, at: clock.now() });
        }
        return { status: 200 as const, body: await readConversation(trx, request, row.id) };
      });
      return reply.send(body);
    },
  );
};
