/** What Twilio calls: who has not signed is refused before anything is said of the request, whatever it holds. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postSigned, startWithoutTemporal, type Tenant, tenantWith } from '../conversations/fixture.ts';
import type { Api } from '../support.ts';

let api: Api;
let acme: Tenant;
beforeAll(async () => {
  api = await startWithoutTemporal();
  acme = await tenantWith(api);
});
afterAll(() => api.stop());

const status = `/twilio/messages/msg_${randomUUID()}/status`;
const form = 'application/x-www-form-urlencoded';

describe.each([status, '/twilio/messages/nonsense/status', '/twilio/inbound', '/twilio/voice', '/twilio/events'])(
  '%s answers 403',
  (path) => {
    test.each<[string, RequestInit, string?]>([
      ['without a body', {}],
      ['with an empty form', { body: '', headers: { 'content-type': form } }],
      ['with a NUL in a field', { body: 'Body=a%00b', headers: { 'content-type': form } }],
      ['with a NUL in the query', { body: 'Body=a', headers: { 'content-type': form } }, '?x=%00'],
      ['with half a surrogate pair', { body: '["\\ud800"]', headers: { 'content-type': 'application/json' } }],
      ['with what is no JSON', { body: '{', headers: { 'content-type': 'application/json' } }],
      ['with a body of another type', { body: 'Body=a', headers: { 'content-type': 'text/plain' } }],
      ['with a body of no type', { body: new Uint8Array([66]) }],
    ])('%s', async (_what, init, query = '') => {
      const response = await fetch(api.url + path + query, { method: 'POST', ...init });
      expect(response.status).toBe(403);
      expect(await response.text()).not.toContain('errors');
    });
  },
);

test('what is signed is judged: 400 names the fields', async () => {
  const { status: code, body } = await postSigned(api.url, '/twilio/inbound', {
    AccountSid: acme.account,
    Body: 'a\0b',
  });
  expect({ code, body: JSON.parse(body) }).toMatchObject({ code: 400, body: { errors: [{ path: 'Body' }] } });
});
