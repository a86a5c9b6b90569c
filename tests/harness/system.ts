/**
 * The whole product for a test: own database, simulator, worker and API as child processes that can be crashed, mail on
 * real SMTP. With `timeSkipping`, one clock for all of it that `advance` moves.
 */
import { randomInt } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import type { Db } from '../../db/database.ts';
import { secretBox } from '../../db/secrets.ts';
import { permissions } from '../../api/shared/permissions.ts';
import { enableOrganization, type Line } from '../../launcher/enable-organization.ts';
import type { Component, Stack } from '../../launcher/stack.ts';
import { actingAs, type ApiClient, apiClient } from './api-client.ts';
import { type Control, controlClient, type SimulatedMail } from './control.ts';
import { isoDuration } from './duration.ts';
import { startTestStack } from './infrastructure.ts';
import { somePhone } from './phone-numbers.ts';

export interface SystemOptions {
  /** Time-skipping server of its own, with a clock that can be moved. */
  timeSkipping?: boolean;
  /** Servers of its own, so that they can be crashed too. */
  own?: readonly ('postgres' | 'temporal')[];
  environment?: NodeJS.ProcessEnv;
}

export interface EnabledOrganization {
  id: string;
  key: string;
  client: ApiClient;
  user: { id: string; name: string; email: string };
  line: Line;
}

/** What `POST /organizations` takes, and what comes after it; anything else is refused. */
interface OrganizationOverrides {
  name?: string;
  domain?: string;
  country?: string | null;
  region?: string | null;
  organizationNumber?: string | null;
  timeZone?: string;
  /** Sent to `PATCH /settings`, beside a window that is open all day. */
  settings?: Record<string, unknown>;
  /** What the carriers allow; by default so much that nothing waits for it. Null: nothing is known. */
  segmentsPerSecond?: number | null;
}

interface TestContact {
  id: string;
  mobile: string;
}

export interface System {
  /** Base address of the API. */
  url: string;
  simulatorUrl: string;
  operator: ApiClient;
  client(key: string, acting?: { user?: string; organization?: string }): ApiClient;
  /**
   * Registered (brand and campaign are verified, at the simulator too), enabled, its window open all day, one user with one
   * line. @throws for what `POST /organizations` and `PATCH /settings` refuse
   */
  enabledOrganization(overrides?: OrganizationOverrides): Promise<EnabledOrganization>;
  /** Distinct valid contacts, inserted without the API; they have consented unless `consent` is false. */
  contacts(
    organization: Pick<EnabledOrganization, 'id'>,
    count: number,
    options?: { consent?: boolean; list?: string },
  ): Promise<TestContact[]>;
  twilio: Control;
  mail: { messages(): Promise<SimulatedMail[]> };
  /** Epoch milliseconds of the product's clock. */
  now(): Promise<number>;
  /** Moves product, simulator and workflow time together, running what falls due: `'7 days'`, `'1 day 2 hours'`, `'P7D'`. */
  advance(duration: string): Promise<void>;
  temporal: Client;
  db: Db;
  database: Database;
  stack: Stack;
  crash(part: Component): Promise<void>;
  start(part: Component): Promise<void>;
  stop(): Promise<void>;
}

const wholeDay = (timeZone: string) => ({
  startTime: '00:00',
  endTime: '00:00',
  timeZone,
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
});
/** Fast enough to be no limit, so that the pacing itself is exercised in every test. */
const unhurried = 100_000;

