/** What the activities of phone numbers are given, and how they reach an organization's account. */
import type { Twilio } from 'twilio';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../db/database.ts';
import { findOrganization } from '../../db/organizations/organizations.ts';
import type { OrganizationRow } from '../../db/schema.ts';
import type { SecretBox } from '../../db/secrets.ts';
import type { TwilioGateway } from '../../twilio/gateway.ts';

export interface NumberDeps {
  database: Database;
  clock: Clock;
  secrets: SecretBox;
  twilio: TwilioGateway;
  /** Where Twilio reaches the API. */
  publicUrl: string;
}

export interface Account {
  /** The SDK with the credentials of the organization's own account. */
  client: Twilio;
  organization: OrganizationRow;
}

/** @throws when the organization has no account, which nobody may have asked for anything then */
export async function accountOf({ database, twilio, secrets }: NumberDeps, organizationId: string): Promise<Account> {
  const organization = await database.inOrganization(organizationId, (trx) => findOrganization(trx, organizationId));
  if (!organization?.account_sid || !organization.auth_token) throw new Error(`${organizationId} has no account.`);
  const { account_sid: accountSid, auth_token: authToken } = organization;
  return { client: twilio.client({ accountSid, authToken: secrets.decrypt(authToken) }), organization };
}
