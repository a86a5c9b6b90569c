/** Contacts and the lists they are on. */
import { type RawBuilder, sql } from 'kysely';
import { purposes } from '../../domain/purpose.ts';
import type { Changes } from '../changes.ts';
import { recordConsent } from '../consent/consent.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { ContactRow } from '../schema.ts';
import { matchesContact } from '../search.ts';

export interface ContactFields {
  firstName: string | null;
  lastName: string | null;
  mobile: { number: string; status: 'valid' | 'invalid' } | null;
  homePhone: string | null;
  email: string | null;
  postalCode: string | null;
  timeZone: string | null;
  ownerId: string | null;
  /** Merged into what is there; null removes one. */
  attributes: Record<string, string | null>;
}

/** A contact as it is read: with its lists, and whether its number is opted out of anything it could be sent. */
export interface Contact extends ContactRow {
  lists: string[];
  opted_out: boolean;
  /** Place on the list asked for, or null. */
  position: number | null;
}

const columns = (fields: Changes<ContactFields>) => ({
  ...(fields.firstName !== undefined && { first_name: fields.firstName }),
  ...(fields.lastName !== undefined && { last_name: fields.lastName }),
  ...(fields.mobile !== undefined && {
    mobile: fields.mobile?.number ?? null,
    phone_status: fields.mobile?.status ?? ('missing' as const),
  }),
  ...(fields.homePhone !== undefined && { home_phone: fields.homePhone }),
  ...(fields.email !== undefined && { email: fields.email }),
  ...(fields.postalCode !== undefined && { postal_code: fields.postalCode }),
  ...(fields.timeZone !== undefined && { time_zone: fields.timeZone }),
  ...(fields.ownerId !== undefined && { owner_id: fields.ownerId }),
});

export async function insertContact(
  trx: Trx,
  organizationId: string,
  fields: Changes<ContactFields>,
  at: Date,
): Promise<string> {
  const id = newId('contact', at);
  const attributes = Object.entries(fields.attributes ?? {}).filter(([, value]) => value !== null);
  await trx
    .insertInto('contacts')
    .values({
      id,
      organization_id: organizationId,
      phone_status: 'missing',
      ...columns(fields),
      attributes: JSON.stringify(Object.fromEntries(attributes)),
      created_at: at,
      updated_at: at,
    })
    .execute();
  return id;
}

/**
 * Consent is for a number: with another one both flags fall, each with an entry in the ledger. A number that stays keeps
 * its status, too: what bounced does not come back to life by being written again.
 *
 * @param by who changes it, as the ledger and the audit log name them
 * @returns whether there is such a contact
 */
export async function updateContact(
  trx: Trx,
  organizationId: string,
  id: string,
  changes: Changes<ContactFields>,
  { by, at }: { by: string; at: Date },
): Promise<boolean> {
  const known = await trx
    .selectFrom('contacts')
    .select(['mobile', 'consent_transactional', 'consent_promotional'])
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!known) return false;
  const { attributes, mobile, ...others } = changes;
  const number = mobile === undefined ? known.mobile : (mobile?.number ?? null);
  const isRenumbered = number !== known.mobile;
  if (isRenumbered) {
    const given = { transactional: known.consent_transactional, promotional: known.consent_promotional };
    const evidence = `The number was changed from ${known.mobile ?? 'none'} to ${number ?? 'none'}.`;
    const fact = { granted: false, method: 'number_changed', evidence, actor: by, source: null };
    // Before the change: the ledger has the number that the consent was for.
    for (const purpose of purposes.filter((one) => given[one])) {
      await recordConsent(trx, organizationId, id, { ...fact, purpose }, at);
    }
  }
  await trx
    .updateTable('contacts')
    .set({
      ...columns(isRenumbered ? { ...others, mobile } : others),
      ...(attributes && {
        attributes: sql<string>`jsonb_strip_nulls(attributes || ${JSON.stringify(attributes)}::jsonb)`,
      }),
      updated_at: at,
    })
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .execute();
  return true;
}

