/** A typed client of the simulator's control side. */

export interface SimulatedMessage {
  sid: string;
  accountSid: string;
  to: string;
  from: string | null;
  messagingServiceSid: string | null;
  body: string;
  numSegments: number;
  status: string;
  errorCode: number | null;
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
  /** How long messages wait before they leave. */
  queueMs?: number;
  /** Inbound webhooks of keywords carry `OptOutType`. */
  advancedOptOut?: boolean;
  callbacks?: { delayMs?: number; duplicateRate?: number; shuffle?: boolean; dropRate?: number };
  review?: {
    mode?: 'auto' | 'manual';
    brandAfter?: number;
    clickAfter?: number;
    campaignAfter?: number;
    profileAfter?: number;
    campaignRejections?: number | { code: number; fields?: string[] }[];
  };
  /** Numbers on sale per area code: how many more, or which. */
  inventory?: Record<string, number | string[]>;
  /** Share of purchases by number that another customer of Twilio has just made. */
  soldBetween?: number;
  poolLimit?: number;
  /** Operations that are performed and whose answers are withheld. */
  holdAnswers?: string[];
}

export interface SimulatedBrand {
  sid: string;
  accountSid: string;
  status: string;
  identityStatus: string | null;
}

export interface SimulatedCampaign {
  sid: string;
  accountSid: string;
  messagingServiceSid: string;
  status: string;
}

/** All that the simulator holds, as far as tests look at it. */
export interface SimulatedState {
  accounts: { sid: string; friendlyName: string; status: string }[];
  customerProfiles: { sid: string; accountSid: string; status: string }[];
  trustProducts: { sid: string; accountSid: string; status: string }[];
  brands: SimulatedBrand[];
  campaigns: SimulatedCampaign[];
  messagingServices: { sid: string; accountSid: string; friendlyName: string; inboundRequestUrl: string | null }[];
  numbers: {
    sid: string;
    phoneNumber: string;
    accountSid: string;
    messagingServiceSid: string | null;
    friendlyName: string;
    voiceUrl: string;
    smsUrl: string;
  }[];
  addresses: { sid: string; accountSid: string }[];
  endUsers: { sid: string; accountSid: string; type: string }[];
  documents: { sid: string; accountSid: string }[];
  sinks: { sid: string; accountSid: string }[];
  subscriptions: { sid: string; accountSid: string }[];
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
  /** RFC 3339, in the simulator's time. */
  receivedAt: string;
  headers: Record<string, string>;
}

export interface SimulatedRequest {
  method: string;
  path: string;
  /** 0 is a connection that was cut. */
  status: number;
  operation: string | null;
  held: boolean;
  at: string;
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
    state: () => call<SimulatedState>('GET', '/state'),
    requests: (filter: { path?: string; method?: string; operation?: string; limit?: number } = {}) =>
      call<{ total: number; items: SimulatedRequest[] }>('GET', `/requests${query(filter)}`),
    inbound: (message: InboundMessage) => call<{ status: number; body: string }>('POST', '/inbound', message),
    brand: (sid: string, change: { status: string; identityStatus?: string; failureReasons?: unknown[] }) =>
      call<SimulatedBrand>('POST', `/brands/${sid}`, change),
    clickLink: (brandSid: string) => call<SimulatedBrand>('POST', `/brands/${brandSid}/click-link`),
    campaign: (sid: string, change: { status: string; errors?: { code: number; fields?: string[] }[] }) =>
      call<SimulatedCampaign>('POST', `/campaigns/${sid}`, change),
    customerProfile: (sid: string, change: { status: string; errors?: { code: number }[] }) =>
      call<{ sid: string; status: string }>('POST', `/customer-profiles/${sid}`, change),
    number: (number: { accountSid: string; phoneNumber: string }) =>
      call<{ sid: string; phoneNumber: string }>('POST', '/numbers', number),
    /** Another customer of Twilio buys it. */
    sell: (number: { phoneNumber: string }) => call<{ phoneNumber: string }>('POST', '/numbers/sell', number),
    /** Somebody calls a number: the answer of its webhook. */
    call: (voiceCall: { from: string; to: string }) =>
      call<{ status: number; body: string }>('POST', '/calls', voiceCall),
    event: (event: { accountSid: string; type: string; data?: Record<string, unknown> }) =>
      call<unknown>('POST', '/events', event),
    behaviour: (behaviour: Behaviour) => call<Behaviour>('PUT', '/behaviour', behaviour),
    reset: () => call<void>('POST', '/reset', {}),
    mail: () => call<{ total: number; items: SimulatedMail[] }>('GET', '/mail'),
    clock: () => call<{ now: string; epochMs: number }>('GET', '/clock'),
    advance: (duration: string) => call<{ now: string; epochMs: number }>('POST', '/clock', { advance: duration }),
  };
}
