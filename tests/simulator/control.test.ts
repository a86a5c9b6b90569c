import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createTransport } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import { freePort } from '../harness/infrastructure.ts';
import { ACCOUNT_SID, AUTH_TOKEN, receiver, rejection, simulator, until } from './support.ts';

const FROM = '+14155550100';
const to = (index: number) => `+1415556${String(1000 + index)}`;

async function withNumber() {
  const twin = await simulator({ smtpPort: 0 });
  await twin.number(FROM);
  const send = (index: number, more: { statusCallback?: string } = {}) =>
    twin.client().messages.create({ from: FROM, to: to(index), body: `message ${index}`, ...more });
  return { ...twin, send };
}

describe('/control/messages', () => {
  test('lists what was accepted, in order, with a total and pages', async () => {
    const { control, send } = await withNumber();
    for (let index = 0; index < 5; index += 1) await send(index, { statusCallback: 'http://127.0.0.1:9/x#rc=0' });
    const { status, body } = await control('GET', 'messages?limit=2&offset=1');
    expect(status).toBe(200);
    expect(body.total).toBe(5);
    expect(body.items.map((item: { body: string }) => item.body)).toEqual(['message 1', 'message 2']);
    expect(body.items[0]).toEqual({
      sid: expect.stringMatching(/^SM/),
      accountSid: ACCOUNT_SID,
      to: to(1),
      from: FROM,
      messagingServiceSid: null,
      body: 'message 1',
      numSegments: 1,
      status: expect.any(String),
      errorCode: null,
      statusCallback: 'http://127.0.0.1:9/x#rc=0',
      acceptedAt: expect.stringMatching(/Z$/),
    });
  });

  test('filters by recipient, sender and account, each with its own total', async () => {
    const { control, client, send } = await withNumber();
    await send(1);
    await send(2);
    const sub = await client().api.v2010.accounts.create({ friendlyName: 'Acme' });
    const own = client(sub.sid, sub.authToken);
    await own.incomingPhoneNumbers.create({ phoneNumber: '+14155550111' });
    await own.messages.create({ from: '+14155550111', to: to(1), body: 'x' });
    const total = async (query: string) => (await control('GET', `messages?${query}`)).body.total;
    expect(await total(`to=${encodeURIComponent(to(1))}`)).toBe(2);
    expect(await total(`from=${encodeURIComponent(FROM)}`)).toBe(2);
    expect(await total(`accountSid=${sub.sid}`)).toBe(1);
    expect(await total(`to=${encodeURIComponent(to(1))}&accountSid=${sub.sid}`)).toBe(1);
    expect((await control('GET', 'messages?too=1')).status).toBe(400);
    // As people type it: the plus of a query that is not encoded means a space.
    expect(await total(`to=${to(1)}`)).toBe(2);
    expect(await total(`from=${FROM}`)).toBe(2);
  });

  test('does not list what was received', async () => {
    const { control, number, client } = await simulator();
    const { url } = await receiver();
    const service = await client().messaging.v1.services.create({ friendlyName: 'S', inboundRequestUrl: url });
    await number(FROM, service.sid);
    await control('POST', 'inbound', { from: to(1), to: FROM, body: 'Hello' });
    expect((await control('GET', 'messages')).body.total).toBe(0);
    expect((await control('GET', `messages?accountSid=${ACCOUNT_SID}`)).body).toEqual({ total: 0, items: [] });
    expect(await client().messages.list({ from: to(1) })).toHaveLength(1);
  });
});

