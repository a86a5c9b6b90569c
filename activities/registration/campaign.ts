/** The messaging service and its A2P campaign: submitted, looked at, corrected and resubmitted any number of times. */
import type { Twilio } from 'twilio';
import { recordFee } from '../../db/registration/fees.ts';
import { evidenceToShow } from '../../db/registration/evidence.ts';
import { beginAttempt, lastAttempt, markAsked, markSubmitted } from '../../db/registration/attempts.ts';
import { moveCampaign, moveMessagingService } from '../../db/registration/registrations.ts';
import { forgetResource } from '../../db/registration/resources.ts';
import type { Trx } from '../../db/database.ts';
import type { AttemptRow } from '../../db/schema.ts';
import { type Explanation, explainRejection } from '../../domain/registration/rejections.ts';
import type { CampaignState } from '../../domain/registration/status.ts';
import { type CampaignSubmission, campaignSubmission } from '../../domain/registration/submission.ts';
import { campaignVerdict, goneAtTwilio, hasChangedSince, isStale } from '../../domain/registration/verdicts.ts';
import { type ComplianceError, complianceErrors, isNotFound, orNull, refusalOf } from '../../twilio/errors.ts';
import { messagingServiceSettings } from '../../twilio/messaging-service.ts';
import {
  campaignFailed,
  campaignInReview,
  campaignState,
  campaignSubmitted,
  campaignVerified,
  refuseCampaign,
} from './campaign-moves.ts';
import {
  isSubmittedSince,
  nameAtTwilio,
  openRegistration,
  type OrganizationRef,
  readRegistration,
  type Registration,
  type RegistrationDeps,
  sidOf,
  subaccountOf,
  whoSubmits,
} from './deps.ts';
import { foundOrCreated } from './found-or-created.ts';

interface Shown {
  sid: string;
  brandSid: string;
  useCase: string;
  verdict: ReturnType<typeof campaignVerdict>;
  errors: ComplianceError[];
  changedAt: Date;
}

type Found = Awaited<ReturnType<ReturnType<Twilio['messaging']['v1']['services']>['usAppToPerson']['list']>>[number];

const shownOf = (campaign: Found): Shown => ({
  sid: campaign.sid,
  brandSid: campaign.brandRegistrationSid,
  useCase: campaign.usAppToPersonUsecase,
  verdict: campaignVerdict(campaign.campaignStatus),
  errors: complianceErrors(campaign.errors),
  changedAt: campaign.dateUpdated,
});

/** The campaign as Twilio shows it now; null when it is gone. Asked for by its SID: Twilio's lists may lag. */
async function fetchCampaign(client: Twilio, serviceSid: string, sid: string): Promise<Shown | null> {
  const campaign = await orNull(client.messaging.v1.services(serviceSid).usAppToPerson(sid).fetch());
  return campaign && shownOf(campaign);
}

/** The campaign that a messaging service has, which is one at most. One that was just deleted may still be listed. */
async function findCampaign(client: Twilio, serviceSid: string): Promise<Shown | null> {
  const [listed] = await client.messaging.v1.services(serviceSid).usAppToPerson.list({ limit: 1 });
  return listed ? fetchCampaign(client, serviceSid, listed.sid) : null;
}

/** Of a campaign that somebody deleted at Twilio. */
const gone = (sid: string, at: Date): Shown => ({
  sid,
  brandSid: '',
  useCase: '',
  verdict: 'failed',
  errors: [{ code: goneAtTwilio, fields: [] }],
  changedAt: at,
});

