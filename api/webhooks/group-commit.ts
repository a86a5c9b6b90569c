/** Many small writes in few transactions, none acknowledged before its commit. */

/**
 * While one group is being written, what arrives gathers; the next group takes all of it. So a lone item is written at
 * once, and thousands at once cost a few transactions.
 *
 * @param write writes a group in one transaction; what it throws, every caller of the group gets
 * @param most items in a group
 */
export function groupCommit<T>(write: (items: readonly T[]) => Promise<void>, most = 500): (item: T) => Promise<void> {
  let waiting: { item: T; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let writing = false;

  const run = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) {
      const group = waiting.slice(0, most);
      waiting = waiting.slice(most);
      try {
        await write(group.map(({ item }) => item));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    writing = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!writing) void run();
    });
}
