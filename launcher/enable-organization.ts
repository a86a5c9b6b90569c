/**
 * Gives an organization what registration will give it: a subaccount, a messaging service, a number and the module
 * enabled. For the demo organization and for tests, against the simulator only: no carrier is asked.
 */
import twilio from 'twilio';
import type { Database } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import type { SecretBox } from '../db/secrets.ts';
import type { Purpose } from '../domain/purpose.ts';
import { TwilioHttpClient } from '../twilio/http-client.ts';
import { messagingServiceSettings } from '../twilio/messaging-service.ts';

export interface EnablingDeps {
  database: Database;
  secrets: SecretBox;
  /** The operator's account. */
  accountSid: string;
  authToken: string;
  /** Where the simulator is. */
  twilioUrl: string;
  /** Where Twilio reaches the API. */
  publicUrl: string;
  now(): Date;
}

export interface EnablingOptions {
  organizationId: string;
  /** The name of the subaccount. */
  name: string;
  /** E.164, not in use: bought in the simulator. */
  phoneNumber: string;
  /** Who texts from it. */
  userId: string;
  poolName?: string;
  purpose?: Purpose;
  /** What the carriers are said to allow. */
  segmentsPerSecond: number | null;
}

export interface Line {
  id: string;
  phoneNumber: string;
  poolId: string;
}

/** Enables the organization and gives the user its line. */
export async function enableOrganization(deps: EnablingDeps, options: EnablingOptions): Promise<Line> {
  const { database, secrets, publicUrl } = deps;
  const { organizationId, name, phoneNumber, userId } = options;
  const httpClient = new TwilioHttpClient({ baseUrl: deps.twilioUrl, connections: 2 });
  try {
    const subaccount = await twilio(deps.accountSid, deps.authToken, { httpClient }).api.v2010.accounts.create({
      friendlyName: name.slice(0, 64),
    });
    const account = twilio(subaccount.sid, subaccount.authToken, { httpClient });
    const service = await account.messaging.v1.services.create({
      friendlyName: name.slice(0, 64),
      ...messagingServiceSettings(publicUrl),
    });
    const number = await account.incomingPhoneNumbers.create({ phoneNumber });
    await account.messaging.v1.services(service.sid).phoneNumbers.create({ phoneNumberSid: number.sid });

    const now = deps.now();
    const line = { id: newId('number', now), phoneNumber, poolId: newId('pool', now) };
    await database.inOrganization(organizationId, async (trx) => {
      await trx
        .updateTable('organizations')
        .set({
          module_on: true,
          account_sid: subaccount.sid,
          auth_token: secrets.encrypt(subaccount.authToken),
          messaging_service_sid: service.sid,
          segments_per_second: options.segmentsPerSecond,
          updated_at: now,
        })
        .where('id', '=', organizationId)
        .execute();
      await trx
        .insertInto('number_pools')
        .values({
          id: line.poolId,
          organization_id: organizationId,
          name: options.poolName ?? 'Main',
          purpose: options.purpose ?? 'promotional',
          created_at: now,
        })
        .execute();
      await trx
        .insertInto('phone_numbers')
        .values({
          id: line.id,
          organization_id: organizationId,
          phone_number: phoneNumber,
          twilio_sid: number.sid,
          pool_id: line.poolId,
          registered: true,
          purchased_at: now,
        })
        .execute();
      await trx
        .insertInto('phone_number_users')
        .values({ organization_id: organizationId, number_id: line.id, user_id: userId })
        .execute();
    });
    return line;
  } finally {
    await httpClient.close();
  }
}
