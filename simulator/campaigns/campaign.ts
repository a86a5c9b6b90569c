/** A2P campaigns as Twilio writes them, and as events tell of them. */
import type { RegistrationError } from '../brands/brand.ts';
import type { RegistrationEvent } from '../events/streams.ts';
import { iso8601 } from '../http/wire.ts';

export type CampaignStatus = 'PENDING' | 'IN_PROGRESS' | 'VERIFIED' | 'FAILED' | 'SUSPENDED';

export interface Campaign {
  sid: string;
  /** The SID that events carry instead. */
  eventSid: string;
  accountSid: string;
  serviceSid: string;
  brandSid: string;
  useCase: string;
  description: string;
  messageFlow: string;
  messageSamples: string[];
  hasEmbeddedLinks: boolean;
  hasEmbeddedPhone: boolean;
  optInMessage: string | null;
  optOutMessage: string | null;
  helpMessage: string | null;
  optInKeywords: string[];
  optOutKeywords: string[];
  helpKeywords: string[];
  subscriberOptIn: boolean;
  ageGated: boolean;
  directLending: boolean;
  privacyPolicyUrl: string;
  termsAndConditionsUrl: string;
  mock: boolean;
  status: CampaignStatus;
  /** The registry's id, once verified. */
  campaignId: string | null;
  errors: RegistrationError[];
  /** When reviewers decide by themselves; null where they do not, or have decided. */
  decisionAt: number | null;
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
}

/** Messages per minute and classes that carriers give a verified campaign; the smallest class for low volume. */
function rateLimits({ useCase, campaignId }: Campaign): Record<string, unknown> | null {
  if (campaignId === null) return null;
  return useCase === 'LOW_VOLUME'
    ? { att: { mps: 75, msg_class: 'T' }, tmobile: { brand_tier: 'LOW' } }
    : { att: { mps: 240, msg_class: 'F' }, tmobile: { brand_tier: 'LOWER_MID' } };
}

/**
 * A campaign as Twilio writes it.
 *
 * @param apiVersion `X-Twilio-Api-Version`; without it the addresses of policy and terms stay out
 */
export function campaignAnswer(campaign: Campaign, apiVersion: string | undefined): Record<string, unknown> {
  return {
    sid: campaign.sid,
    account_sid: campaign.accountSid,
    brand_registration_sid: campaign.brandSid,
    messaging_service_sid: campaign.serviceSid,
    description: campaign.description,
    message_samples: campaign.messageSamples,
    us_app_to_person_usecase: campaign.useCase,
    has_embedded_links: campaign.hasEmbeddedLinks,
    has_embedded_phone: campaign.hasEmbeddedPhone,
    subscriber_opt_in: campaign.subscriberOptIn,
    age_gated: campaign.ageGated,
    direct_lending: campaign.directLending,
    campaign_status: campaign.status,
    campaign_id: campaign.campaignId,
    is_externally_registered: false,
    rate_limits: rateLimits(campaign),
    message_flow: campaign.messageFlow,
    opt_in_message: campaign.optInMessage,
    opt_out_message: campaign.optOutMessage,
    help_message: campaign.helpMessage,
    opt_in_keywords: campaign.optInKeywords,
    opt_out_keywords: campaign.optOutKeywords,
    help_keywords: campaign.helpKeywords,
    date_created: iso8601(campaign.createdAt),
    date_updated: iso8601(campaign.updatedAt),
    url: `https://messaging.twilio.com/v1/Services/${campaign.serviceSid}/Compliance/Usa2p/${campaign.sid}`,
    mock: campaign.mock,
    errors: campaign.errors,
    ...(apiVersion === undefined
      ? {}
      : {
          privacy_policy_url: campaign.privacyPolicyUrl,
          terms_and_conditions_url: campaign.termsAndConditionsUrl,
        }),
  };
}

type Change = 'submitted' | 'approved' | 'failure' | 'deleted';

const EVENT_STATUS: Record<Change, string> = {
  submitted: 'pending',
  approved: 'approved',
  failure: 'failure',
  deleted: 'deleted',
};

/** What happened to a campaign, as Event Streams tells it. */
export function campaignEvent(campaign: Campaign, change: Change): RegistrationEvent {
  const [error] = campaign.errors;
  return {
    type: `campaign-registration.campaign-${change}`,
    source: campaign.eventSid,
    data: {
      brandsid: campaign.brandSid,
      campaignsid: campaign.eventSid,
      messagingservicesid: campaign.serviceSid,
      a2pusecase: campaign.useCase,
      campaignregistrationstatus: EVENT_STATUS[change],
      ...(campaign.campaignId === null ? {} : { externalcampaignid: campaign.campaignId }),
      ...(change === 'failure' && error !== undefined ? { errorcode: error.error_code } : {}),
      createddate: campaign.createdAt,
      updateddate: campaign.updatedAt,
    },
  };
}
