/** What falls due later, ordered by time and then by order of arrival: a binary heap. */

interface Entry {
  at: number;
  order: number;
  run: () => void;
}

export class DueQueue {
  #heap: Entry[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Epoch milliseconds of the first entry; undefined when there is none. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** Adds something to run at `at`, epoch milliseconds. */
  add(at: number, run: () => void): void {
    const entry = { at, order: this.#order++, run };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Takes out the first entry if it is due at `now`. */
  takeDue(now: number): (() => void) | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) {
      let index = 0;
      for (;;) {
        let child = 2 * index + 1;
        const left = heap[child];
        if (left === undefined) break;
        const right = heap[child + 1];
        let smaller = left;
        if (right !== undefined && isBefore(right, left)) {
          smaller = right;
          child += 1;
        }
        if (!isBefore(smaller, last)) break;
        heap[index] = smaller;
        index = child;
      }
      heap[index] = last;
    }
    return first.run;
  }

  /** Forgets everything. */
  clear(): void {
    this.#heap = [];
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