test('/control/state has its whole shape from the start', async () => {
  const { control, client } = await simulator();
  const service = await client().messaging.v1.services.create({ friendlyName: 'S' });
  expect((await control('GET', 'state')).body).toEqual({
    accounts: [
      {
        sid: ACCOUNT_SID,
        friendlyName: 'Main account',
        status: 'active',
        ownerAccountSid: ACCOUNT_SID,
        authToken: AUTH_TOKEN,
      },
    ],
    addresses: [],
    endUsers: [],
    documents: [],
    customerProfiles: [
      {
        sid: expect.stringMatching(/^BU/),
        accountSid: ACCOUNT_SID,
        friendlyName: 'Primary customer profile',
        policySid: 'RN6433641899984f951173ef1738c3bdd0',
        status: 'twilio-approved',
        errors: null,
      },
    ],
    trustProducts: [],
    brands: [],
    campaigns: [],
    sinks: [],
    subscriptions: [],
    messagingServices: [
      {
        sid: service.sid,
        accountSid: ACCOUNT_SID,
        friendlyName: 'S',
        inboundRequestUrl: null,
        statusCallback: null,
        usAppToPersonRegistered: false,
      },
    ],
    numbers: [],
  });
});

test('/control/requests counts every request of the API by path, with its status', async () => {
  const { control, client, send } = await withNumber();
  await send(1);
  await rejection(client().messages.create({ from: FROM, to: 'x', body: 'y' }));
  await client().messages.list();
  const find = async (query: string) => (await control('GET', `requests?${query}`)).body;
  const all = await find('path=Messages.json');
  expect(all.total).toBe(3);
  expect(all.items.map((item: { method: string; status: number }) => [item.method, item.status])).toEqual([
    ['POST', 201],
    ['POST', 400],
    ['GET', 200],
  ]);
  expect(all.items[0]).toEqual({
    method: 'POST',
    path: `/api/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`,
    operation: 'CreateMessage',
    held: false,
    status: 201,
    at: expect.stringMatching(/Z$/),
  });
  expect((await find('path=/api/*/Messages.json&method=post&limit=0')).total).toBe(2);
  expect((await find('path=/api/*/Messages&method=post')).total).toBe(0);
  expect((await find('operation=CreateMessage')).total).toBe(2);
  expect((await find('operation=CreateMessage&method=GET')).total).toBe(0);
  expect((await find('path=/control')).total).toBe(0);
});

test('/control/requests lists every request, or the last ones of a limit', async () => {
  const { control, raw } = await simulator();
  const path = `/api/2010-04-01/Accounts/${ACCOUNT_SID}.json`;
  for (let batch = 0; batch < 11; batch += 1) await Promise.all(Array.from({ length: 100 }, () => raw('GET', path)));
  const { total, items } = (await control('GET', 'requests')).body;
  expect([total, items.length]).toEqual([1_100, 1_100]);
  expect((await control('GET', 'requests?limit=3')).body).toMatchObject({ total: 1_100, items: [{}, {}, {}] });
});

test('/control/reset forgets messages, opt-outs, requests, mail and behaviour, and keeps accounts, numbers and services', async () => {
  const { control, client, send, behave } = await withNumber();
  const service = await client().messaging.v1.services.create({ friendlyName: 'S' });
  await behave({ queueMs: 100 });
  const { sid } = await send(1);
  expect((await control('POST', 'reset')).status).toBe(200);
  expect((await control('GET', 'messages')).body).toEqual({ total: 0, items: [] });
  expect((await control('GET', 'requests')).body.total).toBe(0);
  expect((await control('GET', 'behaviour')).body.queueMs).toBe(0);
  expect(await rejection(client().messages(sid).fetch())).toMatchObject({ status: 404 });
  const { body } = await control('GET', 'state');
  expect([body.numbers.length, body.messagingServices[0].sid]).toEqual([1, service.sid]);
});

test('what was due for a forgotten message is not told', async () => {
  const { control, send, behave } = await withNumber();
  const { url, received } = await receiver();
  await behave({ queueMs: 500 });
  await send(1, { statusCallback: url });
  await control('POST', 'reset');
  await behave({ queueMs: 600 });
  await send(2, { statusCallback: url });
  await until('the second is told', () => received.length === 2);
  expect(new Set(received.map(({ params }) => params['To']))).toEqual(new Set([to(2)]));
});

