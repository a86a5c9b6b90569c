/** Sources of our data tables, fetched for one run: the product depends on none of them. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** Installs packages of exact versions into a temporary folder, hands it to `use`, and removes it. */
export async function withPackages<Result>(
  packages: readonly string[],
  use: (nodeModules: string) => Promise<Result> | Result,
): Promise<Result> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'longwave-data-'));
  try {
    const quietly = '--ignore-scripts --legacy-peer-deps --no-audit --no-fund'.split(' ');
    await promisify(execFile)('npm', ['install', '--prefix', folder, ...quietly, ...packages]);
    return await use(path.join(folder, 'node_modules'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a generated file; with `--check`, fails when it is not what it should be. */
export async function writeOrCheck(target: string, text: string): Promise<void> {
  if (!process.argv.includes('--check')) await writeFile(target, text);
  else if ((await readFile(target, 'utf8')) !== text)
    throw new Error(`${path.basename(target)} is not what the sources give`);
}
