import { array, assert, constantFrom, property } from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { describe, expect, test } from 'vitest';
import { segmentCount } from '../../../simulator/messages/segments.ts';
import { rejection, simulator, until } from '../support.ts';

const FROM = '+14155550100';
const TO = '+14155550199';

async function withNumber() {
  const twin = await simulator();
  await twin.number(FROM);
  return { ...twin, messages: twin.client().messages };
}

async function withService(numbers: string[] = [FROM]) {
  const twin = await simulator();
  const service = await twin.client().messaging.v1.services.create({ friendlyName: 'Service' });
  for (const number of numbers) await twin.number(number, service.sid);
  return { ...twin, messages: twin.client().messages, messagingServiceSid: service.sid };
}

describe('creating', () => {
  test('a message from a number is queued with its segments counted, and ends delivered', async () => {
    const { messages } = await withNumber();
    const created = await messages.create({ from: FROM, to: TO, body: 'Hello' });
    expect(created).toMatchObject({
      status: 'queued',
      numSegments: '1',
      numMedia: '0',
      from: FROM,
      to: TO,
      body: 'Hello',
      direction: 'outbound-api',
      messagingServiceSid: null,
      errorCode: null,
      price: null,
      dateSent: null,
    });
    expect(created.sid).toMatch(/^SM[0-9a-f]{32}$/);
    await until('delivered', async () => (await messages(created.sid).fetch()).status === 'delivered');
    expect((await messages(created.sid).fetch()).dateSent).toBeInstanceOf(Date);
  });

  test('a message through a service is accepted without sender and segments, which are there once it is queued', async () => {
    const { messages, messagingServiceSid } = await withService();
    const created = await messages.create({ messagingServiceSid, to: TO, body: 'é'.repeat(161) });
    expect(created).toMatchObject({ status: 'accepted', numSegments: '0', from: null, messagingServiceSid });
    await until('delivered', async () => (await messages(created.sid).fetch()).status === 'delivered');
    expect(await messages(created.sid).fetch()).toMatchObject({ from: FROM, numSegments: '2' });
  });

  test.each([
    ['21211', 'To is no number', { to: '12345', from: FROM, body: 'x' }],
    ['21211', 'To is the magic invalid number', { to: '+15005550001', from: FROM, body: 'x' }],
    ['21612', 'To is the magic unreachable number', { to: '+15005550002', from: FROM, body: 'x' }],
    ['21408', 'To is the magic number of a region without permission', { to: '+15005550003', from: FROM, body: 'x' }],
    ['21610', 'To is the magic opted-out number', { to: '+15005550004', from: FROM, body: 'x' }],
    ['21614', 'To is the magic landline', { to: '+15005550009', from: FROM, body: 'x' }],
    ['21266', 'To and From are the same', { to: FROM, from: FROM, body: 'x' }],
    ['21602', 'Body is empty', { to: TO, from: FROM, body: '' }],
    ['21619', 'there is neither body nor media', { to: TO, from: FROM }],
    ['21617', 'Body is longer than 1600 characters', { to: TO, from: FROM, body: 'x'.repeat(1601) }],
    ['21603', 'there is no sender', { to: TO, body: 'x' }],
    ['21212', 'From is no number', { to: TO, from: 'Acme', body: 'x' }],
    ['21606', "From is not the account's", { to: TO, from: '+14155550177', body: 'x' }],
    ['21701', 'the service does not exist', { to: TO, messagingServiceSid: `MG${'0'.repeat(32)}`, body: 'x' }],
    [
      '21609',
      'StatusCallback has an underscore in its host',
      { to: TO, from: FROM, body: 'x', statusCallback: 'http://a_b.test/' },
    ],
    [
      '35118',
      'a scheduled message has no service',
      { to: TO, from: FROM, body: 'x', scheduleType: 'fixed' as const, sendAt: new Date(Date.now() + 600_000) },
    ],
  ])('is refused with %s when %s', async (code, _when, options) => {
    const { messages, control } = await withNumber();
    expect(await rejection(messages.create(options))).toMatchObject({ status: 400, code: Number(code) });
    expect((await control('GET', 'messages')).body.total).toBe(0);
  });

  test('is refused with 21604 when To is missing and 21703 when the service has no sender', async () => {
    const { messages, messagingServiceSid, raw } = await withService([]);
    const missing = await raw('POST', `/api/2010-04-01/Accounts/AC${'a'.repeat(32)}/Messages.json`, { Body: 'x' });
    expect(missing.body).toMatchObject({ code: 21604, status: 400 });
    expect(await rejection(messages.create({ messagingServiceSid, to: TO, body: 'x' }))).toMatchObject({ code: 21703 });
  });

  test('a recipient keeps its sender, whatever else is sent in between', async () => {
    const { messages, messagingServiceSid, accepted } = await withService([
      '+12125550101',
      '+12125550102',
      '+12125550103',
    ]);
    for (let round = 0; round < 3; round += 1) {
      for (const to of ['+13105550101', '+13105550102', '+13105550103', '+13105550104']) {
        await messages.create({ messagingServiceSid, to, body: 'x' });
      }
    }
    await until('all have senders', async () => (await accepted()).every(({ from }) => from !== null));
    const senders = new Map<string, Set<string | null>>();
    for (const { to, from } of await accepted()) senders.set(to, (senders.get(to) ?? new Set()).add(from));
    expect([...senders.values()].map((set) => set.size)).toEqual([1, 1, 1, 1]);
    expect(new Set((await accepted()).map(({ from }) => from)).size).toBe(3);
  });

  test("a sender of the recipient's area code is preferred", async () => {
    const { messages, messagingServiceSid, accepted } = await withService(['+12125550101', '+14155550102']);
    await messages.create({ messagingServiceSid, to: '+14155550177', body: 'x' });
    await until('a sender is chosen', async () => (await accepted())[0]?.from !== null);
    expect((await accepted())[0]?.from).toBe('+14155550102');
  });

  test('with From and a service, the sender is that number of the pool', async () => {
    const { messages, messagingServiceSid, number } = await withService();
    await number('+14155550102', messagingServiceSid);
    await number('+14155550103');
    const chosen = await messages.create({ messagingServiceSid, from: '+14155550102', to: TO, body: 'x' });
    expect(chosen).toMatchObject({ status: 'accepted', from: '+14155550102' });
    const outside = messages.create({ messagingServiceSid, from: '+14155550103', to: TO, body: 'x' });
    expect(await rejection(outside)).toMatchObject({ code: 21606 });
  });

  test('a message that waits longer than its validity period fails with 30036', async () => {
    const { messages, behave, accepted } = await withNumber();
    await behave({ queueMs: 3_600_000 });
    await messages.create({ from: FROM, to: TO, body: 'x', validityPeriod: 1 });
    await until('failed', async () => (await accepted())[0]?.status === 'failed');
    expect((await accepted())[0]?.errorCode).toBe(30036);
  });

  test('a message that was queued when its account was suspended fails with 30002', async () => {
    const { client, behave, accepted } = await simulator();
    await behave({ queueMs: 1_000 });
    const sub = await client().api.v2010.accounts.create({ friendlyName: 'Acme' });
    const own = client(sub.sid, sub.authToken);
    await own.incomingPhoneNumbers.create({ phoneNumber: FROM });
    await own.messages.create({ from: FROM, to: TO, body: 'x' });
    await client().api.v2010.accounts(sub.sid).update({ status: 'suspended' });
    await until('failed', async () => (await accepted())[0]?.status === 'failed');
    expect((await accepted())[0]?.errorCode).toBe(30002);
  });
});

