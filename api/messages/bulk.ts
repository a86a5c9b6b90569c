/** One text to up to fifty contacts who were chosen by hand. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { type Contact, findContact } from '../../db/contacts/contacts.ts';
import type { Trx } from '../../db/database.ts';
import { tellOfMessages } from '../../db/messages/messages.ts';
import { command } from '../shared/idempotency.ts';
import { type FieldError, Problem, refused } from '../shared/problems.ts';
import { beginComposing, type Composing, requireKnownCodes, requirePurpose, senderOf } from './compose.ts';
import { type Created, createMessage, type Draft, isToWake } from './create.ts';
import { writerOf } from './messages.ts';
import { bulkResults, newBulk } from './schemas.ts';
import { wakeAfterCommit } from './wake.ts';

type Result = z.infer<typeof bulkResults>['results'][number];
type Outcome = Created | { contactId: string; reason: string; detail: string };

/** Why one contact gets nothing; what is wrong with the request as a whole is thrown on. */
function reasonOf(contactId: string, error: unknown): Outcome {
  if (!(error instanceof Problem)) throw error;
  const { status, members, message } = error;
  if (status === 422) return { contactId, reason: String(members['reason']), detail: message };
  if (status !== 400) throw error;
  const [first] = members['errors'] as FieldError[];
  return { contactId, reason: 'empty_merge_code', detail: `The text ${first!.message}.` };
}

/** The contacts by id, in the order of their numbers: two that write to the same threads wait for each other in one order. */
async function contactsOf(
  trx: Trx,
  organizationId: string,
  ids: readonly string[],
): Promise<[string, Contact | null][]> {
  const found: [string, Contact | null][] = [];
  for (const id of ids) found.push([id, (await findContact(trx, organizationId, id)) ?? null]);
  const numberOf = ([, contact]: (typeof found)[number]) => contact?.mobile ?? '';
  return found.toSorted((a, b) => (numberOf(a) < numberOf(b) ? -1 : 1));
}

async function createAll(
  trx: Trx,
  composing: Composing,
  { ids, draft, userId }: { ids: readonly string[]; draft: Draft; userId: string },
): Promise<Map<string, Outcome>> {
  const sender = await senderOf(trx, composing, userId);
  const outcomes = new Map<string, Outcome>();
  const written = new Set<string>();
  for (const [contactId, contact] of await contactsOf(trx, composing.organizationId, ids)) {
    try {
      if (!contact) throw refused('unknown_contact', 'There is no such contact.');
      if (contact.mobile && written.has(contact.mobile)) {
        throw refused('duplicate_number', 'Another contact of this request has the same number.');
      }
      outcomes.set(contactId, await createMessage(trx, composing, { sender, contact, draft }));
      written.add(contact.mobile!);
    } catch (error) {
      outcomes.set(contactId, reasonOf(contactId, error));
    }
  }
  return outcomes;
}

const resultOf = (outcome: Outcome): Result => {
  if ('reason' in outcome) return outcome;
  return { contactId: outcome.contactId, messageId: outcome.id };
};

async function sendBulk(trx: Trx, request: FastifyRequest, given: z.infer<typeof newBulk>) {
  const { contactIds: ids, body, purpose } = given;
  const userId = writerOf(request);
  const composing = await beginComposing(trx, request);
  requirePurpose(composing, purpose);
  requireKnownCodes(body);
  const draft: Draft = { body, purpose, source: 'user', sendAt: null, isBulk: true };
  const outcomes = await createAll(trx, composing, { ids, draft, userId });
  const created = [...outcomes.values()].filter((outcome) => 'id' in outcome);
  const { organizationId, now } = composing;
  const results = ids.map((contactId) => resultOf(outcomes.get(contactId)!));
  const sent = { isToWake: await isToWake(trx, organizationId, created), results };
  await tellOfMessages(trx, organizationId, created, now);
  return sent;
}

export const bulkRoutes: FastifyPluginAsyncZod = async (app) => {
  app.post(
    '/messages/bulk',
    {
      config: { access: 'messages:bulk' },
      schema: {
        tags: ['Messages'],
        summary: 'Write to up to 50 contacts at once',
        description:
          'Each result says which message was accepted, or why the contact gets none. Always held to the sending window, also for those who have just written.',
        body: newBulk,
        response: { 202: bulkResults },
      },
    },
    async (request, reply) => {
      let isToTell = true;
      const { status, body } = await command(request, reply, async (trx) => {
        const sent = await sendBulk(trx, request, request.body);
        isToTell = sent.isToWake;
        return { status: 202 as const, body: { results: sent.results } };
      });
      if (isToTell) await wakeAfterCommit(request);
      return reply.code(status).send(body);
    },
  );
};
