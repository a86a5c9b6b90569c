/**
 * The workflows as Temporal runs them. Bundling takes a second or two, so the bundle is kept beside the packages for as
 * long as the code is the same: a worker that comes back after a crash is at work sooner.
 */
import { createHash } from 'node:crypto';
import { glob, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode, type Logger, type WorkflowBundle } from '@temporalio/worker';

const root = path.join(import.meta.dirname, '..');
const folder = path.join(root, 'node_modules/.cache/longwave');
const file = path.join(folder, 'workflows.json');
/** All that workflows may import (tests/architecture.test.ts), and the versions of the packages. */
const sources = ['workflows/**/*.ts', 'domain/**/*.ts', 'package-lock.json'];

interface Kept extends WorkflowBundle {
  version: string;
}

async function versionOfCode(): Promise<string> {
  const files: string[] = [];
  for await (const name of glob(sources, { cwd: root })) files.push(name);
  const hash = createHash('sha256').update(process.version);
  for (const name of files.toSorted()) hash.update(`\0${name}\0`).update(await readFile(path.join(root, name)));
  return hash.digest('hex');
}

const kept = async (): Promise<Kept | null> => {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Kept;
  } catch {
    return null;
  }
};

async function keep(bundle: Kept): Promise<void> {
  // Complete or not there at all: several workers may start at once. Where it cannot be kept, it is made each time.
  const draft = `${file}.${process.pid}`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(draft, JSON.stringify(bundle));
    await rename(draft, file);
  } catch {}
}

/** @returns the bundle of today's code */
export async function workflowBundle(logger: Logger): Promise<WorkflowBundle> {
  const version = await versionOfCode();
  const known = await kept();
  if (known?.version === version) return { code: known.code };
  const { code } = await bundleWorkflowCode({ workflowsPath: path.join(root, 'workflows/index.ts'), logger });
  await keep({ version, code });
  return { code };
}
