/** A client of the API as a customer would write one. */

interface ApiResponse<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests read any shape, and say in assertions what it must be
type AnyBody = any;

type Send = <Body = AnyBody>(
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<ApiResponse<Body>>;

export type ApiClient = Record<'get' | 'post' | 'put' | 'patch' | 'delete', Send>;

/** The headers that say whom a key acts as, and in which organization. */
export const actingAs = ({ user, organization }: { user?: string; organization?: string }): Record<string, string> => ({
  ...(user !== undefined && { 'longwave-user': user }),
  ...(organization !== undefined && { 'longwave-organization': organization }),
});

/**
 * A client of one key. Objects go out as JSON, text as CSV unless a header says otherwise, and bytes, streams and forms as
 * they are.
 *
 * @param key null for none
 * @param always headers of every request
 */
export function apiClient(url: string, key: string | null, always: Record<string, string> = {}): ApiClient {
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const isText = typeof body === 'string';
    const isRaw = isText || body instanceof Uint8Array || body instanceof ReadableStream || body instanceof FormData;
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(isText && { 'content-type': 'text/csv' }),
        ...(body !== undefined && !isRaw && { 'content-type': 'application/json' }),
        ...always,
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body), duplex: 'half' as const }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
  };
  return {
    get: (path, body, headers) => send('GET', path, body, headers),
    post: (path, body, headers) => send('POST', path, body, headers),
    put: (path, body, headers) => send('PUT', path, body, headers),
    patch: (path, body, headers) => send('PATCH', path, body, headers),
    delete: (path, body, headers) => send('DELETE', path, body, headers),
  };
}
