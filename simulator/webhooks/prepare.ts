/** A webhook as the request that is sent: form fields as callbacks have them, or JSON as Event Streams sends it; both signed. */
import { createHash } from 'node:crypto';
import { newSid } from '../http/wire.ts';
import { splitUrl, type ConnectionOverrides } from './connection-overrides.ts';
import { encodeForm, signature, type Fields } from './signature.ts';

export interface FormWebhook {
  /** With its fragment, if it has one. */
  url: string;
  method: 'GET' | 'POST';
  fields: Fields;
  /** Of the account that it is about. */
  authToken: string;
}

interface JsonWebhook {
  url: string;
  json: string;
  authToken: string;
}

export type Webhook = FormWebhook | JsonWebhook;

interface PreparedWebhook {
  /** Without fragment and credentials. */
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body: string | null;
  overrides: ConnectionOverrides;
}

/** Event Streams waits five seconds and takes no overrides; it retries by itself, over hours. */
const EVENT_OVERRIDES: ConnectionOverrides = {
  connectTimeout: 5_000,
  readTimeout: 5_000,
  totalTimeout: 5_000,
  retries: 0,
  retryOn: new Set(),
};

const URL_PARTS = /^(https?:\/\/)(?:([^/?@]*)@)?([^/?]*)(.*)$/is;

/** Of a JSON body only the hash is signed, as a query parameter of the URL. User and password of the URL become Basic auth. */
function prepareJson({ url: address, json, authToken }: JsonWebhook): PreparedWebhook {
  const { url: target } = splitUrl(address);
  const [, scheme = '', credentials, host = '', rest = ''] = URL_PARTS.exec(target) ?? [];
  const hash = createHash('sha256').update(json, 'utf8').digest('hex');
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  const url = `${scheme}${host}${path}${path.includes('?') ? '&' : '?'}bodySHA256=${hash}`;
  const headers: Record<string, string> = {
    ...commonHeaders(),
    'content-type': 'application/json',
    'x-twilio-signature': signature(authToken, url, []),
  };
  if (credentials !== undefined) {
    const encoded = Buffer.from(decodeURIComponent(credentials)).toString('base64');
    headers['authorization'] = `Basic ${encoded}`;
  }
  return { url, method: 'POST', headers, body: json, overrides: EVENT_OVERRIDES };
}

function prepareForm({ url: address, method, fields, authToken }: FormWebhook): PreparedWebhook {
  const { url: target, overrides } = splitUrl(address);
  const form = encodeForm(fields);
  const isPost = method === 'POST';
  const url = isPost ? target : target + (target.includes('?') ? '&' : '?') + form;
  const headers: Record<string, string> = {
    ...commonHeaders(),
    'x-twilio-signature': signature(authToken, url, isPost ? fields : []),
  };
  if (isPost) headers['content-type'] = 'application/x-www-form-urlencoded; charset=utf-8';
  return { url, method, headers, body: isPost ? form : null, overrides };
}

function commonHeaders(): Record<string, string> {
  return {
    accept: '*/*',
    'user-agent': 'TwilioProxy/1.1',
    // The same for all tries of one webhook.
    'i-twilio-idempotency-token': newSid('').toUpperCase(),
  };
}

export function prepare(webhook: Webhook): PreparedWebhook {
  return 'json' in webhook ? prepareJson(webhook) : prepareForm(webhook);
}
