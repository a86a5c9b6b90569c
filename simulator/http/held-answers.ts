/** Answers that are withheld: Twilio has done the thing, and whoever asked does not know. */
import type { ServerResponse } from 'node:http';

/**
 * An entry of `holdAnswers`: every answer of an operation; with `#n` only the nth since the entry was made; with `@name`
 * only those to the account of this name, or about it.
 */
interface Entry {
  operation: string;
  nth: number | null;
  account: string | null;
  seen: number;
  /** What lets each of its answers go. */
  waiting: Set<() => void>;
}

/** `CreateEndUser`, `CreateEndUser#2`, `CreateEndUser#2@Acme`. */
const shape = /^(?<operation>\w+)(?:#(?<nth>[1-9]\d*))?(?:@(?<account>.+))?$/;

/** The operation that an entry is about; undefined when it is no entry. */
export const operationOf = (entry: string): string | undefined => shape.exec(entry)?.groups?.['operation'];

export class HeldAnswers {
  readonly #entries = new Map<string, Entry>();

  /** Withholds the answers of these entries from now on, and lets go those of any other. */
  hold(entries: readonly string[]): void {
    for (const [text, { waiting }] of this.#entries) {
      if (entries.includes(text)) continue;
      this.#entries.delete(text);
      for (const release of waiting) release();
    }
    for (const text of entries) {
      if (this.#entries.has(text)) continue;
      const { operation = '', nth, account = null } = shape.exec(text)?.groups ?? {};
      this.#entries.set(text, { operation, nth: nth ? Number(nth) : null, account, seen: 0, waiting: new Set() });
    }
  }

  /**
   * Waits while an answer is to be withheld.
   *
   * @param accounts names of the account that asked, and of the one that was asked for
   * @returns undefined when it is not; otherwise resolves when it may be sent, or when the client has hung up
   */
  wait(
    operation: string | undefined,
    accounts: () => readonly unknown[],
    response: ServerResponse,
  ): Promise<void> | undefined {
    let holding: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.operation !== operation) continue;
      if (entry.account !== null && !accounts().includes(entry.account)) continue;
      entry.seen += 1;
      if (entry.nth === null || entry.nth === entry.seen) holding ??= entry;
    }
    if (holding === undefined || response.destroyed) return undefined;
    const { waiting } = holding;
    return new Promise((resolve) => {
      const release = () => {
        response.off('close', release);
        waiting.delete(release);
        resolve();
      };
      waiting.add(release);
      response.once('close', release);
    });
  }
}
