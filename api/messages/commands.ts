/** Changing, cancelling and releasing messages that have not left. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { type Contact, findContact } from '../../db/contacts/contacts.ts';
import type { Trx } from '../../db/database.ts';
import { findMessage } from '../../db/messages/list.ts';
import { statusUntilSent, tellOfMessages } from '../../db/messages/messages.ts';
import { cancelRequestOf, settleOptIns } from '../../db/consent/settling.ts';
import {
  cancelMessage,
  changeMessage,
  isUnsent,
  type LockedMessage,
  lockMessage,
  moveTo,
} from '../../db/messages/unsent.ts';
import { findUser } from '../../db/organizations/users.ts';
import { dueOf } from '../../domain/messages/due.ts';
import { hoursApart } from '../../domain/consent/requests.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { conflict, notFound, refused } from '../shared/problems.ts';
import { idParams } from '../shared/schemas.ts';
import { beginComposing, type Composing, requireConsent, requireKnownCodes, textOf } from './compose.ts';
import { requireSendAt } from './create.ts';
import { message as messageSchema, messageChanges, toMessage } from './schemas.ts';
import { wakeAfterCommit } from './wake.ts';

const slug = 'not-in-this-state';

/** What may be asked for, and how a refusal says it. */
const doneTo = { change: 'be changed', cancel: 'be cancelled', release: 'be released' } as const;
type Command = keyof typeof doneTo;

/** @throws {Problem} 404, or 409 when it has left or belongs to something else */
async function lockUnsent(trx: Trx, organizationId: string, id: string, command: Command): Promise<LockedMessage> {
  const row = await lockMessage(trx, organizationId, id);
  if (!row) throw notFound('message');
  const done = doneTo[command];
  if (row.mass_sms_id) {
    throw conflict(
      slug,
      `It belongs to the mass SMS ${row.mass_sms_id}: pause or cancel that one, POST /v1/mass-sms/{id}/….`,
    );
  }
  if (!isUnsent(row)) {
    const state = row.entry?.isClaimed ? 'is being sent' : `is ${row.status.replace('_', ' ')}`;
    throw conflict(slug, `A message that ${state} cannot ${done} any more.`);
  }
  if (row.source !== 'opt_in') return row;
  if (row.direct) throw conflict(slug, `The confirmation of a YES cannot ${done}: the contact waits for it.`);
  if (command !== 'change') return row;
  const remedy = 'change it with PATCH /v1/settings, cancel this request, and ask again';
  throw conflict(slug, `An opt-in request has the words of the setting optInRequest: ${remedy}.`, [
    'cancel',
    'release',
  ]);
}

/** Whom it is for. @throws {Problem} 422 when the contact is gone, or has another number */
async function recipientOf(trx: Trx, organizationId: string, row: LockedMessage): Promise<Contact> {
  const contact = row.contact_id ? await findContact(trx, organizationId, row.contact_id) : undefined;
  if (contact && contact.mobile === row.contact_number) return contact;
  throw refused(
    'contact_changed',
    'The contact was deleted, or has another number: cancel the message, and write anew.',
  );
}

const placeOf = ({ mobile, postal_code: postalCode, time_zone: timeZone }: Contact) => ({
  mobile,
  postalCode,
  timeZone,
});

/** Puts a message to another time, which makes it one that was written ahead. */
async function reschedule(
  trx: Trx,
  { organizationId, settings, now }: Composing,
  { row, contact, sendAt }: { row: LockedMessage; contact: Contact; sendAt: Date | null },
): Promise<void> {
  if (row.source === 'user') requireConsent(contact, row.purpose);
  const isHeld = row.status === 'held';
  await changeMessage(trx, row.id, {
    sendAt,
    isDirect: false,
    ...(!isHeld && { status: statusUntilSent(sendAt, now) }),
  });
  if (isHeld) return;
  const due = dueOf({ settings, recipient: placeOf(contact), direct: false, from: sendAt ?? now, now });
  await moveTo(trx, organizationId, row, { due, released: false });
}

/** A new text does not move a message: in its thread it stays where it was. */
async function edit(trx: Trx, request: FastifyRequest, id: string, given: z.infer<typeof messageChanges>) {
  const { body: written, sendAt } = given;
  const row = await lockUnsent(trx, organizationOf(request), id, 'change');
  const composing = await beginComposing(trx, request);
  const { organizationId, now } = composing;
  const contact = await recipientOf(trx, organizationId, row);
  requireSendAt(sendAt, now);
  if (written !== undefined) {
    requireKnownCodes(written);
    const user = row.user_id ? await findUser(trx, organizationId, row.user_id) : undefined;
    const sender = { user: { id: row.user_id ?? '', name: user?.name ?? '' }, line: row.line };
    const { body, segments } = await textOf(trx, composing, { written, contact, sender, before: id });
    await changeMessage(trx, id, { text: { body, segments } });
  }
  const isMoved = sendAt !== undefined && sendAt?.getTime() !== row.send_at?.getTime();
  if (isMoved) await reschedule(trx, composing, { row, contact, sendAt });
}

