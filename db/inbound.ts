/** What contacts send us: kept once, attributed to a contact, and obeyed when it is STOP or START. */
import { sql } from 'kysely';
import type { Keyword } from '../domain/keywords.ts';
import { purposes } from '../domain/purpose.ts';
import { countSegments } from '../domain/segments.ts';
import { type Settings, withDefaults } from '../domain/settings.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';

export interface InboundMessage {
  organizationId: string;
  sid: string;
  /** The contact's number. */
  from: string;
  /** Our number. */
  to: string;
  body: string;
  /** As Twilio counted them; counted here where it did not. */
  segments?: number | null;
  mediaUrls: string[];
  /** What it asks for, by Twilio's word or its own. */
  keyword: Keyword | null;
  at: Date;
}

/** A STOP counts against the mass SMS whose message came last within this time. */
const attributionDays = 7;

/** Records an inbound message and obeys its keyword; a repeated delivery does nothing. @returns its id, or null if repeated */
export async function recordInbound(trx: Trx, message: InboundMessage): Promise<string | null> {
  const { organizationId, at } = message;
  const id = newId('message', at);
  const receipt = await trx
    .insertInto('inbound_receipts')
    .values({ message_sid: message.sid, organization_id: organizationId, message_id: id, at })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (receipt.numInsertedOrUpdatedRows === 0n) return null;

  const contact = await contactOf(trx, message);
  await trx
    .insertInto('messages')
    .values({
      id,
      organization_id: organizationId,
      direction: 'inbound',
      source: 'contact',
      purpose: 'transactional',
      status: 'received',
      line: message.to,
      contact_number: message.from,
      contact_id: contact.id,
      body: message.body,
      segments: message.segments ?? countSegments(message.body).segments,
      media_urls: message.mediaUrls.length > 0 ? message.mediaUrls : null,
      twilio_sid: message.sid,
      created_at: at,
      finished_at: at,
    })
    .execute();
  if (message.keyword === 'stop') await optOut(trx, message, contact.id);
  if (message.keyword === 'start') await optBackIn(trx, message, contact.id);
  return id;
}

/** The contact with this number, the oldest if several share it; an unknown sender becomes a contact. */
async function contactOf(trx: Trx, { organizationId, from, at }: InboundMessage): Promise<{ id: string }> {
  const known = await trx
    .selectFrom('contacts')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('mobile', '=', from)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (known) return known;
  const id = newId('contact', at);
  await trx
    .insertInto('contacts')
    .values({
      id,
      organization_id: organizationId,
      mobile: from,
      phone_status: 'valid',
      created_at: at,
      updated_at: at,
    })
    .execute();
  return { id };
}

/**
 * The settings of the organization that was answered, and whether it brought its own account: then it has the account's
 * token and can sign such a message itself, so what it says counts for itself alone.
 */
async function senderOf(trx: Trx, organizationId: string) {
  return trx
    .selectFrom('organizations')
    .select(['settings', 'own_account as ownAccount'])
    .where('id', '=', organizationId)
    .executeTakeFirstOrThrow();
}

/**
 * Blocks the number as far as the organization's setting says, cancels what has not left, and counts against the mass
 * SMS that was answered. Messages of other organizations are stopped where they are claimed.
 */
async function optOut(trx: Trx, message: InboundMessage, contactId: string): Promise<void> {
  const { organizationId, from, to, at } = message;
  const { settings, ownAccount } = await senderOf(trx, organizationId);
  const wanted = withDefaults(settings).optOutScope;
  const scope = ownAccount && wanted === 'platform' ? 'organization' : wanted;
  await trx
    .insertInto('opt_outs')
    .values({
      id: newId('optOut', at),
      organization_id: scope === 'platform' ? null : organizationId,
      phone_number: from,
      line: scope === 'number' ? to : null,
      method: 'reply',
      at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await writeLedger(trx, message, contactId, { granted: false, scope });
  let unsent = trx
    .updateTable('messages')
    .set({ status: 'cancelled', cancel_reason: 'opted_out', finished_at: at })
    .where('organization_id', '=', organizationId)
    .where('contact_number', '=', from)
    .where('status', 'in', ['held', 'scheduled', 'queued']);
  if (scope === 'number') unsent = unsent.where('line', '=', to);
  await unsent.execute();
  const since = new Date(at.getTime() - attributionDays * 86_400_000);
  await sql`
    update messages set unsubscribed_at = ${at} where unsubscribed_at is null and id = (
      select id from messages
      where organization_id = ${organizationId} and contact_number = ${from} and direction = 'outbound'
        and mass_sms_id is not null and accepted_at >= ${since}
      order by accepted_at desc limit 1)`.execute(trx);
}

/** Lifts every block this organization's contact can lift: its own, its line's, and, but for own accounts, the platform's. */
async function optBackIn(trx: Trx, message: InboundMessage, contactId: string): Promise<void> {
  const { ownAccount } = await senderOf(trx, message.organizationId);
  const lifted = await trx
    .deleteFrom('opt_outs')
    .where('phone_number', '=', message.from)
    .where((or) => or.or([or('line', 'is', null), or('line', '=', message.to)]))
    .$if(ownAccount, (query) => query.where('organization_id', '=', message.organizationId))
    .executeTakeFirst();
  if (lifted.numDeletedRows > 0n) await writeLedger(trx, message, contactId, { granted: true });
}

/** A STOP withdraws every purpose; a START gives back only those the contact had consented to before. */
async function writeLedger(
  trx: Trx,
  message: InboundMessage,
  contactId: string,
  { granted, scope }: { granted: boolean; scope?: Settings['optOutScope'] },
): Promise<void> {
  const contact = await trx
    .selectFrom('contacts')
    .select(['consent_transactional', 'consent_promotional'])
    .where('id', '=', contactId)
    .executeTakeFirstOrThrow();
  const had = { transactional: contact.consent_transactional, promotional: contact.consent_promotional };
  const entries = purposes
    .filter((purpose) => !granted || had[purpose])
    .map((purpose) => ({
      id: newId('ledgerEntry', message.at),
      organization_id: message.organizationId,
      contact_id: contactId,
      phone_number: message.from,
      purpose,
      granted,
      method: scope === 'number' ? 'reply_to_this_number_only' : 'reply',
      evidence: message.sid,
      actor: `contact:${contactId}`,
      source: message.to,
      at: message.at,
    }));
  if (entries.length > 0) await trx.insertInto('consent_ledger').values(entries).execute();
}