export function createCampaignActivities(deps: RegistrationDeps) {
  const { database, clock, publicUrl } = deps;

  const stateOf = (organizationId: string): Promise<CampaignState> =>
    database.inOrganization(organizationId, async (trx) =>
      campaignState(trx, await readRegistration(trx, organizationId), clock.now()),
    );

  /** Has Twilio make the campaign, or take the corrected one instead of the one it rejected. */
  async function submit(registration: Registration, attempt: AttemptRow, content: CampaignSubmission): Promise<string> {
    const { id: organizationId } = registration.organization;
    const client = subaccountOf(deps, registration);
    const serviceSid = sidOf(registration, 'messaging_service');
    const brandRegistrationSid = sidOf(registration, 'brand');
    const campaigns = client.messaging.v1.services(serviceSid).usAppToPerson;
    const recorded = registration.sids.campaign;
    const forget = () =>
      database.inOrganization(organizationId, (trx) => forgetResource(trx, organizationId, 'campaign'));

    if (recorded !== undefined) {
      const known = await fetchCampaign(client, serviceSid, recorded);
      const isHeard = attempt.asked_at !== null && known && hasChangedSince(known.changedAt, attempt.asked_at);
      if (known && (known.verdict !== 'failed' || isHeard || attempt.number === 1)) return recorded;
      if (known && known.useCase === content.usAppToPersonUsecase) {
        await database.inOrganization(organizationId, (trx) => markAsked(trx, attempt, clock.now()));
        const { usAppToPersonUsecase: _cannotChange, ...changes } = content;
        await client.messaging.v1.services(serviceSid).usAppToPerson(recorded).update(changes);
        return recorded;
      }
      // Twilio cannot change the use case of a campaign: another one takes its place, and is charged again.
      if (known) await client.messaging.v1.services(serviceSid).usAppToPerson(recorded).remove();
      await forget();
    }
    return foundOrCreated(deps, {
      organizationId,
      kind: 'campaign',
      find: async () => {
        const found = await findCampaign(client, serviceSid);
        if (found && found.brandSid !== brandRegistrationSid) throw new Unusable(serviceOfAnotherBrand);
        return found?.sid;
      },
      create: async () => (await campaigns.create({ brandRegistrationSid, ...content })).sid,
      record: async (trx, sid, isOurs) => {
        if (!isOurs) return;
        await recordFee(trx, {
          organizationId,
          kind: 'campaign_review',
          amount: deps.fees.campaignReview,
          reference: sid,
          description: 'Review of a campaign by the carriers',
          at: clock.now(),
        });
      },
    });
  }

  return {
    /** A messaging service for the campaign (A6): the one the questionnaire names, or a new one. */
    async ensureMessagingService({ organizationId }: OrganizationRef): Promise<void> {
      await clock.sync();
      const registration = await openRegistration(deps, organizationId);
      const { services } = subaccountOf(deps, registration).messaging.v1;
      const named = registration.intake.messagingServiceSid;
      const friendlyName = nameAtTwilio(registration, 'messages');
      const settings = messagingServiceSettings(publicUrl);
      try {
        await forgetOtherService(registration, services);
        await foundOrCreated(deps, {
          organizationId,
          kind: 'messaging_service',
          find: async () => {
            if (named === undefined)
              return (await services.list({ limit: 1000 })).find((one) => one.friendlyName === friendlyName)?.sid;
            return (await services(named).update(settings)).sid;
          },
          create: async () => (await services.create({ friendlyName, ...settings })).sid,
        });
      } catch (error) {
        const reason = named !== undefined && isNotFound(error) ? noSuchService : reasonOf(error);
        if (!reason) throw error;
        await moveService(organizationId, 'failed', 'The messaging service cannot be used.');
        throw await refuseCampaign(deps, organizationId, reason);
      }
      await moveService(organizationId, 'in_progress', 'The messaging service is ready for the campaign.');
    },

    /**
     * Begins the first submission, or that of a correction.
     *
     * @param actor who resubmits; at the first submission who declared the questionnaire to be accurate
     */
    async beginCampaignAttempt({
      organizationId,
      actor,
    }: OrganizationRef & { actor?: string }): Promise<CampaignState> {
      await clock.sync();
      return database.inOrganization(organizationId, async (trx) => {
        const registration = await readRegistration(trx, organizationId, { lock: true });
        const { row } = registration;
        const at = clock.now();
        const isCorrection =
          row.campaign_status === 'failed' && (actor !== undefined || isSubmittedSince(row, row.campaign_since));
        if (row.campaign_status === 'not_started' || isCorrection) {
          const by = await whoSubmits(trx, organizationId, actor);
          const { number } = await beginAttempt(trx, { organizationId, part: 'campaign', actor: by, at });
          await moveCampaign(trx, row, {
            status: 'in_review',
            actor: by,
            detail:
              number === 1
                ? 'The campaign goes to the carriers.'
                : `The corrected campaign goes to the carriers (attempt ${number}).`,
            awaiting: 'carriers',
            at,
          });
        }
        return campaignState(trx, await readRegistration(trx, organizationId), at);
      });
    },

    /** Submits the campaign of the attempt that was begun. */
    async submitCampaign({ organizationId }: OrganizationRef): Promise<CampaignState> {
      await clock.sync();
      const registration = await openRegistration(deps, organizationId);
      const [attempt, evidence] = await database.inOrganization(organizationId, async (trx) => [
        await lastAttempt(trx, organizationId, 'campaign'),
        await evidenceToShow(trx, organizationId),
      ]);
      if (attempt && attempt.submitted_at === null) {
        const content = campaignSubmission(
          registration.intake,
          evidence.map(({ token }) => `${publicUrl}/evidence/${token}`),
        );
        try {
          const campaignSid = await submit(registration, attempt, content);
          await database.inOrganization(organizationId, async (trx) => {
            const now = await readRegistration(trx, organizationId, { lock: true });
            const at = clock.now();
            await markSubmitted(trx, attempt, at, content);
            await campaignSubmitted(trx, deps, now, { attempt, at });
            await campaignInReview(trx, deps, now, { campaignSid, at });
          });
        } catch (error) {
          const reason = reasonOf(error);
          throw reason ? await refuseCampaign(deps, organizationId, reason) : error;
        }
        deps.sendEmails(organizationId);
      }
      return stateOf(organizationId);
    },

    /** Looks at the campaign at Twilio and at the clock, and moves it to where it stands. */
    async lookAtCampaign({ organizationId }: OrganizationRef): Promise<CampaignState> {
      await clock.sync();
      const before = await openRegistration(deps, organizationId);
      const { messaging_service: serviceSid, campaign: campaignSid } = before.sids;
      const campaign =
        serviceSid && campaignSid
          ? ((await fetchCampaign(subaccountOf(deps, before), serviceSid, campaignSid)) ??
            gone(campaignSid, clock.now()))
          : null;
      if (!campaign) return stateOf(organizationId);
      await database.inOrganization(organizationId, async (trx) => {
        const registration = await readRegistration(trx, organizationId, { lock: true });
        const { campaign_status: status, campaign_since: since } = registration.row;
        const at = clock.now();
        const attempt = await lastAttempt(trx, organizationId, 'campaign');
        if (campaign.verdict === 'verified') return campaignVerified(trx, deps, registration, at);
        if (campaign.verdict === 'failed') {
          if (attempt?.submitted_at === null || isStale(campaign.changedAt, attempt?.asked_at ?? null, at))
            return undefined;
          const reasons = campaign.errors.map((error) => explainRejection(error));
          return campaignFailed(trx, deps, registration, { reasons, at });
        }
        // What Twilio showed before it rejected it.
        if (status === 'failed' && since && campaign.changedAt < since) return undefined;
        return campaignInReview(trx, deps, registration, { campaignSid: campaign.sid, at });
      });
      deps.sendEmails(organizationId);
      return stateOf(organizationId);
    },
  };

  /** Forgets a service that is gone, or, while there is no campaign, one that the questionnaire no longer names. */
  async function forgetOtherService(
    { organization, intake: { messagingServiceSid: named }, sids }: Registration,
    services: Twilio['messaging']['v1']['services'],
  ): Promise<void> {
    const known = sids.messaging_service;
    if (known === undefined) return;
    const isAnother = named !== undefined && named !== known && sids.campaign === undefined;
    if (!isAnother && (await orNull(services(known).fetch())) !== null) return;
    await database.inOrganization(organization.id, (trx) => forgetResource(trx, organization.id, 'messaging_service'));
  }

  async function moveService(organizationId: string, status: 'in_progress' | 'failed', detail: string): Promise<void> {
    await database.inOrganization(organizationId, async (trx: Trx) => {
      const { row } = await readRegistration(trx, organizationId, { lock: true });
      const awaiting = status === 'failed' ? 'operator' : 'twilio';
      await moveMessagingService(trx, row, { status, actor: 'longwave', detail, awaiting, at: clock.now() });
    });
  }
}

const noSuchService: Explanation = {
  code: 20404,
  reason: 'The questionnaire names a messaging service that this account does not have.',
  remedy: 'Name one of the account, or none: then a new one is made.',
  fields: ['messagingServiceSid'],
  fixable: true,
};

const serviceOfAnotherBrand: Explanation = {
  code: 20409,
  reason: 'The messaging service has a campaign of another brand already, and takes no second one.',
  remedy: 'Name another messaging service, or none: then a new one is made.',
  fields: ['messagingServiceSid'],
  fixable: true,
};

/** Thrown for what Twilio would refuse. */
class Unusable extends Error {
  override name = 'Unusable';
  readonly reason: Explanation;

  constructor(reason: Explanation) {
    super(reason.reason);
    this.reason = reason;
  }
}

/** Why Twilio refused, or would; null when asking again may help. */
function reasonOf(error: unknown): Explanation | null {
  if (error instanceof Unusable) return error.reason;
  const refusal = refusalOf(error);
  return refusal && explainRejection({ code: refusal.code, description: refusal.message });
}
