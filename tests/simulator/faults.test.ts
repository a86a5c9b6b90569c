import { expect, test } from 'vitest';
import { FAULTLESS, merged } from '../../simulator/faults.ts';
import { ACCOUNT_SID, receiver, rejection, simulator, until } from './support.ts';

const FROM = '+14155550100';
const to = (index: number) => `+1415556${String(1000 + index)}`;

async function withNumber() {
  const twin = await simulator();
  await twin.number(FROM);
  const send = (index: number, more: { statusCallback?: string } = {}) =>
    twin.client().messages.create({ from: FROM, to: to(index), body: `message ${index}`, ...more });
  return { ...twin, send };
}

test('latencyMs delays every answer of the API', async () => {
  const { behave, send } = await withNumber();
  await behave({ latencyMs: 150 });
  const started = performance.now();
  await send(1);
  expect(performance.now() - started).toBeGreaterThanOrEqual(149);
});

test('http429Rate refuses requests with 20429 and without processing them', async () => {
  const { behave, send, accepted } = await withNumber();
  await behave({ http429Rate: 1 });
  expect(await rejection(send(1))).toMatchObject({ status: 429, code: 20429 });
  expect(await accepted()).toEqual([]);
});

test('http500Rate answers 500, and some of the messages were accepted and some were not', async () => {
  const { behave, send, accepted } = await withNumber();
  await behave({ http500Rate: 1 });
  for (let index = 0; index < 60; index += 1) expect((await rejection(send(index))).status).toBe(500);
  const { length } = await accepted();
  // One in 2^60 that all fell on the same side.
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(60);
});

test('dropResponseRate accepts the message and cuts the connection; reading still works', async () => {
  const { behave, send, accepted, client, control } = await withNumber();
  await behave({ dropResponseRate: 1 });
  const refused = await rejection(send(1));
  expect(refused.status).toBeUndefined();
  expect(refused.code).toBe('ECONNRESET');
  expect(await accepted()).toHaveLength(1);
  expect(await client().messages.list({ to: to(1) })).toHaveLength(1);
  expect((await control('GET', 'requests?method=POST')).body.items[0].status).toBe(0);
});

test('a request that is refused for its own fault is refused under dropResponseRate as well, and nothing is accepted', async () => {
  const { behave, client, accepted } = await withNumber();
  await behave({ dropResponseRate: 1 });
  const refused = await rejection(client().messages.create({ from: FROM, to: 'x', body: 'y' }));
  expect(refused).toMatchObject({ status: 400, code: 21211 });
  expect(await accepted()).toEqual([]);
});

test('undeliveredRate and failedRate decide how messages end', async () => {
  const { behave, send, accepted } = await withNumber();
  await behave({ undeliveredRate: 0.5, failedRate: 0.3 });
  for (let index = 0; index < 80; index += 1) await send(index);
  const final = new Set(['delivered', 'undelivered', 'failed']);
  await until('all are final', async () => (await accepted()).every(({ status }) => final.has(status)));
  expect(new Set((await accepted()).map(({ status }) => status))).toEqual(final);
});

test('callbacks.dropRate keeps callbacks back', async () => {
  const { behave, send, accepted } = await withNumber();
  const { url, received } = await receiver();
  await behave({ callbacks: { dropRate: 1 } });
  await send(1, { statusCallback: url });
  await until('delivered', async () => (await accepted())[0]?.status === 'delivered');
  await behave({ callbacks: { dropRate: 0 } });
  await send(2, { statusCallback: url });
  await until('the second is told', () => received.length === 2);
  expect(new Set(received.map(({ params }) => params['To']))).toEqual(new Set([to(2)]));
});

test('callbacks.duplicateRate sends each callback twice', async () => {
  const { behave, send } = await withNumber();
  const { url, received } = await receiver();
  await behave({ callbacks: { duplicateRate: 1 } });
  await send(1, { statusCallback: url });
  await until('all are told', () => received.length === 4);
  expect(received.map(({ params }) => params['MessageStatus'])).toEqual(['sent', 'sent', 'delivered', 'delivered']);
});

test('callbacks.delayMs is how long after the change a callback leaves', async () => {
  const { behave, send } = await withNumber();
  const { url, received } = await receiver();
  await behave({ callbacks: { delayMs: 400 } });
  const started = performance.now();
  await send(1, { statusCallback: url });
  await until('the first is told', () => received.length === 1);
  expect(performance.now() - started).toBeGreaterThanOrEqual(400);
  await until('the second is told', () => received.length === 2);
});

test('callbacks.shuffle tells some messages in the wrong order', async () => {
  const { behave, send } = await withNumber();
  const { url, received } = await receiver();
  await behave({ callbacks: { shuffle: true } });
  for (let index = 0; index < 40; index += 1) await send(index, { statusCallback: url });
  await until('all are told', () => received.length === 80);
  const first = new Map<string, string>();
  for (const { params } of received)
    first.set(params['To'] ?? '', first.get(params['To'] ?? '') ?? String(params['MessageStatus']));
  expect([...first.values()]).toContain('delivered');
});

test('a change of behaviour leaves what it does not name, and is shown', async () => {
  const { behave, control } = await simulator();
  await behave({ latencyMs: 5, callbacks: { shuffle: true } });
  const { status, body } = await behave({ callbacks: { delayMs: 7 }, review: { mode: 'auto' }, inventory: { 415: 3 } });
  expect(status).toBe(200);
  expect(body).toEqual(
    merged(FAULTLESS, {
      latencyMs: 5,
      callbacks: { shuffle: true, delayMs: 7 },
      review: { mode: 'auto' },
      inventory: { 415: 3 },
    }),
  );
  expect((await control('GET', 'behaviour')).body).toEqual(body);
});

test.each([
  ['failedRate', { failedRate: 1.5 }],
  ['callbacks.delayMs', { callbacks: { delayMs: -1 } }],
  ['review.mode', { review: { mode: 'sometimes' } }],
])('a wrong %s is refused by name and changes nothing', async (path, change) => {
  const { control } = await simulator();
  const { status, body } = await control('PUT', 'behaviour', change);
  expect(status).toBe(400);
  expect(body.errors).toEqual([{ path, message: expect.any(String) }]);
  expect((await control('GET', 'behaviour')).body).toEqual(FAULTLESS);
});

test('an unknown behaviour is refused by name', async () => {
  const { control } = await simulator();
  const { status, body } = await control('PUT', 'behaviour', { http503Rate: 1 });
  expect(status).toBe(400);
  expect(body.error).toMatch(/http503Rate/);
});

test('faults do not touch the control side', async () => {
  const { behave, control, raw } = await simulator();
  await behave({ http429Rate: 1, http500Rate: 1, dropResponseRate: 1 });
  expect((await control('GET', 'state')).status).toBe(200);
  expect((await raw('GET', `/api/2010-04-01/Accounts/${ACCOUNT_SID}.json`)).status).toBe(429);
});
