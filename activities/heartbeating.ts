/** Short activities that talk to others: a worker that dies in one of them is noticed by the heartbeats that stop. */
import { Context } from '@temporalio/activity';

const everyMs = 3_000;

// oxlint-disable-next-line typescript/no-explicit-any -- any activities, whatever they take
type Activities = Record<string, (...given: any[]) => Promise<unknown>>;

/** The same activities, beating for as long as each lasts. */
export function heartbeating<A extends Activities>(activities: A): A {
  const beating = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...given: unknown[]) => {
      const context = Context.current();
      const timer = setInterval(() => context.heartbeat(), everyMs);
      try {
        return await activity(...given);
      } finally {
        clearInterval(timer);
      }
    },
  ]);
  return Object.fromEntries(beating) as A;
}