/** Starts a system; tests share one per file and stop it at the end. */
export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const { timeSkipping = false, own = [], environment = {} } = options;
  const stack = await startTestStack({ timeSkipping, own, environment });
  const simulatorUrl = stack.simulator!;
  const control = controlClient(simulatorUrl);
  const database = openDatabase(stack.databaseUrl, { poolSize: 5 });
  const connection = await Connection.connect({ address: stack.temporal });
  const operator = apiClient(stack.api, stack.operatorKey);
  // Numbers are handed out once per system: opt-outs hold across organizations.
  let nextNumber = randomInt(0, 1_000) * 1_000;

  const now = async () => (timeSkipping ? (await control.clock()).epochMs : Date.now());

  const enabledOrganization = async (overrides: OrganizationOverrides = {}): Promise<EnabledOrganization> => {
    const { settings: given, segmentsPerSecond = unhurried, ...fields } = overrides;
    const unique = newId('organization', new Date()).slice(-12);
    const organization = {
      name: `Acme ${unique}`,
      domain: `acme-${unique}.example`,
      country: 'US',
      region: 'IL',
      organizationNumber: unique,
      timeZone: 'America/Chicago',
      ...fields,
    };
    const id = expectId(await operator.post('/v1/organizations', organization));
    const { key } = (await operator.post(`/v1/organizations/${id}/keys`, { kind: 'organization' })).body as {
      key: string;
    };
    const acting = apiClient(stack.api, key);
    const settings = await acting.patch('/v1/settings', { sendWindow: wholeDay(organization.timeZone), ...given });
    if (settings.status !== 200) throw new Error(`settings: ${JSON.stringify(settings.body)}`);
    const email = `sam@acme-${unique}.example`;
    const user = expectId(await acting.post('/v1/users', { name: 'Sam Sender', email, permissions: [...permissions] }));
    const line = await enableOrganization(
      {
        database,
        secrets: secretBox(stack.environment['SECRETS_KEYS']!),
        accountSid: stack.environment['TWILIO_ACCOUNT_SID']!,
        authToken: stack.environment['TWILIO_AUTH_TOKEN']!,
        twilioUrl: simulatorUrl,
        publicUrl: stack.environment['PUBLIC_URL']!,
      },
      {
        organizationId: id,
        name: organization.name,
        phoneNumber: somePhone(),
        userId: user,
        segmentsPerSecond,
      },
    );
    return { id, key, client: acting, user: { id: user, name: 'Sam Sender', email }, line };
  };

  return {
    url: stack.api,
    simulatorUrl,
    operator,
    client: (key, acting = {}) => apiClient(stack.api, key, actingAs(acting)),
    enabledOrganization,
    contacts: async ({ id }, count, { consent = true, list } = {}) => {
      const first = nextNumber;
      nextNumber += count;
      return insertContacts(database, { organizationId: id, first, count, consent, list, at: new Date(await now()) });
    },
    twilio: control,
    mail: { messages: async () => (await control.mail()).items },
    now,
    advance: async (duration) => {
      await control.advance(isoDuration(duration));
    },
    temporal: new Client({ connection, namespace: stack.namespace }),
    db: database.system,
    database,
    stack,
    crash: (part) => stack.crash(part),
    start: (part) => stack.start(part),
    stop: async () => {
      await connection.close();
      await database.close();
      await stack.stop();
    },
  };
}

function expectId({ status, body }: { status: number; body: unknown }): string {
  if (status !== 201) throw new Error(`expected 201, got ${status}: ${JSON.stringify(body)}`);
  return (body as { id: string }).id;
}

interface NewContacts {
  organizationId: string;
  first: number;
  count: number;
  consent: boolean;
  list: string | undefined;
  at: Date;
}

async function insertContacts(database: Database, given: NewContacts): Promise<TestContact[]> {
  const { organizationId, first, count, consent, list, at } = given;
  return database.inOrganization(organizationId, async (trx) => {
    // Area codes from 500 valid ones a million numbers each: distinct, possible, and none of Twilio's magic ones.
    const { rows } = await sql<TestContact>`
      insert into contacts (id, organization_id, first_name, last_name, mobile, phone_status, consent_transactional,
        consent_promotional, created_at, updated_at)
      select 'con_' || uuid_v7(${at}), ${organizationId}, 'First' || i, 'Last' || i,
        '+1' || (array['212', '312', '303', '415', '617', '206', '512', '404'])[1 + (i / 7000000) % 8]
          || (2000000 + i % 7000000)::text,
        'valid', ${consent}, ${consent}, ${at}, ${at}
      from generate_series(${first}::int, ${first + count - 1}::int) i
      returning id, mobile`.execute(trx);
    if (list !== undefined) {
      const listId = newId('list', at);
      await sql`
        insert into contact_lists (id, organization_id, name, created_at) values (${listId}, ${organizationId}, ${list}, ${at})
        on conflict (organization_id, name) do nothing`.execute(trx);
      await sql`
        insert into contact_list_members (organization_id, list_id, contact_id)
        select ${organizationId}, l.id, c from contact_lists l, unnest(${rows.map((row) => row.id)}::text[]) c
        where l.organization_id = ${organizationId} and l.name = ${list}`.execute(trx);
    }
    return rows;
  });
}
