/** The organizations that send in a measurement, and whom they send to. */
import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import { permissions } from '../api/shared/permissions.ts';
import { newId } from '../db/ids.ts';
import { secretBox } from '../db/secrets.ts';
import { enableOrganization } from '../launcher/enable-organization.ts';
import { type ApiClient, apiClient } from '../tests/harness/api-client.ts';
import type { BenchStack } from './stack.ts';

export interface BenchOrganization {
  id: string;
  client: ApiClient;
  /** Its account at the simulator: the competitors send from the same one. */
  twilio: { accountSid: string; authToken: string; messagingServiceSid: string; from: string };
}

interface OrganizationOptions {
  /** Segments per second the carriers are said to allow. */
  rate: number;
  /** Recipients of the largest batch. */
  largest: number;
}

const expect = (answer: { status: number; body: unknown }, status: number): Record<string, unknown> => {
  if (answer.status !== status) throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as Record<string, unknown>;
};

/** Registered and enabled, its window open all day and its batches as large as asked. */
export async function benchOrganization(
  { stack, database, simulatorUrl }: BenchStack,
  { rate, largest }: OrganizationOptions,
): Promise<BenchOrganization> {
  const name = `Bench ${randomInt(1e9)}`;
  const operator = apiClient(stack.api, stack.operatorKey);
  const created = await operator.post('/v1/organizations', {
    name,
    domain: `${name.toLowerCase().replace(' ', '-')}.example`,
    country: 'US',
    region: 'IL',
    organizationNumber: name,
    timeZone: 'America/Chicago',
  });
  const id = String(expect(created, 201)['id']);
  const { key } = expect(await operator.post(`/v1/organizations/${id}/keys`, { kind: 'organization' }), 201);
  const client = apiClient(stack.api, String(key));
  const settings = await client.patch('/v1/settings', {
    sendWindow: {
      startTime: '00:00',
      endTime: '00:00',
      timeZone: 'America/Chicago',
      days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    },
    massSmsLimit: largest,
    firstBatchSize: largest,
  });
  expect(settings, 200);
  const user = await client.post('/v1/users', {
    name: 'Sam Sender',
    email: 'sam@bench.example',
    permissions: [...permissions],
  });
  const secrets = secretBox(stack.environment['SECRETS_KEYS']!);
  const from = `+1312${randomInt(2_000_000, 9_999_999)}`;
  await enableOrganization(
    {
      database,
      secrets,
      accountSid: stack.environment['TWILIO_ACCOUNT_SID']!,
      authToken: stack.environment['TWILIO_AUTH_TOKEN']!,
      twilioUrl: simulatorUrl,
      publicUrl: stack.environment['PUBLIC_URL']!,
    },
    {
      organizationId: id,
      name,
      phoneNumber: from,
      userId: String(expect(user, 201)['id']),
      segmentsPerSecond: rate,
    },
  );
  const row = await database.system
    .selectFrom('organizations')
    .select(['account_sid', 'auth_token', 'messaging_service_sid'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return {
    id,
    client,
    twilio: {
      accountSid: row.account_sid!,
      authToken: secrets.decrypt(row.auth_token!),
      messagingServiceSid: row.messaging_service_sid!,
      from,
    },
  };
}

/** Makes `count` contacts with consent and a list of them. @returns the name of the list */
export async function addContacts(
  { database, admin }: BenchStack,
  { id }: BenchOrganization,
  count: number,
): Promise<string> {
  const list = `Everyone ${count}`;
  const now = new Date();
  await database.inOrganization(id, async (trx) => {
    const listId = newId('list', now);
    await sql`
      insert into contact_lists (id, organization_id, name, created_at)
      values (${listId}, ${id}, ${list}, ${now})`.execute(trx);
    // The numbers of `recipient` in competitors/sender.ts.
    await sql`
      with made as (
        insert into contacts (id, organization_id, first_name, last_name, mobile, phone_status, consent_transactional,
          consent_promotional, created_at, updated_at)
        select 'con_' || uuid_v7(${now}), ${id}, 'First' || i, 'Last' || i, '+1303' || (2000000 + i), 'valid', true, true,
          ${now}, ${now}
        from generate_series(0, ${count}::int - 1) i
        returning id)
      insert into contact_list_members (organization_id, list_id, contact_id) select ${id}, ${listId}, id from made
    `.execute(trx);
  });
  // What autovacuum does within a minute, so that no measurement depends on when it comes by.
  await admin.query('analyze contacts, contact_lists, contact_list_members');
  return list;
}
