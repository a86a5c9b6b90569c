import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { waitFor } from '../../launcher/support/waiting.ts';
import { temporaryFolder } from '../harness/infrastructure.ts';
import { isRunning, run } from './processes.ts';

const root = resolve(import.meta.dirname, '../..');

/** The machine's own Node, whatever its version; the pinned one where there is no other. */
const machineNode =
  (process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
    .find((path) => existsSync(path)) ?? process.execPath;

/** A checkout with our bootstrap, our packages (or none) and a `start.ts` of the test's making. */
async function checkout(start: string, { packages = true } = {}) {
  const folder = await temporaryFolder('a checkout');
  mkdirSync(join(folder, 'launcher'));
  copyFileSync(join(root, 'launcher/bootstrap.mjs'), join(folder, 'launcher/bootstrap.mjs'));
  copyFileSync(join(root, 'package-lock.json'), join(folder, 'package-lock.json'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'launcher/start.ts'), start);
  if (!packages) return folder;
  // A folder of its own with the stamp of its own lock file: an install in it must never reach the real packages.
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['node', '.bin'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  writeFileSync(join(folder, 'node_modules/.longwave-installed'), `${hash}\n`);
  return folder;
}

const bootstrap = (folder: string, args: string[] = [], env: NodeJS.ProcessEnv = process.env) =>
  run(
    machineNode,
    [join(folder, 'launcher/bootstrap.mjs'), 'start', ...args],
    { ...env, npm_lifecycle_event: '' },
    folder,
  );

test('whatever Node starts it, the launcher runs on Node 24 with our tools first on PATH, and its exit code is passed on', async () => {
  const folder = await checkout(`
    const say: (text: string) => void = (text) => process.stdout.write(text + '\\n');
    say(process.version); say(process.argv.slice(2).join(' ')); say(process.env['PATH']!.split(':')[0]!);
    process.exit(7);`);
  const { output, ended } = bootstrap(folder, ['--flag', 'a b']);
  expect(await ended).toEqual({ code: 7, signal: null });
  const [version, args, path] = output().trim().split('\n');
  expect(version).toMatch(/^v24\./);
  expect(args).toBe('--flag a b');
  expect(realpathSync(path ?? '')).toBe(realpathSync(join(root, 'node_modules/.bin')));
});

/** The number that the stand-in prints. */
const pidOf = (output: () => string) =>
  waitFor(() => /pid (\d+)/.exec(output())?.[1], { what: 'the launcher to start', within: 20_000 });

test('signals are passed on, and the launcher learns when its parent was killed', async () => {
  const folder = await checkout(`
    process.on('SIGTERM', () => process.exit(9));
    process.on('disconnect', () => process.exit(0));
    setInterval(() => {}, 1000);
    process.stdout.write('pid ' + process.pid + '\\n');`);
  const asked = bootstrap(folder);
  await pidOf(asked.output);
  asked.process.kill('SIGTERM');
  expect((await asked.ended).code).toBe(9);

  const killed = bootstrap(folder);
  const pid = Number(await pidOf(killed.output));
  killed.process.kill('SIGKILL');
  await waitFor(() => !isRunning(pid), { what: 'the launcher to end', within: 10_000 });
});

test('without npm the error says what to do', async () => {
  const folder = await checkout('', { packages: false });
  const { output, ended } = bootstrap(folder, [], { PATH: '/nonexistent' });
  expect((await ended).code).toBe(1);
  expect(output()).toMatch(/npm is not on PATH[^]*could not be installed[^]*npm ping/);
});
