/**
 * Releases one number. What had not been sent from it leaves from other lines of its pool, or from the line its user has
 * now; Twilio is asked once nothing can leave from it any more, and deleting there is harmless to repeat: what is gone is
 * gone. What could only leave from it is cancelled then.
 */
import { ApplicationFailure, log } from '@temporalio/activity';
import { insertAuditEntry } from '../../db/organizations/audit.ts';
import type { Trx } from '../../db/database.ts';
import { tellOfMessages } from '../../db/messages/messages.ts';
import {
  prepareRelease,
  type Readiness,
  recordNotReleased,
  recordReleased,
  type ReleaseRef,
} from '../../db/numbers/releases.ts';
import { wouldLeaveWithoutLine } from '../../domain/numbers/releases.ts';
import { isNotFound, refusalOf } from '../../twilio/errors.ts';
import { patiently } from '../../twilio/patience.ts';
import { accountOf, type NumberDeps } from './deps.ts';

const lookAgainMs = 5_000;
/** A process that was held up for so long after it had looked must not ask: this release may have failed meanwhile. */
const promptMs = 5_000;

type Outcome = 'released' | 'failed';

export function createReleaseActivities(deps: NumberDeps) {
  const { database, clock } = deps;

  const audit = (
    trx: Trx,
    ref: ReleaseRef,
    { detail = {}, ...entry }: { action: string; actor: string; at: Date; detail?: Record<string, unknown> },
  ) =>
    insertAuditEntry(trx, {
      organizationId: ref.organizationId,
      subject: ref.numberId,
      detail: { jobId: ref.jobId, ...detail },
      ...entry,
    });

  const record = (ref: ReleaseRef): Promise<void> =>
    database.inOrganization(ref.organizationId, async (trx) => {
      const at = clock.now();
      const release = await recordReleased(trx, ref, at);
      if (!release) return;
      const { actor, changed } = release;
      const cancelled = changed.filter(({ status }) => status === 'cancelled').length;
      const detail = cancelled > 0 ? { cancelledMessages: cancelled } : {};
      await audit(trx, ref, { action: 'number.released', actor, at, detail });
      await tellOfMessages(trx, ref.organizationId, changed, at);
    });

  const fail = async (trx: Trx, ref: ReleaseRef, detail: string): Promise<void> => {
    const at = clock.now();
    const release = await recordNotReleased(trx, ref, { detail, at });
    if (release) await audit(trx, ref, { action: 'number.release_failed', actor: release.actor, at });
  };

  const prepare = (ref: ReleaseRef): Promise<Readiness> =>
    database.inOrganization(ref.organizationId, async (trx) => {
      const readiness = await prepareRelease(trx, ref, clock.now());
      if (readiness.kind === 'in_use') await fail(trx, ref, wouldLeaveWithoutLine(readiness.massSms));
      return readiness;
    });

  /** @returns Twilio's code when it refuses; null when the account has the number no more */
  const deleteAtTwilio = async (organizationId: string, twilioSid: string): Promise<number | null> => {
    const lookedAt = clock.now().getTime();
    const { client } = await accountOf(deps, organizationId);
    const leftMs = promptMs - (clock.now().getTime() - lookedAt);
    if (leftMs <= 0) throw notYet('Overtaken', 'The worker was held up before it could ask Twilio.');
    try {
      await patiently(() => client.incomingPhoneNumbers(twilioSid).remove(), leftMs);
      return null;
    } catch (error) {
      if (isNotFound(error)) return null;
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      return refusal.code;
    }
  };

  return {
    /**
     * Releases one number of a run. Safe to repeat after any step.
     *
     * @returns what became of it; why it failed is in Postgres
     * @throws ApplicationFailure `StillSending` while something may still leave from it
     */
    async releaseNumber(ref: ReleaseRef): Promise<Outcome> {
      await clock.sync();
      const { organizationId, numberId } = ref;
      const readiness = await prepare(ref);
      if (readiness.kind === 'unknown') {
        throw ApplicationFailure.nonRetryable(`There is no release of ${numberId}.`, 'NotFound');
      }
      if (readiness.kind === 'ended') return readiness.state;
      if (readiness.kind === 'in_use') return 'failed';
      if (readiness.kind === 'sending') {
        throw notYet(
          'StillSending',
          'Messages are still leaving from this number, or it is not known whether they left.',
        );
      }
      const code = await deleteAtTwilio(organizationId, readiness.twilioSid);
      if (code !== null) {
        log.warn('Twilio refused to release a number', { numberId, code });
        await database.inOrganization(organizationId, (trx) => fail(trx, ref, refusedByTwilio(code)));
        return 'failed';
      }
      await record(ref);
      return 'released';
    },

    /** Ends a release that could not be carried out for a day, or was cancelled; one that has ended stays as it is. */
    async abandonRelease(ref: ReleaseRef): Promise<void> {
      await clock.sync();
      await database.inOrganization(ref.organizationId, (trx) => fail(trx, ref, givenUp));
    },
  };
}

const givenUp =
  'The number could not be released in time, or its release was cancelled: messages leave from it again. Release it again, or keep it.';

const refusedByTwilio = (code: number): string =>
  `Twilio refused to release this number, so it stays: https://www.twilio.com/docs/errors/${code} says why. Settle it with Twilio, then release the number again.`;

const notYet = (type: string, message: string): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nextRetryDelay: lookAgainMs });
