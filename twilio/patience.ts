/** Requests that Twilio was too busy for: 429 says that they were not processed, so asking again is harmless. */
import { setTimeout as sleep } from 'node:timers/promises';

const firstMs = 200;
const longestMs = 3_000;

export const isTooBusy = (error: unknown): boolean => (error as { status?: unknown }).status === 429;

/**
 * Asks again, ever later, for as long as Twilio answers 429 and `forMs` have not passed. Waits are random, so that those
 * who were turned away together do not come back together.
 *
 * @param forMs how long after now another try may begin
 * @throws the last 429, or whatever else went wrong
 */
export async function patiently<T>(request: () => Promise<T>, forMs: number): Promise<T> {
  const until = performance.now() + forMs;
  for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, longestMs)) {
    try {
      return await request();
    } catch (error) {
      const pauseMs = waitMs * (0.5 + Math.random());
      if (!isTooBusy(error) || performance.now() + pauseMs > until) throw error;
      await sleep(pauseMs);
    }
  }
}
