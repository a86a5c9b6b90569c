/**
 * Who the company is, as Twilio's TrustHub wants to know it: a secondary customer profile (A4) and an A2P trust product,
 * each with what belongs to it. Every activity brings its thing to what the questionnaire says, so that the same ones
 * serve the first submission and each correction.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Twilio } from 'twilio';
import { forgetResource } from '../../db/registration/resources.ts';
import type { ResourceKind } from '../../db/schema/registration.ts';
import { type Explanation, explainRejection } from '../../domain/registration/rejections.ts';
import { profileVerdict, type ProfileVerdict } from '../../domain/registration/verdicts.ts';
import { refusalOf } from '../../twilio/errors.ts';
import { failBrand, refuseBrand } from './brand-moves.ts';
import {
  nameAtTwilio,
  openRegistration,
  type OrganizationRef,
  type Registration,
  type RegistrationDeps,
  sidOf,
  subaccountOf,
} from './deps.ts';
import { foundOrCreated } from './found-or-created.ts';
import { refusedRequest } from './refusals.ts';

/** Twilio's rules for a secondary customer profile, and for an A2P messaging profile: the same for everybody. */
const policies = {
  customerProfile: 'RNdfbf3fae0e1107f8aded0e7cead80bf5',
  a2pProfile: 'RNb0d4771c2c98518d916a3d4cd70a8f8b',
} as const;

type EndUserKind = 'business_information' | 'representative' | 'a2p_information';

/** The three descriptions Twilio asks for, in its own words (twilio.com/docs … collect-business-info). */
const endUsers: Record<
  EndUserKind,
  { type: string; attributes: (registration: Registration) => Record<string, unknown> }
> = {
  business_information: {
    type: 'customer_profile_business_information',
    attributes: ({ intake }) => ({
      business_name: intake.legalName,
      business_type: intake.businessType,
      business_industry: intake.industry,
      business_registration_identifier: intake.registrationIdentifier,
      business_registration_number: intake.registrationNumber,
      business_identity: 'direct_customer',
      business_regions_of_operation: intake.regionsOfOperation.join(','),
      website_url: intake.website,
    }),
  },
  representative: {
    type: 'authorized_representative_1',
    attributes: ({ intake: { representative } }) => ({
      first_name: representative.firstName,
      last_name: representative.lastName,
      email: representative.email,
      phone_number: representative.phone,
      business_title: representative.title,
      job_position: representative.jobPosition,
    }),
  },
  a2p_information: {
    type: 'us_a2p_messaging_profile_information',
    attributes: ({ intake }) => ({
      company_type: intake.companyType,
      ...(intake.companyType === 'public' && {
        stock_exchange: intake.stockExchange,
        stock_ticker: intake.stockTicker,
      }),
      brand_contact_email: intake.brandContactEmail ?? intake.representative.email,
    }),
  },
};

