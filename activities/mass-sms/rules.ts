/** What a run of a batch decides by: no I/O, the instant given. */
import { type Batch, batchRules, type SendingOrganization, sendingEnds } from '../../db/mass-sms/mass-sms.ts';
import type { MassSmsCause, MassSmsRow } from '../../db/schema.ts';
import { firstMoment, lawfulMoments, openUntil } from '../../domain/mass-sms/batches.ts';
import type { Recipient } from '../../domain/lawful-hours/places.ts';
import type { MassSmsState } from '../../domain/mass-sms/mass-sms.ts';
import type { Settings } from '../../domain/settings.ts';

/** Nothing begins in the last moments of a window: a message must still have time to be delivered inside it. */
const lastMomentsMs = 30_000;

/** When nothing may begin any more, of sending that must have ended at `ends`. */
export const stopsAt = (ends: Date): Date => new Date(ends.getTime() - lastMomentsMs);

/** @param ends when sending must have ended, or null while the window is closed */
export const isClosed = (ends: Date | null, now: Date): boolean => ends === null || stopsAt(ends) <= now;

/** Whether the window a batch began in has closed for good: nothing of it may go out in a later one. */
export function isExpired(row: MassSmsRow, batch: Batch, { settings }: SendingOrganization, now: Date): boolean {
  if (row.at_window_close !== 'expire') return false;
  const deadline = sendingEnds(row, settings, batch.startAt);
  return deadline !== null && now >= deadline;
}

export interface Waiting {
  row: MassSmsRow;
  settings: Settings;
  /** When sending must have ended, or null while the window is closed. */
  ends: Date | null;
  now: Date;
  /** Of those still queued, as many as tell where they are; none where only the organization's window counts. */
  recipients: readonly Recipient[];
  /** When the carriers' day ends, of which all has been sent that may be. */
  fullUntil: Date | null;
}

/**
 * When there is something to do again for what is still queued: as soon as the first of the recipients may be written
 * to. Who never may is cancelled then, too. Where the rest expires, at the close of the window at the latest.
 */
export function nextMoment(held: Waiting): Date {
  const expiresAt = expiryOf(held);
  return earliest([...momentsOf(held), ...(expiresAt ? [expiresAt] : [])]);
}

/** When the last of the recipients may be written to, or the rest expires. */
export function heldUntil(held: Waiting): Date {
  const expiresAt = expiryOf(held);
  const last = latest(momentsOf(held));
  return expiresAt && expiresAt < last ? expiresAt : last;
}

/** When each of the recipients may be written to; the next opening where none are given. */
function momentsOf({ row, settings, ends, now, recipients, fullUntil }: Waiting): Date[] {
  const rules = batchRules(row, settings);
  const closed = isClosed(ends, now) ? [ends && ends > now ? ends : now] : [];
  const from = [...closed, ...(fullUntil ? [fullUntil] : [])];
  const opening = from.length === 0 ? now : firstMoment(rules, latest(from));
  const momentOf = lawfulMoments(rules, opening);
  const moments = recipients.map((recipient) => momentOf(recipient)?.at ?? opening);
  return moments.length === 0 ? [opening] : moments;
}

const expiryOf = ({ row, ends, now }: Waiting): Date | null =>
  ends && !isClosed(ends, now) && row.at_window_close === 'expire' ? stopsAt(ends) : null;

const latest = (moments: readonly Date[]): Date => moments.reduce((a, b) => (b > a ? b : a));

/** @param moments at least one */
export const earliest = (moments: readonly Date[]): Date => moments.reduce((a, b) => (b < a ? b : a));

/** Nothing to do any more. */
export const idle = (status: MassSmsState['status']): MassSmsState => ({ version: 1, status, runAt: null });
/** Nothing to do before `until`. */
export const waiting = (status: MassSmsState['status'], until: Date): MassSmsState => ({
  version: 1,
  status,
  runAt: until.toISOString(),
});

/** The longest Twilio takes. */
const longestValidityMs = 36_000_000;

/**
 * Until when what is sent before `ends` may be delivered: what is open goes on after the end of a batch's day where the
 * window does.
 */
export const deliveryEnds = (row: MassSmsRow, settings: Settings, ends: Date): Date =>
  openUntil(batchRules(row, settings), new Date(ends.getTime() - 1), new Date(ends.getTime() + longestValidityMs)) ??
  ends;

/** Seconds until something must have been delivered, as Twilio takes them. */
export const validityPeriod = (ends: Date, now: Date): number =>
  Math.max(1, Math.floor(Math.min(longestValidityMs, ends.getTime() - now.getTime()) / 1000));

/** What the organization lacks to send at all, as the cause of an Error. */
export function missingFor(organization: SendingOrganization): MassSmsCause | null {
  const missing = (
    [
      ['the module is off', organization.moduleOn],
      ['no Twilio account', organization.accountSid && organization.authToken],
      ['no messaging service', organization.messagingServiceSid],
    ] as const
  ).flatMap(([what, there]) => (there ? [] : [what]));
  if (missing.length === 0) return null;
  return {
    code: 'not_enabled',
    detail: `The organization cannot send: ${missing.join(', ')}. Enable it, then resume.`,
  };
}
