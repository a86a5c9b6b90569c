/** A mass SMS at rest (paused, suspended, cancelled or in error): nothing is sent, but what is in doubt is still settled. */
import type { Clock } from '../../clock.ts';
import type { Database } from '../../db/database.ts';
import { cancelRest, type SendingOrganization, sendingOrganization, wholeRange } from '../../db/mass-sms/mass-sms.ts';
import { unsettledMessages } from '../../db/messages/outgoing.ts';
import type { MassSmsRow } from '../../db/schema.ts';
import type { SecretBox } from '../../db/secrets.ts';
import type { MassSmsState } from '../../domain/mass-sms/mass-sms.ts';
import type { TwilioAccount, TwilioGateway } from '../../twilio/gateway.ts';
import { idle, waiting } from './rules.ts';
import { settleDoubts } from '../dispatch/settle.ts';

export interface RestDeps {
  database: Database;
  clock: Clock;
  twilio: TwilioGateway;
  secrets: SecretBox;
}

/** @returns null for an organization without one */
export const accountOf = (
  { twilio, secrets }: Pick<RestDeps, 'twilio' | 'secrets'>,
  { accountSid, authToken }: SendingOrganization,
): TwilioAccount | null =>
  accountSid && authToken ? twilio.account({ accountSid, authToken: secrets.decrypt(authToken) }) : null;

/** @returns when to look again, as long as something is in doubt: also while the module is off, or no account is there to ask with */
export async function settleAtRest(deps: RestDeps, row: MassSmsRow, signal: AbortSignal): Promise<MassSmsState> {
  const { database, clock } = deps;
  const organizationId = row.organization_id;
  const organization = await database.inOrganization(organizationId, (trx) => sendingOrganization(trx, organizationId));
  const { lookAgainAt } = await settleDoubts(
    { database, clock, account: accountOf(deps, organization) },
    organizationId,
    (trx) => unsettledMessages(trx, wholeRange(row)),
    signal,
  );
  if (row.status === 'cancelled') {
    await database.inOrganization(organizationId, (trx) => cancelRest(trx, row, clock.now()));
  }
  return lookAgainAt ? waiting(row.status, lookAgainAt) : idle(row.status);
}
