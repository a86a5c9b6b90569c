/** The brand: submitted once for its fee, looked at, corrected, and its representative's identity link sent again. */
import { ApplicationFailure } from '@temporalio/common';
import type { Twilio } from 'twilio';
import { recordFee } from '../../db/fees.ts';
import { beginAttempt, lastAttempt, markAsked, markSubmitted } from '../../db/registration/attempts.ts';
import { addToTimeline, declarationsOf, moveBrand } from '../../db/registration/registrations.ts';
import { findResource, markResourceAsked, recordResource } from '../../db/registration/resources.ts';
import type { Trx } from '../../db/database.ts';
import type { AttemptRow, RegistrationRow } from '../../db/schema.ts';
import { explainRejection } from '../../domain/registration/rejections.ts';
import { type BrandState, notInThisState, refusedByTwilio, verificationMs } from '../../domain/registration/status.ts';
import { brandVerdict, isStale } from '../../domain/registration/verdicts.ts';
import { type ComplianceError, complianceErrors, refusalOf } from '../../twilio/errors.ts';
import { brandRejected, brandState, brandVerified, linkFailed, linkSent, refuseBrand, remind } from './brand-moves.ts';
import { type OrganizationRef, readRegistration, type RegistrationDeps, sidOf, subaccountOf } from './deps.ts';
import { foundOrCreated } from './found-or-created.ts';

interface Shown {
  verdict: ReturnType<typeof brandVerdict>;
  errors: ComplianceError[];
  changedAt: Date;
}

/** The brand as Twilio shows it now. */
async function fetchBrand(client: Twilio, sid: string): Promise<Shown> {
  const brand = await client.messaging.v1.brandRegistrations(sid).fetch();
  const errors = complianceErrors(brand.errors);
  if (errors.length === 0 && brand.failureReason)
    errors.push({ code: 0, fields: [], description: brand.failureReason });
  const verdict = brandVerdict({
    status: brand.status,
    identityStatus: brand.identityStatus ?? null,
    errorCodes: errors.map(({ code }) => code),
  });
  return { verdict, errors, changedAt: brand.dateUpdated };
}

