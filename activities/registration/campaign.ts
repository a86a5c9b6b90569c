/** The messaging service and its A2P campaign: submitted, looked at, corrected and resubmitted any number of times. */
import type { Twilio } from 'twilio';
import { recordFee } from '../../db/fees.ts';
import { evidenceOf } from '../../db/registration/evidence.ts';
import { beginAttempt, lastAttempt, markAsked, markSubmitted } from '../../db/registration/attempts.ts';
import { declarationsOf, moveCampaign, moveMessagingService } from '../../db/registration/registrations.ts';
import { recordResource } from '../../db/registration/resources.ts';
import type { Trx } from '../../db/database.ts';
import type { AttemptRow } from '../../db/schema.ts';
import { explainRejection } from '../../domain/registration/rejections.ts';
import type { CampaignState } from '../../domain/registration/status.ts';
import { type CampaignSubmission, campaignSubmission } from '../../domain/registration/submission.ts';
import { campaignVerdict, isStale } from '../../domain/registration/verdicts.ts';
import { type ComplianceError, complianceErrors, isNotFound, refusalOf } from '../../twilio/errors.ts';
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
  nameAtTwilio,
  type OrganizationRef,
  readRegistration,
  type Registration,
  type RegistrationDeps,
  sidOf,
  subaccountOf,
} from './deps.ts';
import { foundOrCreated } from './found-or-created.ts';

interface Shown {
  sid: string;
  useCase: string;
  verdict: ReturnType<typeof campaignVerdict>;
  errors: ComplianceError[];
  changedAt: Date;
}

/** The campaign of a messaging service as Twilio shows it now: a service holds one at most. */
async function findCampaign(client: Twilio, serviceSid: string): Promise<Shown | undefined> {
  const [campaign] = await client.messaging.v1.services(serviceSid).usAppToPerson.list({ limit: 1 });
  if (!campaign) return undefined;
  return {
    sid: campaign.sid,
    useCase: campaign.usAppToPersonUsecase,
    verdict: campaignVerdict(campaign.campaignStatus),
    errors: complianceErrors(campaign.errors),
    changedAt: campaign.dateUpdated,
  };
}

