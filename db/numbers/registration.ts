/** Which numbers are in their organization's messaging service, and which have to be put there (B4). */
import type { Db, Trx } from '../database.ts';

/** Numbers that their organization uses and that are not in a messaging service. */
const unregistered = (db: Db) =>
  db
    .selectFrom('phone_numbers')
    .select(['phone_numbers.id', 'phone_numbers.organization_id', 'phone_numbers.twilio_sid'])
    .where('phone_numbers.registered', '=', false)
    .where('phone_numbers.released_at', 'is', null)
    .where('phone_numbers.releasing_since', 'is', null)
    .where('phone_numbers.orphan_since', 'is', null);

/** Those of this organization, whether or not it is time to try again. */
export const unregisteredNumbers = (trx: Trx, organizationId: string) =>
  unregistered(trx).where('phone_numbers.organization_id', '=', organizationId).orderBy('phone_numbers.id').execute();

/** Those whose time has come, of organizations that have a verified messaging service; for the sweep. */
export const numbersToRegister = (system: Db, now: Date) =>
  unregistered(system)
    .innerJoin('organizations', 'organizations.id', 'phone_numbers.organization_id')
    .select('organizations.messaging_service_sid as messagingServiceSid')
    .where('organizations.messaging_service_sid', 'is not', null)
    .where((is) => is.or([is('phone_numbers.register_at', 'is', null), is('phone_numbers.register_at', '<=', now)]))
    .orderBy('phone_numbers.id')
    .limit(500)
    .$narrowType<{ messagingServiceSid: string }>()
    .execute();

/**
 * Whether the organization of a number sends through this service: if not, what was learned there says nothing of the
 * other one. It keeps to that until this transaction ends.
 */
async function sendsThrough(trx: Trx, id: string, messagingServiceSid: string): Promise<boolean> {
  const organization = await trx
    .selectFrom('organizations')
    .innerJoin('phone_numbers', 'phone_numbers.organization_id', 'organizations.id')
    .select('organizations.messaging_service_sid as current')
    .where('phone_numbers.id', '=', id)
    // Who changes the service locks the organization before its numbers: this is before or after all of that.
    .forShare('organizations')
    .executeTakeFirst();
  // None yet while the registration that has made the service is being completed.
  return organization !== undefined && (organization.current ?? messagingServiceSid) === messagingServiceSid;
}

/**
 * Writes that a number is in this service. Where the organization sends through another one by now it stays unregistered,
 * and has to join that.
 *
 * @returns whether it is registered
 */
export async function markRegistered(trx: Trx, id: string, messagingServiceSid: string): Promise<boolean> {
  if (!(await sendsThrough(trx, id, messagingServiceSid))) return false;
  const result = await trx
    .updateTable('phone_numbers')
    .set({ registered: true, register_at: null, registration_error: null })
    .where('id', '=', id)
    .where('released_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Those that are in the organization's service, as far as we know. */
export const registeredNumbers = (trx: Trx, organizationId: string) =>
  trx
    .selectFrom('phone_numbers')
    .select(['id', 'twilio_sid'])
    .where('organization_id', '=', organizationId)
    .where('registered', '=', true)
    .where('released_at', 'is', null)
    .where('releasing_since', 'is', null)
    .orderBy('id')
    .execute();

/** Writes that somebody has taken a number out of this service: the sweep puts it back. */
export async function markTakenOut(trx: Trx, id: string, messagingServiceSid: string): Promise<void> {
  if (!(await sendsThrough(trx, id, messagingServiceSid))) return;
  await trx
    .updateTable('phone_numbers')
    .set({ registered: false, register_at: null })
    .where('id', '=', id)
    .where('released_at', 'is', null)
    .execute();
}

/** @param code Twilio's, for why this service does not take it */
export async function markNotRegistered(
  trx: Trx,
  id: string,
  { code, messagingServiceSid, againAt }: { code: number; messagingServiceSid: string; againAt: Date },
): Promise<void> {
  if (!(await sendsThrough(trx, id, messagingServiceSid))) return;
  await trx
    .updateTable('phone_numbers')
    .set({ registered: false, register_at: againAt, registration_error: code })
    .where('id', '=', id)
    .where('released_at', 'is', null)
    .execute();
}

/** Leaves a number to the sweep's next round. */
export async function registerSoon(trx: Trx, id: string, now: Date): Promise<void> {
  await trx
    .updateTable('phone_numbers')
    .set({ register_at: now })
    .where('id', '=', id)
    .where('registered', '=', false)
    .where('released_at', 'is', null)
    .execute();
}

/** Puts off all those of an organization whose account could not be asked. */
export async function postponeRegistration(trx: Trx, organizationId: string, againAt: Date): Promise<void> {
  await trx
    .updateTable('phone_numbers')
    .set({ register_at: againAt })
    .where('organization_id', '=', organizationId)
    .where('registered', '=', false)
    .where('released_at', 'is', null)
    .where('orphan_since', 'is', null)
    .where((is) => is.or([is('register_at', 'is', null), is('register_at', '<', againAt)]))
    .execute();
}

/** The organization sends through another messaging service from now on, which its numbers have to join. */
export async function registerAnew(trx: Trx, organizationId: string): Promise<void> {
  await trx
    .updateTable('phone_numbers')
    .set({ registered: false, register_at: null })
    .where('organization_id', '=', organizationId)
    .where('registered', '=', true)
    .where('released_at', 'is', null)
    .execute();
}

/**
 * The services the organization has sent through before, the last first: its numbers may still be in one of them. None
 * when it is not this one that it sends through now, and never this one.
 */
export async function formerServices(trx: Trx, organizationId: string, messagingServiceSid: string): Promise<string[]> {
  const row = await trx
    .selectFrom('organizations')
    .select('former_messaging_services')
    .where('id', '=', organizationId)
    .where('messaging_service_sid', '=', messagingServiceSid)
    .executeTakeFirst();
  const former = row?.former_messaging_services ?? [];
  return former.filter((sid) => sid !== messagingServiceSid).toReversed();
}
