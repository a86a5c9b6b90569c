/** One run of Vitest, with its results counted. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from './settings.ts';
import { guard } from './watchdog.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const reportSchema = z.object({
  success: z.boolean(),
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

/**
 * Counts the results of Vitest's JSON report. What failed without being a test counts as one failure: a file that could
 * not be loaded, a setup that broke, an error that no test caught, a report that was never written.
 */
export function countResults(report: string | undefined, exitCode: number): Counts {
  const parsed = report === undefined ? undefined : reportSchema.safeParse(JSON.parse(report)).data;
  if (!parsed) return { passed: 0, failed: 1, skipped: 0 };
  const broken = parsed.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
  const failed = parsed.numFailedTests + broken;
  return {
    passed: parsed.numPassedTests,
    failed: failed === 0 && (exitCode !== 0 || !parsed.success) ? 1 : failed,
    skipped: parsed.numPendingTests + parsed.numTodoTests,
  };
}

/** Runs Vitest with its output on the console and answers the counts; `process` lets the caller end it early. */
export function runVitest(args: readonly string[]): { process: ReturnType<typeof spawn>; counts: Promise<Counts> } {
  const folder = mkdtempSync(join(tmpdir(), 'longwave-results-'));
  const file = join(folder, 'results.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const vitest = spawn(join(root, 'node_modules/.bin/vitest'), ['run', ...reporters, ...args], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (vitest.pid !== undefined) guard(vitest.pid);
  const counts = new Promise<number>((resolve) => {
    vitest.once('error', () => resolve(1));
    vitest.once('exit', (code) => resolve(code ?? 1));
  }).then((exitCode) => {
    let report: string | undefined;
    try {
      report = readFileSync(file, 'utf8');
    } catch {
      // Vitest ended before it could write one.
    }
    rmSync(folder, { recursive: true, force: true });
    return countResults(report, exitCode);
  });
  return { process: vitest, counts };
}
