/** `npm run bench`: makes sure that the servers can be started, then runs the measurements. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { guard } from './support/watchdog.ts';
import { reasonOf } from './support/errors.ts';
import { toConsole } from './support/progress.ts';
import { root } from './support/settings.ts';
import { onEnd } from './support/signals.ts';
import { findTemporal } from './temporal.ts';

try {
  await findTemporal(toConsole);
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exit(1);
}
const bench = spawn(process.execPath, [join(root, 'bench', 'main.ts'), ...process.argv.slice(2)], {
  cwd: root,
  detached: true,
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (bench.pid !== undefined) guard(bench.pid);
const ended = new Promise<number>((resolve) => {
  bench.once('exit', (code) => resolve(code ?? 1));
});
onEnd({
  report: toConsole,
  stop: async () => {
    bench.kill('SIGTERM');
    await ended;
  },
  kill: async () => {
    bench.kill('SIGKILL');
    await ended;
  },
});
process.exit(await ended);