export function createBrandActivities(deps: RegistrationDeps) {
  const { database, clock } = deps;

  const open = (organizationId: string) =>
    database.inOrganization(organizationId, (trx) => readRegistration(trx, organizationId));

  const stateOf = async (organizationId: string): Promise<BrandState> =>
    brandState((await open(organizationId)).row, clock.now());

  return {
    /** Where the brand stands, without asking Twilio. */
    async readBrand({ organizationId }: OrganizationRef): Promise<BrandState> {
      await clock.sync();
      return stateOf(organizationId);
    },

    /**
     * Begins the first submission, or that of a correction.
     *
     * @param actor who resubmits; at the first submission who declared the questionnaire to be accurate
     */
    async beginBrandAttempt({ organizationId, actor }: OrganizationRef & { actor?: string }): Promise<BrandState> {
      await clock.sync();
      return database.inOrganization(organizationId, async (trx) => {
        const { row } = await readRegistration(trx, organizationId, { lock: true });
        const at = clock.now();
        if (row.brand_status === 'draft' || (row.brand_status === 'failed' && (actor !== undefined || isAnew(row)))) {
          const by = actor ?? (await declarationsOf(trx, organizationId)).at(-1)?.actor ?? 'longwave';
          const { number } = await beginAttempt(trx, { organizationId, part: 'brand', actor: by, at });
          await moveBrand(trx, row, {
            status: 'submitted',
            actor: by,
            detail: number === 1 ? "The company's details go to Twilio." : 'The corrected details go to Twilio again.',
            awaiting: 'twilio',
            at,
          });
        }
        return brandState((await readRegistration(trx, organizationId)).row, at);
      });
    },

    /** Submits the brand: makes it, which costs its fee, or has Twilio look again at one that failed. */
    async submitBrand({ organizationId }: OrganizationRef): Promise<void> {
      await clock.sync();
      const registration = await open(organizationId);
      const attempt = await database.inOrganization(organizationId, (trx) => lastAttempt(trx, organizationId, 'brand'));
      if (!attempt || attempt.submitted_at !== null) return;
      const client = subaccountOf(deps, registration);
      const brands = client.messaging.v1.brandRegistrations;
      const profileSid = sidOf(registration, 'customer_profile');
      const recordSubmission = (trx: Trx) => recordBrandSubmission(trx, attempt, clock.now());
      try {
        if (registration.sids.brand !== undefined) {
          await resubmit(client, registration.sids.brand, attempt);
          await database.inOrganization(organizationId, recordSubmission);
          return;
        }
        await foundOrCreated(deps, {
          organizationId,
          kind: 'brand',
          find: async () =>
            (await brands.list({ limit: 1000 })).find((brand) => brand.customerProfileBundleSid === profileSid)?.sid,
          create: async () => {
            const { sid } = await brands.create({
              customerProfileBundleSid: profileSid,
              a2PProfileBundleSid: sidOf(registration, 'trust_product'),
              brandType: 'STANDARD',
              // Low-volume standard: a brand without the vetting that costs ten times as much.
              skipAutomaticSecVet: true,
            });
            return sid;
          },
          record: async (trx, sid) => {
            await recordFee(trx, {
              organizationId,
              kind: 'brand_registration',
              amount: deps.fees.brand,
              reference: sid,
              description: 'Registration of a low-volume standard brand, once',
              at: clock.now(),
            });
            await recordSubmission(trx);
          },
        });
      } catch (error) {
        const refusal = refusalOf(error);
        throw refusal ? await refuseBrand(deps, organizationId, refusal) : error;
      }
    },

    /** Looks at the brand at Twilio and at the clock, and moves it to where it stands. */
    async lookAtBrand({ organizationId }: OrganizationRef): Promise<BrandState> {
      await clock.sync();
      const before = await open(organizationId);
      const brandSid = before.sids.brand;
      if (brandSid === undefined) return stateOf(organizationId);
      const { verdict, errors, changedAt } = await fetchBrand(subaccountOf(deps, before), brandSid);
      const reasons = errors.map((error) => explainRejection(error));
      await database.inOrganization(organizationId, async (trx) => {
        const registration = await readRegistration(trx, organizationId, { lock: true });
        const { row } = registration;
        const at = clock.now();
        const attempt = await lastAttempt(trx, organizationId, 'brand');
        if (verdict === 'verified') return brandVerified(trx, deps, registration, { brandSid, at });
        if (verdict === 'failed') {
          // The failure of the attempt before, while a correction is on its way.
          if (attempt?.submitted_at === null || isStale(changedAt, attempt?.asked_at ?? null, at)) return undefined;
          return brandRejected(trx, deps, registration, { reasons, at });
        }
        if (verdict === 'waiting') return undefined;
        if (row.brand_status === 'submitted' || row.brand_status === 'failed') {
          // The link went out when Twilio approved the brand; we may hear of it late.
          const sentAt = new Date(
            Math.min(at.getTime(), Math.max(changedAt.getTime(), attempt?.submitted_at?.getTime() ?? 0)),
          );
          return linkSent(trx, deps, registration, {
            round: row.verification_round + 1,
            sentAt,
            actor: 'carriers',
            at,
          });
        }
        if (row.brand_status !== 'registered' || row.verification_sent_at === null) return undefined;
        const lapsed = at.getTime() >= row.verification_sent_at.getTime() + verificationMs;
        if (verdict === 'link_failed' && changedAt >= wholeSecond(row.verification_sent_at)) {
          return linkFailed(trx, deps, registration, { reasons, at });
        }
        return lapsed ? linkFailed(trx, deps, registration, { reasons: [], at }) : remind(trx, registration, at);
      });
      await deps.sendEmails(organizationId);
      return stateOf(organizationId);
    },

    /**
     * Has the registry send another link, which costs a fee of public companies at its completion.
     *
     * @param round how many links had been sent when the command was given
     * @throws ApplicationFailure `NotInThisState` unless the last link lapsed; `RefusedByTwilio` with Twilio's code
     */
    async resendIdentityLink({ organizationId, actor, round }: OrganizationRef & { actor: string; round: number }) {
      await clock.sync();
      const registration = await open(organizationId);
      const { row } = registration;
      // Done already; only the answer was lost.
      if (row.verification_round > round) return brandState(row, clock.now());
      if (row.brand_status !== 'verification_expired') {
        throw ApplicationFailure.nonRetryable(`The brand is ${row.brand_status}.`, notInThisState);
      }
      const sid = sidOf(registration, 'brand');
      const client = subaccountOf(deps, registration);
      const asked = await database.inOrganization(organizationId, (trx) =>
        findResource(trx, organizationId, 'identity_link'),
      );
      // Asked since it lapsed, and no failed link to be seen: the new one is on its way.
      const isOnItsWay =
        asked.askedAt !== null &&
        asked.askedAt > row.brand_since! &&
        (await fetchBrand(client, sid)).verdict === 'linked';
      if (!isOnItsWay) {
        await database.inOrganization(organizationId, (trx) =>
          markResourceAsked(trx, organizationId, 'identity_link', clock.now()),
        );
        await requestIdentityLink(client, sid);
      }
      await database.inOrganization(organizationId, async (trx) => {
        const now = await readRegistration(trx, organizationId, { lock: true });
        if (now.row.verification_round > round) return;
        const at = clock.now();
        await recordResource(trx, organizationId, 'identity_link', null);
        await linkSent(trx, deps, now, { round: round + 1, sentAt: at, actor, at });
      });
      await deps.sendEmails(organizationId);
      return stateOf(organizationId);
    },
  };

  /** Has Twilio look again at a brand that failed, unless it is doing so already. */
  async function resubmit(client: Twilio, sid: string, attempt: AttemptRow): Promise<void> {
    const { verdict, changedAt } = await fetchBrand(client, sid);
    const isHeard = attempt.asked_at !== null && changedAt >= wholeSecond(attempt.asked_at);
    if (verdict !== 'failed' || isHeard) return;
    await database.inOrganization(attempt.organization_id, (trx) => markAsked(trx, attempt, clock.now()));
    await client.messaging.v1.brandRegistrations(sid).update();
  }
}

