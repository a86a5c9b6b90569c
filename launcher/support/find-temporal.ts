/** Where the Temporal CLI comes from. The order is the contract of `docs/development.md`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheFolder } from './cache.ts';
import { reasonOf } from './errors.ts';
import { readable, ticking, type Report } from './progress.ts';
import { runTool } from './running.ts';
import { downloadBySdk } from './sdk-download.ts';

/** The newest release that `go install` accepts: later ones carry `replace` directives in their go.mod, which it refuses. */
const VERSION = '1.5.1';
const MODULE = `github.com/temporalio/cli/cmd/temporal@v${VERSION}`;

export interface TemporalProgram {
  path: string;
  /** Where it was found, for the log. */
  source: 'PATH' | 'cache' | 'download' | 'go install';
}

/** The ways to get the program when it is not there; replaced in tests. */
export interface Sources {
  download: (folder: string, name: string, report: Report) => Promise<void>;
  build: (folder: string, report: Report) => Promise<void>;
}

const realSources: Sources = {
  download: (folder, name, report) => downloadBySdk('dev-server', folder, name, report),
  build: goInstall,
};

/** Runs it once: a program that is there and does not start (other architecture, missing library) is not a find. */
async function version(path: string): Promise<string> {
  return (await runTool(path, ['--version'], { signal: AbortSignal.timeout(15_000) })).trim();
}

function onPath(env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'temporal')).find((path) => existsSync(path));
}

async function goInstall(folder: string, report: Report): Promise<void> {
  report(`  building Temporal ${VERSION} with "go install": this happens once and takes three to eight minutes`);
  const ticker = ticking('building Temporal', report);
  let compiled = 0;
  try {
    await runTool('go', ['install', '-v', MODULE], {
      env: { ...process.env, GOBIN: folder },
      onLine: (line) => {
        // Downloads are told as sentences ("go: downloading …"), compiled packages as bare import paths.
        if (line.startsWith('go: ')) ticker.now(line.slice(4));
        else {
          compiled += 1;
          ticker.now(`${compiled} packages compiled, now ${line}`);
        }
      },
    });
  } finally {
    ticker.stop();
  }
}

/**
 * Finds the Temporal CLI: on PATH, else in our cache, else by the SDK's download, else built with Go. (A server named by
 * `TEMPORAL_ADDRESS` comes before all of these, and then this is not asked.)
 *
 * @throws when nothing works: lists what was tried and what to install
 */
export async function findTemporal(
  report: Report,
  env: NodeJS.ProcessEnv = process.env,
  sources: Sources = realSources,
): Promise<TemporalProgram> {
  const tried: string[] = [];
  const installed = onPath(env);
  if (installed === undefined) tried.push('temporal on PATH: not there');
  else {
    try {
      await version(installed);
      return { path: installed, source: 'PATH' };
    } catch (error) {
      tried.push(`temporal on PATH: ${reasonOf(error)}`);
    }
  }

  const folder = join(cacheFolder(env), `temporal-cli-${VERSION}`);
  const path = join(folder, 'temporal');
  if (existsSync(path)) return { path, source: 'cache' };
  tried.push(`cache: nothing in ${folder}`);

  report('Temporal: not installed and not in the cache yet');
  const startedAt = performance.now();
  let source: TemporalProgram['source'] = 'cache';
  await cached(folder, report, async (draft) => {
    source = 'download';
    try {
      await sources.download(draft, 'temporal', report);
    } catch (error) {
      tried.push(`the SDK's download: ${reasonOf(error)}`);
      report('  the download did not work out');
      source = 'go install';
      try {
        await sources.build(draft, report);
      } catch (failure) {
        tried.push(`go install ${MODULE}: ${reasonOf(failure)}`);
        throw new Error(nothingWorks(tried), { cause: failure });
      }
    }
    await version(join(draft, 'temporal'));
  });
  report(`Temporal: ready after ${readable(performance.now() - startedAt)}, kept in ${folder}`);
  return { path, source };
}

function nothingWorks(tried: readonly string[]): string {
  return [
    'Temporal could not be found or made. Tried, in order:',
    ...tried.map((line) => `  - ${line}`),
    'Do one of these, then start again:',
    '  - install the Temporal CLI so that `temporal` is on PATH (https://docs.temporal.io/cli)',
    '  - install Go 1.24 or newer, with access to Go modules, and it is built from source',
    '  - set TEMPORAL_ADDRESS=host:port to a Temporal server that already runs',
  ].join('\n');
}
