/** The upper bound: the official SDK in a loop with bounded concurrency. It stores nothing, so a crash loses everything. */
import { type Competitor, createSender, recipient, type Task } from './sender.ts';

export async function sdkLoop(task: Task): Promise<Competitor> {
  const sender = createSender(task);
  return {
    async load() {},
    async run() {
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < task.count) {
          const id = next;
          next += 1;
          await sender.send(recipient(id));
        }
      };
      await Promise.all(Array.from({ length: task.concurrency }, lane));
    },
    close: () => sender.close(),
  };
}
