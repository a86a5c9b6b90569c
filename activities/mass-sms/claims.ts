/** The claims of one pass over a batch: who may be written to by now (E3), and how a first message reads (C3). */
import type { Clock } from '../../clock.ts';
import type { Database } from '../../db/database.ts';
import type { SendingOrganization } from '../../db/mass-sms/mass-sms.ts';
import { chooseRecipients } from '../../db/mass-sms/recipients.ts';
import { claimMessages, type ClaimResult, type RankRange } from '../../db/messages/outgoing.ts';
import { type BatchRules, lawfulMoments, type MomentOf } from '../../domain/mass-sms/batches.ts';
import { asFirstMessage } from '../../domain/messages/text.ts';

export interface Claiming {
  organizationId: string;
  range: RankRange;
  organization: SendingOrganization;
  rules: BatchRules;
  attemptId: string;
  /** Said with the first message to a number. */
  disclaimer: string;
}

export interface BatchClaims {
  claim: (afterRank: number, limit: number) => Promise<ClaimResult>;
  /** Whether somebody who was passed over may be written to by now: then another pass is due. */
  isToBeginAnew: () => boolean;
}

/**
 * Claims by the organization's window alone or, where it has chosen so, by the lawful hours of each recipient as well, by
 * the clock of each claim: a pass may last for hours. Those who must wait are passed over and stay queued. As soon as the
 * first of them need not wait any more nothing else is claimed, so that nobody waits behind others until the pass ends.
 */
export function batchClaims(
  { database, clock }: { database: Database; clock: Clock },
  claiming: Claiming,
): BatchClaims {
  const { organizationId, range, organization, rules, attemptId, disclaimer } = claiming;
  const byPlace = organization.settings.sendWindowMode === 'recipient';
  let opensAt: Date | null = null;

  /** As judged, noting when the first of those who must wait need not any more. */
  const noting =
    (momentOf: MomentOf, now: Date): MomentOf =>
    (recipient) => {
      const moment = momentOf(recipient);
      if (moment && moment.at > now && (!opensAt || moment.at < opensAt)) opensAt = moment.at;
      return moment;
    };
  const isToBeginAnew = (): boolean => opensAt !== null && opensAt <= clock.now();

  return {
    isToBeginAnew,
    claim: async (afterRank, limit) => {
      if (isToBeginAnew()) return { claimed: [], lastRank: null };
      const now = clock.now();
      const rest = { ...range, first: Math.max(range.first, afterRank + 1) };
      const momentOf = byPlace ? noting(lawfulMoments(rules, now), now) : null;
      return database.inOrganization(organizationId, async (trx) => {
        const chosen = momentOf && (await chooseRecipients(trx, rest, { limit, now, momentOf }));
        return claimMessages(trx, rest, {
          attemptId,
          limit,
          now,
          settings: organization.settingsAsStored,
          asFirst: (body) => asFirstMessage(body, disclaimer),
          ...(chosen && { chosen }),
        });
      });
    },
  };
}
