/** `/v1/a2p/BrandRegistrations` of messaging.twilio.com. */
import { invalidParameter, notFound, notModelled, TwilioError } from '../http/errors.ts';
import { created, ok, type Answer, type Call, type Operations } from '../http/operations.ts';
import { listAnswer, slicePage } from '../http/paging.ts';
import { newSid } from '../http/wire.ts';
import type { World } from '../world.ts';
import { brandAnswer, isVerified, type Brand } from './brand.ts';
import { LINK_DAYS } from './registry.ts';

/** Times that a brand can be submitted again without a fee. */
const MAX_RESUBMISSIONS = 3;

/** The operations of brands. */
export function brandOperations(world: World): Operations {
  const { brandRegistry, brands, campaigns, clock, trustHub } = world;
  const find = (call: Call): Brand => {
    const brand = brands.get(call.account.sid, call.params['Sid']);
    if (brand === undefined) throw notFound(call.path);
    return brand;
  };

  /** Twilio's codes of what a brand cannot be made of are not published; 20001 stands for them. */
  const checkBundles = ({ account }: Call, customerProfile: string, a2pProfile: string): void => {
    const profile = trustHub.bundle('customerProfile', account.sid, customerProfile);
    if (profile?.status !== 'twilio-approved') {
      throw invalidParameter(`CustomerProfileBundleSid ${customerProfile} is not an approved profile of the account`);
    }
    const product = trustHub.bundle('trustProduct', account.sid, a2pProfile);
    if (product === undefined || product.status === 'draft' || product.status === 'twilio-rejected') {
      throw invalidParameter(`A2PProfileBundleSid ${a2pProfile} is not a submitted trust product of the account`);
    }
  };

  return {
    CreateBrandRegistrations(call) {
      const { CustomerProfileBundleSid, A2PProfileBundleSid, BrandType, Mock, SkipAutomaticSecVet } = call.form as {
        CustomerProfileBundleSid: string;
        A2PProfileBundleSid: string;
        BrandType?: string;
        Mock?: boolean;
        SkipAutomaticSecVet?: boolean;
      };
      if (BrandType === 'SOLE_PROPRIETOR') throw notModelled('A sole proprietor brand');
      if (BrandType !== undefined && BrandType !== 'STANDARD') {
        throw invalidParameter(`BrandType should be STANDARD or SOLE_PROPRIETOR, and is ${BrandType}`);
      }
      checkBundles(call, CustomerProfileBundleSid, A2PProfileBundleSid);
      const now = clock.now();
      const brand = brands.add({
        sid: newSid('BN'),
        accountSid: call.account.sid,
        customerProfileSid: CustomerProfileBundleSid,
        a2pProfileSid: A2PProfileBundleSid,
        mock: Mock ?? false,
        skipAutomaticSecVet: SkipAutomaticSecVet ?? false,
        status: 'PENDING',
        identityStatus: null,
        tcrId: null,
        errors: [],
        resubmissions: 0,
        link: null,
        approvalAt: null,
        createdAt: now,
        updatedAt: now,
      });
      brandRegistry.submit(brand);
      return created(brandAnswer(brand));
    },

    ListBrandRegistrations(call) {
      const page = slicePage(call, brands.list(call.account.sid));
      return ok(listAnswer(call, 'data', { ...page, items: page.items.map(brandAnswer) }));
    },

    FetchBrandRegistrations: (call) => ok(brandAnswer(find(call))),

    UpdateBrandRegistrations(call): Answer {
      const brand = find(call);
      const { sid, status } = brand;
      if (status === 'SUSPENDED') throw new TwilioError(400, 21731, `Brand ${sid} is suspended`);
      const unverified = status === 'APPROVED' && brand.tcrId !== null && !isVerified(brand);
      if (status !== 'FAILED' && !unverified) {
        throw new TwilioError(400, 21725, `Brand ${sid} cannot be updated: it is neither failed nor unverified`);
      }
      if (campaigns.list(call.account.sid).some(({ brandSid }) => brandSid === sid)) {
        throw new TwilioError(400, 21725, `Brand ${sid} cannot be updated while a campaign of it exists`);
      }
      if (brand.resubmissions >= MAX_RESUBMISSIONS) {
        throw new TwilioError(400, 21724, `Brand ${sid} was updated ${MAX_RESUBMISSIONS} times, which is all there is`);
      }
      brand.resubmissions += 1;
      brandRegistry.submit(brand);
      return { status: 202, body: brandAnswer(brand) };
    },

    CreateBrand2fa(call) {
      const brand = find(call);
      if (brand.status !== 'APPROVED' || brand.link?.state !== 'failed') {
        throw new TwilioError(
          400,
          21739,
          `Brand ${brand.sid} has no failed email verification: its link is ${brand.link?.state ?? 'not sent'}` +
            (brand.link?.state === 'live' ? `, for ${LINK_DAYS} days from when it was sent` : ''),
        );
      }
      brandRegistry.sendLink(brand);
      return ok(brandAnswer(brand));
    },
  };
}
