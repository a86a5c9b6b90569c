import twilio from 'twilio';
import { describe, expect, test } from 'vitest';
import { splitUrl } from '../../../simulator/webhooks/connection-overrides.ts';
import { signature } from '../../../simulator/webhooks/signature.ts';
import { ACCOUNT_SID, AUTH_TOKEN, receiver, simulator, until } from '../support.ts';

const FROM = '+14155550100';
const TO = '+14155550199';

async function withService(options: { statusCallback?: string } = {}) {
  const twin = await simulator();
  const service = await twin.client().messaging.v1.services.create({ friendlyName: 'Service', ...options });
  await twin.number(FROM, service.sid);
  await twin.number('+14155550101');
  return { ...twin, messages: twin.client().messages, messagingServiceSid: service.sid };
}

const told = (webhooks: { params: Record<string, string> }[]) => webhooks.map(({ params }) => params['MessageStatus']);

describe('what is told', () => {
  test('with a service: queued, sent, delivered, in this order and nothing else', async () => {
    const { messages, messagingServiceSid } = await withService();
    const { url, received } = await receiver();
    await messages.create({ messagingServiceSid, to: TO, body: 'x', statusCallback: `${url}/status` });
    await until('delivered is told', () => told(received).includes('delivered'));
    expect(told(received)).toEqual(['queued', 'sent', 'delivered']);
  });

  test('without a service queued is not told: it is the first status', async () => {
    const { messages } = await withService();
    const { url, received } = await receiver();
    await messages.create({ from: '+14155550101', to: TO, body: 'x', statusCallback: url });
    await until('delivered is told', () => told(received).includes('delivered'));
    expect(told(received)).toEqual(['sent', 'delivered']);
  });

  test('a canceled message is told', async () => {
    const { messages, messagingServiceSid } = await withService();
    const { url, received } = await receiver();
    const sendAt = new Date(Date.now() + 600_000);
    const create = {
      messagingServiceSid,
      to: TO,
      body: 'x',
      statusCallback: url,
      scheduleType: 'fixed' as const,
      sendAt,
    };
    const { sid } = await messages.create(create);
    await messages(sid).update({ status: 'canceled' });
    await until('it is told', () => received.length > 0);
    expect(told(received)).toEqual(['canceled']);
  });

  test("the message's callback address wins over the service's, which is used when there is none", async () => {
    const { url, received } = await receiver();
    const { messages, messagingServiceSid } = await withService({ statusCallback: `${url}/service` });
    await messages.create({ messagingServiceSid, to: TO, body: 'x', statusCallback: `${url}/message` });
    await messages.create({ messagingServiceSid, to: TO, body: 'y' });
    await until('both are told', () => received.length === 6);
    expect(new Set(received.map(({ path }) => path))).toEqual(new Set(['/message', '/service']));
  });

  test('an undelivered and a failed message carry an error code', async () => {
    const { messages, messagingServiceSid, behave } = await withService();
    const { url, received } = await receiver();
    const send = () => messages.create({ messagingServiceSid, to: TO, body: 'x', statusCallback: url });
    await behave({ undeliveredRate: 1, errorCodes: [30005] });
    await send();
    await until('undelivered is told', () => told(received).includes('undelivered'));
    expect(received.at(-1)?.params).toMatchObject({ MessageStatus: 'undelivered', ErrorCode: '30005' });
    await behave({ failedRate: 1, errorCodes: [30007] });
    const { sid } = await send();
    await until('failed is told', () => told(received).includes('failed'));
    expect(received.at(-1)?.params).toMatchObject({ MessageStatus: 'failed', ErrorCode: '30007' });
    expect(await messages(sid).fetch()).toMatchObject({
      status: 'failed',
      errorCode: 30007,
      errorMessage: 'Carrier violation',
    });
  });
});

