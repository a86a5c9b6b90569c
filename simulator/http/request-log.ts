/** What was asked of Twilio's API: the last requests, and exact counts of all. */

export interface LoggedRequest {
  method: string;
  /** As it arrived, product first, without the query: `/api/2010-04-01/Accounts.json`. */
  path: string;
  /** HTTP status; 0 when the connection was cut instead of an answer. */
  status: number;
  /** Epoch milliseconds. */
  at: number;
}

/** Requests kept in full. Counts are per path and method and never forgotten before a reset. */
const KEPT = 20_000;

export class RequestLog {
  #ring: LoggedRequest[] = [];
  #start = 0;
  /** Method and path → number of requests. */
  #counts = new Map<string, number>();

  add(request: LoggedRequest): void {
    if (this.#ring.length < KEPT) this.#ring.push(request);
    else {
      this.#ring[this.#start] = request;
      this.#start = (this.#start + 1) % KEPT;
    }
    const key = `${request.method} ${request.path}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /**
   * The requests whose path contains a text; `*` in it stands for anything, and then the whole path has to fit.
   *
   * @param limit how many of the last to list
   * @returns `total` counts all, listed or not; `items` are the last ones, oldest first
   */
  find(path: string | undefined, method: string | undefined, limit: number): { total: number; items: LoggedRequest[] } {
    const fits = pathMatcher(path);
    let total = 0;
    for (const [key, count] of this.#counts) {
      const space = key.indexOf(' ');
      if ((method === undefined || key.slice(0, space) === method) && fits(key.slice(space + 1))) total += count;
    }
    const items: LoggedRequest[] = [];
    for (let back = 1; back <= this.#ring.length && items.length < limit; back += 1) {
      const request = this.#ring[(this.#start + this.#ring.length - back) % this.#ring.length];
      if (request === undefined) break;
      if ((method === undefined || request.method === method) && fits(request.path)) items.push(request);
    }
    return { total, items: items.toReversed() };
  }

  clear(): void {
    this.#ring = [];
    this.#start = 0;
    this.#counts.clear();
  }
}

function pathMatcher(path: string | undefined): (path: string) => boolean {
  if (path === undefined || path === '') return () => true;
  if (!path.includes('*')) return (actual) => actual.includes(path);
  const parts = path.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  const whole = new RegExp(`^${parts.join('.*')}$`);
  return (actual) => whole.test(actual);
}
