/** Waiting for a condition, with a deadline. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats `check` until it passes. @throws its last error when it has not passed within `withinMs`
 */
export async function eventually<T>(check: () => Promise<T>, { withinMs = 30_000, everyMs = 100 } = {}): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(everyMs);
    }
  }
}
