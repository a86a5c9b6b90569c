/** An organization's settings and their defaults. Only what differs from the default is stored. */
import type { Purpose } from './purpose.ts';
import { days, type SendWindow } from './send-window.ts';

export interface Settings {
  sendWindow: SendWindow;
  /** Whether the window is also narrowed to the lawful hours where each recipient is (E3). */
  sendWindowMode: 'organization' | 'recipient';
  /** Characters of one message, or no limit (D2). */
  maxMessageLength: 160 | null;
  /** Said with the first message to a contact (C3). */
  disclaimer: string;
  /** The words of an opt-in request, of the answer to its YES, and of the answer to HELP; with merge codes. */
  optInRequest: string;
  optInConfirmation: string;
  helpReply: string;
  /** Where replies of contacts are forwarded to (D4). */
  replyForwarding: { email: string | null; phone: string | null };
  /** Most recipients of one mass SMS. */
  massSmsLimit: number;
  firstBatchSize: number;
  dailyBatchSize: number;
  /** How far a STOP reaches. */
  optOutScope: 'platform' | 'organization' | 'number';
  permittedPurposes: readonly Purpose[];
  /** The share of dropped messages at which a mass SMS is suspended (F6): domain/mass-sms/drop-rate.ts. */
  dropRateLimit: number;
  /** `HH:MM` in the organization's time zone: when the daily digest goes out (G3). */
  digestTime: string;
  /** Shown to the carriers' reviewers when the questionnaire names none. */
  privacyPolicyUrl: string | null;
  termsUrl: string | null;
}

export type SettingsOverrides = Partial<Settings>;

export const defaultSettings: Settings = {
  sendWindow: { startTime: '08:00', endTime: '16:00', timeZone: 'America/Chicago', days },
  sendWindowMode: 'organization',
  maxMessageLength: null,
  disclaimer:
    '{{organization.name}}: Msg & data rates may apply. Msg frequency varies. Reply HELP for help, STOP to opt out.',
  optInRequest:
    '{{user.name}} of {{organization.name}} would like to text you. Reply YES to agree, STOP to refuse, HELP for help. Msg & data rates may apply.',
  optInConfirmation:
    '{{organization.name}}: thank you, you will get our text messages. Msg frequency varies. Reply HELP for help, STOP to opt out.',
  helpReply: '{{organization.name}}: reply here and a person will answer. Reply STOP to get no more messages.',
  replyForwarding: { email: null, phone: null },
  massSmsLimit: 25_000,
  firstBatchSize: 5_000,
  dailyBatchSize: 25_000,
  optOutScope: 'platform',
  permittedPurposes: ['transactional', 'promotional'],
  dropRateLimit: 0.1,
  digestTime: '09:00',
  privacyPolicyUrl: null,
  termsUrl: null,
};

export const withDefaults = (overrides: SettingsOverrides): Settings => ({ ...defaultSettings, ...overrides });
