/**
 * Programs that are fetched or built once and shared by every checkout on the machine. They live outside the checkout, so
 * that a clean clone starts in seconds.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './errors.ts';
import type { Report } from './progress.ts';

/** `LONGWAVE_CACHE`, else `longwave` in `XDG_CACHE_HOME`, else in `~/.cache`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['LONGWAVE_CACHE']) return resolve(env['LONGWAVE_CACHE']);
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'longwave');
}

/** A holder touches its lock this often; one untouched for `ABANDONED` is nobody's. */
const TOUCH = 2_000;
const ABANDONED = 15_000;

/** Whether nobody holds the lock any more: its process is gone, or (on another host of a shared home) it went silent. */
async function isAbandoned(lock: string): Promise<boolean> {
  const [owner, { mtimeMs }] = await Promise.all([readFile(lock, 'utf8'), stat(lock)]);
  if (Date.now() - mtimeMs > ABANDONED) return true;
  const [host, pid] = owner.split(' ');
  if (host !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/**
 * Runs `work` while holding a lock file; others wait, whatever process or checkout they are in. Two waiters that find an
 * abandoned lock in the same instant may both go on: `work` must be harmless when it runs twice, only wasteful.
 */
export async function withLock<T>(lock: string, report: Report, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(lock), { recursive: true });
  const owner = `${hostname()} ${process.pid} ${randomUUID()}`;
  let told = false;
  for (;;) {
    try {
      await writeFile(lock, owner, { flag: 'wx' });
      break;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    // Between the two calls the holder may finish and remove it: then the next round takes it.
    if (await isAbandoned(lock).catch(() => false)) await rm(lock, { force: true });
    else {
      if (!told) report(`  another start is preparing the same program; waiting for it (lock: ${lock})`);
      told = true;
      await sleep(250);
    }
  }
  const touching = setInterval(() => {
    void utimes(lock, new Date(), new Date()).catch(() => {});
  }, TOUCH);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    if ((await readFile(lock, 'utf8').catch(() => '')) === owner) await rm(lock, { force: true });
  }
}

/**
 * A folder of the cache that is complete or does not exist: `make` fills a draft, which is then moved into place. One
 * start makes it while the others wait.
 *
 * @returns the folder's path
 * @throws what `make` throws, leaving nothing behind
 */
export async function cached(folder: string, report: Report, make: (draft: string) => Promise<void>): Promise<string> {
  if (existsSync(folder)) return folder;
  return withLock(`${folder}.lock`, report, async () => {
    if (existsSync(folder)) return folder;
    await removeDrafts(folder);
    const draft = `${folder}.draft-${randomUUID()}`;
    try {
      await mkdir(draft, { recursive: true });
      await make(draft);
      await rename(draft, folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error;
      });
      return folder;
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  });
}

/** Removes what starts that were killed have left half-made. Called with the lock held, so nobody works on them. */
async function removeDrafts(folder: string): Promise<void> {
  const drafts = (await readdir(dirname(folder))).filter((name) => name.startsWith(`${basename(folder)}.draft-`));
  await Promise.all(drafts.map((name) => rm(join(dirname(folder), name), { recursive: true, force: true })));
}