/** The whole registration was submitted again since the brand failed. */
const isAnew = ({ submitted_at: submittedAt, brand_since: since }: RegistrationRow): boolean =>
  submittedAt !== null && since !== null && submittedAt > since;

const wholeSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000);

async function recordBrandSubmission(trx: Trx, attempt: AttemptRow, at: Date): Promise<void> {
  await markSubmitted(trx, attempt, at);
  await addToTimeline(trx, {
    organizationId: attempt.organization_id,
    subject: 'brand',
    event: 'with_registry',
    actor: 'longwave',
    detail:
      attempt.number === 1 ? 'The brand was submitted to the registry.' : 'The brand was resubmitted to the registry.',
    awaiting: 'twilio',
    at,
  });
}

/** Authentication+ is triggered by an address that is in Twilio's guide, and not in its SDK. */
async function requestIdentityLink(client: Twilio, brandSid: string): Promise<void> {
  const uri = `https://messaging.twilio.com/v1/a2p/BrandRegistrations/${brandSid}/2fa`;
  const { statusCode, body } = await client.request({ method: 'post', uri });
  if (statusCode < 300) return;
  const { code = 0, message } = (body ?? {}) as { code?: number; message?: string };
  const error = { status: statusCode, code, message };
  if (!refusalOf(error)) throw new Error(`Twilio answered ${statusCode}.`);
  throw ApplicationFailure.create({
    message: 'Twilio refused to send the identity link.',
    type: refusedByTwilio,
    nonRetryable: true,
    details: [code],
  });
}