export function createCampaignActivities(deps: RegistrationDeps) {
  const { database, clock, publicUrl } = deps;

  const open = (organizationId: string) =>
    database.inOrganization(organizationId, (trx) => readRegistration(trx, organizationId));

  const stateOf = (organizationId: string): Promise<CampaignState> =>
    database.inOrganization(organizationId, async (trx) =>
      campaignState(trx, await readRegistration(trx, organizationId), clock.now()),
    );

  /** Has Twilio make the campaign, or take the corrected one instead of the one it rejected. */
  async function submit(registration: Registration, attempt: AttemptRow, content: CampaignSubmission): Promise<string> {
    const { id: organizationId } = registration.organization;
    const client = subaccountOf(deps, registration);
    const serviceSid = sidOf(registration, 'messaging_service');
    const campaigns = client.messaging.v1.services(serviceSid).usAppToPerson;
    const known = await findCampaign(client, serviceSid);
    const isHeard = attempt.asked_at !== null && known && !isBefore(known.changedAt, attempt.asked_at);
    if (known?.verdict === 'failed' && !isHeard && attempt.number > 1) {
      await database.inOrganization(organizationId, (trx) => markAsked(trx, attempt, clock.now()));
      if (known.useCase === content.usAppToPersonUsecase) {
        const { usAppToPersonUsecase: _cannotChange, ...changes } = content;
        await client.messaging.v1.services(serviceSid).usAppToPerson(known.sid).update(changes);
        return known.sid;
      }
      // Twilio cannot change the use case of a campaign: another one takes its place, and is charged again.
      await client.messaging.v1.services(serviceSid).usAppToPerson(known.sid).remove();
      await database.inOrganization(organizationId, (trx) => recordResource(trx, organizationId, 'campaign', null));
    } else if (registration.sids.campaign !== undefined && !known) {
      await database.inOrganization(organizationId, (trx) => recordResource(trx, organizationId, 'campaign', null));
    }
    return foundOrCreated(deps, {
      organizationId,
      kind: 'campaign',
      find: async () => (await findCampaign(client, serviceSid))?.sid,
      create: async () => {
        const brandRegistrationSid = sidOf(registration, 'brand');
        return (await campaigns.create({ brandRegistrationSid, ...content })).sid;
      },
      record: (trx, sid) =>
        recordFee(trx, {
          organizationId,
          kind: 'campaign_review',
          amount: deps.fees.campaignReview,
          reference: sid,
          description: 'Review of a campaign by the carriers',
          at: clock.now(),
        }),
    });
  }

  return {
    /** Where the campaign stands, without asking Twilio. */
    async readCampaign({ organizationId }: OrganizationRef): Promise<CampaignState> {
      await clock.sync();
      return stateOf(organizationId);
    },

    /** A messaging service for the campaign (A6): the one the questionnaire names, or a new one. */
    async ensureMessagingService({ organizationId }: OrganizationRef): Promise<void> {
      await clock.sync();
      const registration = await open(organizationId);
      const { services } = subaccountOf(deps, registration).messaging.v1;
      const named = registration.intake.messagingServiceSid;
      const friendlyName = nameAtTwilio(registration, 'messages');
      const settings = messagingServiceSettings(publicUrl);
      try {
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
        const refusal = refusalOf(error);
        if (!refusal) throw error;
        const message = isNotFound(error)
          ? 'The questionnaire names a messaging service that this account does not have.'
          : refusal.message;
        await moveService(organizationId, 'failed', message);
        throw await refuseCampaign(deps, organizationId, { ...refusal, message });
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
        const isAnew =
          row.submitted_at !== null && row.campaign_since !== null && row.submitted_at > row.campaign_since;
        const isCorrection = row.campaign_status === 'failed' && (actor !== undefined || isAnew);
        if (row.campaign_status === 'not_started' || isCorrection) {
          const by = actor ?? (await declarationsOf(trx, organizationId)).at(-1)?.actor ?? 'longwave';
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
      const registration = await open(organizationId);
      const [attempt, evidence] = await database.inOrganization(organizationId, async (trx) => [
        await lastAttempt(trx, organizationId, 'campaign'),
        await evidenceOf(trx, organizationId),
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
          const refusal = refusalOf(error);
          throw refusal ? await refuseCampaign(deps, organizationId, refusal) : error;
        }
        await deps.sendEmails(organizationId);
      }
      return stateOf(organizationId);
    },

    /** Looks at the campaign at Twilio and at the clock, and moves it to where it stands. */
    async lookAtCampaign({ organizationId }: OrganizationRef): Promise<CampaignState> {
      await clock.sync();
      const before = await open(organizationId);
      const serviceSid = before.sids.messaging_service;
      const campaign = serviceSid && (await findCampaign(subaccountOf(deps, before), serviceSid));
      if (!campaign) return stateOf(organizationId);
      await database.inOrganization(organizationId, async (trx) => {
        const registration = await readRegistration(trx, organizationId, { lock: true });
        const at = clock.now();
        const attempt = await lastAttempt(trx, organizationId, 'campaign');
        if (campaign.verdict === 'verified') return campaignVerified(trx, deps, registration, at);
        if (campaign.verdict === 'failed') {
          if (attempt?.submitted_at === null || isStale(campaign.changedAt, attempt?.asked_at ?? null, at))
            return undefined;
          const reasons = campaign.errors.map((error) => explainRejection(error));
          return campaignFailed(trx, deps, registration, { reasons, at });
        }
        return campaignInReview(trx, deps, registration, { campaignSid: campaign.sid, at });
      });
      await deps.sendEmails(organizationId);
      return stateOf(organizationId);
    },
  };

  async function moveService(organizationId: string, status: 'in_progress' | 'failed', detail: string): Promise<void> {
    await database.inOrganization(organizationId, async (trx: Trx) => {
      const { row } = await readRegistration(trx, organizationId, { lock: true });
      const awaiting = status === 'failed' ? 'operator' : 'twilio';
      await moveMessagingService(trx, row, { status, actor: 'longwave', detail, awaiting, at: clock.now() });
    });
  }
}

/** Twilio's times have whole seconds. */
const isBefore = (changedAt: Date, askedAt: Date): boolean =>
  changedAt.getTime() < Math.floor(askedAt.getTime() / 1000) * 1000;
