/**
 * The clock of Temporal's time-skipping test server, so that product, twin and workflows live in the same time.
 *
 * Time there flows like ours until somebody unlocks skipping; each `unlockTimeSkippingWithSleep` (what
 * `TestWorkflowEnvironment.sleep` calls as well) unlocks it until its duration has passed. Locks are counted, so sleeps and locks of
 * other clients and ours add up correctly.
 */
import { Connection } from '@temporalio/client';
// The test service is part of the SDK's connection, but only a symbol of this module asks for it (as @temporalio/testing does).
import { InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection.js';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { DueRunner, type Clock } from './clock.ts';

type TestService = NonNullable<Connection['testService']>;

/** How long a reading of the server's time is good enough, in real milliseconds: bounds the calls under load. */
const FRESH_MS = 20;
/** How often the time is read while something is due: time may be skipped by others (a test that awaits a workflow's result). */
const WATCH_MS = 100;

/** A sleep in progress, which something that falls due before its end interrupts. */
interface Skip {
  end: number;
  /** Set when it was interrupted: resolves when skipping is locked. */
  locking?: Promise<void>;
  interrupt: () => void;
}

export class TemporalClock implements Clock {
  readonly #connection: Connection;
  readonly #service: TestService;
  readonly #runner: DueRunner;
  #offset = 0;
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;
  #watch: NodeJS.Timeout | undefined;
  #skip: Skip | undefined;
  #advancing: Promise<void> = Promise.resolve();

  private constructor(connection: Connection, service: TestService) {
    this.#connection = connection;
    this.#service = service;
    this.#runner = new DueRunner(() => this.now());
  }

  /**
   * @param address host:port of the test server
   * @throws when there is no time-skipping server at that address
   */
  static async connect(address: string): Promise<TemporalClock> {
    const options = { address, [InternalConnectionOptionsSymbol]: { supportsTestService: true } };
    const connection = await Connection.connect(options);
    const service = connection.testService;
    if (service === undefined || service === null)
      throw new Error('This version of @temporalio/client has no test service');
    const clock = new TemporalClock(connection, service);
    await clock.#read();
    return clock;
  }

  now(): number {
    return Date.now() + this.#offset;
  }

  async #read(): Promise<void> {
    const { time } = await this.#service.getCurrentTime({});
    this.#offset = tsToMs(time) - Date.now();
    this.#readAt = performance.now();
    this.#runner.runDue();
  }

  sync(): Promise<void> | undefined {
    // While time is being skipped, what was read a moment ago may be days old.
    if (this.#skip === undefined && performance.now() - this.#readAt < FRESH_MS) return undefined;
    // A server that does not answer leaves the time as it was last read: a test may have stopped it.
    this.#reading ??= this.#read()
      .catch(() => undefined)
      .finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  at(epochMs: number, run: () => void): void {
    this.#runner.add(epochMs, run);
    const skip = this.#skip;
    if (skip !== undefined && skip.locking === undefined && epochMs < skip.end) {
      skip.locking = this.#service.lockTimeSkipping({}).then(() => skip.interrupt());
    }
    this.#watch ??= setInterval(() => {
      if (this.#runner.queue.size === 0) {
        clearInterval(this.#watch);
        this.#watch = undefined;
      } else {
        void this.sync();
      }
    }, WATCH_MS);
  }

  /** Whoever made the request waits for the lock, and while they wait for us no time is skipped: nothing slips in between. */
  settle(): Promise<void> | undefined {
    return this.#skip?.locking;
  }

  advance(durationMs: number, quiet: () => Promise<void>): Promise<void> {
    const turn = this.#advancing.then(async () => {
      await this.#read();
      await this.#advanceTo(this.now() + durationMs, quiet);
    });
    this.#advancing = turn.catch(() => undefined);
    return turn;
  }

  async #advanceTo(target: number, quiet: () => Promise<void>): Promise<void> {
    for (;;) {
      await quiet();
      await this.#read();
      await quiet();
      const now = this.now();
      if (now >= target) return;
      await this.#skipTo(Math.min(target, Math.max(this.#runner.queue.nextAt ?? target, now + 1)), quiet);
    }
  }

  async #skipTo(end: number, quiet: () => Promise<void>): Promise<void> {
    const durationMs = Math.max(Math.ceil(end - this.now()), 1);
    const slept = this.#service.unlockTimeSkippingWithSleep({ duration: msToTs(durationMs) });
    let interruptedOnce = false;
    for (;;) {
      const skip: Skip = { end, interrupt: () => undefined };
      const interrupted = new Promise<void>((resolve) => (skip.interrupt = resolve));
      this.#skip = skip;
      if (interruptedOnce) await this.#service.unlockTimeSkipping({});
      const over = await Promise.race([slept.then(() => true), interrupted.then(() => false)]);
      this.#skip = undefined;
      this.#readAt = -Infinity;
      await skip.locking;
      if (skip.locking !== undefined) await this.#runUntil(end, quiet);
      if (over) {
        if (skip.locking !== undefined) await this.#service.unlockTimeSkipping({});
        return;
      }
      interruptedOnce = true;
    }
  }

  /** Runs what falls due before `end` while our lock holds the sleep outside; sleeps in here unlock and lock for themselves. */
  async #runUntil(end: number, quiet: () => Promise<void>): Promise<void> {
    for (;;) {
      await quiet();
      await this.#read();
      await quiet();
      const { nextAt } = this.#runner.queue;
      if (nextAt === undefined || nextAt >= end) return;
      await this.#skipTo(nextAt, quiet);
    }
  }

  afterDue(listener: () => void): void {
    this.#runner.afterDue = listener;
  }

  clear(): void {
    this.#runner.clear();
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    this.clear();
    await this.#connection.close();
  }
}
