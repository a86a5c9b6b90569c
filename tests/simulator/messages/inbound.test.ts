import twilio from 'twilio';
import { describe, expect, test } from 'vitest';
import { ACCOUNT_SID, AUTH_TOKEN, receiver, rejection, simulator, until } from '../support.ts';

const NUMBER = '+14155550100';
const CONTACT = '+14155550199';

async function listening(answer = '<Response/>', withService = true) {
  const twin = await simulator();
  const { url, received } = await receiver(() => ({ status: 200, body: answer }));
  let messagingServiceSid: string | undefined;
  if (withService) {
    const services = twin.client().messaging.v1.services;
    messagingServiceSid = (await services.create({ friendlyName: 'S', inboundRequestUrl: `${url}/in?a=1` })).sid;
    await twin.number(NUMBER, messagingServiceSid);
  } else {
    await twin.control('POST', 'numbers', { phoneNumber: NUMBER, smsUrl: `${url}/in?a=1` });
  }
  const text = (body: string, more: Record<string, unknown> = {}) =>
    twin.control('POST', 'inbound', { from: CONTACT, to: NUMBER, body, ...more });
  return { ...twin, webhookUrl: url, received, text, messages: twin.client().messages, messagingServiceSid };
}

describe('the webhook', () => {
  test('has the fields of Twilio in their order, is signed, and its answer is answered', async () => {
    const { text, received, webhookUrl, messagingServiceSid } = await listening('<Response></Response>');
    expect(await text('Hello & goodbye')).toEqual({
      status: 200,
      body: { status: 200, body: '<Response></Response>' },
    });
    const [webhook] = received;
    expect(webhook?.fields.map(([name]) => name)).toEqual(
      'ToCountry ToState SmsMessageSid NumMedia ToCity FromZip SmsSid FromState SmsStatus FromCity Body FromCountry To MessagingServiceSid ToZip NumSegments MessageSid AccountSid From ApiVersion'.split(
        ' ',
      ),
    );
    expect(webhook?.params).toMatchObject({
      Body: 'Hello & goodbye',
      From: CONTACT,
      To: NUMBER,
      SmsStatus: 'received',
      NumMedia: '0',
      NumSegments: '1',
      MessagingServiceSid: messagingServiceSid,
      AccountSid: ACCOUNT_SID,
    });
    expect(webhook?.params['SmsSid']).toBe(webhook?.params['MessageSid']);
    const header = String(webhook?.headers['x-twilio-signature']);
    expect(twilio.validateRequest(AUTH_TOKEN, header, `${webhookUrl}/in?a=1`, webhook?.params ?? {})).toBe(true);
  });

  test('goes to the number itself when it is in no service', async () => {
    const { text, received } = await listening('', false);
    await text('Hello');
    expect(received[0]?.params).not.toHaveProperty('MessagingServiceSid');
  });

  test('carries the addresses of media', async () => {
    const { text, received, messages } = await listening();
    await text('', { mediaUrls: ['https://example.com/a.jpg', 'https://example.com/b.jpg'] });
    expect(received[0]?.params).toMatchObject({ NumMedia: '2', MediaUrl1: 'https://example.com/b.jpg' });
    expect((await messages.list())[0]).toMatchObject({ direction: 'inbound', status: 'received', numMedia: '2' });
  });

  test('falls back to the FallbackUrl of the service when the first fails', async () => {
    const twin = await simulator();
    const { url, received } = await receiver(({ path }) => ({ status: path === '/in' ? 500 : 200 }));
    const urls = { inboundRequestUrl: `${url}/in`, fallbackUrl: `${url}/fallback` };
    const service = await twin.client().messaging.v1.services.create({ friendlyName: 'S', ...urls });
    await twin.number(NUMBER, service.sid);
    expect((await twin.control('POST', 'inbound', { from: CONTACT, to: NUMBER, body: 'x' })).body.status).toBe(200);
    expect(received[1]).toMatchObject({ path: '/fallback', params: { ErrorCode: '11217', ErrorUrl: `${url}/in` } });
  });

  test('is not sent without an address, and the answer says so', async () => {
    const twin = await simulator();
    await twin.number(NUMBER);
    const { status, body } = await twin.control('POST', 'inbound', { from: CONTACT, to: NUMBER, body: 'x' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 0, error: expect.stringContaining('no inbound URL') });
  });

  test('to a number nobody owns is 404, and a wrong body 400 naming the field', async () => {
    const { control } = await simulator();
    expect((await control('POST', 'inbound', { from: CONTACT, to: NUMBER, body: 'x' })).status).toBe(404);
    const wrong = await control('POST', 'inbound', { from: CONTACT, to: 'x', text: 'y' });
    expect(wrong.status).toBe(400);
    expect(wrong.body.errors.map(({ path }: { path: string }) => path)).toContain('to');
    expect(wrong.body.error).toMatch(/text/);
  });
});

