/** What was asked of Twilio's API: the last requests, and exact counts of all. */

export interface LoggedRequest {
  method: string;
  /** As it arrived, product first, without the query: `/api/2010-04-01/Accounts.json`. */
  path: string;
  /** `operationId` of Twilio's documents; undefined where the path is none of Twilio's. */
  operation: string | undefined;
  /** HTTP status; 0 when the connection was cut instead of an answer. */
  status: number;
  /** Whether its answer was withheld. */
  held: boolean;
  /** Epoch milliseconds. */
  at: number;
}

type Counted = Pick<LoggedRequest, 'method' | 'path' | 'operation'> & { count: number };

interface RequestFilter {
  /** Any part of the path; `*` in it stands for anything, and then the whole path has to fit. */
  path?: string | undefined;
  method?: string | undefined;
  operation?: string | undefined;
}

/** Requests kept in full. Counts are per path and method and never forgotten before a reset. */
const KEPT = 100_000;

export class RequestLog {
  #ring: LoggedRequest[] = [];
  #start = 0;
  /** By method and path. */
  #counts = new Map<string, Counted>();

  add(request: LoggedRequest): void {
    if (this.#ring.length < KEPT) this.#ring.push(request);
    else {
      this.#ring[this.#start] = request;
      this.#start = (this.#start + 1) % KEPT;
    }
    const key = `${request.method} ${request.path}`;
    const counted = this.#counts.get(key);
    if (counted === undefined) {
      const { method, path, operation } = request;
      this.#counts.set(key, { method, path, operation, count: 1 });
    } else {
      counted.count += 1;
    }
  }

  /**
   * The requests that fit a filter.
   *
   * @param limit how many of the last to list
   * @returns `total` counts all, listed or not; `items` are the last ones, oldest first
   */
  find({ path, method, operation }: RequestFilter, limit: number): { total: number; items: LoggedRequest[] } {
    const fitsPath = pathMatcher(path);
    const fits = (request: Pick<LoggedRequest, 'path' | 'method' | 'operation'>) =>
      (method === undefined || request.method === method) &&
      (operation === undefined || request.operation === operation) &&
      fitsPath(request.path);
    let total = 0;
    for (const counted of this.#counts.values()) if (fits(counted)) total += counted.count;
    const items: LoggedRequest[] = [];
    for (let back = 1; back <= this.#ring.length && items.length < limit; back += 1) {
      const request = this.#ring[(this.#start + this.#ring.length - back) % this.#ring.length];
      if (request === undefined) break;
      if (fits(request)) items.push(request);
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