export function createProfileActivities(deps: RegistrationDeps) {
  const { database, clock, twilio, operator } = deps;

  /** Opens the registration and its account, and turns what Twilio refuses into a failed brand. */
  async function working(
    { organizationId }: OrganizationRef,
    work: (registration: Registration, client: Twilio) => Promise<void>,
  ): Promise<void> {
    await clock.sync();
    const registration = await openRegistration(deps, organizationId);
    try {
      await work(registration, subaccountOf(deps, registration));
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      // Beside a submission (an address corrected for another identity link) nothing was rejected but this request.
      const isSubmission = registration.row.brand_status === 'submitted';
      throw isSubmission ? await refuseBrand(deps, organizationId, refusal) : refusedRequest(refusal.code);
    }
  }

  const putEndUser = (ref: OrganizationRef, kind: EndUserKind) =>
    working(ref, async (registration, { trusthub }) => {
      const { type, attributes } = endUsers[kind];
      const wanted = attributes(registration);
      const friendlyName = nameAtTwilio(registration, kind.replaceAll('_', ' '));
      const sid = await foundOrCreated(deps, {
        ...ref,
        kind,
        find: async () =>
          (await trusthub.v1.endUsers.list({ limit: 1000 })).find(
            (user) => user.friendlyName === friendlyName && user.type === type,
          )?.sid,
        create: async () => (await trusthub.v1.endUsers.create({ friendlyName, type, attributes: wanted })).sid,
      });
      const current = await trusthub.v1.endUsers(sid).fetch();
      if (!isDeepStrictEqual(current.attributes, jsonOf(wanted))) {
        await trusthub.v1.endUsers(sid).update({ attributes: wanted });
      }
    });

  return {
    createCustomerProfile: (ref: OrganizationRef): Promise<void> =>
      working(ref, async (registration, { trusthub }) => {
        const friendlyName = nameAtTwilio(registration, 'customer profile');
        const policySid = policies.customerProfile;
        await foundOrCreated(deps, {
          ...ref,
          kind: 'customer_profile',
          find: async () => (await trusthub.v1.customerProfiles.list({ friendlyName, policySid, limit: 1 }))[0]?.sid,
          create: async () => {
            const { sid } = await trusthub.v1.customerProfiles.create({
              friendlyName,
              // The operator's: Twilio writes to the ISV, not to its customer.
              email: deps.operatorEmail,
              policySid,
            });
            return sid;
          },
        });
      }),

    putBusinessInformation: (ref: OrganizationRef): Promise<void> => putEndUser(ref, 'business_information'),
    putRepresentative: (ref: OrganizationRef): Promise<void> => putEndUser(ref, 'representative'),
    putA2pInformation: (ref: OrganizationRef): Promise<void> => putEndUser(ref, 'a2p_information'),

    /** An address that is there already is used again (A4); a corrected one is another address. */
    ensureAddress: (ref: OrganizationRef): Promise<void> =>
      working(ref, async (registration, { addresses }) => {
        const { legalName, address } = registration.intake;
        const wanted = {
          customerName: legalName,
          street: address.street,
          streetSecondary: address.street2 ?? '',
          city: address.city,
          region: address.region,
          postalCode: address.postalCode,
          isoCountry: address.country,
        };
        const find = async () =>
          (await addresses.list({ customerName: legalName, isoCountry: address.country, limit: 1000 })).find((known) =>
            Object.entries(wanted).every(([field, value]) => (known[field as keyof typeof wanted] || '') === value),
          )?.sid;
        const found = await find();
        // The one on record may be that of an earlier answer.
        if (found !== registration.sids.address && registration.sids.address !== undefined) {
          await database.inOrganization(ref.organizationId, (trx) =>
            forgetResource(trx, ref.organizationId, 'address'),
          );
        }
        await foundOrCreated(deps, {
          ...ref,
          kind: 'address',
          find: async () => found,
          create: async () =>
            (await addresses.create({ ...wanted, friendlyName: nameAtTwilio(registration, 'address') })).sid,
        });
      }),

    putAddressDocument: (ref: OrganizationRef): Promise<void> =>
      working(ref, async (registration, { trusthub }) => {
        const attributes = { address_sids: sidOf(registration, 'address') };
        const friendlyName = nameAtTwilio(registration, 'address');
        const documents = trusthub.v1.supportingDocuments;
        const sid = await foundOrCreated(deps, {
          ...ref,
          kind: 'address_document',
          find: async () =>
            (await documents.list({ limit: 1000 })).find((one) => one.friendlyName === friendlyName)?.sid,
          create: async () =>
            (await documents.create({ friendlyName, type: 'customer_profile_address', attributes })).sid,
        });
        const current = await trusthub.v1.supportingDocuments(sid).fetch();
        if (!isDeepStrictEqual(current.attributes, attributes)) {
          await trusthub.v1.supportingDocuments(sid).update({ attributes });
        }
      }),

    /** What belongs to the customer profile: the two descriptions, the address, and the operator's own profile. */
    assignToCustomerProfile: (ref: OrganizationRef): Promise<void> =>
      working(ref, async (registration, { trusthub }) => {
        const profile = trusthub.v1.customerProfiles(sidOf(registration, 'customer_profile'));
        const assigned = await profile.customerProfilesEntityAssignments.list({ limit: 1000 });
        const primary = await primaryProfile(twilio.client(operator));
        const kinds: ResourceKind[] = ['business_information', 'representative', 'address_document'];
        for (const objectSid of [...kinds.map((kind) => sidOf(registration, kind)), primary]) {
          if (assigned.some((one) => one.objectSid === objectSid)) continue;
          await profile.customerProfilesEntityAssignments.create({ objectSid });
        }
      }),

    submitCustomerProfile: (ref: OrganizationRef): Promise<void> =>
      working(ref, async (registration, { trusthub }) => {
        const profile = trusthub.v1.customerProfiles(sidOf(registration, 'customer_profile'));
        if (!needsSubmission((await profile.fetch()).status)) return;
        const { status, results } = await profile.customerProfilesEvaluations.create({
          policySid: policies.customerProfile,
        });
        if (status !== 'compliant') throw await failBrand(deps, ref.organizationId, shortcomings(results));
        await profile.update({ status: 'pending-review' });
      }),

    createTrustProduct: (ref: OrganizationRef): Promise<void> =>
      working(ref, async (registration, { trusthub }) => {
        const friendlyName = nameAtTwilio(registration, 'A2P profile');
        const policySid = policies.a2pProfile;
        await foundOrCreated(deps, {
          ...ref,
          kind: 'trust_product',
          find: async () => (await trusthub.v1.trustProducts.list({ friendlyName, policySid, limit: 1 }))[0]?.sid,
          create: async () =>
            (await trusthub.v1.trustProducts.create({ friendlyName, email: deps.operatorEmail, policySid })).sid,
        });
      }),

    assignToTrustProduct: (ref: OrganizationRef): Promise<void> =>
      working(ref, async (registration, { trusthub }) => {
        const product = trusthub.v1.trustProducts(sidOf(registration, 'trust_product'));
        const assigned = await product.trustProductsEntityAssignments.list({ limit: 1000 });
        for (const kind of ['a2p_information', 'customer_profile'] as const) {
          const objectSid = sidOf(registration, kind);
          if (assigned.some((one) => one.objectSid === objectSid)) continue;
          await product.trustProductsEntityAssignments.create({ objectSid });
        }
      }),

    submitTrustProduct: (ref: OrganizationRef): Promise<void> =>
      working(ref, async (registration, { trusthub }) => {
        const product = trusthub.v1.trustProducts(sidOf(registration, 'trust_product'));
        if (!needsSubmission((await product.fetch()).status)) return;
        const { status, results } = await product.trustProductsEvaluations.create({ policySid: policies.a2pProfile });
        if (status !== 'compliant') throw await failBrand(deps, ref.organizationId, shortcomings(results));
        await product.update({ status: 'pending-review' });
      }),

    /** Whether Twilio has approved the customer profile: before that a brand would cost its fee and fail. */
    async lookAtCustomerProfile({ organizationId }: OrganizationRef): Promise<ProfileVerdict> {
      await clock.sync();
      const registration = await openRegistration(deps, organizationId);
      const { trusthub } = subaccountOf(deps, registration);
      const { status, errors } = await trusthub.v1.customerProfiles(sidOf(registration, 'customer_profile')).fetch();
      const verdict = profileVerdict(status);
      if (verdict === 'rejected') {
        const codes = ((errors ?? []) as { code?: number }[]).map(({ code }) => code ?? 18601);
        await failBrand(
          deps,
          organizationId,
          codes.map((code) => explainRejection({ code })),
        );
      }
      return verdict;
    },
  };
}

