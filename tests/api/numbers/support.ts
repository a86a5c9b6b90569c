/** What the tests of numbers begin with: lines without a purchase, and the API beside a simulator in this process. */
import { randomBytes } from 'node:crypto';
import twilio, { type Twilio } from 'twilio';
import type { Permission } from '../../../api/shared/permissions.ts';
import { newId } from '../../../db/ids.ts';
import type { NumberRow } from '../../../db/schema.ts';
import { secretBox } from '../../../db/secrets.ts';
import { startSimulator } from '../../../simulator/start.ts';
import { createTwilioGateway } from '../../../twilio/gateway.ts';
import { TwilioHttpClient } from '../../../twilio/http-client.ts';
import { type Control, controlClient } from '../../harness/control.ts';
import { freePort } from '../../harness/infrastructure.ts';
import { somePhone } from '../../harness/phone-numbers.ts';
import { type Api, type Client, type Organization, startApi } from '../support.ts';

/** A user, by name. @returns the id */
export async function addUser({ client }: Organization, name: string, fields: object = {}): Promise<string> {
  const email = `${name.toLowerCase()}@acme.example`;
  const { status, body } = await client.post('/v1/users', { name, email, ...fields });
  if (status !== 201) throw new Error(`no user: ${JSON.stringify(body)}`);
  return body.id;
}

/** A client of a user's own key. */
export const userClient = async (
  api: Api,
  { id }: Organization,
  userId: string,
  permissions?: Permission[],
): Promise<Client> => api.client(await api.key(id, { userId, ...(permissions && { permissions }) }));

type LineFields = Partial<NumberRow> & { userIds?: readonly string[] };

/** A line, written behind the product's back. */
export async function addLine(
  { database }: Api,
  organization: Pick<Organization, 'id'>,
  { userIds = [], ...fields }: LineFields = {},
): Promise<{ id: string; phoneNumber: string }> {
  const at = new Date();
  const tenant = { organization_id: organization.id };
  const line = { id: newId('number', at), phone_number: somePhone(), twilio_sid: 'PN1', purchased_at: at, ...fields };
  await database.system
    .insertInto('phone_numbers')
    .values({ ...tenant, ...line })
    .execute();
  for (const userId of userIds) {
    await database.system
      .insertInto('phone_number_users')
      .values({ ...tenant, number_id: line.id, user_id: userId })
      .execute();
  }
  return { id: line.id, phoneNumber: line.phone_number };
}

export interface ApiWithTwilio {
  api: Api;
  control: Control;
  /** Gives an organization an account. @returns the SDK with its credentials */
  account(organization: Pick<Organization, 'id'>): Promise<Twilio>;
  stop(): Promise<void>;
}

/** The API and a simulator that reach each other. */
export async function startWithSimulator(): Promise<ApiWithTwilio> {
  const main = { accountSid: `AC${'a'.repeat(32)}`, authToken: 'f'.repeat(32) };
  const simulator = await startSimulator({ ...main, port: 0, log: () => {} });
  const gateway = createTwilioGateway({ baseUrl: simulator.url, connections: 10 });
  const httpClient = new TwilioHttpClient({ baseUrl: simulator.url, connections: 2 });
  const secrets = secretBox(`test:${randomBytes(32).toString('base64')}`);
  const port = await freePort();
  const api = await startApi({ twilio: gateway, secrets, publicUrl: `http://127.0.0.1:${port}` }, port);
  return {
    api,
    control: controlClient(simulator.url),
    account: async ({ id }) => {
      const parent = twilio(main.accountSid, main.authToken, { httpClient });
      const { sid, authToken } = await parent.api.v2010.accounts.create({ friendlyName: id.slice(-12) });
      await api.database.system
        .updateTable('organizations')
        .set({ account_sid: sid, auth_token: secrets.encrypt(authToken) })
        .where('id', '=', id)
        .execute();
      return twilio(sid, authToken, { httpClient });
    },
    stop: async () => {
      await api.stop();
      await gateway.close();
      await httpClient.close();
      await simulator.close();
    },
  };
}

/** An organization with people and a pool, and how tests change its lines. */
export async function staffed(api: Api) {
  const acme = await api.organization();
  const { client } = acme;
  const [ada, bob] = [await addUser(acme, 'Ada'), await addUser(acme, 'Bob')];
  const gone = await addUser(acme, 'Gone', { active: false });
  const pool: string = (await client.post('/v1/pools', { name: 'Promo', purpose: 'promotional' })).body.id;
  return {
    acme,
    ada,
    bob,
    /** Not active any more. */
    gone,
    pool,
    change: (id: string, body: object, as = client) => as.patch(`/v1/numbers/${id}`, body),
    read: async (id: string) => (await client.get(`/v1/numbers/${id}`)).body,
    /** Acts on a line and their details, the newest first. */
    acts: async (id: string) =>
      (await client.get('/v1/audit-log')).body.items
        .filter(({ subject }: { subject: string }) => subject === id)
        .map(({ action, detail }: { action: string; detail: object }) => [action, detail]),
  };
}
