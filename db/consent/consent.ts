/** Consent: the flag on the contact that sending checks, and the ledger that proves it. */
import type { Selectable } from 'kysely';
import type { Purpose } from '../../domain/purpose.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Schema } from '../schema.ts';

export type LedgerRow = Selectable<Schema['consent_ledger']>;

export interface ConsentFact {
  purpose: Purpose;
  granted: boolean;
  /** How it was obtained: `web_form`, `import`, `keyword` … */
  method: string;
  evidence: string | null;
  actor: string;
  /** The number or page it came from. */
  source: string | null;
}

/**
 * Writes a fact to the ledger and sets the contact's flag to it.
 *
 * @returns undefined when there is no such contact
 */
export async function recordConsent(
  trx: Trx,
  organizationId: string,
  contactId: string,
  fact: ConsentFact,
  at: Date,
): Promise<LedgerRow | undefined> {
  const flag = fact.purpose === 'promotional' ? 'consent_promotional' : 'consent_transactional';
  const contact = await trx
    .updateTable('contacts')
    .set({ [flag]: fact.granted, updated_at: at })
    .where('organization_id', '=', organizationId)
    .where('id', '=', contactId)
    .returning('mobile')
    .executeTakeFirst();
  if (!contact) return undefined;
  return trx
    .insertInto('consent_ledger')
    .values({
      id: newId('ledgerEntry', at),
      organization_id: organizationId,
      contact_id: contactId,
      phone_number: contact.mobile,
      ...fact,
      at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** In order of writing; of one contact, or of the whole organization. */
export async function listLedger(
  trx: Trx,
  organizationId: string,
  { contactId, limit, after }: { contactId?: string; limit: number; after?: string | undefined },
): Promise<LedgerRow[]> {
  return trx
    .selectFrom('consent_ledger')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .$if(contactId !== undefined, (query) => query.where('contact_id', '=', contactId!))
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}
