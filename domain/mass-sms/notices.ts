/** What users are told of a mass SMS, in words (G1). */
import type { NotificationKind } from '../notifications/notifications.ts';
import { localTime } from '../send-window.ts';

export type MassSmsNews = Extract<NotificationKind, `mass_sms.${string}`>;

/** What is known of the mass SMS at that moment. */
export interface MassSmsFacts {
  name: string;
  recipients: number;
  /** Messages that have left. */
  sent: number;
  /** How many batches there are. */
  batches: number;
  /** When the next batch starts; null when none is open. */
  nextAt: Date | null;
  timeZone: string;
  /** Why it stands still. */
  cause: string | null;
  /** The batch that has ended, and what of it has left. */
  batch?: { number: number; size: number; sent: number; expired: boolean };
}

const numbers = new Intl.NumberFormat('en-US');
const counted = (count: number, one: string): string => `${numbers.format(count)} ${one}${count === 1 ? '' : 's'}`;
const moment = (at: Date, timeZone: string): string =>
  `${localTime(at, timeZone).setLocale('en-US').toFormat('d LLL yyyy, HH:mm')} (${timeZone})`;

const happened: Readonly<Record<MassSmsNews, (facts: MassSmsFacts) => string>> = {
  'mass_sms.scheduled': () => 'is scheduled',
  'mass_sms.paused': () => 'is paused',
  'mass_sms.suspended': () => 'is suspended',
  'mass_sms.resumed': () => 'is resumed',
  'mass_sms.cancelled': () => 'is cancelled',
  'mass_sms.batch_sent': ({ batch, batches }) => `has sent batch ${batch?.number ?? 1} of ${batches}`,
  'mass_sms.completed': () => 'is completed',
  'mass_sms.error': () => 'is in error',
};

const left = ({ sent, recipients }: Pick<MassSmsFacts, 'sent' | 'recipients'>): string =>
  `${numbers.format(sent)} of ${counted(recipients, 'message')} ${sent === 1 ? 'has' : 'have'} left.`;

const next = ({ nextAt, timeZone }: MassSmsFacts): string | null =>
  nextAt && `The next batch starts at ${moment(nextAt, timeZone)}.`;

const details: Readonly<Record<MassSmsNews, (facts: MassSmsFacts) => (string | null)[]>> = {
  'mass_sms.scheduled': (facts) => [
    `It goes to ${counted(facts.recipients, 'contact')} in ${facts.batches === 1 ? 'one batch' : `${facts.batches} batches`}.`,
    facts.nextAt && `It starts at ${moment(facts.nextAt, facts.timeZone)}.`,
  ],
  'mass_sms.paused': (facts) => [left(facts), 'Nothing more is sent until it is resumed.'],
  'mass_sms.suspended': (facts) => [
    facts.cause,
    left(facts),
    'Nothing more is sent until somebody has read why and resumes it, or cancels it.',
  ],
  'mass_sms.resumed': (facts) => [left(facts), next(facts)],
  'mass_sms.cancelled': (facts) => [left(facts), 'What had not left is cancelled for good.'],
  'mass_sms.batch_sent': (facts) =>
    [
      facts.batch && left({ sent: facts.batch.sent, recipients: facts.batch.size }),
      facts.batch?.expired ? 'The rest of this batch has expired with the sending window.' : null,
      next(facts),
    ].map((sentence) => sentence ?? null),
  'mass_sms.completed': (facts) => [left(facts)],
  'mass_sms.error': (facts) => [facts.cause, left(facts), 'Resume it once the cause is gone.'],
};

/** A notification's title, which names the mass SMS, and its body, in whole sentences. */
export const massSmsNotice = (kind: MassSmsNews, facts: MassSmsFacts): { title: string; body: string } => ({
  title: `Mass SMS "${facts.name}" ${happened[kind](facts)}`,
  body: details[kind](facts)
    .filter((sentence) => sentence !== null)
    .join(' '),
});
