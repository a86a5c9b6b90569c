/** What is submitted for a campaign: the questionnaire's answers as Twilio takes them. */
import type { Intake } from './intake.ts';
import { cleanedSamples } from './samples.ts';

/** The fields of Twilio's campaign, by the names of its SDK; kept with each attempt. */
export interface CampaignSubmission extends Record<string, unknown> {
  usAppToPersonUsecase: string;
  description: string;
  messageFlow: string;
  messageSamples: string[];
  hasEmbeddedLinks: boolean;
  hasEmbeddedPhone: boolean;
  ageGated: boolean;
  directLending: boolean;
  privacyPolicyUrl: string;
  termsAndConditionsUrl: string;
  optInMessage?: string;
  optInKeywords?: string[];
}

const longestFlow = 2_048;

/**
 * The reviewer sees the evidence where the flow names its address: Twilio takes no files. As many as fit are named.
 *
 * @param evidenceUrls public addresses of the screenshots, the newest first
 */
function flowWithEvidence(flow: string, evidenceUrls: readonly string[]): string {
  let result = flow.trim();
  for (const url of evidenceUrls) {
    const longer = `${result}${result === flow.trim() ? '\nScreenshot of the opt-in:' : ''} ${url}`;
    if (longer.length <= longestFlow) result = longer;
  }
  return result;
}

/** @param evidenceUrls public addresses of the screenshots, the newest first: what does not fit is left out at the end */
export function campaignSubmission(intake: Intake, evidenceUrls: readonly string[]): CampaignSubmission {
  const { optInMessage, optInKeywords } = intake;
  return {
    usAppToPersonUsecase: intake.useCase,
    description: intake.description.trim(),
    messageFlow: flowWithEvidence(intake.messageFlow, evidenceUrls),
    messageSamples: cleanedSamples(intake.messageSamples).samples,
    hasEmbeddedLinks: intake.hasEmbeddedLinks,
    hasEmbeddedPhone: intake.hasEmbeddedPhone,
    ageGated: intake.ageGated,
    directLending: intake.directLending,
    privacyPolicyUrl: intake.privacyPolicyUrl,
    termsAndConditionsUrl: intake.termsUrl,
    ...(optInMessage !== undefined && { optInMessage }),
    ...(optInKeywords !== undefined && optInKeywords.length > 0 && { optInKeywords }),
  };
}
