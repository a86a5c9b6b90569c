/** Which name an organization's subaccount has: taken before the subaccount is made, by no other organization. */
import { sql } from 'kysely';
import type { Db } from '../database.ts';

const maxLength = 64;

/** The name alone, then with the domain, then with the end of the id: the first that no other organization has. */
function candidates({ id, name, domain }: { id: string; name: string; domain: string }): string[] {
  const suffixed = (suffix: string) => `${name.slice(0, maxLength - suffix.length - 3).trimEnd()} (${suffix})`;
  return [name.slice(0, maxLength), suffixed(domain.slice(0, 40)), suffixed(`${domain.slice(0, 30)} ${id.slice(-8)}`)];
}

/**
 * Takes a name for good, or answers the one that was taken before. An organization whose name another one has gets its
 * domain added, so that the two are told apart at Twilio.
 *
 * @param system names are taken across organizations
 */
export async function takeSubaccountName(
  system: Db,
  organization: { id: string; name: string; domain: string },
): Promise<string> {
  const { id, name } = organization;
  const { subaccount_name: before } = await system
    .selectFrom('registrations')
    .select('subaccount_name')
    .where('organization_id', '=', id)
    .executeTakeFirstOrThrow();
  if (before !== null) return before;

  const namesake = await system
    .selectFrom('organizations')
    .select('id')
    .where(sql<string>`lower(name)`, '=', name.toLowerCase())
    .where('id', '!=', id)
    .limit(1)
    .executeTakeFirst();
  for (const candidate of candidates(organization).slice(namesake ? 1 : 0)) {
    try {
      await system
        .updateTable('registrations')
        .set({ subaccount_name: candidate })
        .where('organization_id', '=', id)
        .where('subaccount_name', 'is', null)
        .execute();
      return candidate;
    } catch (error) {
      if ((error as { constraint?: string }).constraint !== 'registrations_subaccount_name') throw error;
    }
  }
  throw new Error(`No free name for the subaccount of ${id}.`);
}