describe('a TwiML reply', () => {
  test('is accepted as a message from the number that was texted', async () => {
    const { text, accepted } = await listening(
      '<Response><Message>One &amp; only</Message><Message><Body>Two</Body></Message></Response>',
    );
    await text('Hello');
    await until('both are delivered', async () => (await accepted()).every(({ status }) => status === 'delivered'));
    const replies = await accepted();
    expect(replies.map(({ body }) => body)).toEqual(['One & only', 'Two']);
    expect(replies[0]).toMatchObject({ from: NUMBER, to: CONTACT });
  });
});

describe('opting out', () => {
  test.each(['STOP', 'stop', ' StopAll ', 'unsubscribe', 'CANCEL', 'end', 'Quit', 'revoke', 'OPTOUT'])(
    '%j blocks the contact with 21610, START unblocks it',
    async (word) => {
      const { text, messages } = await listening('', false);
      await text(word);
      const send = () => messages.create({ from: NUMBER, to: CONTACT, body: 'x' });
      expect(await rejection(send())).toMatchObject({ status: 400, code: 21610 });
      await text('START');
      expect((await send()).status).toBe('queued');
    },
  );

  test('a sentence that contains a keyword blocks nobody', async () => {
    const { text, messages } = await listening('', false);
    await text('please stop');
    expect((await messages.create({ from: NUMBER, to: CONTACT, body: 'x' })).status).toBe('queued');
  });

  test('holds for every number of the service, and the message fails with 21610 after it was accepted', async () => {
    const { text, messages, number, messagingServiceSid = '', accepted } = await listening();
    await number('+14155550111', messagingServiceSid);
    await text('STOP');
    const blocked = await messages.create({ messagingServiceSid, to: CONTACT, body: 'x' });
    expect(blocked.status).toBe('accepted');
    await until('it failed', async () => (await accepted()).every(({ status }) => status === 'failed'));
    expect(await messages(blocked.sid).fetch()).toMatchObject({ errorCode: 21610 });
    const direct = messages.create({ from: '+14155550111', to: CONTACT, body: 'x' });
    expect(await rejection(direct)).toMatchObject({ code: 21610 });
  });

  test('for one number without a service leaves others alone', async () => {
    const { text, messages, number } = await listening('', false);
    await number('+14155550111');
    await text('STOP');
    expect((await messages.create({ from: '+14155550111', to: CONTACT, body: 'x' })).status).toBe('queued');
  });

  test('OptOutType is sent when given or with Advanced Opt-Out, and otherwise not', async () => {
    const { text, received, behave, messages, messagingServiceSid = '', accepted } = await listening();
    await text('STOP');
    await text('arrêt', { optOutType: 'STOP' });
    await behave({ advancedOptOut: true });
    await text('help');
    await text('hello');
    expect(received.map(({ params }) => params['OptOutType'])).toEqual([undefined, 'STOP', 'HELP', undefined]);
    await text('bonjour', { optOutType: 'START' });
    await messages.create({ messagingServiceSid, to: CONTACT, body: 'x' });
    await until('START was acted on', async () => (await accepted())[0]?.status === 'delivered');
  });
});
