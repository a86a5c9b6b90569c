/** Where a registration stands, in words: of each part, and of why a command is refused now. */
import type { OrganizationRow, RegistrationRow } from '../../db/schema.ts';
import { type NextStep, nextStep, type StepFacts } from '../../domain/registration/next-step.ts';
import {
  allowedActions,
  type BrandStatus,
  type CampaignStatus,
  type MessagingServiceStatus,
  type Party,
  type RegistrationAction,
  type RegistrationState,
} from '../../domain/registration/status.ts';
import { conflict, type Problem } from '../shared/problems.ts';

export const brandDetails: Readonly<Record<BrandStatus, string>> = {
  draft: 'Not submitted yet.',
  submitted: 'Submitted: Twilio and the registry check the company.',
  registered: 'The registry knows the company; its representative has to follow the identity link.',
  verified: 'The company and its representative are verified.',
  failed: 'The company was rejected; the reasons say why.',
  verification_expired: 'The identity link lapsed, or did not work.',
};

export const campaignDetails: Readonly<Record<CampaignStatus, string>> = {
  not_started: 'Not submitted yet: that happens by itself once the brand is verified.',
  in_review: 'The carriers review it; mostly for a week.',
  longer_than_usual: 'In review for more than a week, which is longer than usual; up to ten weeks are normal.',
  overdue: 'In review for more than ten weeks; the operator asks Twilio support, and the wait goes on.',
  failed: 'The carriers rejected it; the reasons say why.',
  verified: 'The carriers approved it.',
};

export const messagingServiceDetails: Readonly<Record<MessagingServiceStatus, string>> = {
  not_started: 'Not made yet.',
  in_progress: 'Made; its numbers can be registered once the campaign is verified.',
  registered: 'Registered: numbers in it are registered by themselves.',
  failed: 'It cannot be used.',
};

export const ownAccountDetail =
  'The organization sends from an account of its own, which is registered outside Longwave.';

/** A registration of which nothing was entered yet is a draft. */
export const factsOf = (
  row: RegistrationRow | undefined,
  organization: Pick<OrganizationRow, 'module_on'>,
): StepFacts => ({
  state: row?.state ?? 'draft',
  brand: row?.brand_status ?? 'draft',
  campaign: row?.campaign_status ?? 'not_started',
  verificationSentAt: row?.verification_sent_at ?? null,
  moduleOn: organization.module_on,
});

/** What happens next for an organization that brought its own account. */
export const ownAccountStep = ({ moduleOn }: Pick<StepFacts, 'moduleOn'>): NextStep => ({
  from: moduleOn ? 'nobody' : 'organization',
  what: `${ownAccountDetail}${moduleOn ? '' : ' Enable the SMS module to send.'}`,
  until: null,
});

type RefusedAction = RegistrationAction | 'submit' | 'intake';

const cannot: Readonly<Record<RefusedAction, string>> = {
  intake: 'The questionnaire cannot be changed now',
  submit: 'The registration cannot be submitted now',
  cancel: 'The registration cannot be cancelled now',
  'brand/resend': 'The identity link cannot be sent again now',
  'brand/resubmit': 'The brand cannot be resubmitted now',
  'campaign/resubmit': 'The campaign cannot be resubmitted now',
};

const states: Readonly<Record<Exclude<RegistrationState, 'submitted'>, string>> = {
  draft: 'the registration was not submitted yet',
  cancelled: 'the registration was cancelled',
  completed: 'the registration is complete',
};

const parties: Readonly<Record<Party, string>> = {
  operator: 'the operator',
  organization: 'the organization',
  representative: 'the representative',
  twilio: 'Twilio',
  carriers: 'the carriers',
  nobody: 'nobody',
};

function whereItStands({ state, brand, campaign }: StepFacts): string {
  if (state !== 'submitted') return states[state];
  const [part, status] = brand === 'verified' ? ['campaign', campaign] : ['brand', brand];
  return `the ${part} is ${status.replaceAll('_', ' ')}`;
}

/** Of a registration that was cancelled while its campaign is live at Twilio. */
function whyCancelledIsLocked({ campaign }: StepFacts): string {
  if (campaign === 'verified') {
    return 'the registration was cancelled, but the carriers approved the campaign that was submitted. Submit the registration again to go on.';
  }
  return (
    'the registration was cancelled, but the campaign that was submitted is still with the carriers. ' +
    'Submit the registration again to go on; answers can be corrected if the campaign is rejected.'
  );
}

/** 409: not now; with what is awaited, from whom and until when, so that nobody has to ask again in vain. */
export function notNow(action: RefusedAction, facts: StepFacts): Problem {
  if (action === 'intake' && facts.state === 'cancelled') {
    const detail = `${cannot.intake}: ${whyCancelledIsLocked(facts)}`;
    return conflict('not-in-this-state', detail, allowedActions(facts));
  }
  const { from, what, until } = nextStep(facts);
  const waits = facts.state !== 'completed' && facts.brand !== 'verified';
  const sentences = [
    `${cannot[action]}: ${whereItStands(facts)}.`,
    ...(action === 'campaign/resubmit' && waits ? ['The brand has to be verified first.'] : []),
    from === 'nobody' ? what : `Awaited from ${parties[from]}: ${what}`,
    ...(until === null ? [] : [`The link is good until ${until}.`]),
    ...(action === 'campaign/resubmit' && waits ? ['The campaign is then submitted by itself.'] : []),
  ];
  return conflict('not-in-this-state', sentences.join(' '), allowedActions(facts));
}
