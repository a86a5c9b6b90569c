import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { cached, withLock } from '../../launcher/support/cache.ts';
import { temporaryFolder } from '../harness/infrastructure.ts';
import { run } from './processes.ts';

const quiet = () => {};

test('the lock of a process that is gone is taken over', async () => {
  const gone = run('true', []);
  await gone.ended;
  const lock = join(await temporaryFolder(), 'x.lock');
  writeFileSync(lock, `${hostname()} ${gone.process.pid} token`);
  expect(await withLock(lock, quiet, async () => 'worked')).toBe('worked');
});

test('the lock of another host is taken over once it has gone silent', async () => {
  const lock = join(await temporaryFolder(), 'x.lock');
  writeFileSync(lock, 'elsewhere 1 token');
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(lock, longAgo, longAgo);
  expect(await withLock(lock, quiet, async () => 'worked')).toBe('worked');
});

test('a lock that is held keeps others out, and they say that they wait', async () => {
  const lock = join(await temporaryFolder(), 'x.lock');
  const order: string[] = [];
  const lines: string[] = [];
  const first = withLock(lock, quiet, async () => {
    await sleep(400);
    order.push('first');
  });
  await sleep(50);
  await withLock(
    lock,
    (line) => lines.push(line),
    async () => {
      order.push('second');
    },
  );
  await first;
  expect(order).toEqual(['first', 'second']);
  expect(lines.join('\n')).toContain('waiting');
});

test('what could not be made leaves nothing behind, and the next attempt starts afresh', async () => {
  const home = await temporaryFolder();
  const place = join(home, 'thing');
  // Of a start that was killed.
  mkdirSync(`${place}.draft-old`);
  await expect(
    cached(place, quiet, async (draft) => {
      writeFileSync(join(draft, 'half'), '');
      throw new Error('network gone');
    }),
  ).rejects.toThrow('network gone');
  expect(readdirSync(home)).toEqual([]);
  await cached(place, quiet, async (draft) => writeFileSync(join(draft, 'whole'), 'yes'));
  expect(readFileSync(join(place, 'whole'), 'utf8')).toBe('yes');
  expect(readdirSync(home)).toEqual(['thing']);
});
