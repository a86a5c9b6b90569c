/** One supervised child process: its log file, its end, its orderly stop. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guard, unguard } from './watchdog.ts';

export interface ChildOptions {
  name: string;
  command: string;
  args: readonly string[];
  /** File that standard output and error are appended to. */
  log: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** The signal of an orderly stop. */
  stopSignal?: NodeJS.Signals;
  /** Milliseconds between the orderly stop and SIGKILL. */
  grace?: number;
}

/** How a child ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  error?: Error;
}

export interface Child {
  readonly name: string;
  readonly pid: number | undefined;
  readonly log: string;
  /** Settles when the process has ended or could not be started; never rejects. */
  readonly exited: Promise<Exit>;
  running(): boolean;
  /** What it wrote since it was started, at most the last `bytes`. */
  output(bytes?: number): string;
  /** Asks it to stop, and kills it when the grace has passed. */
  stop(): Promise<Exit>;
  /** SIGKILL; answers when it is gone. */
  kill(): Promise<Exit>;
}

const LARGE_LOG = 20_000_000;

/** Opens the log for appending; an old large one becomes `….1`, so that months of starts do not fill a disk. */
function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  try {
    if (statSync(path).size > LARGE_LOG) renameSync(path, `${path}.1`);
  } catch {
    // No log yet.
  }
  return openSync(path, 'a');
}

/** The end of a file, from `from` on and at most `bytes` long. */
function tail(path: string, from: number, bytes: number): string {
  let file: number | undefined;
  try {
    const { size } = statSync(path);
    const start = Math.max(from, size - bytes);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    file = openSync(path, 'r');
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, start));
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Starts a process in its own session, so that Ctrl-C in the terminal reaches the launcher alone and the stop stays in
 * order. Output goes straight to the log file: a busy launcher never blocks a child on a full pipe.
 */
export function startChild(options: ChildOptions): Child {
  const { name, command, args, log, stopSignal = 'SIGTERM', grace = 10_000 } = options;
  const file = openLog(log);
  const from = statSync(log).size;
  const process_ = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', file, file],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  closeSync(file);
  const { pid } = process_;
  if (pid !== undefined) guard(pid, stopSignal === 'SIGINT' ? 'INT' : 'KILL');
  let ended = false;
  const exited = new Promise<Exit>((resolve) => {
    process_.once('exit', (code, signal) => {
      ended = true;
      if (pid !== undefined) unguard(pid);
      resolve({ code, signal });
    });
    process_.once('error', (error) => {
      // 'error' without a pid means that it never ran; with one, that a signal could not be sent.
      if (pid !== undefined) return;
      ended = true;
      resolve({ code: null, signal: null, error });
    });
  });
  return {
    name,
    pid,
    log,
    exited,
    running: () => !ended,
    output: (bytes = 4_000) => tail(log, from, bytes),
    stop: async () => {
      if (!ended) process_.kill(stopSignal);
      const patience = new AbortController();
      const late = sleep(grace, 'late' as const, { signal: patience.signal }).catch(() => 'late' as const);
      if ((await Promise.race([exited, late])) === 'late' && !ended) process_.kill('SIGKILL');
      patience.abort();
      return exited;
    },
    kill: () => {
      if (!ended) process_.kill('SIGKILL');
      return exited;
    },
  };
}

/** An exit in words: `exit code 1`, `signal SIGKILL`, or why it could not be started. */
export function describeExit({ code, signal, error }: Exit): string {
  if (error) return error.message;
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
