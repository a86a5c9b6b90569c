import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findTemporal, type Sources } from '../../launcher/support/find-temporal.ts';
import { temporaryFolder } from '../harness/infrastructure.ts';

const quiet = () => {};

function program(folder: string, exitCode = 0): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'temporal'), `#!/bin/sh\necho "temporal version 1"\nexit ${exitCode}\n`);
  chmodSync(join(folder, 'temporal'), 0o755);
}

/** A machine with nothing on it, and ways to get Temporal that note when they are asked. */
async function machine({ download = false, build = false } = {}) {
  const home = await temporaryFolder();
  const asked: string[] = [];
  const source = (name: string, works: boolean) => async (folder: string) => {
    asked.push(name);
    if (!works) throw new Error(`${name} is not possible here`);
    program(folder);
  };
  const sources: Sources = { download: source('download', download), build: source('build', build) };
  const env = { PATH: join(home, 'bin'), LONGWAVE_CACHE: join(home, 'cache') };
  return { home, env, sources, asked };
}

test('a temporal on PATH is taken before anything else', async () => {
  const { home, env, sources, asked } = await machine({ download: true });
  program(join(home, 'bin'));
  const found = await findTemporal(quiet, env, sources);
  expect(found).toEqual({ path: join(home, 'bin', 'temporal'), source: 'PATH' });
  expect(asked).toEqual([]);
});

test('a temporal on PATH that does not run is passed over', async () => {
  const { home, env, sources } = await machine({ download: true });
  program(join(home, 'bin'), 1);
  expect((await findTemporal(quiet, env, sources)).source).toBe('download');
});

test('what was downloaded once is found in the cache afterwards', async () => {
  const { home, env, sources, asked } = await machine({ download: true });
  const first = await findTemporal(quiet, env, sources);
  const second = await findTemporal(quiet, env, sources);
  expect([first.source, second.source]).toEqual(['download', 'cache']);
  expect(second.path.startsWith(join(home, 'cache'))).toBe(true);
  expect(asked).toEqual(['download']);
});

test('it is built with Go only when the download fails', async () => {
  const { env, sources, asked } = await machine({ build: true });
  expect((await findTemporal(quiet, env, sources)).source).toBe('go install');
  expect(asked).toEqual(['download', 'build']);
});

test('two starts at once make it once and both find it', async () => {
  const { env, sources, asked } = await machine({ build: true });
  const found = await Promise.all([findTemporal(quiet, env, sources), findTemporal(quiet, env, sources)]);
  expect(found.every(({ path }) => existsSync(path))).toBe(true);
  expect(asked).toEqual(['download', 'build']);
});

test('when nothing works the error lists what was tried and what to install', async () => {
  const { env, sources } = await machine();
  const error: unknown = await findTemporal(quiet, env, sources).catch((reason: unknown) => reason);
  expect(String(error)).toMatch(
    /temporal on PATH: not there[^]*cache: nothing in[^]*download is not possible here[^]*go install github\.com\/temporalio\/cli[^]*build is not possible here[^]*TEMPORAL_ADDRESS/,
  );
});
