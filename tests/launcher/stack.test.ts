import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startStack, type Component, type StackOptions } from '../../launcher/stack.ts';
import { answers, waitFor } from '../../launcher/support/waiting.ts';
import { cloneDatabase, freePorts, temporaryFolder } from '../harness/infrastructure.ts';
import { isRunning, run } from './processes.ts';
import { broken, launcher, programs } from './programs.ts';

const optionsFor = async (changes: Partial<StackOptions> = {}): Promise<StackOptions> => ({
  data: await temporaryFolder('a stack'),
  ports: await freePorts(),
  programs,
  parts: ['simulator', 'worker', 'api'],
  real: { databaseUrl: (await cloneDatabase()).url },
  report: () => {},
  ...changes,
});

test('parts that were killed come back on the same ports', async () => {
  const stack = await startStack(await optionsFor());
  for (const part of ['worker', 'api', 'simulator'] as const) {
    const before = stack.pid(part) ?? 0;
    await stack.crash(part);
    expect(isRunning(before)).toBe(false);
    await stack.start(part);
    expect(stack.pid(part)).not.toBe(before);
  }
  expect(await answers(`${stack.api}/readyz`)).toBe(true);
  await stack.stop();
});

test('a part that dies by itself is reported and restarted', async () => {
  const lines: string[] = [];
  const stack = await startStack(await optionsFor({ restart: true, report: (line) => lines.push(line) }));
  process.kill(stack.pid('api') ?? 0, 'SIGKILL');
  await waitFor(() => lines.includes('api is back'), { what: 'the restart', within: 10_000 });
  expect(await answers(`${stack.api}/readyz`)).toBe(true);
  expect(lines.join('\n')).toContain('api ended unexpectedly (signal SIGKILL)');
  await stack.stop();
});

test('a part that cannot start stops the whole start, with its last words', async () => {
  const options = await optionsFor({ programs: { ...programs, api: broken } });
  await expect(startStack(options)).rejects.toThrow(
    /api ended while starting \(exit code 3\)[^]*the reason it could not/,
  );
  await expect(answers(`http://127.0.0.1:${options.ports.simulator}/healthz`)).rejects.toThrow('fetch failed');
});

test('the simulator forgets and waits for its control side, unless it is told to keep and to review', async () => {
  vi.stubEnv('SIMULATOR_DATA', '/somewhere/else.json');
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const lasting of [false, true]) {
    const options = await optionsFor({ parts: ['simulator'], keepSimulator: lasting, autoReview: lasting });
    const stack = await startStack(options);
    const answer = await fetch(`${stack.simulator}/healthz`);
    expect(await answer.json()).toEqual(
      lasting ? { args: ['--auto-review'], data: join(options.data, 'simulator.json') } : { args: [], data: '' },
    );
    await stack.stop();
  }
});

test('a port in use is refused by the name of the variable to change', async () => {
  const options = await optionsFor();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(options.ports.simulator, '127.0.0.1', resolve));
  await expect(startStack(options)).rejects.toThrow(`Port ${options.ports.simulator} is in use: set SIMULATOR_PORT`);
  other.close();
});

/** Starts a launcher process with every part embedded, and answers the numbers of its processes. */
async function launch(folder: string) {
  const ports = await freePorts();
  const launched = run(process.execPath, [launcher], {
    ...process.env,
    PORT: String(ports.api),
    TEMPORAL_PORT: String(ports.temporal),
    SIMULATOR_PORT: String(ports.simulator),
    POSTGRES_PORT: String(ports.postgres),
    TEMPORAL_UI_PORT: String(ports.temporalUi),
    LONGWAVE_DATA: folder,
  });
  const line = await waitFor(() => /^\{.*\}$/m.exec(launched.output())?.[0], {
    what: `the stack to start (${launched.output()})`,
    within: 60_000,
  });
  const pids: Record<Component, number> = JSON.parse(line);
  return { ...launched, pids: Object.values(pids) };
}

test('two launchers run side by side, and kill -9 of one leaves none of its processes behind', async () => {
  const [killed, stopped] = await Promise.all([
    launch(await temporaryFolder('killed')),
    launch(await temporaryFolder('stopped')),
  ]);
  expect([...killed.pids, ...stopped.pids].every(isRunning)).toBe(true);

  killed.process.kill('SIGKILL');
  await waitFor(() => !killed.pids.some(isRunning), { what: 'its processes to end', within: 10_000 });
  expect(stopped.pids.every(isRunning)).toBe(true);

  // One Ctrl-C arrives twice, from the terminal and from npm; the stop stays an orderly one.
  stopped.process.kill('SIGINT');
  stopped.process.kill('SIGINT');
  expect(await stopped.ended).toEqual({ code: 0, signal: null });
  expect(stopped.pids.some(isRunning)).toBe(false);
});
