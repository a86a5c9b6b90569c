/**
 * Gives an organization what registration will give it: a subaccount, a verified brand and campaign, a messaging service, a
 * number and the module enabled. For the demo organization and for tests, against the simulator only: no carrier is asked.
 */
import twilio from 'twilio';
import intake from '../docs/example-intake.json' with { type: 'json' };
import type { Database, Trx } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import type { RegistrationSubject, ResourceKind } from '../db/schema/registration.ts';
import type { SecretBox } from '../db/secrets.ts';
import type { Purpose } from '../domain/purpose.ts';
import { TwilioHttpClient } from '../twilio/http-client.ts';
import { messagingServiceSettings } from '../twilio/messaging-service.ts';
import { numberSettings } from '../twilio/number-settings.ts';
import { controlOf } from './support/caller.ts';

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
}

export interface EnablingOptions {
  organizationId: string;
  /** The name of the subaccount. */
  name: string;
  /** E.164, not in use: the simulator gives it, whatever it has on sale. */
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

interface Registered {
  customerProfileSid: string;
  trustProductSid: string;
  brandSid: string;
  campaignSid: string;
}

/** Enables the organization and gives the user its line. */
export async function enableOrganization(deps: EnablingDeps, options: EnablingOptions): Promise<Line> {
  const { database, secrets, publicUrl, twilioUrl } = deps;
  const { organizationId, phoneNumber, userId } = options;
  const friendlyName = options.name.slice(0, 64);
  const httpClient = new TwilioHttpClient({ baseUrl: twilioUrl, connections: 2 });
  const control = controlOf(twilioUrl);
  try {
    const subaccount = await twilio(deps.accountSid, deps.authToken, { httpClient }).api.v2010.accounts.create({
      friendlyName,
    });
    const account = twilio(subaccount.sid, subaccount.authToken, { httpClient });
    const service = await account.messaging.v1.services.create({
      friendlyName,
      ...messagingServiceSettings(publicUrl),
    });
    const placed = { accountSid: subaccount.sid, messagingServiceSid: service.sid };
    const { smsUrl, voiceUrl } = numberSettings(publicUrl);
    const number = await control<{ sid: string }>('POST', '/numbers', { ...placed, phoneNumber, smsUrl, voiceUrl });
    const registered = await control<Registered>('POST', '/registrations', { ...placed, name: options.name });

    // The product's clock, which a time-skipping stack has moved.
    const now = new Date((await control<{ epochMs: number }>('GET', '/clock')).epochMs);
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
      await insertRegistration(trx, {
        organizationId,
        name: options.name,
        sids: {
          account: subaccount.sid,
          customer_profile: registered.customerProfileSid,
          trust_product: registered.trustProductSid,
          brand: registered.brandSid,
          messaging_service: service.sid,
          campaign: registered.campaignSid,
        },
        at: now,
      });
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

interface NewRegistration {
  organizationId: string;
  /** The company's. */
  name: string;
  sids: Partial<Record<ResourceKind, string>>;
  at: Date;
}

/** The rows of a registration that is complete. Nobody is notified: nothing happened just now. */
async function insertRegistration(trx: Trx, { organizationId, name, sids, at }: NewRegistration): Promise<void> {
  const organization_id = organizationId;
  await trx
    .insertInto('registrations')
    .values({
      organization_id,
      id: newId('registration', at),
      state: 'completed',
      intake: JSON.stringify({ ...intake, legalName: name }),
      brand_status: 'verified',
      brand_since: at,
      campaign_status: 'verified',
      campaign_since: at,
      messaging_service_status: 'registered',
      messaging_service_since: at,
      submitted_at: at,
      workflow_started_at: at,
      created_at: at,
      updated_at: at,
    })
    .execute();
  const parts = ['brand', 'campaign'] as const;
  await trx
    .insertInto('registration_attempts')
    .values(
      parts.map((part) => ({
        organization_id,
        part,
        number: 1,
        actor: 'longwave',
        begun_at: at,
        asked_at: at,
        submitted_at: at,
        decided_at: at,
        outcome: 'verified' as const,
      })),
    )
    .execute();
  await trx
    .insertInto('registration_resources')
    .values(Object.entries(sids).map(([kind, sid]) => ({ organization_id, kind: kind as ResourceKind, sid })))
    .execute();
  const entries: [RegistrationSubject, string, string, string][] = [
    ['brand', 'verified', 'representative', 'The company and its representative are verified.'],
    ['campaign', 'verified', 'carriers', 'The carriers approved the campaign.'],
    ['messaging_service', 'registered', 'carriers', 'The messaging service is registered with the carriers.'],
    ['registration', 'completed', 'longwave', 'The registration is complete and the SMS module is enabled.'],
  ];
  await trx
    .insertInto('registration_timeline')
    .values(
      entries.map(([subject, event, actor, detail]) => ({
        organization_id,
        id: newId('timelineEntry', at),
        at,
        subject,
        event,
        actor,
        detail,
        awaiting: 'nobody' as const,
      })),
    )
    .execute();
}
