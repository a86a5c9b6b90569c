/** One chunk of a contact import: a few statements however many rows. */
import { sql } from 'kysely';
import type { Purpose } from '../../domain/purpose.ts';
import { ensureLists } from './contacts.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { tellOfMessages } from '../messages/messages.ts';
import { isAnyToLeave, lockWaitingRequests, settleConsented } from '../consent/settling.ts';

/** A row that was found good. Null leaves a contact's value as it is. */
export interface ImportRow {
  firstName: string | null;
  lastName: string | null;
  /** E.164. */
  mobile: string | null;
  homePhone: string | null;
  email: string | null;
  postalCode: string | null;
  timeZone: string | null;
  attributes: Record<string, string>;
  lists: readonly string[];
  consent: { purposes: readonly Purpose[]; method: string; evidence: string; source: string | null } | null;
}

export interface ImportChunk {
  organizationId: string;
  rows: readonly ImportRow[];
  actor: string;
  at: Date;
}

interface Target extends Omit<ImportRow, 'lists' | 'consent'> {
  id: string;
  consentTransactional: boolean;
  consentPromotional: boolean;
}

const fieldNames = ['firstName', 'lastName', 'mobile', 'homePhone', 'email', 'postalCode', 'timeZone'] as const;

/**
 * Writes rows as if one after the other: each updates the contact with its mobile number (without one: with its email),
 * the oldest if there are several, or makes one. A row without a mobile number must not have the email of an earlier row
 * of the same chunk that has one: which contact it means is known only when that row is written.
 *
 * Imports of one organization at the same time take turns, chunk by chunk. Opt-outs are not touched. What waited for the
 * consent of a row is queued.
 *
 * @returns `isToWake`: something is to leave, and the outbox has to hear of it
 */
