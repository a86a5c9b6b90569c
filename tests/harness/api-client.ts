/** A client of the API as a customer would write one. */

interface ApiResponse<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

// The body is whatever the route answers: tests say what they expect of it.
// oxlint-disable-next-line typescript/no-explicit-any
type AnyBody = any;

export interface ApiClient {
  get<Body = AnyBody>(path: string, headers?: Record<string, string>): Promise<ApiResponse<Body>>;
  post<Body = AnyBody>(path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiResponse<Body>>;
  put<Body = AnyBody>(path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiResponse<Body>>;
  patch<Body = AnyBody>(path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiResponse<Body>>;
  delete<Body = AnyBody>(path: string, headers?: Record<string, string>): Promise<ApiResponse<Body>>;
}

/** @param acting the user and organization to act as and in */
export function apiClient(url: string, key: string, acting: { user?: string; organization?: string } = {}): ApiClient {
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const isText = typeof body === 'string';
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(acting.user && { 'longwave-user': acting.user }),
        ...(acting.organization && { 'longwave-organization': acting.organization }),
        ...(body !== undefined && { 'content-type': isText ? 'text/csv' : 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
  };
  return {
    get: (path, headers) => call('GET', path, undefined, headers),
    post: (path, body, headers) => call('POST', path, body, headers),
    put: (path, body, headers) => call('PUT', path, body, headers),
    patch: (path, body, headers) => call('PATCH', path, body, headers),
    delete: (path, headers) => call('DELETE', path, undefined, headers),
  };
}
