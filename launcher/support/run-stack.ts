/** `npm start` and `npm run demo`: a stack in the foreground, seeded, with its addresses printed. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../../config.ts';
import { type DemoSeed, seedDemo } from '../seed.ts';
import { clearStaleLock } from '../postgres.ts';
import { startStack, type Stack } from '../stack.ts';
import { reasonOf } from './errors.ts';
import { readable, type Report, toConsole } from './progress.ts';
import { portNames, portVariables, readSettings, type Ports, type Settings } from './settings.ts';
import { onEnd } from './signals.ts';
import { requireFree } from './waiting.ts';

interface RunOptions {
  timeSkipping: boolean;
  /** What is played and told before the addresses are printed. */
  story?: (stack: Stack, seed: DemoSeed, report: Report) => Promise<void>;
  /** Lines printed after the addresses. */
  hints: (stack: Stack) => string[];
}

/** Ports that this stack will use, and nobody else may. */
function portsOf({ real }: Settings, timeSkipping: boolean): (keyof Ports)[] {
  const used = new Set(portNames);
  if (real.databaseUrl) used.delete('postgres');
  if (real.temporalAddress && !timeSkipping) used.delete('temporal');
  if (real.temporalAddress || timeSkipping) used.delete('temporalUi');
  if (real.twilio) used.delete('simulator');
  if (real.twilio) used.delete('simulatorSmtp');
  return [...used];
}

/**
 * A demo begins with nothing: the time-skipping server forgets its workflows and its clock when it stops, and rows that
 * speak of them would make no sense.
 */
async function freshFolder(folder: string): Promise<string> {
  clearStaleLock(join(folder, 'postgres'));
  await rm(folder, { recursive: true, force: true });
  return folder;
}

/** Runs a stack until it is told to stop; a failure to start ends the process with 1 and says why. */
export async function runStack({ timeSkipping, story, hints }: RunOptions): Promise<void> {
  const report = toConsole;
  const startedAt = performance.now();
  // Until the stack is up nothing of it can be stopped in order: the watchdog ends what was started.
  const running: { stack?: Stack } = {};
  onEnd({
    report,
    stop: async () => running.stack?.stop(),
    kill: async () => running.stack?.kill(),
  });
  try {
    const settings = readSettings(process.env, { demo: timeSkipping });
    for (const name of portsOf(settings, timeSkipping)) await requireFree(settings.ports[name], portVariables[name]);
    const data = timeSkipping ? await freshFolder(join(settings.data, 'demo')) : settings.data;
    const stack = await startStack({
      data,
      ports: settings.ports,
      real: settings.real,
      timeSkipping,
      // A demo on the time-skipping server has its outcomes in its own hands, and forgets everything.
      keepSimulator: !timeSkipping,
      autoReview: !timeSkipping,
      restart: true,
      namespace: settings.namespace,
      report,
    });
    running.stack = stack;
    report('Seeding the demo organization');
    const seed = await seedDemo(stack);
    const { organizationId, organizationKey } = seed;
    await story?.(stack, seed, report);
    report(`Longwave is ready after ${readable(performance.now() - startedAt)}.\n`);
    const table: [string, string | undefined][] = [
      ['API', stack.api],
      ['API documentation', `${stack.api}/docs`],
      ['Temporal Web UI', stack.temporalUi],
      ['Temporal', stack.temporal],
      ['Twilio simulator', stack.simulator],
      ['Postgres', stack.databaseUrl],
      ['Data and logs', stack.data],
      ['Operator key', stack.operatorKey],
      ['Demo organization', organizationId],
      ['Its key', organizationKey],
    ];
    for (const [what, where] of table) if (where !== undefined) report(`  ${what.padEnd(18)} ${where}`);
    report('');
    for (const line of [...seed.next, ...hints(stack)]) report(line);
    report(`\nCtrl-C stops everything${timeSkipping ? '' : '; the data stays'}.\n`);
    report(
      JSON.stringify({
        ready: true,
        api: stack.api,
        temporalUi: stack.temporalUi ?? null,
        simulator: stack.simulator ?? null,
        operatorKey: stack.operatorKey,
        organizationId,
        organizationKey,
      }),
    );
  } catch (error) {
    const message = reasonOf(error);
    process.stderr.write(
      `\n${error instanceof ConfigurationError ? message : `Longwave could not start. ${message}`}\n`,
    );
    await running.stack?.stop();
    process.exit(1);
  }
}