test('/control/mail shows mail that came by SMTP', async () => {
  const { control, smtpPort } = await simulator({ smtpPort: 0 });
  const transport = createTransport({ host: '127.0.0.1', port: smtpPort, secure: false });
  const sent = { from: 'Longwave <longwave@example.com>', to: 'a@example.com, b@example.com', bcc: 'c@example.com' };
  await transport.sendMail({
    ...sent,
    subject: 'Ünicode',
    text: 'Plain',
    html: '<b>Rich</b>',
    headers: { 'X-Kind': 'digest' },
  });
  const { body } = await control('GET', 'mail');
  expect(body.total).toBe(1);
  expect(body.items[0]).toMatchObject({
    from: 'longwave@example.com',
    to: ['a@example.com', 'b@example.com', 'c@example.com'],
    subject: 'Ünicode',
    text: expect.stringContaining('Plain'),
    html: '<b>Rich</b>',
    headers: { 'x-kind': 'digest' },
  });
  expect(Date.parse(body.items[0].receivedAt)).toBeGreaterThan(Date.now() - 60_000);
});

test.each([
  [{ inventory: { 415: 'many' } }, 'inventory.415', /expected number.*, or .*expected array/],
  [{ inventory: { 415: ['415'] } }, 'inventory.415.0', /E\.164/],
  [{ review: { campaignRejections: [{ code: 3 }] } }, 'review.campaignRejections.0.code', /10000/],
  [{ errorCodes: [] }, 'errorCodes', /at least one/],
  [{ callbacks: { delayMs: -1 } }, 'callbacks.delayMs', />=0/],
])('a wrong behaviour %j is refused by its path, with what is expected there', async (behaviour, path, expected) => {
  const { control } = await simulator();
  const { status, body } = await control('PUT', 'behaviour', behaviour);
  expect(status).toBe(400);
  expect(body.errors[0]).toEqual({ path, message: expect.stringMatching(expected) });
  expect(body.error).toContain(`${path}: ${body.errors[0].message}`);
});

describe('/control/clock', () => {
  test("shows the system's time", async () => {
    const { control } = await simulator();
    const { body } = await control('GET', 'clock');
    expect(Math.abs(body.epochMs - Date.now())).toBeLessThan(1_000);
    expect(Date.parse(body.now)).toBe(body.epochMs);
  });

  test("cannot move the system's time", async () => {
    const { control } = await simulator();
    expect(await control('POST', 'clock', { advance: 'P7D' })).toMatchObject({
      status: 409,
      body: { error: expect.stringMatching(/system clock.*npm run demo, or startSystem\(\{ timeSkipping: true \}\)/) },
    });
    expect((await control('POST', 'clock', { advance: '7 days' })).status).toBe(400);
  });
});

test('/healthz is alive, an unknown control route lists those there are, and a body that is no JSON is 400', async () => {
  const { url, control } = await simulator();
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const unknown = await control('GET', 'nothing');
  expect(unknown.status).toBe(404);
  expect(unknown.body.routes).toContain('POST /control/reset');
  expect((await control('PUT', 'behaviour', '{')).status).toBe(400);
});

test('the program listens where its environment says, reviews by itself when told to, and ends cleanly on SIGTERM', async () => {
  const port = await freePort();
  const program = spawn(process.execPath, ['simulator/main.ts', '--auto-review'], {
    env: {
      ...process.env,
      TWILIO_ACCOUNT_SID: ACCOUNT_SID,
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      SIMULATOR_PORT: String(port),
      SIMULATOR_SMTP_PORT: String(await freePort()),
      LONGWAVE_CLOCK: 'system',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(program, 'exit');
  await once(program.stdout, 'data');
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  const behaviour = await fetch(`http://127.0.0.1:${port}/control/behaviour`);
  expect(await behaviour.json()).toMatchObject({ review: { mode: 'auto' } });
  program.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
});
