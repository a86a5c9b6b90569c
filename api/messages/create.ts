/** A message becomes one that waits: judged, worded, and written with its place in the outbox. */
import type { Contact } from '../../db/contacts/contacts.ts';
import type { Trx } from '../../db/database.ts';
import { insertMessage } from '../../db/messages/messages.ts';
import { ensureOptInRequest } from '../../db/consent/opt-ins.ts';
import { needsWake } from '../../db/messages/outbox.ts';
import { type Due, dueOf } from '../../domain/messages/due.ts';
import { placesOf } from '../../domain/lawful-hours/places.ts';
import { quietHoursWarning } from '../../domain/lawful-hours/sentences.ts';
import type { Purpose } from '../../domain/purpose.ts';
import { refused } from '../shared/problems.ts';
import {
  type Composing,
  hasAgreed,
  isReply,
  requireConsent,
  requireMobile,
  requireNoStop,
  type Sender,
  textOf,
} from './compose.ts';
import type { NewOptIn } from './wake.ts';

export interface Draft {
  body: string;
  purpose: Purpose;
  source: 'user' | 'journey';
  sendAt: Date | null;
  /** One of several that were written at once: it answers nobody. */
  isBulk: boolean;
}

export interface Created {
  id: string;
  contactId: string;
  status: 'held' | 'scheduled' | 'queued';
  /** The moment at which it was judged. */
  at: Date;
  /** When it may leave; null while it waits for the contact's opt-in. */
  dueAt: Date | null;
  /** It leaves at once, in hours when it had better not. */
  warning: string | null;
  optIn: NewOptIn | null;
}

/** A sendAt this far ahead is a mistake. */
const farthestMs = 366 * 24 * 3_600_000;

/** @throws {Problem} 422 unless it is in the future, and not more than a year ahead */
export function requireSendAt(sendAt: Date | null | undefined, now: Date): void {
  if (!sendAt) return;
  if (sendAt <= now) {
    throw refused('send_at_in_the_past', `It is ${now.toISOString()} now: choose a later sendAt, or leave it out.`);
  }
  if (sendAt.getTime() - now.getTime() > farthestMs) {
    throw refused('send_at_too_far', 'A message can be scheduled up to a year ahead: choose an earlier sendAt.');
  }
}

/** @throws {Problem} 400 or 422 with the rule that forbids it */
export async function createMessage(
  trx: Trx,
  composing: Composing,
  { sender, contact, draft }: { sender: Sender; contact: Contact; draft: Draft },
): Promise<Created> {
  const { organizationId, settings, now: at } = composing;
  const { source, purpose, sendAt } = draft;
  const mobile = requireMobile(contact);
  await requireNoStop(trx, mobile, sender);
  const mayReply = source === 'user' && !sendAt && !draft.isBulk;
  const direct = mayReply && (await isReply(trx, composing, sender, mobile));
  const question = source === 'journey' ? await askFirst(trx, composing, { sender, contact, purpose }) : null;
  // Whoever writes asks for an answer, and not for an offer.
  if (source === 'user' && !(direct && purpose === 'transactional')) requireConsent(contact, purpose);
  const { body, segments } = await textOf(trx, composing, { written: draft.body, contact, sender });
  const recipient = { mobile, postalCode: contact.postal_code, timeZone: contact.time_zone };
  const due: Due | null = question ? null : dueOf({ settings, recipient, direct, from: sendAt ?? at, now: at });
  const to = { id: contact.id, mobile };
  const rest = { source, purpose, direct, sendAt, body, segments, due, at, line: sender.line, contact: to };
  const id = await insertMessage(trx, { organizationId, userId: sender.user.id, ...rest });
  return {
    id,
    contactId: contact.id,
    status: due === null ? 'held' : sendAt ? 'scheduled' : 'queued',
    at,
    dueAt: due?.at ?? null,
    warning: direct ? quietHoursWarning(placesOf(recipient), at) : null,
    optIn: question?.isNew ? { requestId: question.requestId, userId: sender.user.id, contactId: contact.id } : null,
  };
}

/**
 * An automated message to somebody who has not agreed: an opt-in request goes first (D6).
 *
 * @returns the request the message waits for; null when the contact has agreed
 * @throws {Problem} 422 when the contact cannot be asked
 */
async function askFirst(
  trx: Trx,
  { organizationId, now: at }: Composing,
  { sender, contact, purpose }: { sender: Sender; contact: Contact; purpose: Purpose },
): Promise<{ requestId: string; isNew: boolean } | null> {
  if (hasAgreed(contact, purpose)) return null;
  // A YES to a request is consent to transactional messages only.
  if (purpose === 'promotional') requireConsent(contact, purpose);
  const { user, line } = sender;
  const ask = { organizationId, contact: { id: contact.id, mobile: contact.mobile! }, userId: user.id, line, at };
  const outcome = await ensureOptInRequest(trx, ask);
  if (!('refused' in outcome)) return outcome;
  // The contact has said YES a moment ago.
  if (outcome.refused === 'already_opted_in') return null;
  const possibleAt = outcome.possibleAt?.toISOString();
  throw refused(
    outcome.refused,
    `The contact has not agreed to be texted, and ${user.name} cannot ask ${possibleAt ? `before ${possibleAt}` : 'once more'}: record the consent with POST /v1/contacts/{id}/consent once you have it.`,
    possibleAt ? { possibleAt } : {},
  );
}

/** Whether the outbox has to hear of messages that were just created. */
export async function isToWake(trx: Trx, organizationId: string, created: readonly Created[]): Promise<boolean> {
  const waiting = created.flatMap(({ id, at, dueAt }) => (dueAt ? [{ id, at, dueAt }] : []));
  const [first] = waiting.toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
  if (!first) return false;
  return needsWake(trx, organizationId, { at: first.dueAt, now: first.at, except: waiting.map(({ id }) => id) });
}
