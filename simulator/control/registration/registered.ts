/**
 * `POST /control/registrations` {accountSid, messagingServiceSid, name?}: a company that was registered before, with its approved
 * profile and trust product, verified brand and campaign. For demos and tests that begin where a registration ends.
 */
import { z } from 'zod';
import type { Brand } from '../../brands/brand.ts';
import type { Campaign } from '../../campaigns/campaign.ts';
import { newSid } from '../../http/wire.ts';
import { POLICIES, type Bundle, type BundleKind } from '../../trusthub/bundle.ts';
import { check, ControlError, found, type ControlAnswer, type ControlCall } from '../route.ts';

const company = z.strictObject({
  accountSid: z.string(),
  messagingServiceSid: z.string(),
  name: z.string().min(1).default('Registered company'),
});

/** What all that an account has begins with. */
interface Origin {
  accountSid: string;
  createdAt: number;
  updatedAt: number;
}

const approved = (origin: Origin, kind: BundleKind, policySid: string, friendlyName: string): Bundle => ({
  ...origin,
  sid: newSid('BU'),
  kind,
  friendlyName,
  email: 'compliance@example.com',
  policySid,
  statusCallback: null,
  status: 'twilio-approved',
  errors: null,
  assignments: [],
  evaluations: [],
  review: null,
});

const newBrand = (origin: Origin, profile: Bundle, product: Bundle): Brand => ({
  ...origin,
  sid: newSid('BN'),
  customerProfileSid: profile.sid,
  a2pProfileSid: product.sid,
  mock: false,
  skipAutomaticSecVet: true,
  status: 'PENDING',
  identityStatus: null,
  tcrId: null,
  errors: [],
  resubmissions: 0,
  link: null,
  approvalAt: null,
});

const newCampaign = (origin: Origin, brand: Brand, serviceSid: string, name: string): Campaign => ({
  ...origin,
  sid: newSid('QE'),
  eventSid: newSid('CM'),
  serviceSid,
  brandSid: brand.sid,
  useCase: 'LOW_VOLUME',
  description: `${name} texts people who asked for it.`,
  messageFlow: `People tick a box on the website of ${name} and agree to receive text messages.`,
  messageSamples: [
    `${name}: your appointment is tomorrow. Reply STOP to opt out.`,
    `${name}: thank you. Reply STOP to opt out.`,
  ],
  hasEmbeddedLinks: false,
  hasEmbeddedPhone: false,
  optInMessage: null,
  optOutMessage: null,
  helpMessage: null,
  optInKeywords: [],
  optOutKeywords: [],
  helpKeywords: [],
  subscriberOptIn: true,
  ageGated: false,
  directLending: false,
  privacyPolicyUrl: 'https://example.com/privacy',
  termsAndConditionsUrl: 'https://example.com/terms',
  mock: false,
  status: 'IN_PROGRESS',
  campaignId: null,
  errors: [],
  decisionAt: null,
});

export function createRegistration({ world, body }: ControlCall): ControlAnswer {
  const { accountSid, messagingServiceSid, name } = check(company, body);
  const service = found(
    world.services.owned(accountSid, messagingServiceSid),
    `messaging service ${messagingServiceSid} of account ${accountSid}`,
  );
  if (world.campaignReviews.of(service) !== undefined) {
    throw new ControlError(409, `Messaging service ${service.sid} already has a campaign`);
  }
  const now = world.clock.now();
  const origin = { accountSid, createdAt: now, updatedAt: now };
  const { bundles } = world.trustHub;
  const profile = bundles.add(approved(origin, 'customerProfile', POLICIES.secondaryProfile, name));
  const product = bundles.add(approved(origin, 'trustProduct', POLICIES.a2pTrustProduct, name));
  const brand = world.brands.add(newBrand(origin, profile, product));
  world.brandRegistry.decide(brand, { status: 'APPROVED', identityStatus: 'VERIFIED', errors: [] });
  const campaign = world.campaigns.add(newCampaign(origin, brand, service.sid, name));
  world.campaignReviews.decide(campaign, 'VERIFIED', []);
  return {
    status: 201,
    body: {
      customerProfileSid: profile.sid,
      trustProductSid: product.sid,
      brandSid: brand.sid,
      campaignSid: campaign.sid,
    },
  };
}
