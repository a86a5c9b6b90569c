/** What a message must satisfy before it is accepted, and how its text becomes what is sent. */
import type { FastifyRequest } from 'fastify';
import type { Contact } from '../../db/contacts/contacts.ts';
import { lastInboundAt } from '../../db/conversations/conversations.ts';
import type { Trx } from '../../db/database.ts';
import { numbersWithoutMessages } from '../../db/messages/first-message.ts';
import { isOptedOut, lineOfUser, wasWrittenTo } from '../../db/messages/messages.ts';
import { findOrganization } from '../../db/organizations/organizations.ts';
import { findUser } from '../../db/organizations/users.ts';
import { merge, personalCodes, unknownCodesMessage, unknownMergeCodes } from '../../domain/messages/merge-codes.ts';
import {
  emptyMergeCodes,
  inWordsOf,
  longestBody,
  mergeValuesOf,
  withDisclaimer,
  withoutDisclaimer,
} from '../../domain/messages/text.ts';
import type { Purpose } from '../../domain/purpose.ts';
import { countSegments, type Segments } from '../../domain/messages/segments.ts';
import { type Settings, withDefaults } from '../../domain/settings.ts';
import { organizationOf } from '../shared/auth.ts';
import { requireEnabled } from '../organization/module.ts';
import { invalid, notFound, refused } from '../shared/problems.ts';

/** Somebody who wrote this long ago is answered; to write later is to begin anew. */
const repliesWithinMs = 24 * 3_600_000;

/** What holds for every message of a request. */
export interface Composing {
  organizationId: string;
  organizationName: string;
  settings: Settings;
  now: Date;
}

/** In whose name a message goes out, and from where. */
export interface Sender {
  user: { id: string; name: string };
  line: string;
}

/** @throws {Problem} 409 when the organization cannot send */
export async function beginComposing(trx: Trx, request: FastifyRequest): Promise<Composing> {
  const organizationId = organizationOf(request);
  await requireEnabled(trx, organizationId);
  const row = await findOrganization(trx, organizationId);
  if (!row) throw notFound('organization');
  const now = request.server.deps.clock.now();
  return { organizationId, organizationName: row.name, settings: withDefaults(row.settings), now };
}

/** @throws {Problem} 422 */
export function requirePurpose({ settings }: Composing, purpose: Purpose): void {
  if (settings.permittedPurposes.includes(purpose)) return;
  const permitted = settings.permittedPurposes.join(', ');
  throw refused('purpose_not_permitted', `This organization may send ${permitted} messages only.`);
}

/** @throws {Problem} 400 that names the merge codes that stand for nothing */
export function requireKnownCodes(body: string): void {
  const unknown = unknownMergeCodes(body, personalCodes);
  if (unknown.length === 0) return;
  throw invalid([{ path: 'body', message: unknownCodesMessage(unknown, personalCodes) }]);
}

/** A user with the line to send from. @throws {Problem} 422 */
export async function senderOf(trx: Trx, { organizationId }: Composing, userId: string): Promise<Sender> {
  const user = await findUser(trx, organizationId, userId);
  if (!user) throw notFound('user');
  const line = await lineOfUser(trx, organizationId, userId);
  if (!line) {
    throw refused('no_line', `${user.name} has no line to send from: give this user one with POST /v1/numbers.`);
  }
  if (!line.registered) {
    throw refused(
      'line_not_registered',
      `The line of ${user.name} is not registered with the carriers yet: wait for the registration, GET /v1/numbers shows it.`,
    );
  }
  return { user: { id: user.id, name: user.name }, line: line.phoneNumber };
}

/** The contact's owner with the owner's line. @throws {Problem} 422 */
export async function ownerOf(trx: Trx, composing: Composing, contact: Contact): Promise<Sender> {
  const owner = contact.owner_id ? await findUser(trx, composing.organizationId, contact.owner_id) : undefined;
  if (owner?.active) return senderOf(trx, composing, owner.id);
  const lack = owner ? `The owner of the contact, ${owner.name}, is deactivated` : 'The contact has no owner';
  throw refused('no_owner', `${lack}: set ownerId with PATCH /v1/contacts/${contact.id}.`);
}

