import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDatabase, startPostgres, withClient } from '../../launcher/postgres.ts';
import { freePort, temporaryFolder } from '../harness/infrastructure.ts';

const optionsFor = async (folder: string) => ({
  folder: join(folder, 'postgres'),
  port: await freePort(),
  password: 'pass word/:@',
  log: join(folder, 'postgres.log'),
  report: () => {},
});

test('it survives kill -9, a lock file whose number another process has got, and a closed folder with a space', async () => {
  const closed = join(await temporaryFolder('postgres'), 'closed folder');
  mkdirSync(closed, { mode: 0o700 });
  chmodSync(closed, 0o700);
  const options = await optionsFor(join(closed, 'data'));
  const first = await startPostgres(options);
  await createDatabase(first.url('postgres'), 'longwave');
  await withClient(first.url('longwave'), async (client) => {
    await client.query('create table kept as select 42 as answer');
  });
  await first.child.kill();
  // This test's own number: a process that lives and is no Postgres.
  writeFileSync(join(options.folder, 'postmaster.pid'), `${process.pid}\n${options.folder}\n`);

  const second = await startPostgres(options);
  const rows = await withClient(
    second.url('longwave'),
    async (client) => (await client.query('select * from kept')).rows,
  );
  expect(rows).toEqual([{ answer: 42 }]);

  await expect(startPostgres({ ...options, port: await freePort() })).rejects.toThrow('LONGWAVE_DATA');
  await second.child.stop();
});

test("the product's role owns its databases but cannot pass row-level security", async () => {
  const server = await startPostgres(await optionsFor(await temporaryFolder('postgres')));
  await createDatabase(server.url('postgres'), 'longwave');
  const rows = await withClient(server.url('longwave'), async (client) => {
    const { rows } = await client.query(
      'select rolsuper, rolbypassrls, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user',
    );
    return rows;
  });
  expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, rolcreatedb: true, rolcreaterole: true }]);
  await server.child.stop();
});
