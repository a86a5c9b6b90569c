/**
 * Compares the numbers in an organization's account with ours (B10). What a crash in the middle of a purchase has left is
 * given to whom it was bought for, or released if nobody can ever have used it; whatever else is not on record is shown, to
 * be adopted or released by a person; what is gone at Twilio, or out of the messaging service, is written down.
 */
import type { Twilio } from 'twilio';
import { insertAuditEntry } from '../../db/organizations/audit.ts';
import type { Trx } from '../../db/database.ts';
import { lockCandidates } from '../../db/numbers/lines.ts';
import { findOnRecord, insertOrphan, numbersBySid, takeOver, writeDownAsGone } from '../../db/numbers/orphans.ts';
import { markTakenOut, registeredNumbers } from '../../db/numbers/registration.ts';
import { findPurchase, provision, type Purchase } from '../../db/numbers/purchases.ts';
import { purchaseOfTag } from '../../domain/numbers/purchases.ts';
import { orNull } from '../../twilio/errors.ts';
import { numberSettings } from '../../twilio/number-settings.ts';
import { patiently } from '../../twilio/patience.ts';
import { patienceMs } from './candidates.ts';
import { accountOf, type NumberDeps } from './deps.ts';

/** Younger numbers are left alone: somebody may be about to record them, or Twilio's list may not show them yet. */
const graceMs = 600_000;

type MessagingService = ReturnType<Twilio['messaging']['v1']['services']>;

interface NumberAtTwilio {
  sid: string;
  phoneNumber: string;
  friendlyName: string;
  voiceUrl: string;
  dateCreated: Date;
}

/** A purchase that was given up, whose users all still want a number. */
async function isStillWanted(trx: Trx, purchase: Purchase): Promise<boolean> {
  if (purchase.state !== 'failed' || purchase.reason !== 'gave_up') return false;
  const users = await lockCandidates(trx, purchase.organization_id, purchase.user_ids);
  return purchase.user_ids.every((id) => {
    const user = users.get(id);
    return user?.active && !user.line && !user.buyingJobId;
  });
}

/** Whether anything was ever sent from a number, or to it. */
async function wasUsed(client: Twilio, phoneNumber: string): Promise<boolean> {
  const [sent] = await client.messages.list({ from: phoneNumber, limit: 1 });
  const [received] = sent ? [sent] : await client.messages.list({ to: phoneNumber, limit: 1 });
  return received !== undefined;
}

/** Lines that are registered here and that the list of the messaging service does not show. */
async function notListed(
  { database }: NumberDeps,
  service: MessagingService,
  organizationId: string,
): Promise<{ id: string; twilio_sid: string }[]> {
  // Ours first: what joins the service between the two readings is then not missed.
  const ours = await database.inOrganization(organizationId, (trx) => registeredNumbers(trx, organizationId));
  if (ours.length === 0) return [];
  const members = await patiently(() => service.phoneNumbers.list({ pageSize: 1_000 }), patienceMs);
  const there = new Set(members.map(({ sid }) => sid));
  return ours.filter((number) => !there.has(number.twilio_sid));
}

/**
 * Looks through one account.
 *
 * @throws when Twilio cannot be asked, or something of one number did not go well: the others are seen to all the same
 */
