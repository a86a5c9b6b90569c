/** Users by the hundred, inserted without the API. */
import { newId } from '../../db/ids.ts';
import type { System } from './system.ts';

/** @param mobiles one per user, E.164 or null. @returns their ids, in order */
export async function insertUsers(
  system: System,
  organizationId: string,
  mobiles: readonly (string | null)[],
  { active = true }: { active?: boolean } = {},
): Promise<string[]> {
  const at = new Date(await system.now());
  const users = mobiles.map((mobile, index) => ({
    id: newId('user', at),
    organization_id: organizationId,
    name: `User ${index}`,
    email: `${newId('user', at)}@acme.example`,
    mobile,
    active,
    created_at: at,
    updated_at: at,
  }));
  await system.database.inOrganization(organizationId, (trx) => trx.insertInto('users').values(users).execute());
  return users.map(({ id }) => id);
}
