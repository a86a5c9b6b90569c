/** Whether a message meant "stop texting me": a user says so, and then the contact is opted out (C6). */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { lockConversation, unflagRevocations } from '../../db/conversations/conversations.ts';
import type { Trx } from '../../db/database.ts';
import { tellOfMessages } from '../../db/messages/messages.ts';
import { answerOptIn } from '../../db/consent/answers.ts';
import { optOut } from '../../db/consent/opt-outs.ts';
import type { ConversationRow } from '../../db/schema.ts';
import { audit } from '../shared/audit.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { conflict, notFound } from '../shared/problems.ts';
import { idParams } from '../shared/schemas.ts';
import { tellOptIns } from '../webhooks/opt-in-answers.ts';
import { readConversation } from './conversations.ts';
import { conversation } from './schemas.ts';

/** The thread whose message is in question. @throws {Problem} 404, or 409 when none is */
async function requireFlagged(trx: Trx, organizationId: string, id: string) {
  const row = await lockConversation(trx, organizationId, id);
  if (!row) throw notFound('conversation');
  const { revocation_message_id: messageId } = row;
  if (messageId !== null) return { row, messageId };
  throw conflict('not-flagged', 'No message of this conversation waits for somebody to say whether it is an opt-out.');
}

/** Ends everything that waits for the contact, as its own STOP would. */
async function withdraw(trx: Trx, request: FastifyRequest, row: ConversationRow, messageId: string): Promise<void> {
  const { organization_id: organizationId, contact_id: contactId, contact_number: number, line } = row;
  const at = request.server.deps.clock.now();
  const said = { organizationId, contactId: contactId ?? '', contactNumber: number, line, messageId, at };
  const declined = await answerOptIn(trx, { ...said, answer: 'stop' });
  const { cancelled } = await optOut(trx, {
    organizationId,
    contactId,
    number,
    line,
    method: 'free_text_confirmed',
    evidence: messageId,
    actor: actorOf(request),
    at,
  });
  await tellOfMessages(trx, organizationId, [...declined, ...cancelled], at);
}

export const revocationRoutes: FastifyPluginAsyncZod = async (app) => {
  app.post(
    '/conversations/:id/revocation',
    {
      config: { access: 'messages:send' },
      schema: {
        tags: ['Conversations'],
        summary: 'Say whether the message in question means that the contact wants no more texts',
        description: 'Confirmed, the contact is opted out as by a STOP; otherwise the question is closed.',
        params: idParams,
        body: z.strictObject({ confirmed: z.boolean() }),
        response: { 200: conversation },
      },
    },
    async (request, reply) => {
      const organizationId = organizationOf(request);
      const { confirmed } = request.body;
      const { body } = await command(request, reply, async (trx) => {
        const { row, messageId } = await requireFlagged(trx, organizationId, request.params.id);
        const { line, contact_number: contactNumber } = row;
        await audit(trx, request, `revocation.${confirmed ? 'confirmed' : 'dismissed'}`, row.id, { messageId });
        await unflagRevocations(trx, { organizationId, contactNumber, line });
        if (confirmed) await withdraw(trx, request, row, messageId);
        return { status: 200 as const, body: await readConversation(trx, request, row.id) };
      });
      const { contactNumber } = body;
      if (confirmed) await tellOptIns(app.deps, request.log, { organizationId, contactNumber });
      return reply.send(body);
    },
  );
};
