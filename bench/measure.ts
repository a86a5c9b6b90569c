/** What is measured of processes (through /proc, so on Linux) and of Postgres, and how repetitions are summed up. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Client } from 'pg';

/** `utime` and `stime` are counted in these; Linux has had 100 a second on every platform that runs Node. */
const ticksPerSecond = 100;

export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** @throws when there is nothing to sum up */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => {
    const value = sorted[index];
    if (value === undefined) throw new Error('nothing was measured');
    return value;
  };
  const middle = (sorted.length - 1) / 2;
  return {
    min: at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    max: at(sorted.length - 1),
  };
}

interface ProcessTimes {
  parent: number;
  /** Seconds of its own, all threads. */
  own: number;
  /** Seconds of its children that have ended. */
  ended: number;
}

function timesOf(pid: number | string): ProcessTimes | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name, in parentheses, and may contain anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = (index: number) => Number(fields[index]) / ticksPerSecond;
    return { parent: Number(fields[1]), own: ticks(11) + ticks(12), ended: ticks(13) + ticks(14) };
  } catch {
    return undefined;
  }
}

/** CPU seconds a process has used, all threads; NaN where /proc is missing. */
export function cpuSeconds(pid: number): number {
  return timesOf(pid)?.own ?? Number.NaN;
}

/** CPU seconds of a process and its children, those that have ended included: for Postgres, one process per session. */
export function familyCpuSeconds(pid: number): number {
  const parent = timesOf(pid);
  if (!parent) return Number.NaN;
  let sum = parent.own + parent.ended;
  for (const name of readdirSync('/proc')) {
    const times = /^\d+$/.test(name) ? timesOf(name) : undefined;
    if (times?.parent === pid) sum += times.own;
  }
  return sum;
}

/** Lets the peak of a process's memory begin anew at what it holds now. */
export function resetPeakMemory(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Without /proc the peak reads as NaN below.
  }
}

/** The most memory a process has held since the reset, in MB (millions of bytes); NaN where /proc is missing. */
export function peakMemory(pid: number): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return (Number(kilobytes) * 1024) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** Bytes of write-ahead log Postgres has written so far. */
export async function walBytes(client: Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(`select pg_current_wal_lsn() - '0/0' as bytes`);
  return Number(rows[0]?.bytes);
}

/** The readings between which a run's costs lie. */
export interface Reading {
  senderCpu: number;
  postgresCpu: number;
  simulatorCpu: number;
  wal: number;
}

export interface Meter {
  /** @param sender number of the process that sends */
  read(sender: number): Promise<Reading>;
}

/** @param admin a connection to the server under load, in any database */
export function meter(pids: { postgres: number; simulator: number }, admin: Client): Meter {
  return {
    read: async (sender) => ({
      senderCpu: cpuSeconds(sender),
      postgresCpu: familyCpuSeconds(pids.postgres),
      simulatorCpu: cpuSeconds(pids.simulator),
      wal: await walBytes(admin),
    }),
  };
}

/** What was used from one reading to the next, per 1,000 messages. */
export function costsPerThousand(before: Reading, after: Reading, messages: number): Reading {
  const cost = (name: keyof Reading) => ((after[name] - before[name]) / messages) * 1000;
  return {
    senderCpu: cost('senderCpu'),
    postgresCpu: cost('postgresCpu'),
    simulatorCpu: cost('simulatorCpu'),
    wal: cost('wal'),
  };
}