/** The time of an opt-in request is what keeps it apart from the one before. @throws {Problem} 422 */
function requireApart({ source, send_at: sendAt }: LockedMessage, now: Date): void {
  if (source !== 'opt_in' || sendAt === null || sendAt <= now) return;
  const until = sendAt.toISOString();
  const why = `${hoursApart} hours must lie between two opt-in requests of one user to a contact`;
  throw refused('too_soon', `${why}: it cannot be released before ${until}.`, { until });
}

/** Takes it out of the organization's own window, and of the time that was chosen; the law it cannot be taken out of. */
async function release(trx: Trx, request: FastifyRequest, id: string): Promise<void> {
  const row = await lockUnsent(trx, organizationOf(request), id, 'release');
  if (row.status === 'held') {
    const remedy = 'it leaves after a YES, or once you have recorded the consent with POST /v1/contacts/{id}/consent';
    throw refused('awaiting_opt_in', `The contact has not agreed to be texted: ${remedy}.`);
  }
  const { organizationId, settings, now } = await beginComposing(trx, request);
  if (row.entry!.dueAt <= now) return;
  const recipient = placeOf(await recipientOf(trx, organizationId, row));
  requireApart(row, now);
  const due = dueOf({ settings, recipient, direct: false, released: true, from: now, now });
  if (due.at > now) {
    const until = due.at.toISOString();
    throw refused('quiet_hours', `${due.detail ?? ''} It cannot be released before ${until}.`.trim(), { until });
  }
  await changeMessage(trx, id, { sendAt: null, status: 'queued' });
  await moveTo(trx, organizationId, row, { due, released: true });
  await audit(trx, request, 'message.released', id);
}

/** An opt-in request ends with its message, and what is held for its answer is cancelled too. */
async function cancel(trx: Trx, request: FastifyRequest, id: string): Promise<void> {
  const organizationId = organizationOf(request);
  const now = request.server.deps.clock.now();
  // First, as an answer takes a request before messages.
  const ended = await cancelRequestOf(trx, organizationId, { messageId: id, now });
  await lockUnsent(trx, organizationId, id, 'cancel');
  await cancelMessage(trx, id, { reason: 'cancelled', now });
  if (ended) await settleOptIns(trx, ended, now);
}

/** The message as it is now, told to whoever watches. */
async function told(trx: Trx, request: FastifyRequest, id: string) {
  const organizationId = organizationOf(request);
  const now = request.server.deps.clock.now();
  const row = (await findMessage(trx, organizationId, id))!;
  await tellOfMessages(trx, organizationId, [{ id, contactId: row.contact_id, status: row.status }], now);
  return toMessage(row, now);
}

export const messageCommandRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;
  const tags = ['Messages'];
  const response = { 200: messageSchema };

  const obey = async (
    request: FastifyRequest & { params: { id: string } },
    reply: FastifyReply,
    act: (trx: Trx, request: FastifyRequest, id: string) => Promise<void>,
  ) => {
    const { id } = request.params;
    const { body } = await command(request, reply, async (trx) => {
      await act(trx, request, id);
      return { status: 200 as const, body: await told(trx, request, id) };
    });
    return body;
  };

  app.patch(
    '/messages/:id',
    {
      config: { access: 'messages:send' },
      schema: {
        tags,
        summary: 'Change the text or the time of a message that has not left',
        params: idParams,
        body: messageChanges,
        response,
      },
    },
    async (request) => {
      const { id } = request.params;
      const body = await database.inOrganization(organizationOf(request), async (trx) => {
        await edit(trx, request, id, request.body);
        return told(trx, request, id);
      });
      await wakeAfterCommit(request);
      return body;
    },
  );

  app.post(
    '/messages/:id/cancel',
    {
      config: { access: 'messages:send' },
      schema: {
        tags,
        summary: 'Cancel a message that has not left',
        description: 'Cancelling an opt-in request ends it, and cancels what is held for its answer.',
        params: idParams,
        response,
      },
    },
    async (request, reply) => reply.send(await obey(request, reply, cancel)),
  );

  app.post(
    '/messages/:id/release',
    {
      config: { access: 'settings:manage' },
      schema: {
        tags,
        summary: 'Send now what waits for the sending window or for its time',
        description:
          'The lawful hours where the recipient is hold it all the same where the setting sendWindowMode is recipient: 422 `quiet_hours` with `until`. An opt-in request keeps its twelve hours from the one before: 422 `too_soon` with `until`.',
        params: idParams,
        response,
      },
    },
    async (request, reply) => {
      const body = await obey(request, reply, release);
      await wakeAfterCommit(request);
      return reply.send(body);
    },
  );
};
