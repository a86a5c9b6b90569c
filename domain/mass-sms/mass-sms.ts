/** A mass SMS: its states, what may be done in each, and the figures people read. Imported by workflows: keep it small. */
import type { MessageStatus } from '../messages/status.ts';

export const massSmsStatuses = [
  'scheduled',
  'in_process',
  'paused',
  'error',
  'completed',
  'cancelled',
  'suspended',
] as const;
export type MassSmsStatus = (typeof massSmsStatuses)[number];

export const massSmsActions = ['pause', 'resume', 'reschedule', 'cancel'] as const;
export type MassSmsAction = (typeof massSmsActions)[number];

/** What to do with the rest of a batch when the day's window closes. */
export const windowClosePolicies = ['continue', 'expire'] as const;
export type WindowClosePolicy = (typeof windowClosePolicies)[number];

/** Beyond what people do, what a mass SMS does by itself (F6). */
const allowedFrom: Readonly<Record<MassSmsAction | 'suspend', readonly MassSmsStatus[]>> = {
  pause: ['scheduled', 'in_process'],
  resume: ['paused', 'error', 'suspended'],
  reschedule: ['scheduled', 'in_process'],
  cancel: ['scheduled', 'in_process', 'paused', 'error', 'suspended'],
  suspend: ['in_process'],
};

/** The actions that are allowed in `status`, in the order they are documented. */
export function allowedActions(status: MassSmsStatus): MassSmsAction[] {
  return massSmsActions.filter((action) => allowedFrom[action].includes(status));
}

/** Whether a drop rate that is too high suspends it. */
export const maySuspend = (status: MassSmsStatus): boolean => allowedFrom.suspend.includes(status);

/** Whether somebody must say that they have read why it stands still before it goes on. */
export const needsAcknowledgement = (status: MassSmsStatus, action: MassSmsAction): boolean =>
  status === 'suspended' && action === 'resume';

/** Completed and cancelled mass SMS never change again. */
export const isFinal = (status: MassSmsStatus): boolean => status === 'completed' || status === 'cancelled';

/** Batches are sent, now or when their time comes. */
export const isRunning = (status: MassSmsStatus): boolean => status === 'scheduled' || status === 'in_process';

/** Messages of a mass SMS (or of one of its batches) by state; absent means none. */
export type Tally = Partial<Record<MessageStatus | 'unsubscribed', number>>;

export interface Progress {
  /** Twilio was asked and answered, whatever it answered. */
  sent: number;
  /** Still to be sent, in doubt included. */
  remaining: number;
  /** 0–100 with one decimal: of all recipients, those nothing more will be done for; of one that was cancelled, those sent. */
  completePercent: number;
  /** 0–100 with one decimal, of those sent. */
  undeliveredPercent: number;
  /** 0–100 with one decimal, of those sent. */
  unsubscribedPercent: number;
}

const percent = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((part / whole) * 1000) / 10);

/** The figures of F7 from a tally. */
export function progress(tally: Tally, recipients: number, { isCancelled = false } = {}): Progress {
  const count = (...kinds: (keyof Tally)[]) => kinds.reduce((sum, kind) => sum + (tally[kind] ?? 0), 0);
  const sent = count('accepted', 'sent', 'delivered', 'undelivered', 'failed');
  const remaining = count('held', 'scheduled', 'queued', 'sending', 'in_doubt');
  const done = isCancelled ? sent : recipients - remaining;
  return {
    sent,
    remaining,
    // One of 25,000 still to do is not complete, however it rounds.
    completePercent: done === recipients ? 100 : Math.min(99.9, percent(done, recipients)),
    undeliveredPercent: percent(count('undelivered', 'failed'), sent),
    unsubscribedPercent: percent(count('unsubscribed'), sent),
  };
}

/** What a command or a batch leaves behind, for the workflow to go on from. */
export interface MassSmsState {
  version: 1;
  status: MassSmsStatus;
  /** RFC 3339: when there is something to do next; null while nothing is. */
  runAt: string | null;
}

/** The type of the Temporal failure with which a command is refused; its first detail is a `Refusal`. */
export const transitionNotAllowed = 'TransitionNotAllowed';

/** The type of the failure of a `resume` that does not say that the cause of the suspension was read. */
export const acknowledgementRequired = 'AcknowledgementRequired';

/** The type of the failure of a command that would leave no allowed moment to send in. */
export const windowNeverOpens = 'WindowNeverOpens';

/** The type of the failure of a `reschedule` that names a start, where no batch is left to start; its first detail is a `Refusal`. */
export const noBatchToMove = 'NoBatchToMove';

export interface Refusal {
  status: MassSmsStatus;
  allowed: MassSmsAction[];
}

/** What a command asks for beyond its name. */
export interface MassSmsCommand {
  /** RFC 3339: when the next batch shall start; for `resume` and `reschedule`. */
  startAt?: string | undefined;
  /** For `resume` and `reschedule`; as it was when left out. */
  allowWeekends?: boolean | undefined;
  /** For `resume` of one that is suspended: whoever asks has read why. */
  acknowledge?: boolean | undefined;
  /** Who asked, for the audit log. */
  actor: string;
}
