/** The API as a process: it starts without Temporal, serves what needs none, and ends in order. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cloneDatabase, type ClonedDatabase, freePort } from '../../harness/infrastructure.ts';
import { apiClient } from '../../harness/api-client.ts';

let own: ClonedDatabase;
beforeAll(async () => {
  own = await cloneDatabase();
});
afterAll(() => own.release());

interface Started {
  child: ChildProcess;
  /** What it wrote to its error output. */
  errors: () => string;
}

function start(environment: Record<string, string>): Started {
  const child = spawn('node', ['api/main.ts'], {
    cwd: `${import.meta.dirname}/../../..`,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (bytes) => (errors += String(bytes)));
  return { child, errors: () => errors };
}

test('without Temporal it is alive, not ready, serves organizations, and closes on SIGTERM', async () => {
  const [port, nobody] = [await freePort(), await freePort()];
  const operatorKey = `operator-${randomBytes(16).toString('hex')}`;
  const environment = {
    DATABASE_URL: own.url,
    TEMPORAL_ADDRESS: `127.0.0.1:${nobody}`,
    PORT: String(port),
    SECRETS_KEYS: `k:${randomBytes(32).toString('base64')}`,
    LONGWAVE_OPERATOR_KEY: operatorKey,
  };
  const { child, errors } = start(environment);
  try {
    const client = apiClient(`http://127.0.0.1:${port}`, operatorKey);
    const alive = () =>
      client.get('/healthz').then(
        ({ status }) => status,
        () => errors(),
      );
    await expect.poll(alive, { timeout: 30_000, interval: 200 }).toBe(200);
    const ready = await client.get('/readyz');
    expect(ready).toMatchObject({ status: 503, body: { postgres: 'up', temporal: 'down' } });
    const made = await client.post('/v1/organizations', { name: 'A', domain: 'a.example' });
    const headers = { 'longwave-organization': made.body.id };
    expect((await client.get('/v1/settings', undefined, headers)).status).toBe(200);
  } finally {
    child.kill('SIGTERM');
  }
  const [code, signal] = await once(child, 'exit');
  expect({ code, signal, errors: errors() }).toEqual({ code: 0, signal: null, errors: '' });
});

test('a changed operator key in the environment replaces the one before', async () => {
  const { openDatabase } = await import('../../../db/database.ts');
  const { upsertEnvironmentKey, findKey } = await import('../../../db/organizations/api-keys.ts');
  const database = openDatabase(own.url);
  const [first, second] = [randomBytes(32), randomBytes(32)];
  await upsertEnvironmentKey(database.system, first, new Date());
  await upsertEnvironmentKey(database.system, first, new Date());
  await upsertEnvironmentKey(database.system, second, new Date());
  expect(await findKey(database.system, first)).toBeUndefined();
  expect(await findKey(database.system, second)).toMatchObject({ kind: 'operator', organizationId: null });
  await database.close();
});

test('a missing variable stops the start with its name', async () => {
  const { child, errors } = start({ DATABASE_URL: own.url });
  const [code] = await once(child, 'exit');
  expect(code).toBe(1);
  expect(errors()).toMatch(/SECRETS_KEYS is missing: it should be id:key pairs/);
});
