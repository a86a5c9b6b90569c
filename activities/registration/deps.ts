/** What the activities of a registration are given, and how they find their way around one organization. */
import type { Twilio } from 'twilio';
import type { Clock } from '../../clock.ts';
import type { Database, Trx } from '../../db/database.ts';
import { findOrganization } from '../../db/organizations/organizations.ts';
import { resourceSids } from '../../db/registration/resources.ts';
import { declarationsOf, findRegistration } from '../../db/registration/registrations.ts';
import type { OrganizationRow, RegistrationRow } from '../../db/schema.ts';
import type { ResourceKind } from '../../db/schema/registration.ts';
import type { SecretBox } from '../../db/secrets.ts';
import { type Intake, withRegistrationDefaults } from '../../domain/registration/intake.ts';
import { withDefaults } from '../../domain/settings.ts';
import type { Credentials, TwilioGateway } from '../../twilio/gateway.ts';

export interface RegistrationDeps {
  database: Database;
  clock: Clock;
  secrets: SecretBox;
  twilio: TwilioGateway;
  /** The operator's own account. */
  operator: Credentials;
  /** Where Twilio reaches the API. */
  publicUrl: string;
  /** Who hears of failures. */
  operatorEmail: string;
  /** What is charged, in US dollars. */
  fees: { brand: number; campaignReview: number; identityCheck: number };
  /** Begins to send an organization's emails that are due: what stays is sent later. */
  sendEmails: (organizationId: string) => void;
}

/** Whom an activity is for: all that a workflow's history says of it. */
export interface OrganizationRef {
  organizationId: string;
}

/** Everything that is known of a registration, as one reading. */
export interface Registration {
  row: RegistrationRow;
  organization: OrganizationRow;
  /** The questionnaire; preflight has seen that it is complete. */
  intake: Intake;
  sids: Partial<Record<ResourceKind, string>>;
}

/** Reads a registration. @throws when there is none, which retrying cannot mend */
export async function readRegistration(trx: Trx, organizationId: string, { lock = false } = {}): Promise<Registration> {
  const row = await findRegistration(trx, organizationId, { lock });
  const organization = await findOrganization(trx, organizationId);
  if (!row || !organization) throw new Error(`Organization ${organizationId} has no registration.`);
  const intake = withRegistrationDefaults(row.intake, withDefaults(organization.settings)) as Intake;
  return { row, organization, intake, sids: await resourceSids(trx, organizationId) };
}

/** As `readRegistration`, in a transaction of its own. */
export const openRegistration = ({ database }: RegistrationDeps, organizationId: string): Promise<Registration> =>
  database.inOrganization(organizationId, (trx) => readRegistration(trx, organizationId));

/** Whether the whole registration was submitted again after `since`, when a part of it failed. */
export const isSubmittedSince = ({ submitted_at: submittedAt }: RegistrationRow, since: Date | null): boolean =>
  submittedAt !== null && since !== null && submittedAt > since;

/** Who submits: whoever gave the command, or else who declared the questionnaire to be accurate. */
export const whoSubmits = async (trx: Trx, organizationId: string, actor: string | undefined): Promise<string> =>
  actor ?? (await declarationsOf(trx, organizationId)).at(-1)?.actor ?? 'longwave';

/** The SDK with the credentials of the organization's own subaccount: TrustHub and Messaging take no others. */
export function subaccountOf({ twilio, secrets }: RegistrationDeps, { organization }: Registration): Twilio {
  const { account_sid: accountSid, auth_token: authToken } = organization;
  if (accountSid === null || authToken === null) throw new Error(`${organization.id} has no subaccount yet.`);
  return twilio.client({ accountSid, authToken: secrets.decrypt(authToken) });
}

/** A SID that an earlier step has recorded. */
export function sidOf({ sids, organization }: Registration, kind: ResourceKind): string {
  const sid = sids[kind];
  if (sid === undefined) throw new Error(`${organization.id} has no ${kind.replaceAll('_', ' ')} yet.`);
  return sid;
}

/** A name at Twilio by which what is ours is found again, and ops know what it is. */
export const nameAtTwilio = ({ row }: Registration, what: string): string => `Longwave ${row.id} ${what}`.slice(0, 64);