/**
 * Deletes a contact and its places on lists. The consent ledger and the history of messages stay.
 *
 * @returns whether there was such a contact
 */
export async function deleteContact(trx: Trx, organizationId: string, id: string): Promise<boolean> {
  const row = await trx
    .deleteFrom('contacts')
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst();
  return Boolean(row);
}

/** Ids of the lists with these names; those that are missing are made. */
export async function ensureLists(
  trx: Trx,
  organizationId: string,
  names: readonly string[],
  at: Date,
): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  // Sorted, so that two transactions at once wait for each other in the same order.
  const sorted = [...new Set(names)].toSorted();
  await trx
    .insertInto('contact_lists')
    .values(sorted.map((name) => ({ id: newId('list', at), organization_id: organizationId, name, created_at: at })))
    .onConflict((conflict) => conflict.constraint('contact_lists_name').doNothing())
    .execute();
  const rows = await trx
    .selectFrom('contact_lists')
    .select(['id', 'name'])
    .where('organization_id', '=', organizationId)
    .where('name', 'in', sorted)
    .execute();
  return new Map(rows.map(({ id, name }) => [name, id]));
}

/** Puts a contact on exactly these lists; on those it was on already it keeps its place. */
export async function setLists(
  trx: Trx,
  organizationId: string,
  contactId: string,
  names: readonly string[],
  at: Date,
): Promise<void> {
  const lists = await ensureLists(trx, organizationId, names, at);
  const ids = names.map((name) => lists.get(name)!);
  await trx
    .deleteFrom('contact_list_members')
    .where('organization_id', '=', organizationId)
    .where('contact_id', '=', contactId)
    .$if(ids.length > 0, (query) => query.where('list_id', 'not in', ids))
    .execute();
  if (ids.length === 0) return;
  await trx
    .insertInto('contact_list_members')
    .values(ids.map((list_id) => ({ organization_id: organizationId, list_id, contact_id: contactId })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

const selection = (position: RawBuilder<unknown>) => sql`
  c.*, ${position} as position,
  array(
    select l.name from contact_list_members m join contact_lists l on l.id = m.list_id
    where m.contact_id = c.id order by l.name
  ) as lists,
  exists (
    select from opt_outs o
    where o.phone_number = c.mobile and (o.organization_id is null or o.organization_id = c.organization_id)
  ) as opted_out`;

export async function findContact(trx: Trx, organizationId: string, id: string): Promise<Contact | undefined> {
  const { rows } = await sql<Contact>`
    select ${selection(sql`null::bigint`)} from contacts c
    where c.organization_id = ${organizationId} and c.id = ${id}`.execute(trx);
  return rows[0];
}

export interface ContactPage {
  q?: string | undefined;
  limit: number;
  /** The last id seen. */
  after?: string | undefined;
}

/** In order of creation. @param q see `matchesContact` */
export async function listContacts(
  trx: Trx,
  organizationId: string,
  { q, limit, after }: ContactPage,
): Promise<Contact[]> {
  const { rows } = await sql<Contact>`
    select ${selection(sql`null::bigint`)} from contacts c
    where c.organization_id = ${organizationId} and c.id > ${after ?? ''} and ${matchesContact(q ?? '')}
    order by c.id limit ${limit}`.execute(trx);
  return rows;
}

/** In rank order of the list. @param after the last position seen */
export async function listContactsOnList(
  trx: Trx,
  organizationId: string,
  list: string,
  { q, limit, after = 0 }: Omit<ContactPage, 'after'> & { after?: number | undefined },
): Promise<Contact[]> {
  const { rows } = await sql<Contact>`
    select ${selection(sql`onlist.position`)}
    from contact_lists wanted
    join contact_list_members onlist on onlist.list_id = wanted.id
    join contacts c on c.id = onlist.contact_id
    where wanted.organization_id = ${organizationId} and wanted.name = ${list}
      and onlist.position > ${after}::bigint and ${matchesContact(q ?? '')}
    order by onlist.position limit ${limit}`.execute(trx);
  return rows;
}
