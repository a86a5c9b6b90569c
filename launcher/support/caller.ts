/** Calls of the API and of the simulator's control side, for what the launcher sets up and plays. */

export type Caller = <T = unknown>(method: string, path: string, body?: unknown) => Promise<T>;

/**
 * Text goes out as CSV, forms as they are, all else as JSON.
 *
 * @param base what comes before each path
 * @param key an API key; none for the simulator
 * @throws what answers with anything but a success, with the answer
 */
function caller(base: string, key?: string): Caller {
  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const type = typeof body === 'string' ? 'text/csv' : 'application/json';
    const isForm = body instanceof FormData;
    const response = await fetch(base + path, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && !isForm && { 'content-type': type }),
      },
      ...(body !== undefined && { body: isForm || typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  };
}

/** The API, as the owner of a key. */
export const apiOf = ({ api }: { api: string }, key: string): Caller => caller(`${api}/v1`, key);

/** The simulator's control side. */
export const controlOf = (simulator: string): Caller => caller(`${simulator}/control`);