describe('scheduling', () => {
  test('a message for later is scheduled, and stays so when canceled', async () => {
    const { messages, messagingServiceSid } = await withService();
    const sendAt = new Date(Date.now() + 600_000);
    const scheduled = await messages.create({ messagingServiceSid, to: TO, body: 'x', scheduleType: 'fixed', sendAt });
    expect(scheduled).toMatchObject({ status: 'scheduled', dateSent: null });
    expect(await messages(scheduled.sid).update({ status: 'canceled' })).toMatchObject({ status: 'canceled' });
    expect(await rejection(messages(scheduled.sid).update({ status: 'canceled' }))).toMatchObject({ code: 30409 });
  });

  test.each([
    ['35111', 'SendAt is missing', undefined],
    ['35114', 'SendAt is less than 300 seconds ahead', 60_000],
    ['35114', 'SendAt is more than 35 days ahead', 36 * 86_400_000],
  ])('is refused with %s when %s', async (code, _when, ahead) => {
    const { messages, messagingServiceSid } = await withService();
    const sendAt = ahead === undefined ? {} : { sendAt: new Date(Date.now() + ahead) };
    const refused = messages.create({ messagingServiceSid, to: TO, body: 'x', scheduleType: 'fixed', ...sendAt });
    expect(await rejection(refused)).toMatchObject({ code: Number(code) });
  });
});

