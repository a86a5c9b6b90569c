/** Looking for a message that may have reached Twilio: what is found, and what is not. */
import { expect, onTestFinished, test } from 'vitest';
import { createTwilioGateway } from '../../twilio/gateway.ts';
import { ACCOUNT_SID, AUTH_TOKEN, simulator } from '../simulator/support.ts';

const [from, to] = ['+14155550100', '+14155550199'];

async function withMessage() {
  const twin = await simulator();
  await twin.number(from);
  const { sid } = await twin.client().messages.create({ from, to, body: 'Hello' });
  const gateway = createTwilioGateway({ baseUrl: twin.url, connections: 2 });
  onTestFinished(() => gateway.close());
  const account = gateway.account({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN });
  const find = async (message: { since?: Date; from?: string; to?: string } = {}) =>
    (await account.findSent({ from, to, since: new Date(), ...message })).map((found) => found.sid);
  return { sid, find };
}

test('a message is found although our clock is twenty seconds ahead of Twilio’s', async () => {
  const { sid, find } = await withMessage();
  expect(await find({ since: new Date(Date.now() + 20_000) })).toEqual([sid]);
});

test('one created minutes before is not, nor one to or from another number', async () => {
  const { find } = await withMessage();
  expect(await find({ since: new Date(Date.now() + 120_000) })).toEqual([]);
  expect(await find({ to: '+14155550198' })).toEqual([]);
  expect(await find({ from: '+14155550101' })).toEqual([]);
});