export async function checkAccount(deps: NumberDeps, organizationId: string): Promise<void> {
  const { database, clock, publicUrl } = deps;
  const { client, organization } = await accountOf(deps, organizationId);
  const before = new Date(clock.now().getTime() - graceMs);
  const inOrganization = <T>(work: (trx: Trx) => Promise<T>): Promise<T> =>
    database.inOrganization(organizationId, work);
  const note = (trx: Trx, action: string, subject: string, sid: string) =>
    insertAuditEntry(trx, { organizationId, actor: 'longwave', action, subject, detail: { sid }, at: clock.now() });

  /** Shows a number that nobody uses, to be adopted or released. */
  const show = async (trx: Trx, { sid, phoneNumber, dateCreated: boughtAt }: NumberAtTwilio): Promise<void> => {
    const id = await insertOrphan(trx, organizationId, { sid, phoneNumber, boughtAt }, clock.now());
    if (id !== null) await note(trx, 'number.orphan_found', id, sid);
  };

  /**
   * Decides about a number that is not on record: in one transaction, so that its purchase cannot end meanwhile.
   *
   * @returns its purchase when it is left over from that, and nobody can use it any more
   */
  const decide = (number: NumberAtTwilio): Promise<Purchase | null> =>
    inOrganization(async (trx) => {
      const purchaseId = purchaseOfTag(number.friendlyName);
      const purchase = purchaseId === null ? undefined : await findPurchase(trx, purchaseId, { lock: true });
      const known = await findOnRecord(trx, organizationId, number.sid);
      // Recorded since ours were read, by a purchase that goes on after a long outage; or released, and still in the list.
      if (known && (known.released_at === null || known.released_at > before)) return null;
      // Its run is under way, and will find it.
      if (purchase?.state === 'waiting') return null;
      const { sid, phoneNumber } = number;
      await takeOver(database, { organizationId, phoneNumber, sid, at: clock.now() });
      // Of another database's buying, or of the console; or it was ours, and somebody brought it back.
      const isOurs = number.voiceUrl === numberSettings(publicUrl).voiceUrl;
      if (!purchase || known || !isOurs) {
        await show(trx, number);
        return null;
      }
      if (!(await isStillWanted(trx, purchase))) return purchase;
      const id = await provision(trx, purchase, { phoneNumber: number.phoneNumber, sid: number.sid }, clock.now());
      await note(trx, 'number.orphan_adopted', id, number.sid);
      return null;
    });

  /** Releases what a purchase has left over. Only what nobody can ever have used: a person decides about the rest. */
  const clearAway = async (number: NumberAtTwilio, purchase: Purchase): Promise<void> => {
    if (await wasUsed(client, number.phoneNumber)) return inOrganization((trx) => show(trx, number));
    try {
      await orNull(client.incomingPhoneNumbers(number.sid).remove());
    } catch (error) {
      await inOrganization((trx) => show(trx, number));
      throw error;
    }
    await inOrganization((trx) => note(trx, 'number.orphan_released', purchase.id, number.sid));
  };

  // Ours first: what is bought between the two readings is then too young.
  const ours = await inOrganization((trx) => numbersBySid(trx, organizationId, before));
  const theirs = await patiently(() => client.incomingPhoneNumbers.list({ pageSize: 1_000 }), patienceMs);
  const there = new Set(theirs.map(({ sid }) => sid));
  const failures: unknown[] = [];
  const each = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  };
  for (const number of theirs) {
    if (ours.has(number.sid) || number.dateCreated > before) continue;
    await each(async () => {
      const leftOver = await decide(number);
      if (leftOver) await clearAway(number, leftOver);
    });
  }
  for (const [sid, { id, purchasedAt, isLeaving }] of ours) {
    if (there.has(sid) || isLeaving || purchasedAt > before) continue;
    await each(async () => {
      // A list may lag behind; the number itself does not.
      if ((await orNull(client.incomingPhoneNumbers(sid).fetch())) !== null) return;
      await inOrganization((trx) => writeDownAsGone(trx, organizationId, { id, at: clock.now() }));
    });
  }
  const { messaging_service_sid: messagingServiceSid } = organization;
  if (messagingServiceSid !== null) {
    const service = client.messaging.v1.services(messagingServiceSid);
    await each(async () => {
      for (const { id, twilio_sid: sid } of await notListed(deps, service, organizationId)) {
        await each(async () => {
          if ((await orNull(service.phoneNumbers(sid).fetch())) !== null) return;
          await inOrganization((trx) => markTakenOut(trx, id, messagingServiceSid));
        });
      }
    });
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} numbers could not be seen to.`);
}
