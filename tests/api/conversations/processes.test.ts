/** Event streams across API processes: each hears of all, and a stream goes on at another when its own is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../db/database.ts';
import { tellStreams } from '../../../db/conversations/live-events.ts';
import { cloneDatabase, type ClonedDatabase, freePort } from '../../harness/infrastructure.ts';
import { eventually } from '../../harness/eventually.ts';
import { apiClient } from '../../harness/api-client.ts';
import { openEventStream } from './event-stream.ts';

let own: ClonedDatabase;
let database: Database;
let organizationId: string;
let key: string;
const operatorKey = `operator-${randomBytes(16).toString('hex')}`;
const secretsKeys = `k:${randomBytes(32).toString('base64')}`;
const started: ChildProcess[] = [];

interface Process {
  url: string;
  child: ChildProcess;
}

async function startProcess(): Promise<Process> {
  const port = await freePort();
  const child = spawn('node', ['api/main.ts'], {
    cwd: `${import.meta.dirname}/../../..`,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: own.url,
      TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`,
      PORT: String(port),
      SECRETS_KEYS: secretsKeys,
      LONGWAVE_OPERATOR_KEY: operatorKey,
      LOG_LEVEL: 'silent',
    },
    stdio: 'ignore',
  });
  started.push(child);
  const url = `http://127.0.0.1:${port}`;
  await eventually(() => fetch(`${url}/healthz`));
  return { url, child };
}

beforeAll(async () => {
  own = await cloneDatabase();
  database = openDatabase(own.url);
  const { url } = await startProcess();
  const operator = apiClient(url, operatorKey);
  organizationId = (await operator.post('/v1/organizations', { name: 'Acme', domain: 'acme.example' })).body.id;
  key = (await operator.post(`/v1/organizations/${organizationId}/keys`, { kind: 'organization' })).body.key;
});
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await database.close();
  await own.release();
});

const tell = (n: number) =>
  database.inOrganization(organizationId, (trx) =>
    tellStreams(trx, organizationId, [{ type: 'message.updated', data: { n } }], new Date()),
  );

test('two processes tell the same; the stream of one that is killed goes on at the other, with nothing lost or told twice', async () => {
  const [first, second] = [await startProcess(), await startProcess()];
  const doomed = await openEventStream(first.url, key);
  const steady = await openEventStream(second.url, key);
  const state = { isWriting: true, written: 0 };
  const writing = (async () => {
    while (state.isWriting) {
      await Promise.all(Array.from({ length: 5 }, (_, i) => tell(state.written + i)));
      state.written += 5;
    }
  })();
  await doomed.until(50);
  first.child.kill('SIGKILL');
  await expect.poll(() => doomed.hasEnded(), { timeout: 10_000 }).toBe(true);
  const seen = [...doomed.events];
  await steady.until(seen.length + 50);
  const resumed = await openEventStream(second.url, key, { after: doomed.lastEventId() });
  await resumed.until(50);
  state.isWriting = false;
  await writing;
  await steady.until(state.written);
  const ids = steady.events.map(({ id }) => id);
  await resumed.until(ids.length - seen.length);
  expect([...seen, ...resumed.events].map(({ id }) => id)).toEqual(ids);
  expect(new Set(steady.events.map(({ data }) => data.n)).size).toBe(state.written);

  // Another process that is asked to end does so at once, although streams are open.
  const before = performance.now();
  second.child.kill('SIGTERM');
  const [code] = await once(second.child, 'exit');
  expect(code).toBe(0);
  // Streams that held it up would do so until their next heartbeat, after up to 15 seconds.
  expect(performance.now() - before).toBeLessThan(10_000);
  await expect.poll(() => steady.hasEnded() && resumed.hasEnded(), { timeout: 5_000 }).toBe(true);
});
