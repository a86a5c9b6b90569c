/** Changes to an honest company's intake, and what preflight is expected to say of them. */
import type { IntakeDraft } from '../../../../domain/registration/intake.ts';
import type { PreflightContext } from '../../../../domain/registration/preflight.ts';
import { honest } from '../intakes.ts';

export interface Change {
  draft?: IntakeDraft;
  context?: Partial<PreflightContext>;
}

export interface Case {
  severity: 'error' | 'warning';
  twilioCode: number | null;
  /** With the field that the finding is expected at. */
  found: [field: string, change: Change][];
  not: Change[];
}

export const { intake } = honest.staffing;
export const [first, second, third] = intake.messageSamples as [string, string, string];

export const draft = (fields: IntakeDraft): Change => ({ draft: fields });
export const samples = (...messageSamples: string[]): Change => draft({ messageSamples });
/** In the place of the second sample, which tells nothing that the others do not. */
export const sample = (text: string): Change => samples(first, text, second);
export const flow = (messageFlow: string): Change => draft({ messageFlow });
/** Added to the honest flow or description. */
export const flowWith = (text: string): Change => flow(`${intake.messageFlow} ${text}`);
export const described = (text: string): Change => draft({ description: `${intake.description} ${text}` });
export const street = (text: string): Change => draft({ address: { street: text } });
export const email = (text: string): Change => draft({ representative: { email: text } });
export const publicly = (brandContactEmail: string): Change =>
  draft({ companyType: 'public', stockTicker: 'BLUE', stockExchange: 'NYSE', brandContactEmail });
export const website = (
  check: { reachable: true; status: number } | { reachable: false; detail: string } | null,
): Change => ({
  context: { sites: { website: check, privacyPolicyUrl: null, termsUrl: null } },
});
export const named = (name: string): Partial<PreflightContext> => ({
  organization: { ...honest.staffing.context.organization, name },
});
export const stop = 'Reply STOP to opt out.';
