/**
 * Buys one number, once, at Twilio, which has no idempotency keys and does not reserve what a search shows.
 *
 * Which number Twilio is about to be asked for is written before the request, and the number is bought under a name that
 * carries the purchase. What may have been bought is looked for by that name before anything else is bought; after a
 * request whose outcome is not known, nothing is bought until Twilio's lists have had time. Of two workers in one purchase
 * (one of them cut off from Temporal) only one gets to ask.
 */
import { ApplicationFailure, log } from '@temporalio/activity';
import type { Twilio } from 'twilio';
import { insertAuditEntry } from '../../db/organizations/audit.ts';
import {
  type BoughtNumber,
  claimCandidate,
  failPurchase,
  findPurchase,
  forgetCandidate,
  provision,
  type Purchase,
} from '../../db/numbers/purchases.ts';
import { type Candidate, lockCandidates } from '../../db/numbers/lines.ts';
import { registerSoon } from '../../db/numbers/registration.ts';
import { areaCodeOf, countryOfAreaCode } from '../../domain/numbers/area-codes.ts';
import { purchaseFailures, type PurchaseFailure, purchaseTag } from '../../domain/numbers/purchases.ts';
import { takeOver } from '../../db/numbers/orphans.ts';
import { refusalOf } from '../../twilio/errors.ts';
import { numberSettings } from '../../twilio/number-settings.ts';
import { isTooBusy, patiently } from '../../twilio/patience.ts';
import { attachNumber } from './attach.ts';
import { areaCodesFor, numbersOnSale, patienceMs } from './candidates.ts';
import { accountOf, type NumberDeps } from './deps.ts';

/** How long after a request its result may be missing from Twilio's lists. Also longer than a request can take. */
const settleMs = 30_000;
/** A process that was held up for so long after it had written that it would ask must not ask: another may have. */
const promptMs = 5_000;

/** Twilio: this number, or this area code, is not to be had. Anything else that it refuses is no matter of the number. */
const notToBeHad = new Set([21421, 21422, 21451, 21452]);

export interface PurchaseRef {
  organizationId: string;
  purchaseId: string;
}

type Outcome = 'provisioned' | 'failed';
interface Failure {
  reason: PurchaseFailure;
  detail?: string;
}

/** Whether a purchase may still be made: its users may have changed since it was asked for. */
function objection(purchase: Purchase, users: ReadonlyMap<string, Candidate>): Failure | null {
  for (const id of purchase.user_ids) {
    const user = users.get(id);
    if (!user?.active) return { reason: 'user_inactive' };
    if (user.line) {
      return {
        reason: 'has_line',
        detail: `${user.name} has the line ${user.line.phoneNumber} (${user.line.id}). ${purchaseFailures.has_line}`,
      };
    }
  }
  return null;
}

/** Where to look for a number, or why it cannot be told. */
function areaCodesOf(purchase: Purchase, users: ReadonlyMap<string, Candidate>): string[] | Failure {
  const { areaCode, allowNearby } = purchase;
  if (areaCode !== 'match-mobile') return areaCodesFor(areaCode!, { allowNearby });
  const mobile = users.get(purchase.user_ids[0]!)?.mobile ?? null;
  if (mobile === null) return { reason: 'no_mobile' };
  const own = areaCodeOf(mobile);
  // One that is newer than our table is sold by Twilio all the same; Puerto Rico's is sold as another country's.
  const country = own === null ? null : (countryOfAreaCode(own) ?? 'US');
  if (own === null || (country !== 'US' && country !== 'CA')) return { reason: 'mobile_without_area_code' };
  return areaCodesFor(own, { allowNearby });
}

const nothingOnSale = (areaCodes: readonly string[], { allowNearby }: Purchase): Failure => {
  const [own, ...near] = areaCodes;
  const nearby = near.length > 0 ? ` Nor is there in ${near.join(', ')}, the area codes near it.` : '';
  const remedy = allowNearby
    ? 'Name another area code.'
    : 'Allow nearby area codes (allowNearby), or name another one.';
  return { reason: 'no_numbers', detail: `No number is on sale in area code ${own}.${nearby} ${remedy}` };
};

