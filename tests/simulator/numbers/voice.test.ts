import twilio from 'twilio';
import { expect, test } from 'vitest';
import { receiver, simulator } from '../support.ts';

const FROM = '+14155550199';
const TO = '+14155550100';
const FORWARD = '<Response><Dial>+12125550100</Dial></Response>';

test("a call is a form with the token of the number's account, and its TwiML is what is answered", async () => {
  const { url, received } = await receiver(() => ({ status: 200, body: FORWARD }));
  const { client, control } = await simulator();
  const sub = await client().api.v2010.accounts.create({ friendlyName: 'Acme' });
  const own = client(sub.sid, sub.authToken);
  const voiceUrl = `${url}/voice?line=1`;
  await own.incomingPhoneNumbers.create({ phoneNumber: TO, voiceUrl });
  expect(await control('POST', 'calls', { from: FROM, to: TO })).toEqual({
    status: 200,
    body: { status: 200, body: FORWARD },
  });
  const [call] = received;
  expect(received).toHaveLength(1);
  expect(call).toMatchObject({ method: 'POST', path: '/voice?line=1' });
  expect(call?.params).toEqual({
    CallSid: expect.stringMatching(/^CA[0-9a-f]{32}$/),
    AccountSid: sub.sid,
    From: FROM,
    To: TO,
    CallStatus: 'ringing',
    Direction: 'inbound',
    ApiVersion: '2010-04-01',
  });
  const signature = String(call?.headers['x-twilio-signature']);
  expect(twilio.validateRequest(sub.authToken, signature, voiceUrl, call?.params ?? {})).toBe(true);
});

test('VoiceMethod GET puts the fields into the address, which is signed', async () => {
  const { url, received } = await receiver();
  const { client, control } = await simulator();
  const { authToken } = await client()
    .api.v2010.accounts(`AC${'a'.repeat(32)}`)
    .fetch();
  await client().incomingPhoneNumbers.create({ phoneNumber: TO, voiceUrl: `${url}/voice`, voiceMethod: 'GET' });
  await control('POST', 'calls', { from: FROM, to: TO });
  const [call] = received;
  expect(call).toMatchObject({ method: 'GET', body: '' });
  expect(new URL(call?.path ?? '', url).searchParams.get('From')).toBe(FROM);
  const signature = String(call?.headers['x-twilio-signature']);
  expect(twilio.validateRequest(authToken, signature, `${url}${call?.path}`, {})).toBe(true);
});

test('a URL that fails is followed by the fallback, which is told why', async () => {
  const { url, received } = await receiver(({ path }) => ({ status: path === '/voice' ? 500 : 200, body: FORWARD }));
  const { client, control } = await simulator();
  const voiceFallbackUrl = `${url}/fallback`;
  await client().incomingPhoneNumbers.create({ phoneNumber: TO, voiceUrl: `${url}/voice`, voiceFallbackUrl });
  const { body } = await control('POST', 'calls', { from: FROM, to: TO });
  expect(body).toEqual({ status: 200, body: FORWARD });
  expect(received.map(({ path }) => path)).toEqual(['/voice', '/fallback']);
  expect(received[1]?.params).toMatchObject({ ErrorCode: '11217', ErrorUrl: `${url}/voice` });
});

test('nobody answers: no account has the number (404), it has no URL (409), nobody listens there (status 0)', async () => {
  const { client, control } = await simulator();
  const call = () => control('POST', 'calls', { from: FROM, to: TO });
  expect((await call()).status).toBe(404);
  const { sid } = await client().incomingPhoneNumbers.create({ phoneNumber: TO });
  expect((await call()).status).toBe(409);
  await client().incomingPhoneNumbers(sid).update({ voiceUrl: 'http://127.0.0.1:9/' });
  expect(await call()).toMatchObject({ status: 200, body: { status: 0, error: expect.any(String) } });
  expect((await control('POST', 'calls', { from: 'me', to: TO })).status).toBe(400);
});
