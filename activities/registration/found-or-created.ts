/**
 * Makes one of a kind at Twilio, which has no idempotency keys.
 *
 * That Twilio is about to be asked is written before the request, that it exists after it. A crash in between leaves
 * something that only Twilio knows of, so what is not known to exist is looked for before it is made. Twilio's lists may
 * lag behind: after a request whose outcome is not known, nothing is made until the lists have had time. Of two workers
 * that run the same activity (one of them cut off from Temporal) only one gets to ask.
 */
import { ApplicationFailure, log } from '@temporalio/activity';
import { claimResource, findResource, forgetResource, recordResource } from '../../db/registration/resources.ts';
import type { Trx } from '../../db/database.ts';
import type { ResourceKind } from '../../db/schema/registration.ts';
import { refusalOf } from '../../twilio/errors.ts';
import type { RegistrationDeps } from './deps.ts';

/** How long after a request its result may be missing from Twilio's lists. Also longer than a request can take. */
const settleMs = 30_000;
/** A process that was held up for so long after it had written that it would ask must not ask: another may have. */
const promptMs = 5_000;

interface Making {
  organizationId: string;
  kind: ResourceKind;
  /** Looks for it by something Twilio keeps. */
  find: () => Promise<string | undefined>;
  /** Makes it. Called only when Twilio does not know it. */
  create: () => Promise<string>;
  /**
   * Written with the SID, in one transaction and once: a fee, a status.
   *
   * @param isOurs made by us, now or before a crash; otherwise it was there already
   */
  record?: (trx: Trx, sid: string, isOurs: boolean) => Promise<void>;
}

/** @returns its SID, of the only one there is */
export async function foundOrCreated(deps: RegistrationDeps, making: Making): Promise<string> {
  const { database, clock } = deps;
  const { organizationId, kind, find, create, record } = making;
  const known = await database.inOrganization(organizationId, (trx) => findResource(trx, organizationId, kind));
  if (known.sid !== null) return known.sid;

  let sid = await find();
  if (sid === undefined) {
    const age = known.askedAt ? clock.now().getTime() - known.askedAt.getTime() : Infinity;
    if (age < settleMs) throw notSettled(kind, settleMs - age);
    const at = clock.now();
    const claim = { organizationId, kind, known, at };
    const isClaimed = await database.inOrganization(organizationId, (trx) => claimResource(trx, claim));
    if (!isClaimed || clock.now().getTime() - at.getTime() > promptMs) throw notSettled(kind, settleMs);
    try {
      sid = await create();
    } catch (error) {
      // Refused: nothing was made, and the next request need not wait.
      if (refusalOf(error)) {
        await database.inOrganization(organizationId, (trx) => forgetResource(trx, organizationId, kind));
      }
      throw error;
    }
  } else if (known.askedAt) {
    log.info('found at Twilio what an earlier attempt had made', { kind, sid });
  }
  const made = sid;
  return database.inOrganization(organizationId, async (trx) => {
    const { askedAt } = await findResource(trx, organizationId, kind);
    if (await recordResource(trx, organizationId, kind, made)) await record?.(trx, made, askedAt !== null);
    return (await findResource(trx, organizationId, kind)).sid ?? made;
  });
}

function notSettled(kind: ResourceKind, waitMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    message: `Twilio was asked for the ${kind.replaceAll('_', ' ')} a moment ago and does not show it yet.`,
    type: 'NotSettled',
    nextRetryDelay: Math.ceil(waitMs),
  });
}
