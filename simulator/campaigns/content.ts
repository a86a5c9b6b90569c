/** What a campaign says, as a form gives it: checked by the limits that Twilio documents, before anybody reviews it. */
import { invalidParameter, TwilioError } from '../http/errors.ts';
import type { Call } from '../http/operations.ts';
import type { Campaign } from './campaign.ts';

type Content = Pick<
  Campaign,
  | 'description'
  | 'messageFlow'
  | 'messageSamples'
  | 'hasEmbeddedLinks'
  | 'hasEmbeddedPhone'
  | 'privacyPolicyUrl'
  | 'termsAndConditionsUrl'
  | 'ageGated'
  | 'directLending'
>;

type Replies = Pick<
  Campaign,
  | 'optInMessage'
  | 'optOutMessage'
  | 'helpMessage'
  | 'optInKeywords'
  | 'optOutKeywords'
  | 'helpKeywords'
  | 'subscriberOptIn'
>;

function checkLength(name: string, text: string, min: number, max: number): void {
  if (text.length < min || text.length > max) {
    throw invalidParameter(`${name} should be ${min} to ${max} characters, and is ${text.length}`);
  }
}

function required(url: string | undefined, code: number, name: string): string {
  if (url === undefined || url === '') throw new TwilioError(400, code, `${name} is required`);
  return url;
}

/** What a resubmission can change as well. Codes where Twilio publishes one, else 20001. */
export function contentOf(form: Call['form']): Content {
  const given = form as {
    Description: string;
    MessageFlow: string;
    MessageSamples: string[];
    HasEmbeddedLinks: boolean;
    HasEmbeddedPhone: boolean;
    PrivacyPolicyUrl?: string;
    TermsAndConditionsUrl?: string;
    AgeGated?: boolean;
    DirectLending?: boolean;
  };
  checkLength('Description', given.Description, 40, 4_096);
  checkLength('MessageFlow', given.MessageFlow, 40, 2_048);
  if (given.MessageSamples.length < 2 || given.MessageSamples.length > 5) {
    throw invalidParameter(`MessageSamples should be 2 to 5, and are ${given.MessageSamples.length}`);
  }
  for (const sample of given.MessageSamples) checkLength('Each of MessageSamples', sample, 20, 1_024);
  return {
    description: given.Description,
    messageFlow: given.MessageFlow,
    messageSamples: given.MessageSamples,
    hasEmbeddedLinks: given.HasEmbeddedLinks,
    hasEmbeddedPhone: given.HasEmbeddedPhone,
    privacyPolicyUrl: required(given.PrivacyPolicyUrl, 30933, 'PrivacyPolicyUrl'),
    termsAndConditionsUrl: required(given.TermsAndConditionsUrl, 30934, 'TermsAndConditionsUrl'),
    ageGated: given.AgeGated ?? false,
    directLending: given.DirectLending ?? false,
  };
}

/** What only the first submission says: texts and keywords of opting in, out, and asking for help, with Twilio's defaults. */
export function repliesOf(form: Call['form']): Replies {
  const given = form as {
    OptInMessage?: string;
    OptOutMessage?: string;
    HelpMessage?: string;
    OptInKeywords?: string[];
    OptOutKeywords?: string[];
    HelpKeywords?: string[];
    SubscriberOptIn?: boolean;
  };
  for (const name of ['OptInMessage', 'OptOutMessage', 'HelpMessage'] as const) {
    const text = given[name];
    if (text !== undefined) checkLength(name, text, 20, 320);
  }
  for (const name of ['OptInKeywords', 'OptOutKeywords', 'HelpKeywords'] as const) {
    const keywords = given[name] ?? [];
    if (keywords.some((keyword) => !/^[A-Za-z0-9]+$/.test(keyword)) || keywords.join(',').length > 255) {
      throw invalidParameter(`${name} should be alphanumeric, and at most 255 characters together`);
    }
  }
  return {
    optInMessage: given.OptInMessage ?? null,
    optOutMessage: given.OptOutMessage ?? null,
    helpMessage: given.HelpMessage ?? null,
    optInKeywords: given.OptInKeywords ?? [],
    optOutKeywords: given.OptOutKeywords ?? ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT'],
    helpKeywords: given.HelpKeywords ?? ['HELP', 'INFO'],
    subscriberOptIn: given.SubscriberOptIn ?? false,
  };
}
