/** The twin's time, and what it does later. Two clocks: the system's, and that of Temporal's time-skipping test server. */
import { DueQueue } from './due-queue.ts';

/** Refused: this clock cannot be moved. */
export class ClockError extends Error {
  override name = 'ClockError';
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Brings `now` up to date; undefined where there is nothing to wait for. Called before each request is handled. */
  sync(): Promise<void> | undefined;
  /** Called after each request was handled, before it is answered: what it scheduled may have to happen before time is skipped. */
  settle(): Promise<void> | undefined;
  /** Runs something at a time, epoch milliseconds; soon, if that is past. */
  at(epochMs: number, run: () => void): void;
  /**
   * Moves the clock, running what falls due on the way.
   *
   * @param durationMs how far
   * @param quiet resolves when everything that was started has ended (webhooks answered)
   * @throws {ClockError} when the clock is the system's
   */
  advance(durationMs: number, quiet: () => Promise<void>): Promise<void>;
  /** Sets what is called whenever something that was due has run. */
  afterDue(listener: () => void): void;
  /** Forgets what is due. */
  clear(): void;
  close(): Promise<void>;
}

/** Node's timers cannot wait longer (2^31 - 1 ms, almost 25 days). */
const MAX_TIMER_MS = 2_147_483_647;

/** Runs a queue as a clock reaches its times; `arm` is called whenever the queue or the clock changed. */
export class DueRunner {
  readonly queue = new DueQueue();
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;
  /** Called whenever something that was due has run. */
  afterDue: () => void = () => undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(epochMs: number, run: () => void): void {
    this.queue.add(epochMs, run);
    if (epochMs < this.#armedFor) this.arm();
  }

  /** Sets the timer to the first thing due. One timer for all keeps a message as cheap as a heap entry. */
  arm(): void {
    clearTimeout(this.#timer);
    const { nextAt } = this.queue;
    this.#armedFor = nextAt ?? Infinity;
    if (nextAt === undefined) return;
    this.#timer = setTimeout(() => this.runDue(), Math.min(Math.max(nextAt - this.#now(), 0), MAX_TIMER_MS));
  }

  /** Runs all that is due now, then arms the timer again. */
  runDue(): void {
    const now = this.#now();
    let ran = false;
    for (let run = this.queue.takeDue(now); run !== undefined; run = this.queue.takeDue(now)) {
      run();
      ran = true;
    }
    this.arm();
    if (ran) this.afterDue();
  }

  clear(): void {
    this.queue.clear();
    this.arm();
  }
}

/** The system's clock: time flows, and nobody moves it. */
export class SystemClock implements Clock {
  readonly #runner = new DueRunner(Date.now);

  now(): number {
    return Date.now();
  }

  sync(): undefined {
    return undefined;
  }

  settle(): undefined {
    return undefined;
  }

  at(epochMs: number, run: () => void): void {
    this.#runner.add(epochMs, run);
  }

  advance(): Promise<void> {
    return Promise.reject(
      new ClockError(
        'This stack runs on the system clock, which nobody moves. Use one on the time-skipping server: ' +
          'npm run demo, or startSystem({ timeSkipping: true }) in a test',
      ),
    );
  }

  afterDue(listener: () => void): void {
    this.#runner.afterDue = listener;
  }

  clear(): void {
    this.#runner.clear();
  }

  close(): Promise<void> {
    this.clear();
    return Promise.resolve();
  }
}
