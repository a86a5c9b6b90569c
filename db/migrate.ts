/** Brings a database to the newest schema: `node db/migrate.ts`, or `migrate()` from the launcher and the tests. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { Kysely, PostgresDialect } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import pg from 'pg';
import { configOrExit } from '../config.ts';

/**
 * Runs the migrations that are missing; safe to run from several processes at once (Kysely takes a lock).
 *
 * @param databaseUrl a role that may create tables and roles
 * @throws the error of the migration that failed; nothing of it stays
 */
export async function migrate(databaseUrl: string, { log }: { log?: (line: string) => void } = {}): Promise<void> {
  const db = new Kysely({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: databaseUrl, max: 2 }) }),
  });
  try {
    const folder = path.join(import.meta.dirname, 'migrations');
    const provider = new FileMigrationProvider({
      fs: {
        readdir: async (name: string) => (await fs.readdir(name)).filter((file) => /^\d{8}-/.test(file)),
      },
      path,
      migrationFolder: folder,
      import: (file) => import(file) as Promise<never>,
    });
    const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
    for (const result of results ?? []) log?.(`${result.migrationName}: ${result.status}`);
    if (error) throw error;
  } finally {
    await db.destroy();
  }
}

if (import.meta.main) {
  // oxlint-disable-next-line no-console -- a command for people
  await migrate(configOrExit(['DATABASE_URL']).DATABASE_URL, { log: console.log });
}
