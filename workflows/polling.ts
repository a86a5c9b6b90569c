/** Waiting for Twilio: whoever tells first, an event or our own look, which come ever more rarely. */
import { condition } from '@temporalio/workflow';

const firstMs = 2_000;

export class Polling {
  /** How long the next wait without any sign lasts, in milliseconds. Carried over when a workflow continues as new. */
  waitMs: number;
  readonly #longestMs: number;
  #isWoken = false;

  /** @param longestMs what the waits grow to */
  constructor(longestMs: number, waitMs = firstMs) {
    this.#longestMs = longestMs;
    this.waitMs = waitMs;
  }

  /** Something changed: more may follow soon. */
  restart(): void {
    this.waitMs = firstMs;
  }

  /** There is something to look at now. */
  wake(): void {
    this.#isWoken = true;
    this.restart();
  }

  /**
   * Waits until it is woken, until it is time to look again, or until `nextAt`.
   *
   * @param nextAt RFC 3339, or null
   */
  async wait(nextAt: string | null = null): Promise<void> {
    const untilNext = nextAt === null ? Infinity : Math.max(Date.parse(nextAt) - Date.now(), 1_000);
    const isWoken = await condition(() => this.#isWoken, Math.min(this.waitMs, untilNext));
    this.#isWoken = false;
    if (!isWoken && untilNext > this.waitMs) this.waitMs = Math.min(this.waitMs * 4, this.#longestMs);
  }
}
