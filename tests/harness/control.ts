/** A typed client of the simulator's control side. */

export interface SimulatedMessage {
  sid: string;
  accountSid: string;
  to: string;
  from: string | null;
  messagingServiceSid: string | null;
  body: string;
  numSegments: string;
  status: string;
  statusCallback: string | null;
  acceptedAt: string;
}

export interface Behaviour {
  latencyMs?: number;
  undeliveredRate?: number;
  failedRate?: number;
  errorCodes?: number[];
  http429Rate?: number;
  http500Rate?: number;
  dropResponseRate?: number;
  callbacks?: { delayMs?: number; duplicateRate?: number; shuffle?: boolean; dropRate?: number };
}

export interface InboundMessage {
  from: string;
  to: string;
  body: string;
  optOutType?: 'STOP' | 'START' | 'HELP';
  mediaUrls?: string[];
}

export interface SimulatedMail {
  from: string;
  to: string[];
  subject: string;
  text: string;
  html: string;
}

export type Control = ReturnType<typeof controlClient>;

/** @param url the simulator's base address */
export function controlClient(url: string) {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}/control${path}`, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /control${path} answered ${response.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  const query = (parameters: object) => {
    const given = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) given.set(name, String(value));
    return given.size > 0 ? `?${given.toString()}` : '';
  };
  return {
    messages: (filter: { to?: string; from?: string; accountSid?: string; limit?: number; offset?: number } = {}) =>
      call<{ total: number; items: SimulatedMessage[] }>('GET', `/messages${query(filter)}`),
    state: () => call<Record<string, Record<string, unknown>[]>>('GET', '/state'),
    requests: (path?: string) =>
      call<{ total: number; items: { method: string; path: string; status: number }[] }>(
        'GET',
        `/requests${query({ path })}`,
      ),
    inbound: (message: InboundMessage) => call<{ status: number; body: string }>('POST', '/inbound', message),
    behaviour: (behaviour: Behaviour) => call<Behaviour>('PUT', '/behaviour', behaviour),
    reset: () => call<void>('POST', '/reset', {}),
    mail: () => call<{ total: number; items: SimulatedMail[] }>('GET', '/mail'),
    clock: () => call<{ now: string; epochMs: number }>('GET', '/clock'),
    advance: (duration: string) => call<{ now: string; epochMs: number }>('POST', '/clock', { advance: duration }),
  };
}