describe('how it is told', () => {
  test("every callback is signed with the owning account's token, over the URL with its query and without its fragment", async () => {
    const { client } = await simulator();
    const sub = await client().api.v2010.accounts.create({ friendlyName: 'Acme' });
    const own = client(sub.sid, sub.authToken);
    await own.incomingPhoneNumbers.create({ phoneNumber: FROM });
    const { url, received } = await receiver();
    await own.messages.create({ from: FROM, to: TO, body: 'x', statusCallback: `${url}/s?id=msg_1&n=2#rc=3&rp=5xx` });
    await until('delivered is told', () => received.length === 2);
    for (const { headers, params, path } of received) {
      expect(path).toBe('/s?id=msg_1&n=2');
      const header = String(headers['x-twilio-signature']);
      expect(twilio.validateRequest(sub.authToken, header, `${url}${path}`, params)).toBe(true);
      expect(twilio.validateRequest(AUTH_TOKEN, header, `${url}${path}`, params)).toBe(false);
    }
  });

  test('the fields are those of Twilio, form-encoded', async () => {
    const { messages, messagingServiceSid } = await withService();
    const { url, received } = await receiver();
    const { sid } = await messages.create({ messagingServiceSid, to: TO, body: 'x', statusCallback: url });
    await until('delivered is told', () => received.length === 3);
    const [queued, , delivered] = received;
    expect(queued?.headers['content-type']).toMatch('application/x-www-form-urlencoded');
    expect(queued?.params).toEqual({
      SmsSid: sid,
      SmsStatus: 'queued',
      MessageStatus: 'queued',
      To: TO,
      MessagingServiceSid: messagingServiceSid,
      MessageSid: sid,
      AccountSid: ACCOUNT_SID,
      From: FROM,
      ApiVersion: '2010-04-01',
    });
    expect(delivered?.params['RawDlrDoneDate']).toMatch(/^\d{10}$/);
  });

  test("Twilio's published test vector has the published signature", () => {
    const url = 'https://example.com/myapp.php?foo=1&bar=2';
    const fields: [string, string][] = [
      ['To', '+18005551212'],
      ['CallSid', 'CA1234567890ABCDE'],
      ['Caller', '+14158675310'],
      ['Digits', '1234'],
      ['From', '+14158675310'],
    ];
    expect(signature('12345', url, fields)).toBe('L/OH5YylLD5NRKLltdqwSvS0BnU=');
  });
});

type Reply = NonNullable<Parameters<typeof receiver>[0]>;

/** The tries of the first callback to an address with this fragment. */
async function callbackTo(fragment: string, reply: Reply) {
  const twin = await withService();
  const { url, received } = await receiver(reply);
  await twin.messages.create({ from: '+14155550101', to: TO, body: 'x', statusCallback: `${url}/${fragment}` });
  // The callback of `delivered` waits for that of `sent`, so once it is there the tries of the first are over.
  await until('delivered is told', () => told(received).includes('delivered'), 20_000);
  return received.filter(({ params }) => params['MessageStatus'] === 'sent');
}

const once =
  (first: ReturnType<Reply>): Reply =>
  (_, index) =>
    index === 0 ? first : { status: 200 };

describe('when the receiver fails', () => {
  test('a 500 is not tried again by default', async () => {
    expect(await callbackTo('', () => ({ status: 500 }))).toHaveLength(1);
  });

  test('a 500 is tried again as often as the fragment says, with one idempotency token', async () => {
    const tries = await callbackTo('#rc=3&rp=ct,rt,5xx', () => ({ status: 500 }));
    expect(tries).toHaveLength(4);
    expect(new Set(tries.map(({ headers }) => headers['i-twilio-idempotency-token'])).size).toBe(1);
  });

  test('trying again stops at the first success', async () => {
    expect(await callbackTo('#rc=5&rp=all', (_, index) => ({ status: index < 2 ? 503 : 200 }))).toHaveLength(3);
  });

  test('a 4xx is tried again only if the fragment says so', async () => {
    expect(await callbackTo('#rc=2&rp=5xx', () => ({ status: 404 }))).toHaveLength(1);
    expect(await callbackTo('#rc=2&rp=4xx', () => ({ status: 404 }))).toHaveLength(3);
  });

  test('no answer in time is tried again with rt', async () => {
    expect(await callbackTo('#rc=1&rp=rt&rt=100', once('say nothing'))).toHaveLength(2);
  });

  test('a connection cut before the answer is tried again with rt and not by default', async () => {
    expect(await callbackTo('', once('hang up'))).toHaveLength(1);
    expect(await callbackTo('#rc=1&rp=rt', once('hang up'))).toHaveLength(2);
  });

  test('overrides out of range are brought into it', () => {
    const { url, overrides } = splitUrl('https://example.com/a?b=c#rc=9&ct=1&rt=99999&rp=all');
    expect(url).toBe('https://example.com/a?b=c');
    expect(overrides).toMatchObject({ retries: 5, connectTimeout: 100, readTimeout: 15_000, totalTimeout: 15_000 });
    expect([...overrides.retryOn]).toEqual(['ct', 'rt', '4xx', '5xx']);
  });
});
