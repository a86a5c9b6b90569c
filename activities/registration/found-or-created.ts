/**
 * Makes one of a kind at Twilio, which has no idempotency keys.
 *
 * That Twilio is about to be asked is written before the request, that it exists after it. A crash in between leaves
 * something that only Twilio knows of, so what is not known to exist is looked for before it is made. Twilio's lists may
 * lag behind: after a request whose outcome is not known, nothing is made until the lists have had time.
 */
import { ApplicationFailure, log } from '@temporalio/activity';
import { findResource, markResourceAsked, recordResource } from '../../db/registration/resources.ts';
import type { Trx } from '../../db/database.ts';
import type { ResourceKind } from '../../db/schema.ts';
import { refusalOf } from '../../twilio/errors.ts';
import type { RegistrationDeps } from './deps.ts';

/** How long after a request its result may be missing from Twilio's lists. Also longer than a request can take. */
const settleMs = 30_000;

interface Making {
  organizationId: string;
  kind: ResourceKind;
  /** Looks for it by something Twilio keeps. */
  find: () => Promise<string | undefined>;
  /** Makes it. Called only when Twilio does not know it. */
  create: () => Promise<string>;
  /** Written with the SID, in one transaction: a fee, a status. */
  record?: (trx: Trx, sid: string) => Promise<void>;
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
    await database.inOrganization(organizationId, (trx) => markResourceAsked(trx, organizationId, kind, clock.now()));
    try {
      sid = await create();
    } catch (error) {
      // Refused: nothing was made, and the next request need not wait.
      if (refusalOf(error)) {
        await database.inOrganization(organizationId, (trx) => recordResource(trx, organizationId, kind, null));
      }
      throw error;
    }
  } else if (known.askedAt) {
    log.info('found at Twilio what an earlier attempt had made', { kind, sid });
  }
  const made = sid;
  await database.inOrganization(organizationId, async (trx) => {
    await recordResource(trx, organizationId, kind, made);
    await record?.(trx, made);
  });
  return made;
}

function notSettled(kind: ResourceKind, waitMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    message: `Twilio was asked for the ${kind.replaceAll('_', ' ')} a moment ago and does not show it yet.`,
    type: 'NotSettled',
    nextRetryDelay: Math.ceil(waitMs),
  });
}
