/** What a registration waits for, and from whom: for the API's `nextStep`, and for saying why a command is refused. */
import { type Party, type Standing, verificationMs } from './status.ts';

export interface NextStep {
  from: Party;
  /** One sentence for people. */
  what: string;
  /** RFC 3339, where there is a time by which it has to happen. */
  until: string | null;
}

export interface StepFacts extends Standing {
  /** When the representative's identity link was sent last. */
  verificationSentAt: Date | null;
  /** Whether the SMS module is switched on. */
  moduleOn: boolean;
}

const step = (from: Party, what: string, until: Date | null = null): NextStep => ({
  from,
  what,
  until: until && until.toISOString(),
});

/** What happens next, from whom, and by when. */
export function nextStep({ state, brand, campaign, verificationSentAt, moduleOn }: StepFacts): NextStep {
  if (state === 'draft') return step('organization', 'Fill in the questionnaire and submit it.');
  if (state === 'cancelled') return step('operator', 'The registration was cancelled: submit it again to go on.');
  if (state === 'completed') {
    return moduleOn
      ? step('nobody', 'The registration is complete.')
      : step('organization', 'The registration is complete: enable the SMS module to send.');
  }
  switch (brand) {
    case 'draft':
    case 'submitted':
      return step('twilio', 'Twilio and the registry check the company; mostly minutes, at times some days.');
    case 'registered':
      return step(
        'representative',
        'The representative follows the identity link in the email from the registry, within 7 days.',
        verificationSentAt && new Date(verificationSentAt.getTime() + verificationMs),
      );
    case 'verification_expired':
      return step('operator', 'The identity link lapsed or did not work: have it sent again (brand/resend).');
    case 'failed':
      return step('operator', 'The brand was rejected: correct what it says and resubmit it (brand/resubmit).');
    case 'verified':
  }
  switch (campaign) {
    case 'not_started':
      return step('twilio', 'The campaign is being submitted; nothing has to be done for it.');
    case 'failed':
      return step('operator', 'The campaign was rejected: correct what it says and resubmit it (campaign/resubmit).');
    case 'in_review':
      return step('carriers', 'The carriers review the campaign; mostly a week, up to ten.');
    case 'longer_than_usual':
      return step('carriers', 'The review takes longer than usual; up to ten weeks are normal.');
    case 'overdue':
      return step('carriers', 'The review is overdue. The operator asks Twilio support; the wait goes on.');
    case 'verified':
      return step('nobody', 'Everything is verified; the module is being enabled.');
  }
}
