/** The product's clock in the hands of a test. */
import type { Clock } from '../../clock.ts';

export interface TestClock extends Clock {
  advance(millis: number): void;
  /** Sets it; it goes on from there. */
  set(at: Date): void;
  /** From now on it stands still but for being set and advanced: for what is compared to the second. */
  hold(): void;
  /** It goes on. */
  run(): void;
}

export function testClock(): TestClock {
  let offset = 0;
  let heldAt: number | null = null;
  const now = (): number => heldAt ?? Date.now() + offset;
  const set = (millis: number): void => {
    if (heldAt === null) offset = millis - Date.now();
    else heldAt = millis;
  };
  return {
    now: () => new Date(now()),
    sync: async () => {},
    advance: (millis) => set(now() + millis),
    set: (at) => set(at.getTime()),
    hold: () => {
      heldAt = now();
    },
    run: () => {
      if (heldAt === null) return;
      offset = heldAt - Date.now();
      heldAt = null;
    },
  };
}