const needsSubmission = (status: string): boolean => status === 'draft' || status === 'twilio-rejected';

/** As Twilio gives it back: without what is undefined. */
const jsonOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The operator's own approved profile, to which its customers' profiles belong. It is made in Twilio's console. */
async function primaryProfile(main: Twilio): Promise<string> {
  const approved = await main.trusthub.v1.customerProfiles.list({ status: 'twilio-approved', limit: 100 });
  const primary = approved.find(({ policySid }) => policySid !== policies.customerProfile);
  if (!primary) {
    throw new Error(
      "The operator's Twilio account has no approved primary customer profile: create one in Twilio's console (Trust Hub).",
    );
  }
  return primary.sid;
}

interface Requirement {
  requirement_name?: string;
  passed?: boolean;
  error_code?: number;
  failure_reason?: string;
  invalid?: { object_field?: string; error_code?: number; failure_reason?: string }[];
}

/** What an evaluation misses, field by field. */
function shortcomings(results: unknown): Explanation[] {
  return ((results ?? []) as Requirement[])
    .filter(({ passed }) => passed === false)
    .flatMap(({ error_code: code = 22214, failure_reason: reason, invalid = [] }) =>
      invalid.length > 0
        ? invalid.map((field) =>
            explainRejection({
              code: field.error_code ?? code,
              fields: field.object_field ? [field.object_field] : [],
              ...(field.failure_reason && { description: field.failure_reason }),
            }),
          )
        : [explainRejection({ code, ...(reason && { description: reason }) })],
    );
}
