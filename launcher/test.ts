/**
 * `npm test`: servers, types, lint, then every test; closes with one line `N passed, N failed, N skipped`. Arguments go to
 * Vitest (`npm test -- tests/domain`), and then only the tests named run. Types and lint that fail count as one failure each.
 */
import { reasonOf } from './support/errors.ts';
import { readable, toConsole, type Report } from './support/progress.ts';
import { runTool } from './support/running.ts';
import { root } from './support/settings.ts';
import { onEnd } from './support/signals.ts';
import { runVitest, type Counts } from './support/vitest-run.ts';
import { findTemporal } from './temporal.ts';
import { findTimeSkippingServer } from './time-skipping-server.ts';

const report: Report = toConsole;

/** Runs the tools one after the other; the output of those that fail is shown. */
async function check(name: string, tools: readonly (readonly string[])[]): Promise<boolean> {
  const startedAt = performance.now();
  const failures: string[] = [];
  for (const [command = '', ...args] of tools) {
    try {
      await runTool(command, args, { cwd: root, tell: 'all' });
    } catch (error) {
      failures.push(reasonOf(error));
    }
  }
  for (const failure of failures) report(failure);
  report(`${name}: ${failures.length === 0 ? 'ok' : 'FAILED'} (${readable(performance.now() - startedAt)})`);
  return failures.length === 0;
}

function close({ passed, failed, skipped }: Counts): never {
  report(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed === 0 ? 0 : 1);
}

const running: { vitest?: ReturnType<typeof runVitest> } = {};
onEnd({
  report,
  stop: async () => {
    running.vitest?.process.kill('SIGINT');
    await running.vitest?.counts;
    process.exitCode = 130;
  },
  kill: async () => {
    running.vitest?.process.kill('SIGKILL');
  },
});

try {
  await findTemporal(report);
  await findTimeSkippingServer(report);
} catch (error) {
  report(reasonOf(error));
  close({ passed: 0, failed: 1, skipped: 0 });
}

const args = process.argv.slice(2);
let failures = 0;
if (args.length === 0) {
  if (!(await check('Types', [['tsc']]))) failures += 1;
  if (!(await check('Lint', [['oxlint'], ['prettier', '--check', '.'], ['knip']]))) failures += 1;
} else report('Types and lint: left out, since tests were named');
running.vitest = runVitest(args);
const counts = await running.vitest.counts;
close({ ...counts, failed: counts.failed + failures });
