/** The brand: submitted once for its fee, looked at, corrected, and its representative's identity link sent again. */
import { ApplicationFailure } from '@temporalio/common';
import type { Twilio } from 'twilio';
import { recordFee } from '../../db/registration/fees.ts';
import { beginAttempt, lastAttempt, markAsked, markSubmitted } from '../../db/registration/attempts.ts';
import { addToTimeline, moveBrand } from '../../db/registration/registrations.ts';
import { claimResource, findResource, forgetResource } from '../../db/registration/resources.ts';
import type { Trx } from '../../db/database.ts';
import type { AttemptRow } from '../../db/schema.ts';
import { explainRejection } from '../../domain/registration/rejections.ts';
import {
  type BrandState,
  notInThisState,
  verificationGraceMs,
  verificationMs,
} from '../../domain/registration/status.ts';
import { brandVerdict, goneAtTwilio, hasChangedSince, isStale } from '../../domain/registration/verdicts.ts';
import { type ComplianceError, complianceErrors, orNull, type Refusal, refusalOf } from '../../twilio/errors.ts';
import { brandRejected, brandState, brandVerified, linkFailed, linkSent, refuseBrand, remind } from './brand-moves.ts';
import {
  isSubmittedSince,
  openRegistration,
  type OrganizationRef,
  readRegistration,
  type RegistrationDeps,
  sidOf,
  subaccountOf,
  whoSubmits,
} from './deps.ts';
import { foundOrCreated } from './found-or-created.ts';
import { refusedRequest } from './refusals.ts';

interface Shown {
  verdict: ReturnType<typeof brandVerdict>;
  errors: ComplianceError[];
  changedAt: Date;
}

/** The brand as Twilio shows it now; null when it is gone. */
async function fetchBrand(client: Twilio, sid: string): Promise<Shown | null> {
  const brand = await orNull(client.messaging.v1.brandRegistrations(sid).fetch());
  if (brand === null) return null;
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

  const stateOf = async (organizationId: string): Promise<BrandState> =>
    brandState((await openRegistration(deps, organizationId)).row, clock.now());

  return {
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
        const isCorrection =
          row.brand_status === 'failed' && (actor !== undefined || isSubmittedSince(row, row.brand_since));
        if (row.brand_status === 'draft' || isCorrection) {
          const by = await whoSubmits(trx, organizationId, actor);
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
      const registration = await openRegistration(deps, organizationId);
      const attempt = await database.inOrganization(organizationId, (trx) => lastAttempt(trx, organizationId, 'brand'));
      if (!attempt || attempt.submitted_at !== null) return;
      const client = subaccountOf(deps, registration);
      const brands = client.messaging.v1.brandRegistrations;
      const profileSid = sidOf(registration, 'customer_profile');
      const recordSubmission = (trx: Trx) => recordBrandSubmission(trx, attempt, clock.now());
      try {
        const known = registration.sids.brand;
        if (known !== undefined) {
          const shown = await fetchBrand(client, known);
          if (shown) {
            await resubmit(client, { sid: known, shown, attempt });
            await database.inOrganization(organizationId, recordSubmission);
            return;
          }
          await database.inOrganization(organizationId, (trx) => forgetResource(trx, organizationId, 'brand'));
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
          record: async (trx, sid, isOurs) => {
            if (isOurs)
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
      const before = await openRegistration(deps, organizationId);
      const brandSid = before.sids.brand;
      if (brandSid === undefined) return stateOf(organizationId);
      const { verdict, errors, changedAt } =
        (await fetchBrand(subaccountOf(deps, before), brandSid)) ?? gone(clock.now());
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
        const lapsed = at.getTime() >= row.verification_sent_at.getTime() + verificationMs + verificationGraceMs;
        if (verdict === 'link_failed' && hasChangedSince(changedAt, row.verification_sent_at)) {
          return linkFailed(trx, deps, registration, { reasons, at });
        }
        return lapsed ? linkFailed(trx, deps, registration, { reasons: [], at }) : remind(trx, registration, at);
      });
      deps.sendEmails(organizationId);
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
      const registration = await openRegistration(deps, organizationId);
      const { row } = registration;
      // Done already; only the answer was lost.
      if (row.verification_round > round) return brandState(row, clock.now());
      if (row.brand_status !== 'verification_expired') {
        throw ApplicationFailure.nonRetryable(`The brand is ${row.brand_status}.`, notInThisState);
      }
      const sid = sidOf(registration, 'brand');
      const client = subaccountOf(deps, registration);
      await requestOnce(client, { organizationId, brandSid: sid, since: row.brand_since! });
      await database.inOrganization(organizationId, async (trx) => {
        const now = await readRegistration(trx, organizationId, { lock: true });
        if (now.row.verification_round > round) return;
        const at = clock.now();
        await forgetResource(trx, organizationId, 'identity_link');
        await linkSent(trx, deps, now, { round: round + 1, sentAt: at, actor, at });
      });
      deps.sendEmails(organizationId);
      return stateOf(organizationId);
    },
  };

  /** Has the registry send a link, unless it was asked to since the last one lapsed and shows the new one. */
  async function requestOnce(
    client: Twilio,
    { organizationId, brandSid, since }: { organizationId: string; brandSid: string; since: Date },
  ): Promise<void> {
    const kind = 'identity_link';
    const known = await database.inOrganization(organizationId, (trx) => findResource(trx, organizationId, kind));
    if (known.askedAt !== null && known.askedAt > since) {
      const shown = await fetchBrand(client, brandSid);
      if (shown?.verdict === 'linked' && hasChangedSince(shown.changedAt, known.askedAt)) return;
    }
    const claim = { organizationId, kind, known, at: clock.now() } as const;
    if (!(await database.inOrganization(organizationId, (trx) => claimResource(trx, claim)))) {
      throw new Error('Another worker has the identity link sent.');
    }
    const refusal = await requestIdentityLink(client, brandSid);
    if (!refusal) return;
    await database.inOrganization(organizationId, (trx) => forgetResource(trx, organizationId, kind));
    throw refusedRequest(refusal.code);
  }

  /** Has Twilio look again at a brand that failed, unless it is doing so already. */
  async function resubmit(
    client: Twilio,
    { sid, shown, attempt }: { sid: string; shown: Shown; attempt: AttemptRow },
  ): Promise<void> {
    const isHeard = attempt.asked_at !== null && hasChangedSince(shown.changedAt, attempt.asked_at);
    if (shown.verdict !== 'failed' || isHeard) return;
    await database.inOrganization(attempt.organization_id, (trx) => markAsked(trx, attempt, clock.now()));
    await client.messaging.v1.brandRegistrations(sid).update();
  }
}

/** Of a brand that somebody deleted at Twilio. */
const gone = (at: Date): Shown => ({
  verdict: 'failed',
  errors: [{ code: goneAtTwilio, fields: [] }],
  changedAt: at,
});

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

/**
 * Authentication+ is triggered by an address that is in Twilio's guide, and not in its SDK.
 *
 * @returns Twilio's refusal, or null
 */
async function requestIdentityLink(client: Twilio, brandSid: string): Promise<Refusal | null> {
  const uri = `https://messaging.twilio.com/v1/a2p/BrandRegistrations/${brandSid}/2fa`;
  const { statusCode: status, body } = await client.request({ method: 'post', uri });
  if (status < 300) return null;
  const { code, message } = (body ?? {}) as { code?: number; message?: string };
  const refusal = refusalOf({ status, code, message });
  if (!refusal) throw new Error(`Twilio answered ${status}.`);
  return refusal;
}
