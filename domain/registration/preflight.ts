/**
 * What reviewers usually reject, found before any fee is paid (A2). Sources: Twilio's rejection codes and campaign
 * requirements, the CTIA's principles. Rules lean to the side of the company: an error blocks, so it must be certain;
 * what only may be refused is a warning.
 */
import type { IntakeDraft } from './intake.ts';
import { campaignFindings } from './preflight/campaign.ts';
import { companyFindings } from './preflight/company.ts';
import type { Finding, PreflightContext } from './preflight/findings.ts';
import { sampleFindings } from './preflight/messages.ts';
import { inOrder, missingFindings } from './preflight/required.ts';
import { cleanSample } from './samples.ts';

export type { Finding, PreflightContext, SiteCheck } from './preflight/findings.ts';

/** Everything that is wrong or doubtful, in the questionnaire's order. Drafts may be partial; samples are judged clean. */
export function preflight(written: IntakeDraft, context: PreflightContext): Finding[] {
  const { messageSamples } = written;
  const draft = messageSamples ? { ...written, messageSamples: messageSamples.map(cleanSample) } : written;
  return inOrder([
    ...missingFindings(draft),
    ...companyFindings(draft, context),
    ...campaignFindings(draft, context),
    ...sampleFindings(draft, context),
  ]);
}

export const hasErrors = (findings: readonly Finding[]): boolean =>
  findings.some(({ severity }) => severity === 'error');
