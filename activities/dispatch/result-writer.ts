/** Gathers results and writes them in bulk: few enough at a time that a crash leaves few in doubt. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SendResult } from '../../db/messages/outgoing.ts';

const flushAt = 250;
const flushEveryMs = 250;
/** Sending waits while more than this is unwritten: Postgres sets the pace, not the memory of the worker. */
const mostUnwritten = 1_500;
/** How long a write is tried again while Postgres is away. Beyond it the results are lost here, and settled from Twilio. */
const keepTryingMs = 20_000;

export interface ResultWriter {
  add(result: SendResult): void;
  /** Resolves when there is room for more results. @throws what a write failed with */
  room(): Promise<void>;
  /** Writes all that is left and stops. @throws what a write failed with, after trying for a while */
  finish(): Promise<void>;
}

/** @param write writes some results in one statement; running it twice must be harmless */
export function resultWriter(write: (results: readonly SendResult[]) => Promise<void>): ResultWriter {
  let unwritten: SendResult[] = [];
  let writing: Promise<void> | null = null;
  let failure: unknown;

  const writeOut = async (): Promise<void> => {
    while (unwritten.length > 0 && failure === undefined) {
      const some = unwritten.slice(0, flushAt);
      try {
        await persistently(() => write(some));
        unwritten = unwritten.slice(some.length);
      } catch (error) {
        failure = error;
      }
      if (unwritten.length < flushAt) return;
    }
  };
  const start = (): Promise<void> => {
    writing ??= writeOut().finally(() => {
      writing = null;
    });
    return writing;
  };
  const timer = setInterval(() => {
    if (unwritten.length > 0) void start();
  }, flushEveryMs);

  return {
    add(result) {
      unwritten.push(result);
      if (unwritten.length >= flushAt) void start();
    },
    async room() {
      while (unwritten.length > mostUnwritten && failure === undefined) await start();
      if (failure !== undefined) throw failure;
    },
    async finish() {
      clearInterval(timer);
      while (unwritten.length > 0 && failure === undefined) await start();
      if (failure !== undefined) throw failure;
    },
  };
}

async function persistently(work: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + keepTryingMs;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() + pause > deadline) throw error;
      await sleep(pause);
    }
  }
}
