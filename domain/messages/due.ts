/** When a message may leave, and what keeps it until then (E1–E4). For activities and the API only: it reads zone data. */
import { heldBecause } from '../lawful-hours/sentences.ts';
import { nextSendable, type Question } from '../lawful-hours/hours.ts';
import { placesOf, type Recipient } from '../lawful-hours/places.ts';
import type { Settings } from '../settings.ts';

/** Why a message in the outbox has not left. Lawful hours narrow the window; the detail tells which of them it is. */
export type HeldReason = 'scheduled' | 'outside_window' | 'paced';

export interface Due {
  at: Date;
  /** Null when nothing holds it. */
  reason: HeldReason | null;
  /** In words, for people. */
  detail: string | null;
  /** Until when it must have been delivered; null when it may be at any time. */
  closesAt: Date | null;
}

export interface DueQuestion {
  settings: Pick<Settings, 'sendWindow' | 'sendWindowMode'>;
  recipient: Recipient;
  /** A reply to somebody who has just written: nothing holds it. */
  direct: boolean;
  /** By somebody who may: the organization's window does not hold it, the law does. */
  released?: boolean;
  /** Not before this moment. */
  from: Date;
  now: Date;
}

const dayMs = 86_400_000;
/** A window's last moments count as closed: a message must still have time to arrive inside it. */
const lastMomentsMs = 30_000;

/**
 * The first moment at or after `from` at which the organization's window is open and, where the organization has chosen
 * so, messages are lawful where the recipient is.
 */
export function dueOf({ settings, recipient, direct, released = false, from, now }: DueQuestion): Due {
  const earliest = from > now ? from : now;
  const scheduled = { reason: 'scheduled', detail: 'It is to be sent at the time that was chosen.' } as const;
  const nothing = { reason: null, detail: null } as const;
  const held = earliest > now ? scheduled : nothing;
  const places = settings.sendWindowMode === 'recipient' && !direct ? placesOf(recipient) : [];
  const window = direct || released ? null : settings.sendWindow;
  if (!window && places.length === 0) return { at: earliest, ...held, closesAt: null };
  const question = { window, places, from: earliest };
  const sendable = nextSendable(question);
  if (!sendable) return never(now);
  const { at, reason, closesAt } = sendable;
  if (closesAt.getTime() - at.getTime() < lastMomentsMs) return afterClosing(question, closesAt, now);
  return { at, ...(reason === null ? held : { reason: 'outside_window', detail: heldBecause(question) }), closesAt };
}

/** What is too late for this opening waits for the next one. */
function afterClosing(question: Question, closesAt: Date, now: Date): Due {
  const next = nextSendable({ ...question, from: closesAt });
  if (!next) return never(now);
  const detail = heldBecause(question) ?? 'The sending window is about to close, too soon for a message to arrive.';
  return { at: next.at, reason: 'outside_window', detail, closesAt: next.closesAt };
}

/** Looked at again after a day: somebody may have changed the window, or the contact. */
const never = (now: Date): Due => ({
  at: new Date(now.getTime() + dayMs),
  reason: 'outside_window',
  detail:
    'The sending window and the lawful hours where the recipient may be have no moment in common: widen the window.',
  closesAt: null,
});
