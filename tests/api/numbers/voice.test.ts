/** Calls to a line (B5): the simulator calls, and reads what the webhook answers. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import twilio, { type Twilio } from 'twilio';
import { somePhone } from '../../harness/phone-numbers.ts';
import type { Organization } from '../support.ts';
import { addLine, type ApiWithTwilio, startWithSimulator } from './support.ts';

let twin: ApiWithTwilio;
let acme: Organization;
let account: Twilio;

beforeAll(async () => {
  twin = await startWithSimulator();
});
afterAll(() => twin.stop());
beforeEach(async () => {
  acme = await twin.api.organization({ name: 'A & B <c>' });
  account = await twin.account(acme);
});

const caller = '+12125550123';

/** A number at Twilio that asks the API about calls. */
async function numberAtTwilio(): Promise<string> {
  const phoneNumber = somePhone();
  await account.incomingPhoneNumbers.create({ phoneNumber, voiceUrl: `${twin.api.url}/twilio/voice` });
  return phoneNumber;
}

const ring = (to: string) => twin.control.call({ from: caller, to });

test('a call is forwarded to the phone set for the line, which sees who calls', async () => {
  const line = await addLine(twin.api, acme, { phone_number: await numberAtTwilio() });
  await acme.client.patch(`/v1/numbers/${line.id}`, { forwardTo: '(212) 555-0199' });
  expect(await ring(line.phoneNumber)).toEqual({
    status: 200,
    body: `<?xml version="1.0" encoding="UTF-8"?><Response><Dial timeout="20" answerOnBridge="true" callerId="${caller}"><Number>+12125550199</Number></Dial></Response>`,
  });
});

test('a call is not forwarded to what is somebody’s line by now: two that forward to each other would never end', async () => {
  const other = await twin.api.organization({ name: 'Other' });
  for (const [index, owner] of [other, acme].entries()) {
    const phone = `+1212555018${index}`;
    const line = await addLine(twin.api, acme, { phone_number: await numberAtTwilio() });
    await acme.client.patch(`/v1/numbers/${line.id}`, { forwardTo: phone });
    const theirs = await addLine(twin.api, owner, { phone_number: phone, forward_to: line.phoneNumber });
    const { body } = await ring(line.phoneNumber);
    expect(body).toContain('<Say>You have reached A &amp; B');
    expect(body).not.toContain('<Dial');
    await twin.api.database.system
      .updateTable('phone_numbers')
      .set({ released_at: new Date() })
      .where('id', '=', theirs.id)
      .execute();
    expect((await ring(line.phoneNumber)).body).toContain(`<Number>${phone}</Number>`);
  }
});

test('without forwarding the caller hears whose number it is, and that it is for texts', async () => {
  const line = await addLine(twin.api, acme, { phone_number: await numberAtTwilio() });
  const { status, body } = await ring(line.phoneNumber);
  expect(status).toBe(200);
  expect(body).toContain('<Say>You have reached A &amp; B &lt;c&gt;. This number is for text messages only.');
  expect(body).toMatch(/<Hangup\/><\/Response>$/);
});

test('a number that is no live line of the organization, or is released, says no more than that it is for texts', async () => {
  const unknown = await numberAtTwilio();
  const released = await addLine(twin.api, acme, {
    phone_number: await numberAtTwilio(),
    forward_to: '+12125550199',
    released_at: new Date(),
  });
  const other = await twin.api.organization({ name: 'Other' });
  const theirs = await addLine(twin.api, other, { phone_number: await numberAtTwilio(), forward_to: '+12125550199' });
  for (const to of [unknown, released.phoneNumber, theirs.phoneNumber]) {
    const { body } = await ring(to);
    expect(body).toContain('<Say>This number is for text messages only.');
    expect(body).not.toMatch(/<Dial|A &amp; B|Other/);
  }
});

test('what Twilio did not sign is refused with 403 before anything is said of its fields', async () => {
  const line = await addLine(twin.api, acme);
  const post = (form: Record<string, string>, signature = 'bm90IHNpZ25lZA==') =>
    fetch(`${twin.api.url}/twilio/voice`, {
      method: 'POST',
      headers: { 'x-twilio-signature': signature },
      body: new URLSearchParams(form),
    });
  const call = { AccountSid: account.accountSid, CallSid: `CA${'0'.repeat(32)}`, From: caller, To: line.phoneNumber };
  for (const form of [call, { AccountSid: account.accountSid }, {}]) {
    const response = await post(form);
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain('errors');
  }
});

test('it answers XML', async () => {
  const form = {
    AccountSid: account.accountSid,
    CallSid: `CA${'0'.repeat(32)}`,
    From: 'Anonymous',
    To: '+13125550100',
    CallStatus: 'ringing',
  };
  const url = `${twin.api.url}/twilio/voice`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'x-twilio-signature': twilio.getExpectedTwilioSignature(account.password!, url, form) },
    body: new URLSearchParams(form),
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/xml/);
});