export function createPurchaseActivities(deps: NumberDeps) {
  const { database, clock } = deps;

  /** @throws while another worker, who is in this purchase too, may be buying it */
  const fail = async ({ organizationId, purchaseId }: PurchaseRef, failure: Failure): Promise<Outcome> => {
    const state = await database.inOrganization(organizationId, (trx) =>
      failPurchase(trx, purchaseId, { ...failure, at: clock.now(), unlessAsked: true }),
    );
    if (state === 'waiting') throw notSettled(1_000);
    return state ?? 'failed';
  };

  /**
   * Writes that it is bought, and registers it; what cannot be registered now is left to the sweep. A number whose purchase
   * has ended meanwhile is found by the comparison of the account with ours.
   */
  const record = async (
    client: Twilio,
    { organizationId, purchaseId }: PurchaseRef,
    bought: BoughtNumber,
  ): Promise<Outcome> => {
    await takeOver(database, { organizationId, ...bought, at: clock.now() });
    const recorded = await database.inOrganization(organizationId, async (trx) => {
      const purchase = await findPurchase(trx, purchaseId, { lock: true });
      if (purchase?.state !== 'waiting') return purchase?.state ?? 'failed';
      const at = clock.now();
      const numberId = await provision(trx, purchase, bought, at);
      await insertAuditEntry(trx, {
        organizationId,
        actor: purchase.actor,
        action: 'number.purchased',
        subject: numberId,
        detail: { userIds: purchase.user_ids, jobId: purchase.job_id },
        at,
      });
      return { id: numberId, twilio_sid: bought.sid };
    });
    if (typeof recorded === 'string') return recorded;
    try {
      const { organization } = await accountOf(deps, organizationId);
      const { messaging_service_sid: messagingServiceSid } = organization;
      if (messagingServiceSid !== null) {
        await attachNumber(deps, client, { organizationId, number: recorded, messagingServiceSid, isSet: true });
      }
    } catch (error) {
      log.warn('a number is registered later', { numberId: recorded.id, code: (error as { code?: unknown }).code });
      await database.inOrganization(organizationId, (trx) => registerSoon(trx, recorded.id, clock.now()));
    }
    return 'provisioned';
  };

  /**
   * What an earlier attempt bought without our hearing of it; looked for also when we know of none, as after Postgres was
   * restored to an earlier state. @throws while Twilio's lists may still be behind
   */
  const foundOf = async (client: Twilio, purchase: Purchase): Promise<BoughtNumber | null> => {
    const friendlyName = purchaseTag(purchase.id);
    const [found] = await patiently(() => client.incomingPhoneNumbers.list({ friendlyName, limit: 1 }), patienceMs);
    if (found) return { phoneNumber: found.phoneNumber, sid: found.sid };
    if (purchase.asked_at === null) return null;
    const age = clock.now().getTime() - purchase.asked_at.getTime();
    if (age < settleMs) throw notSettled(settleMs - age);
    const { organization_id: organizationId, asked_at: askedAt } = purchase;
    await database.inOrganization(organizationId, (trx) => forgetCandidate(trx, purchase.id, askedAt));
    purchase.asked_at = null;
    return null;
  };

  /** Claims a number for this purchase. @returns when, or null when it is somebody else's */
  const claim = async (purchase: Purchase, candidate: string): Promise<Date | null> => {
    const at = clock.now();
    const claimed = await database
      .inOrganization(purchase.organization_id, (trx) => claimCandidate(trx, { purchase, candidate, at }))
      .catch((error: unknown) => {
        if ((error as { code?: unknown }).code === '23505') return 'taken' as const;
        throw error;
      });
    if (claimed === 'overtaken') throw notSettled(settleMs);
    return claimed === 'claimed' ? at : null;
  };

  /**
   * Asks Twilio for one number. One that is not to be had is forgotten: the purchase is then as if it had never asked.
   *
   * @returns the number, or null when it is not to be had
   * @throws what Twilio refuses for another reason, and whatever leaves the outcome open
   */
  const ask = async (client: Twilio, purchase: Purchase, phoneNumber: string): Promise<BoughtNumber | null> => {
    const askedAt = await claim(purchase, phoneNumber);
    if (askedAt === null) return null;
    const forget = () =>
      database.inOrganization(purchase.organization_id, (trx) => forgetCandidate(trx, purchase.id, askedAt));
    const friendlyName = purchaseTag(purchase.id);
    // Twilio takes the purchase of a number that the account has already for a change of it.
    const [own] = await patiently(() => client.incomingPhoneNumbers.list({ phoneNumber, limit: 1 }), promptMs).catch(
      async (error: unknown) => {
        await forget();
        throw error;
      },
    );
    // Bought by an earlier attempt after all: the list took longer than it ever should.
    if (own?.friendlyName === friendlyName) return { phoneNumber: own.phoneNumber, sid: own.sid };
    const leftMs = promptMs - (clock.now().getTime() - askedAt.getTime());
    if (own || leftMs <= 0) {
      await forget();
      if (own) return null;
      throw notSettled(1_000);
    }
    try {
      const bought = await patiently(
        () => client.incomingPhoneNumbers.create({ phoneNumber, friendlyName, ...numberSettings(deps.publicUrl) }),
        leftMs,
      );
      return { phoneNumber: bought.phoneNumber, sid: bought.sid };
    } catch (error) {
      const refusal = refusalOf(error);
      // Surely not bought: the next request need not wait.
      if (refusal || isTooBusy(error)) await forget();
      if (refusal && notToBeHad.has(refusal.code)) return null;
      throw error;
    }
  };

  const buy = async (client: Twilio, purchase: Purchase, candidates: AsyncIterable<string> | string[]) => {
    for await (const candidate of candidates) {
      const bought = await ask(client, purchase, candidate);
      if (bought) return bought;
    }
    return null;
  };

  return {
    /**
     * Makes one purchase of a run. Safe to repeat: what an earlier attempt bought is found.
     *
     * @returns what became of it; why it failed is in Postgres
     */
    async buyNumber(ref: PurchaseRef): Promise<Outcome> {
      await clock.sync();
      const { organizationId, purchaseId } = ref;
      const { purchase, users } = await database.inOrganization(organizationId, async (trx) => {
        const found = await findPurchase(trx, purchaseId);
        return { purchase: found, users: await lockCandidates(trx, organizationId, found?.user_ids ?? []) };
      });
      if (!purchase) throw ApplicationFailure.nonRetryable(`There is no purchase ${purchaseId}.`, 'NotFound');
      if (purchase.state !== 'waiting') return purchase.state;
      const { client } = await accountOf(deps, organizationId);

      const found = await foundOf(client, purchase);
      if (found) {
        log.info('found at Twilio what an earlier attempt had bought', { purchaseId });
        return record(client, ref, found);
      }
      const refused = objection(purchase, users);
      if (refused) return fail(ref, refused);
      const areaCodes = purchase.wanted === null ? areaCodesOf(purchase, users) : [];
      if ('reason' in areaCodes) return fail(ref, areaCodes);
      try {
        const candidates = purchase.wanted === null ? numbersOnSale(client, areaCodes) : [purchase.wanted];
        const bought = await buy(client, purchase, candidates);
        if (!bought) {
          return await fail(
            ref,
            purchase.wanted === null ? nothingOnSale(areaCodes, purchase) : { reason: 'number_not_available' },
          );
        }
        return await record(client, ref, bought);
      } catch (error) {
        const refusal = refusalOf(error);
        if (!refusal) throw error;
        const detail = `${purchaseFailures.refused_by_twilio} Its code is ${refusal.code}: https://www.twilio.com/docs/errors/${refusal.code}`;
        return fail(ref, { reason: 'refused_by_twilio', detail });
      }
    },

    /** Ends a purchase for which Twilio could not be asked, or that was cancelled; one that has ended stays as it is. */
    async abandonPurchase({
      organizationId,
      purchaseId,
      reason,
    }: PurchaseRef & { reason: PurchaseFailure }): Promise<void> {
      await clock.sync();
      await database.inOrganization(organizationId, (trx) =>
        failPurchase(trx, purchaseId, { reason, at: clock.now() }),
      );
    },
  };
}

const notSettled = (waitMs: number): ApplicationFailure =>
  ApplicationFailure.create({
    message: 'Twilio was asked for a number a moment ago, and it is not known yet what came of it.',
    type: 'NotSettled',
    nextRetryDelay: Math.ceil(waitMs),
  });
