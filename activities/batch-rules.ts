/** What a run of a batch decides by: no I/O, the instant given. */
import { type Batch, type SendingOrganization, sendingEnds } from '../db/mass-sms.ts';
import type { MassSmsCause, MassSmsRow } from '../db/schema.ts';
import type { MassSmsState } from '../domain/mass-sms.ts';

/** Whether the window a batch began in has closed for good: nothing of it may go out in a later one. */
export function isExpired(row: MassSmsRow, batch: Batch, { settings }: SendingOrganization, now: Date): boolean {
  if (row.at_window_close !== 'expire') return false;
  const deadline = sendingEnds(row, settings, batch.startAt);
  return deadline !== null && now >= deadline;
}

/** Nothing to do any more. */
export const idle = (status: MassSmsState['status']): MassSmsState => ({ version: 1, status, runAt: null });
/** Nothing to do before `until`. */
export const waiting = (status: MassSmsState['status'], until: Date): MassSmsState => ({
  version: 1,
  status,
  runAt: until.toISOString(),
});

/** Seconds until the end of sending, as Twilio takes them. */
export const validityPeriod = (ends: Date, now: Date): number =>
  Math.min(36_000, Math.max(1, Math.floor((ends.getTime() - now.getTime()) / 1000)));

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
