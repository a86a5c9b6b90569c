/** Organizations with a line, and contacts who write to it: webhooks as Twilio signs them, on real HTTP. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import twilio from 'twilio';
import { newId } from '../../../db/ids.ts';
import type { SettingsOverrides } from '../../../domain/settings.ts';
import { apiClient } from '../../harness/api-client.ts';
import { type Api, type Client, type Organization, startApi } from '../support.ts';

interface User {
  id: string;
  name: string;
  email: string;
  key: string;
  client: Client;
}

export interface Tenant extends Organization {
  line: string;
  numberId: string;
  account: string;
  /** Who texts from the line. */
  users: User[];
  /** A message of somebody to the line. */
  receive(from: string, body: string, more?: Record<string, string>): Promise<{ status: number; body: string }>;
}

const authToken = 'a'.repeat(32);
const publicUrl = 'https://longwave.test';
const away = async () => {
  throw Object.assign(new Error('away'), { code: 14 });
};

/** The API, with Temporal away: what it would be told is left to the sweep. */
export const startWithoutTemporal = (): Promise<Api> =>
  startApi({
    temporal: {
      client: {
        workflow: { signalWithStart: away, start: away },
        connection: { withDeadline: (_at: number, work: () => unknown) => work() },
      } as never,
      ping: away,
    },
  });

/** Posts a form as Twilio does. */
export async function postSigned(url: string, path: string, form: Record<string, string>) {
  const signature = twilio.getExpectedTwilioSignature(authToken, publicUrl + path, form);
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    body: new URLSearchParams(form).toString(),
  });
  return { status: response.status, body: await response.text() };
}

let numbers = randomInt(2_000_000, 3_000_000);
/** A number nobody has yet. */
export const newNumber = (): string => {
  numbers += 1;
  return `+1415${numbers}`;
};

/** An organization with a line that so many users text from. */
export async function tenantWith(
  api: Api,
  {
    users: count = 1,
    settings = {},
    name = 'Acme',
  }: { users?: number; settings?: SettingsOverrides; name?: string } = {},
): Promise<Tenant> {
  const organization = await api.organization({ name });
  const account = `AC${randomBytes(16).toString('hex')}`;
  const db = api.database.system;
  await db
    .updateTable('organizations')
    .set({
      account_sid: account,
      auth_token: api.app.deps.secrets.encrypt(authToken),
      messaging_service_sid: 'MG1',
      module_on: true,
      settings: JSON.stringify(settings),
    })
    .where('id', '=', organization.id)
    .execute();
  const line = newNumber().replace('+1415', '+1312');
  const at = api.clock.now();
  const numberId = newId('number', at);
  const ours = { organization_id: organization.id };
  await db
    .insertInto('phone_numbers')
    .values({
      id: numberId,
      ...ours,
      phone_number: line,
      twilio_sid: `PN${randomUUID()}`,
      registered: true,
      purchased_at: at,
    })
    .execute();
  const users: User[] = [];
  for (let index = 0; index < count; index += 1) {
    const given = { name: `User ${index}`, email: `user${index}-${randomUUID()}@acme.example` };
    const made = await api.operator.post(
      '/v1/users',
      { ...given, permissions: ['messages:send'] },
      { 'longwave-organization': organization.id },
    );
    if (made.status !== 201) throw new Error(`no user: ${JSON.stringify(made.body)}`);
    const { id } = made.body;
    await db
      .insertInto('phone_number_users')
      .values({ ...ours, number_id: numberId, user_id: id })
      .execute();
    const key = await api.key(organization.id, { userId: id });
    users.push({ id, ...given, key, client: apiClient(api.url, key) });
  }
  const receive: Tenant['receive'] = (from, body, more = {}) =>
    postSigned(api.url, '/twilio/inbound', {
      AccountSid: account,
      MessageSid: `SM${randomBytes(16).toString('hex')}`,
      From: from,
      To: line,
      Body: body,
      ...more,
    });
  return { ...organization, line, numberId, account, users, receive };
}

/** How many rows there are. @param where with the values in it: for tests only */
export async function countOf(api: Api, table: string, where: string): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`select count(*) as count from ${sql.raw(table)} where ${sql.raw(where)}`.execute(api.database.system);
  return rows[0]!.count;
}

/** The thread with a number. */
export async function threadWith(client: Client, contactNumber: string) {
  const { body } = await client.get('/v1/conversations?limit=200');
  return body.items.find((one: { contactNumber: string }) => one.contactNumber === contactNumber);
}
