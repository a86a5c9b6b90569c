/** `/v1/Services/{MessagingServiceSid}/Compliance/Usa2p` of messaging.twilio.com. */
import { isVerified } from '../brands/brand.ts';
import { notFound, TwilioError } from '../http/errors.ts';
import { created, deleted, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer, slicePage } from '../http/paging.ts';
import { newSid } from '../http/wire.ts';
import type { MessagingService } from '../messaging-services/service.ts';
import type { World } from '../world.ts';
import { campaignAnswer, type Campaign } from './campaign.ts';
import { contentOf, repliesOf } from './content.ts';
import { isUseCase, useCaseAnswers } from './use-cases.ts';

const MAX_CAMPAIGNS_OF_A_BRAND = 100;

/** The operations of campaigns. */
export function campaignOperations(world: World): Operations {
  const { brands, campaigns, campaignReviews, clock, services } = world;
  const findService = (call: Call): MessagingService => {
    const service = services.owned(call.account.sid, call.params['MessagingServiceSid'] ?? '');
    if (service === undefined) throw notFound(call.path);
    return service;
  };
  const find = (call: Call): Campaign => {
    const campaign = campaigns.get(call.account.sid, call.params['Sid']);
    if (campaign === undefined || campaign.serviceSid !== findService(call).sid) throw notFound(call.path);
    return campaign;
  };

  return {
    CreateUsAppToPerson(call) {
      const service = findService(call);
      const { BrandRegistrationSid, UsAppToPersonUsecase } = call.form as {
        BrandRegistrationSid: string;
        UsAppToPersonUsecase: string;
      };
      const brand = brands.get(call.account.sid, BrandRegistrationSid);
      if (brand === undefined || !isVerified(brand)) {
        throw new TwilioError(400, 21717, `Brand ${BrandRegistrationSid} is not registered, or not verified`);
      }
      if (!isUseCase(UsAppToPersonUsecase)) {
        throw new TwilioError(400, 21720, `The use case ${UsAppToPersonUsecase} is none of a standard brand`);
      }
      const content = contentOf(call.form);
      const replies = repliesOf(call.form);
      if (campaignReviews.of(service) !== undefined) {
        // Twilio's code is not published; 20409 follows its pattern of 20404 and 20429.
        throw new TwilioError(409, 20409, `Messaging service ${service.sid} already has a campaign`);
      }
      const siblings = campaigns.list(call.account.sid).filter(({ brandSid }) => brandSid === brand.sid);
      if (siblings.length >= MAX_CAMPAIGNS_OF_A_BRAND) {
        throw new TwilioError(400, 30930, `Brand ${brand.sid} already has ${MAX_CAMPAIGNS_OF_A_BRAND} campaigns`);
      }
      const now = clock.now();
      const campaign = campaigns.add({
        sid: newSid('QE'),
        eventSid: newSid('CM'),
        accountSid: call.account.sid,
        serviceSid: service.sid,
        brandSid: brand.sid,
        useCase: UsAppToPersonUsecase,
        ...content,
        ...replies,
        mock: brand.mock,
        status: 'IN_PROGRESS',
        campaignId: null,
        errors: [],
        decisionAt: null,
        createdAt: now,
        updatedAt: now,
      });
      campaignReviews.submit(campaign);
      return created(campaignAnswer(campaign, call.apiVersion));
    },

    ListUsAppToPerson(call) {
      const page = slicePage(call, [campaignReviews.of(findService(call)) ?? []].flat());
      const items = page.items.map((campaign) => campaignAnswer(campaign, call.apiVersion));
      return ok(listAnswer(call, 'compliance', { ...page, items }));
    },

    FetchUsAppToPerson: (call) => ok(campaignAnswer(find(call), call.apiVersion)),

    UpdateUsAppToPerson(call) {
      const campaign = find(call);
      if (campaign.status !== 'FAILED') {
        // Twilio's code is not published.
        throw new TwilioError(
          400,
          20001,
          `Campaign ${campaign.sid} is ${campaign.status}: only a failed one is updated`,
        );
      }
      Object.assign(campaign, contentOf(call.form));
      campaignReviews.submit(campaign);
      return ok(campaignAnswer(campaign, call.apiVersion));
    },

    DeleteUsAppToPerson(call) {
      const campaign = find(call);
      if (campaign.status === 'SUSPENDED') {
        throw new TwilioError(400, 21729, `Campaign ${campaign.sid} is suspended and cannot be deleted`);
      }
      campaignReviews.delete(campaign);
      return deleted();
    },

    FetchUsAppToPersonUsecase(call) {
      findService(call);
      const { BrandRegistrationSid } = call.query as { BrandRegistrationSid?: string };
      const brand = BrandRegistrationSid === undefined ? undefined : brands.get(call.account.sid, BrandRegistrationSid);
      if (BrandRegistrationSid !== undefined && brand === undefined) throw notFound(call.path);
      // An empty list says that the brand cannot register a campaign.
      const allowed = brand === undefined || isVerified(brand);
      return ok({ us_app_to_person_usecases: allowed ? useCaseAnswers() : [] });
    },
  };
}
