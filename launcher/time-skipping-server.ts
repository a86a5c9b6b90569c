/**
 * Temporal's time-skipping test server, for `npm run demo` and the workflow tests.
 *
 * How it locks time. The server counts locks: while the count is above zero its clock runs with the real one; at zero it
 * jumps to the next timer whenever no activity or workflow task is running. Started bare, the count is one and time
 * flows as usual. Started with `--enable-time-skipping` it is zero, and time jumps by itself from the first workflow on:
 * a stack must never be started so, as its ten-week review would be over before anybody looks.
 * `unlockTimeSkippingWithSleep(d)` takes one lock away for as long as `d` of the server's own time takes, then puts it
 * back: that is how the simulator's `POST /control/clock` moves a stack's clock. Two at once add up: a day and two days
 * asked for together move the clock by three. The SDK's test environment passes the flag and unlocks while a result is awaited.
 *
 * While an activity runs, time does not jump: it flows at its real pace. So an activity never sees its time-outs skipped.
 */
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, cacheFolder } from './support/cache.ts';
import { startChild, type Child } from './support/child.ts';
import { reasonOf } from './support/errors.ts';
import { readable, ticking, type Report } from './support/progress.ts';
import { runTool } from './support/running.ts';
import { downloadBySdk } from './support/sdk-download.ts';
import { requireFree } from './support/waiting.ts';
import { untilTemporalAnswers } from './temporal.ts';

/** Of sdk-java; needs Java 8 or newer, which is what its classes are compiled for. */
const VERSION = '1.38.0';
const NAME = 'temporal-test-server';

/** Fast to start rather than fast in the long run: no optimizing compiler, the simplest collector. */
const WRAPPER = `#!/bin/sh
# Written by the launcher: runs the test server from the jars beside this file.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xms64m -Xmx1g -XX:-UsePerfData \\
  -cp "$here/lib/*" io.temporal.testserver.TestServer "$@"
`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>longwave</groupId><artifactId>test-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>${NAME}</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>
`;

async function fromSdk(folder: string, report: Report): Promise<void> {
  await downloadBySdk('time-skipping', folder, NAME, report);
}

async function fromMaven(folder: string, report: Report): Promise<void> {
  report('  the download did not work out');
  report(`  fetching the Maven artifact io.temporal:${NAME}:${VERSION} (once, about half a minute)`);
  await runTool('java', ['-version']);
  const ticker = ticking('maven', report);
  try {
    const pom = join(folder, 'pom.xml');
    await writeFile(pom, POM);
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'lib')}`];
    await runTool('mvn', ['--batch-mode', '--file', pom, ...goal], {
      onLine: (line) => {
        const [, file] = /Downloading from \S+ \S+\/(\S+)/.exec(line) ?? [];
        if (file !== undefined) ticker.now(file);
      },
    });
    await writeFile(join(folder, NAME), WRAPPER);
    await chmod(join(folder, NAME), 0o755);
  } finally {
    ticker.stop();
  }
}

/**
 * Finds or fetches the time-skipping server: our cache, else the SDK's download, else Maven.
 *
 * @returns path of an executable that takes the SDK's arguments; usable as `{ type: 'existing-path', path }`
 * @throws when nothing works: lists what was tried and what to install
 */
export async function findTimeSkippingServer(report: Report): Promise<string> {
  const folder = join(cacheFolder(), `${NAME}-${VERSION}`);
  const path = join(folder, NAME);
  if (existsSync(path)) return path;
  report('Time-skipping server: not in the cache yet');
  const startedAt = performance.now();
  await cached(folder, report, async (draft) => {
    const tried: string[] = [];
    for (const source of [fromSdk, fromMaven]) {
      try {
        await source(draft, report);
        return;
      } catch (error) {
        tried.push(reasonOf(error));
      }
    }
    throw new Error(nothingWorks(tried));
  });
  report(`Time-skipping server: ready after ${readable(performance.now() - startedAt)}, kept in ${folder}`);
  return path;
}

function nothingWorks([download = '', maven = '']: readonly string[]): string {
  return [
    "Temporal's time-skipping test server could not be found or made. Tried, in order:",
    `  - cache: nothing in ${cacheFolder()}`,
    `  - the SDK's download: ${download}`,
    `  - the Maven artifact io.temporal:${NAME}:${VERSION}: ${maven}`,
    'Install Java 8 or newer and Maven, with access to Maven artifacts, then start again.',
  ].join('\n');
}

/** Starts the server on a port with time locked, and waits until it answers. It keeps everything in memory. */
export async function startTimeSkippingServer(options: { program: string; port: number; log: string }): Promise<Child> {
  const { program, port, log } = options;
  await requireFree(port, 'TEMPORAL_PORT');
  const child = startChild({ name: 'temporal', command: program, args: [String(port)], log, grace: 3_000 });
  await untilTemporalAnswers(child, port, []);
  return child;
}