export async function importChunk(
  trx: Trx,
  chunk: ImportChunk,
): Promise<{ imported: number; updated: number; isToWake: boolean }> {
  const { organizationId, rows, at } = chunk;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`contact-import:${organizationId}`}, 0))`.execute(trx);
  const agreeing = rows.flatMap(({ mobile, consent }) =>
    mobile !== null && consent?.purposes.includes('transactional') ? mobile : [],
  );
  if (agreeing.length > 0) await lockWaitingRequests(trx, organizationId, agreeing);
  const known = await findMatches(trx, organizationId, rows);
  const targets = new Map<string, Target>();
  const idOf = new Map<ImportRow, string>();
  let imported = 0;
  for (const row of rows) {
    const match = matchKey(row);
    let id = match && known.get(match);
    if (!id) {
      id = newId('contact', at);
      if (match) known.set(match, id);
      imported += 1;
    }
    idOf.set(row, id);
    targets.set(id, merged(targets.get(id), row, id));
  }
  await upsert(trx, organizationId, [...targets.values()], at);
  await addToLists(trx, chunk, idOf);
  await writeLedger(trx, chunk, idOf);
  const changed = agreeing.length > 0 ? await settleConsented(trx, organizationId, agreeing, at) : [];
  await tellOfMessages(trx, organizationId, changed, at);
  return { imported, updated: rows.length - imported, isToWake: isAnyToLeave(changed) };
}

/** What a row is recognized by, or null when it is always a new contact. */
const matchKey = ({ mobile, email }: ImportRow): string | null =>
  mobile ?? (email ? `email ${email.toLowerCase()}` : null);

/** Ids of the contacts that rows match, by {@link matchKey}; locked, so that none is deleted meanwhile. */
async function findMatches(trx: Trx, organizationId: string, rows: readonly ImportRow[]): Promise<Map<string, string>> {
  const mobiles = [...new Set(rows.flatMap(({ mobile }) => mobile ?? []))];
  const emails = [
    ...new Set(rows.flatMap(({ mobile, email }) => (mobile === null && email ? email.toLowerCase() : []))),
  ];
  const found = new Map<string, string>();
  const remember = (matches: { key: string; id: string }[]) => {
    for (const { key, id } of matches) if (!found.has(key)) found.set(key, id);
  };
  if (mobiles.length) {
    const { rows: matches } = await sql<{ key: string; id: string }>`
      select mobile as key, id from contacts
      where organization_id = ${organizationId} and mobile = any(${mobiles}) order by id for update`.execute(trx);
    remember(matches);
  }
  if (emails.length) {
    const { rows: matches } = await sql<{ key: string; id: string }>`
      select 'email ' || lower(email) as key, id from contacts
      where organization_id = ${organizationId} and email is not null and lower(email) = any(${emails})
      order by id for update`.execute(trx);
    remember(matches);
  }
  return found;
}

/** A later row wins, field by field; an empty cell says nothing. */
function merged(earlier: Target | undefined, row: ImportRow, id: string): Target {
  const fields = Object.fromEntries(fieldNames.map((name) => [name, row[name] ?? earlier?.[name] ?? null]));
  return {
    ...(fields as Pick<ImportRow, (typeof fieldNames)[number]>),
    id,
    attributes: { ...earlier?.attributes, ...row.attributes },
    consentTransactional: earlier?.consentTransactional || row.consent?.purposes.includes('transactional') || false,
    consentPromotional: earlier?.consentPromotional || row.consent?.purposes.includes('promotional') || false,
  };
}

async function upsert(trx: Trx, organizationId: string, targets: readonly Target[], at: Date): Promise<void> {
  await sql`
    insert into contacts as c (id, organization_id, first_name, last_name, mobile, home_phone, email, postal_code,
      time_zone, attributes, phone_status, consent_transactional, consent_promotional, created_at, updated_at)
    select r.id, ${organizationId}, r."firstName", r."lastName", r.mobile, r."homePhone", r.email, r."postalCode",
      r."timeZone", r.attributes, case when r.mobile is null then 'missing' else 'valid' end,
      r."consentTransactional", r."consentPromotional", ${at}, ${at}
    from jsonb_to_recordset(${JSON.stringify(targets)}::jsonb) as r (id text, "firstName" text, "lastName" text,
      mobile text, "homePhone" text, email text, "postalCode" text, "timeZone" text, attributes jsonb,
      "consentTransactional" boolean, "consentPromotional" boolean)
    order by r.id
    on conflict (id) do update set
      first_name = coalesce(excluded.first_name, c.first_name),
      last_name = coalesce(excluded.last_name, c.last_name),
      mobile = coalesce(excluded.mobile, c.mobile),
      home_phone = coalesce(excluded.home_phone, c.home_phone),
      email = coalesce(excluded.email, c.email),
      postal_code = coalesce(excluded.postal_code, c.postal_code),
      time_zone = coalesce(excluded.time_zone, c.time_zone),
      attributes = c.attributes || excluded.attributes,
      -- A number that bounced stays invalid.
      phone_status = case when excluded.mobile is null or excluded.mobile = c.mobile
        then c.phone_status else excluded.phone_status end,
      consent_transactional = c.consent_transactional or excluded.consent_transactional,
      consent_promotional = c.consent_promotional or excluded.consent_promotional,
      updated_at = excluded.updated_at`.execute(trx);
}

/** New members follow those that are there, in the order of the rows. */
async function addToLists(
  trx: Trx,
  { organizationId, rows, at }: ImportChunk,
  idOf: ReadonlyMap<ImportRow, string>,
): Promise<void> {
  const lists = await ensureLists(
    trx,
    organizationId,
    rows.flatMap((row) => row.lists),
    at,
  );
  const members = rows.flatMap((row) => row.lists.map((name) => ({ list: lists.get(name), contact: idOf.get(row) })));
  if (members.length === 0) return;
  await sql`
    insert into contact_list_members (organization_id, list_id, contact_id)
    select ${organizationId}, m.list, m.contact
    from rows from (jsonb_to_recordset(${JSON.stringify(members)}::jsonb) as (list text, contact text))
      with ordinality as m (list, contact, place)
    order by m.place
    on conflict do nothing`.execute(trx);
}

async function writeLedger(
  trx: Trx,
  { organizationId, rows, actor, at }: ImportChunk,
  idOf: ReadonlyMap<ImportRow, string>,
): Promise<void> {
  const entries = rows.flatMap((row) =>
    (row.consent?.purposes ?? []).map((purpose) => ({
      id: newId('ledgerEntry', at),
      contact: idOf.get(row),
      mobile: row.mobile,
      purpose,
      method: row.consent!.method,
      evidence: row.consent!.evidence,
      source: row.consent!.source,
    })),
  );
  if (entries.length === 0) return;
  await sql`
    insert into consent_ledger (id, organization_id, contact_id, phone_number, purpose, granted, method, evidence, actor,
      source, at)
    select e.id, ${organizationId}, e.contact, e.mobile, e.purpose, true, e.method, e.evidence, ${actor}, e.source, ${at}
    from jsonb_to_recordset(${JSON.stringify(entries)}::jsonb)
      as e (id text, contact text, mobile text, purpose text, method text, evidence text, source text)`.execute(trx);
}
