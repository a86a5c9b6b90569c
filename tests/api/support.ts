/** The API on a database of its own and real HTTP, without worker or simulator: what the tests of the API start. */
import { randomBytes } from 'node:crypto';
import { buildApp } from '../../api/app.ts';
import { hashKey } from '../../api/shared/auth.ts';
import type { App, Deps } from '../../api/deps.ts';
import type { Permission } from '../../api/shared/permissions.ts';
import { upsertEnvironmentKey } from '../../db/organizations/api-keys.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { secretBox } from '../../db/secrets.ts';
import { type ApiClient, apiClient } from '../harness/api-client.ts';
import { cloneDatabase } from '../harness/infrastructure.ts';
import { type TestClock, testClock } from '../harness/test-clock.ts';

export type Client = ApiClient;

export interface Organization {
  id: string;
  key: string;
  client: Client;
}

export interface Api {
  url: string;
  app: App;
  database: Database;
  databaseUrl: string;
  clock: TestClock;
  /** With the operator's key. */
  operator: Client;
  client(key: string | null, headers?: Record<string, string>): Client;
  /** A new organization with an organization key. */
  organization(fields?: Record<string, unknown>): Promise<Organization>;
  /** A new key of an organization; with a user, that user's. */
  key(organizationId: string, options?: { userId?: string; permissions?: Permission[] }): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts the API in this process.
 *
 * @param overrides what the test replaces of its dependencies
 * @param port where it listens; any free one by default
 * @param wrap changes how the API reaches its database
 */
export async function startApi(
  overrides: Partial<Deps> = {},
  port = 0,
  wrap: (database: Database) => Database = (database) => database,
): Promise<Api> {
  const own = await cloneDatabase();
  const database = openDatabase(own.url);
  const clock = testClock();
  const operatorKey = `lw_operator_${randomBytes(24).toString('base64url')}`;
  await upsertEnvironmentKey(database.system, hashKey(operatorKey), clock.now());
  const app = await buildApp({
    database: wrap(database),
    clock,
    temporal: { client: null as never, ping: async () => {} },
    twilio: null as never,
    checkSite: async () => ({ reachable: false, detail: 'no test opens pages' }),
    secrets: secretBox(`test:${randomBytes(32).toString('base64')}`),
    publicUrl: 'https://longwave.test',
    webhooksToLoopback: false,
    prices: { segment: 0.0083, carrierLow: 0.0035, carrierHigh: 0.0045 },
    log: { level: 'silent' },
    ...overrides,
  });
  const url = await app.listen({ host: '127.0.0.1', port });
  const operator = apiClient(url, operatorKey);
  const key: Api['key'] = async (organizationId, { userId, permissions } = {}) => {
    const kind = userId ? 'user' : 'organization';
    const made = await operator.post(`/v1/organizations/${organizationId}/keys`, { kind, userId, permissions });
    if (made.status !== 201) throw new Error(`no key: ${JSON.stringify(made.body)}`);
    return made.body.key;
  };
  return {
    url,
    app,
    database,
    databaseUrl: own.url,
    clock,
    operator,
    client: (key, headers) => apiClient(url, key, headers),
    key,
    organization: async (fields = {}) => {
      const made = await operator.post('/v1/organizations', { name: 'Acme', domain: 'acme.example', ...fields });
      if (made.status !== 201) throw new Error(`no organization: ${JSON.stringify(made.body)}`);
      const organizationKey = await key(made.body.id);
      return { id: made.body.id, key: organizationKey, client: apiClient(url, organizationKey) };
    },
    stop: async () => {
      await app.close();
      await database.close();
      await own.release();
    },
  };
}
