/** Keeps named processes running: starts them, notices when one dies, brings it back, stops them in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit, type Child } from './child.ts';
import { reasonOf } from './errors.ts';
import { readable, type Report } from './progress.ts';

/** Starts a process and answers when it is ready. Called again after a crash. */
type Launch = () => Promise<Child>;

interface SupervisorOptions {
  /** Brings back what dies, with growing pauses. */
  restart: boolean;
  report: Report;
}

interface Entry {
  launch: Launch;
  child: Child | undefined;
  /** False from the moment its end is intended. */
  wanted: boolean;
  /** Restarts in a row; forgotten after a healthy minute. */
  failures: number;
}

const HEALTHY = 60_000;
const LONGEST_PAUSE = 30_000;

export interface Supervisor<Name extends string> {
  /** Starts it (with `launch` at the first time), and answers when it is ready. */
  start(name: Name, launch?: Launch): Promise<void>;
  /** SIGKILL; answers when it is gone. It stays down until `start`. */
  crash(name: Name): Promise<void>;
  /** Orderly stop; answers when it is gone. */
  stop(name: Name): Promise<void>;
  /** Kills everything at once. */
  killAll(): Promise<void>;
  child(name: Name): Child | undefined;
}

/** Creates a supervisor with nothing to supervise yet. */
export function createSupervisor<Name extends string>({ restart, report }: SupervisorOptions): Supervisor<Name> {
  const entries = new Map<Name, Entry>();

  const entryOf = (name: Name): Entry => {
    const entry = entries.get(name);
    if (!entry) throw new Error(`${name} is not part of this stack`);
    return entry;
  };

  const launch = async (name: Name, entry: Entry): Promise<void> => {
    entry.wanted = true;
    const child = await entry.launch();
    if (!entry.wanted) {
      // Stopped while it was starting.
      await child.stop();
      return;
    }
    entry.child = child;
    const startedAt = performance.now();
    void child.exited.then(async (exit) => {
      if (entry.child !== child || !entry.wanted) return;
      const lines = child.output(2_000).trim().split('\n').slice(-8);
      report(`${name} ended unexpectedly (${describeExit(exit)}); its log: ${child.log}`);
      for (const line of lines) report(`  [${name}] ${line}`);
      if (performance.now() - startedAt > HEALTHY) entry.failures = 0;
      if (restart) await bringBack(name, entry);
    });
  };

  const bringBack = async (name: Name, entry: Entry): Promise<void> => {
    while (entry.wanted) {
      const pause = Math.min(LONGEST_PAUSE, 500 * 2 ** entry.failures);
      entry.failures += 1;
      report(`${name} is restarted in ${readable(pause)}`);
      await sleep(pause, undefined, { ref: false });
      if (!entry.wanted) return;
      try {
        await launch(name, entry);
        report(`${name} is back`);
        return;
      } catch (error) {
        report(`${name} could not be restarted: ${reasonOf(error)}`);
      }
    }
  };

  const end = async (name: Name, how: 'stop' | 'kill'): Promise<void> => {
    const entry = entries.get(name);
    if (!entry) return;
    entry.wanted = false;
    await entry.child?.[how]();
  };

  return {
    start: async (name, first) => {
      if (first) entries.set(name, { launch: first, child: undefined, wanted: true, failures: 0 });
      const entry = entryOf(name);
      if (entry.child?.running()) return;
      await launch(name, entry);
    },
    crash: async (name) => {
      entryOf(name);
      await end(name, 'kill');
    },
    stop: (name) => end(name, 'stop'),
    killAll: async () => {
      await Promise.all([...entries.keys()].map((name) => end(name, 'kill')));
    },
    child: (name) => entries.get(name)?.child,
  };
}