/** @throws {Problem} 422 */
export function requireMobile({ id, mobile, phone_status: status }: Contact): string {
  if (mobile !== null && status === 'valid') return mobile;
  const lack = mobile === null ? 'no mobile number' : 'a mobile number that cannot be texted';
  throw refused('no_mobile', `The contact has ${lack}: correct it with PATCH /v1/contacts/${id}.`);
}

/** @throws {Problem} 422 */
export async function requireNoStop(trx: Trx, mobile: string, { line }: Sender): Promise<void> {
  if (!(await isOptedOut(trx, mobile, line))) return;
  throw refused('opted_out', 'The contact has opted out: only the contact can change that, by texting START.');
}

export const hasAgreed = (contact: Contact, purpose: Purpose): boolean =>
  purpose === 'promotional' ? contact.consent_promotional : contact.consent_transactional;

/** @throws {Problem} 422 */
export function requireConsent(contact: Contact, purpose: Purpose): void {
  if (hasAgreed(contact, purpose)) return;
  const remedy =
    purpose === 'promotional'
      ? 'record the consent with POST /v1/contacts/{id}/consent once you have it'
      : 'ask with POST /v1/opt-in-requests, or record the consent with POST /v1/contacts/{id}/consent';
  throw refused('no_consent', `The contact has not agreed to ${purpose} messages: ${remedy}.`);
}

/** Whether the contact wrote to this line within a day: then whoever writes now answers. */
export async function isReply(trx: Trx, { organizationId, now }: Composing, sender: Sender, mobile: string) {
  const wroteAt = await lastInboundAt(trx, { organizationId, line: sender.line, contactNumber: mobile });
  return wroteAt !== null && now.getTime() - wroteAt.getTime() <= repliesWithinMs;
}

export interface Text extends Segments {
  body: string;
}

/**
 * The text as it will be sent: merge codes filled in, and the first one with the disclaimer, which does not count against
 * the organization's own limit, nor when a text that was read with it is sent back. One that follows another which has not
 * left may be the first in the end, so it must leave room.
 *
 * @param before when this message is not new: what was written before it counts
 * @throws {Problem} 400 or 422
 */
export async function textOf(
  trx: Trx,
  { organizationId, organizationName, settings }: Composing,
  { written, contact, sender, before }: { written: string; contact: Contact; sender: Sender; before?: string },
): Promise<Text> {
  const names = { firstName: contact.first_name, lastName: contact.last_name };
  const values = mergeValuesOf({ contact: names, organization: organizationName, user: sender.user.name });
  const empty = emptyMergeCodes(written, values);
  if (empty.length > 0) {
    const named = empty.map((code) => `{{${code}}}`).join(', ');
    throw invalid([
      { path: 'body', message: `holds ${named}, which is empty for this contact: fill it in, or leave it out` },
    ]);
  }
  const full = merge(written, values);
  const disclaimer = inWordsOf(settings.disclaimer, organizationName, sender.user.name);
  const own = before === undefined ? full : withoutDisclaimer(full, disclaimer);
  requireLength('The message', countSegments(own).characters, settings.maxMessageLength);
  const mobile = contact.mobile!;
  const isFirst = !(await wasWrittenTo(trx, organizationId, mobile, before));
  const mayBeFirst = isFirst || (await numbersWithoutMessages(trx, [mobile])).has(mobile);
  const asFirst = withDisclaimer(own, disclaimer);
  if (mayBeFirst) requireLength('With the disclaimer of a first message, the text', asFirst.length, longestBody);
  const body = isFirst ? asFirst : full;
  requireLength('The message', body.length, longestBody);
  return { body, ...countSegments(body) };
}

function requireLength(what: string, characters: number, limit: number | null): void {
  if (limit === null || characters <= limit) return;
  throw refused('too_long', `${what} has ${characters} characters, and ${limit} are allowed: shorten it.`, {
    characters,
    limit,
  });
}