describe('listing', () => {
  test('the SDK pages through all messages, newest first, while new ones arrive', async () => {
    const { messages } = await withNumber();
    for (let index = 0; index < 25; index += 1) await messages.create({ from: FROM, to: TO, body: `number ${index}` });
    const bodies: string[] = [];
    let page: { instances: { body: string }[]; nextPage(): Promise<typeof page | undefined> | undefined } =
      await messages.page({ pageSize: 10 });
    for (;;) {
      bodies.push(...page.instances.map(({ body }) => body));
      await messages.create({ from: FROM, to: TO, body: 'in between' });
      const next = await page.nextPage();
      if (next === undefined) break;
      page = next;
    }
    expect(bodies).toEqual(Array.from({ length: 25 }, (_, index) => `number ${24 - index}`));
  });

  test('list() reads every page, and a limit stops it', async () => {
    const { messages } = await withNumber();
    for (let index = 0; index < 7; index += 1) await messages.create({ from: FROM, to: TO, body: String(index) });
    expect(await messages.list({ pageSize: 2 })).toHaveLength(7);
    expect((await messages.list({ pageSize: 2, limit: 3 })).map(({ body }) => body)).toEqual(['6', '5', '4']);
  });

  test('messages are found by recipient, by sender and by both', async () => {
    const { messages, number } = await withNumber();
    await number('+14155550102');
    for (const from of [FROM, '+14155550102']) {
      for (const to of [TO, '+14155550198']) await messages.create({ from, to, body: `${from} ${to}` });
    }
    const found = async (filter: { to?: string; from?: string }) => (await messages.list(filter)).length;
    expect(await found({ to: TO })).toBe(2);
    expect(await found({ from: FROM })).toBe(2);
    expect(await found({ from: FROM, to: TO })).toBe(1);
    expect(await found({ to: '+14155550197' })).toBe(0);
  });

  test('a time filter finds what was sent in it, the second it was sent in included', async () => {
    const { messages, accepted } = await withNumber();
    await messages.create({ from: FROM, to: TO, body: 'x' });
    await until('delivered', async () => (await accepted())[0]?.status === 'delivered');
    const [{ dateSent } = { dateSent: new Date(0) }] = await messages.list();
    const found = async (filter: Parameters<typeof messages.list>[0]) => (await messages.list(filter)).length;
    const hourLater = new Date(dateSent.getTime() + 3_600_000);
    const hourBefore = new Date(dateSent.getTime() - 3_600_000);
    expect(await found({ dateSentAfter: dateSent })).toBe(1);
    expect(await found({ dateSentAfter: hourLater })).toBe(0);
    expect(await found({ dateSentBefore: hourLater })).toBe(1);
    expect(await found({ dateSentBefore: hourBefore })).toBe(0);
    expect(await found({ dateSentAfter: hourBefore, dateSentBefore: hourLater, to: TO })).toBe(1);
  });

  test('a message that was not sent yet is in no time filter', async () => {
    const { messages, behave } = await withNumber();
    await behave({ queueMs: 60_000 });
    await messages.create({ from: FROM, to: TO, body: 'x' });
    expect(await messages.list({ to: TO })).toHaveLength(1);
    expect(await messages.list({ to: TO, dateSentAfter: new Date(0) })).toHaveLength(0);
  });
});

describe('changing', () => {
  test('a body is redacted by emptying it, and not together with canceling', async () => {
    const { messages } = await withNumber();
    const { sid } = await messages.create({ from: FROM, to: TO, body: 'secret' });
    expect((await messages(sid).update({ body: '' })).body).toBe('');
    expect(await rejection(messages(sid).update({ body: '', status: 'canceled' }))).toMatchObject({ code: 30400 });
    expect(await rejection(messages(sid).update({ body: 'other' }))).toMatchObject({ status: 400 });
  });

  test('a message is deleted once it is final, and stays among what was accepted', async () => {
    const { messages, behave, control } = await withNumber();
    await behave({ queueMs: 1_000 });
    const { sid } = await messages.create({ from: FROM, to: TO, body: 'x' });
    expect(await rejection(messages(sid).remove())).toMatchObject({ code: 20009 });
    await until('delivered', async () => (await messages(sid).fetch()).status === 'delivered');
    expect(await messages(sid).remove()).toBe(true);
    expect(await rejection(messages(sid).fetch())).toMatchObject({ status: 404, code: 20404 });
    expect(await messages.list()).toEqual([]);
    expect((await control('GET', 'messages')).body.total).toBe(1);
  });
});

describe('segments', () => {
  test.each([
    [1, 'a'.repeat(160)],
    [2, 'a'.repeat(161)],
    [2, 'a'.repeat(306)],
    [3, 'a'.repeat(307)],
    [2, '€'.repeat(81)],
    [1, 'ж'.repeat(70)],
    [2, 'ж'.repeat(71)],
    [1, ''],
  ])('%i for %s', (segments, body) => {
    expect(segmentCount(body)).toBe(segments);
  });

  test("the shortcut for plain texts agrees with Twilio's own calculator", () => {
    const alphabet = [
      'a',
      'Z',
      '0',
      '@',
      '£',
      'é',
      '!',
      '?',
      'ß',
      '€',
      '{',
      '}',
      '[',
      '^',
      '~',
      '|',
      'ж',
      '’',
      '👍',
      ' ',
      '\n',
    ];
    assert(
      property(array(constantFrom(...alphabet), { minLength: 1, maxLength: 340 }), (characters) => {
        const body = characters.join('');
        expect(segmentCount(body)).toBe(new SegmentedMessage(body).segmentsCount);
      }),
    );
    assert(
      property(array(constantFrom('a', 'b', 'é', '@', ' '), { minLength: 140, maxLength: 500 }), (characters) => {
        const body = characters.join('');
        expect(segmentCount(body)).toBe(new SegmentedMessage(body).segmentsCount);
      }),
    );
  });
});
