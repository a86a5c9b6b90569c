/** An organization's settings and their defaults. Only what differs from the default is stored. */
import type { Purpose } from './purpose.ts';
import { days, type SendWindow } from './send-window.ts';

export interface Settings {
  sendWindow: SendWindow;
  /** Most recipients of one mass SMS. */
  massSmsLimit: number;
  firstBatchSize: number;
  dailyBatchSize: number;
  /** How far a STOP reaches. */
  optOutScope: 'platform' | 'organization' | 'number';
  permittedPurposes: readonly Purpose[];
  /** Shown to the carriers' reviewers when the questionnaire names none. */
  privacyPolicyUrl: string | null;
  termsUrl: string | null;
}

export type SettingsOverrides = Partial<Settings>;

export const defaultSettings: Settings = {
  sendWindow: { startTime: '08:00', endTime: '16:00', timeZone: 'America/Chicago', days },
  massSmsLimit: 25_000,
  firstBatchSize: 5_000,
  dailyBatchSize: 25_000,
  optOutScope: 'platform',
  permittedPurposes: ['transactional', 'promotional'],
  privacyPolicyUrl: null,
  termsUrl: null,
};

export const withDefaults = (overrides: SettingsOverrides): Settings => ({ ...defaultSettings, ...overrides });
