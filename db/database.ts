/** How the product reaches Postgres: one organization at a time, under row-level security. */
import { Kysely, type LogConfig, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { type Listening, openListener } from './listening.ts';
import type { Schema } from './schema.ts';

// Counts fit a number; timestamps stay Date. Everything else keeps pg's defaults.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

// A server or a client that vanishes without a word must not hold locks, or a connection, for hours.
const limits = '-c statement_timeout=60s -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s';

export type Trx = Transaction<Schema>;
/** What queries take: a transaction, or the system connection outside one. */
export type Db = Kysely<Schema>;

export interface Database {
  /** Runs `work` in one transaction that sees and changes only this organization's rows; Postgres enforces it. */
  inOrganization<T>(organizationId: string, work: (trx: Trx) => Promise<T>): Promise<T>;
  /** For what belongs to no tenant: whose key, number or account this is; sweeps; the operator's own view. */
  readonly system: Db;
  /** Hears what is notified on a channel, on a connection of its own. @returns a function that ends it */
  listen(channel: string, listening: Listening): () => Promise<void>;
  /** Whether Postgres answers. Throws what the driver throws. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Lets a transaction that holds something for work done elsewhere be idle for so long. */
export async function allowIdle(trx: Trx, millis: number): Promise<void> {
  await sql`select set_config('idle_in_transaction_session_timeout', ${String(millis)}, true)`.execute(trx);
}

/**
 * Opens two pools, one per role. The login role of `url` must have been granted both (the migrations do it);
 * neither role can bypass row-level security, whatever the login role may do.
 *
 * @param url `postgres://…`
 * @param poolSize connections for tenant work; the system pool gets a quarter of it
 */
export function openDatabase(
  url: string,
  { poolSize = 20, log }: { poolSize?: number; log?: LogConfig } = {},
): Database {
  const open = (role: string, max: number) => {
    const pool = new pg.Pool({
      connectionString: url,
      max,
      options: `-c role=${role} ${limits}`,
      application_name: `longwave:${role}`,
      connectionTimeoutMillis: 10_000,
      query_timeout: 60_000,
      keepAlive: true,
      idleTimeoutMillis: 30_000,
    });
    // A server that goes away ends connections. The pool replaces them and the query under way fails by itself; the event
    // beside it, of an idle client or of one in use, must not end the process.
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
    return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }), ...(log && { log }) });
  };
  const tenants = open('longwave_app', poolSize);
  const system = open('longwave_system', Math.max(2, Math.ceil(poolSize / 4)));

  return {
    system,
    inOrganization: (organizationId, work) =>
      tenants.transaction().execute(async (trx) => {
        await sql`select set_config('longwave.organization_id', ${organizationId}, true)`.execute(trx);
        return work(trx);
      }),
    listen: (channel, listening) => openListener(url, channel, listening),
    ping: async () => {
      await sql`select 1`.execute(system);
    },
    close: async () => {
      await Promise.all([tenants.destroy(), system.destroy()]);
    },
  };
}
