/**
 * The download that Temporal's SDK has built in, for its dev server and its time-skipping server. It runs in a process of
 * its own (this file, started by `downloadBySdk`), since it can neither be cancelled nor bounded from outside.
 */
import { readdirSync, statSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reasonOf } from './errors.ts';
import { readable, ticking, type Report } from './progress.ts';
import { runTool } from './running.ts';

type Program = 'dev-server' | 'time-skipping';

/** Gives up when not a byte has come for this long; where there is no way out to the network that is the whole wait. */
const SILENCE = 20_000;

function bytesIn(folder: string): number {
  try {
    return readdirSync(folder).reduce((sum, name) => sum + (statSync(join(folder, name)).size || 0), 0);
  } catch {
    return 0;
  }
}

/**
 * Downloads a server program into `folder` as `name`.
 *
 * @throws when the download fails, or when nothing has come for twenty seconds
 */
export async function downloadBySdk(program: Program, folder: string, name: string, report: Report): Promise<void> {
  report(`  trying the SDK's download of the ${program} (given up after ${readable(SILENCE)} of silence)`);
  const ticker = ticking('downloading', report);
  const giveUp = new AbortController();
  let bytes = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    const now = bytesIn(folder);
    if (now !== bytes) last = performance.now();
    bytes = now;
    ticker.now(`${(bytes / 1e6).toFixed(1)} MB`);
    if (performance.now() - last > SILENCE) giveUp.abort(`gave up: nothing came for ${readable(SILENCE)}`);
  }, 500);
  try {
    await runTool(process.execPath, [fileURLToPath(import.meta.url), program, folder], { signal: giveUp.signal });
    const file = (await readdir(folder)).find((entry) => !entry.endsWith('.downloading'));
    if (file === undefined) throw new Error('the SDK left no program behind');
    await rename(join(folder, file), join(folder, name));
  } catch (error) {
    const files = await readdir(folder);
    await Promise.all(files.map((file) => rm(join(folder, file), { recursive: true, force: true })));
    throw error;
  } finally {
    clearInterval(watch);
    ticker.stop();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , program, downloadDir] = process.argv;
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const server = { executable: { type: 'cached-download' as const, downloadDir: downloadDir ?? '' } };
  try {
    const environment =
      program === 'time-skipping'
        ? await TestWorkflowEnvironment.createTimeSkipping({ server })
        : await TestWorkflowEnvironment.createLocal({ server });
    await environment.teardown();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exit(1);
  }
}
