/** A large import in memory that does not grow with the file; how fast it is depends on what else runs, and is printed. The API runs in a process of its own. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { upsertEnvironmentKey } from '../../../db/organizations/api-keys.ts';
import { hashKey } from '../../../api/shared/auth.ts';
import { openDatabase } from '../../../db/database.ts';
import { cloneDatabase, freePort } from '../../harness/infrastructure.ts';
import { apiClient } from '../../harness/api-client.ts';

/** Resident memory of the API process, sampled by itself. */
const program = `
  import { systemClock } from './clock.ts';
  import { openDatabase } from './db/database.ts';
  import { secretBox } from './db/secrets.ts';
  import { buildApp } from './api/app.ts';
  const app = await buildApp({
    database: openDatabase(process.env.DATABASE_URL), clock: systemClock,
    secrets: secretBox(process.env.SECRETS_KEYS), publicUrl: 'http://localhost', log: { level: 'silent' },
    temporal: { client: null, ping: async () => {} },
  });
  await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
  setInterval(() => { gc(); console.log(JSON.stringify(process.memoryUsage())); }, 250);
`;

/** @param between waited for ten times on the way */
async function* rows(count: number, between = async () => {}): AsyncGenerator<Uint8Array> {
  yield Buffer.from('firstName,lastName,mobile,email,postalCode,lists,consent,notes\n');
  for (let at = 0; at < count; at += 500) {
    const lines = Array.from({ length: Math.min(500, count - at) }, (_, n) => {
      const id = at + n;
      return `First ${id},"Last, ${id}",+1${2_015_550_000 + id},p${id}@example.com,94103,load;l${id % 7},both,${'note '.repeat(20)}`;
    });
    yield Buffer.from(`${lines.join('\n')}\n`);
    if ((at + 500) % (count / 10) === 0) await between();
  }
}

test('50,000 rows go in while memory stays flat', { timeout: 120_000 }, async () => {
  const own = await cloneDatabase();
  const database = openDatabase(own.url);
  const port = await freePort();
  const key = `lw_operator_${randomBytes(24).toString('base64url')}`;
  await upsertEnvironmentKey(database.system, hashKey(key), new Date());
  const child = spawn('node', ['--expose-gc', '--input-type=module-typescript', '--eval', program], {
    cwd: `${import.meta.dirname}/../../..`,
    env: {
      ...process.env,
      DATABASE_URL: own.url,
      PORT: String(port),
      SECRETS_KEYS: `k:${randomBytes(32).toString('base64')}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let onSample = (_sample: NodeJS.MemoryUsage): void => {};
  createInterface({ input: child.stdout }).on('line', (line) => onSample(JSON.parse(line)));
  const nextSample = () =>
    new Promise<NodeJS.MemoryUsage>((resolve) => {
      onSample = resolve;
    });
  try {
    const url = `http://127.0.0.1:${port}`;
    const operator = apiClient(url, key);
    await expect
      .poll(
        () =>
          operator.get('/healthz').then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 30_000 },
      )
      .toBe(200);
    const organization = await operator.post('/v1/organizations', { name: 'Load', domain: 'load.example' });
    const headers = { 'content-type': 'text/csv', 'longwave-organization': organization.body.id };
    const upload = (...given: Parameters<typeof rows>) =>
      operator.post('/v1/contacts/import', ReadableStream.from(rows(...given)), headers);

    expect((await upload(3_000)).body).toMatchObject({ imported: 3_000 });
    const samples: NodeJS.MemoryUsage[] = [];
    const started = performance.now();
    const answer = await upload(50_000, async () => void samples.push(await nextSample()));
    const seconds = (performance.now() - started) / 1_000;
    expect(answer.body).toEqual({ imported: 47_000, updated: 3_000, rejected: [], rejectedCount: 0 });

    const live = samples.map(({ heapUsed, external }) => (heapUsed + external) / 1_048_576);
    // What is under way at the moment comes and goes: the least of each half is what stays.
    const [first, second] = [Math.min(...live.slice(0, 5)), Math.min(...live.slice(5))];
    const resident = Math.max(...samples.map(({ rss }) => rss)) / 1_048_576;
    process.stdout.write(
      `import: ${Math.round(50_000 / seconds)} rows/s with pauses; live memory at least ${first.toFixed(1)} MiB in the ` +
        `first half, ${second.toFixed(1)} MiB in the second; resident ${resident.toFixed(0)} MiB\n`,
    );
    expect(live).toHaveLength(10);
    // The file is 13 MB: were it kept, the second half would begin with 6 MB of it.
    expect(second - first).toBeLessThan(4);
  } finally {
    child.kill();
    await database.close();
    await own.release();
  }
});
