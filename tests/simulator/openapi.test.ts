import { describe, expect, test } from 'vitest';
import { operationTable } from '../../simulator/openapi/table.ts';
import { ACCOUNT_SID, simulator } from './support.ts';

const MESSAGES = `/api/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`;

describe('requests', () => {
  test.each([
    ['an unknown field', 'Bodyy', { To: '+14155550199', From: '+14155550100', Bodyy: 'x' }],
    ['a field of the wrong type', 'ValidityPeriod', { To: '+14155550199', Body: 'x', ValidityPeriod: 'soon' }],
    ['a value outside its list', 'ScheduleType', { To: '+14155550199', Body: 'x', ScheduleType: 'later' }],
    ['a SID of another kind', 'MessagingServiceSid', { To: '+14155550199', Body: 'x', MessagingServiceSid: 'PN1' }],
    ['an address that is no URL', 'StatusCallback', { To: '+14155550199', Body: 'x', StatusCallback: 'example.com' }],
  ])('%s is refused by name and logged', async (_what, name, form) => {
    const { raw, log } = await simulator();
    const { status, body } = await raw('POST', MESSAGES, form);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 20001, message: expect.stringContaining(name) });
    expect(log.join()).toContain(name);
  });

  test('a missing field is refused by name', async () => {
    const { raw } = await simulator();
    const { body } = await raw('POST', '/messaging/v1/Services', {});
    expect(body).toMatchObject({ code: 20001, message: expect.stringContaining('FriendlyName') });
  });

  test('an unknown or wrong query parameter is refused by name', async () => {
    const { raw } = await simulator();
    expect((await raw('GET', `${MESSAGES}?Too=1`)).body.message).toContain('Too');
    expect((await raw('GET', `${MESSAGES}?PageSize=1001`)).body.message).toContain('PageSize');
    expect((await raw('GET', `${MESSAGES}?PageToken=nonsense`)).status).toBe(400);
  });

  test('a path that Twilio does not have, or a SID that cannot be, is 404 with code 20404', async () => {
    const { raw } = await simulator();
    for (const path of [
      `/api/2010-04-01/Accounts/${ACCOUNT_SID}/Massages.json`,
      `/api/2010-04-01/Accounts/${ACCOUNT_SID}/Messages/SM1.json`,
      `/nothing/v1/Services`,
      `/`,
      `/messaging/v1/Services/%ZZ`,
    ]) {
      const { status, body } = await raw('GET', path);
      expect([path, status, body.code]).toEqual([path, 404, 20404]);
    }
  });

  test('an operation of Twilio that is not modelled says so', async () => {
    const { raw } = await simulator();
    const { status, body } = await raw('GET', `/api/2010-04-01/Accounts/${ACCOUNT_SID}/Balance.json`);
    expect(status).toBe(501);
    expect(body.message).toContain('FetchBalance');
  });
});

describe('answers', () => {
  const fetchAccount = operationTable().byId.get('FetchAccount');
  const account = {
    sid: ACCOUNT_SID,
    auth_token: 'x',
    date_created: 'Thu, 24 Aug 2023 05:01:45 +0000',
    date_updated: null,
    friendly_name: 'x',
    owner_account_sid: ACCOUNT_SID,
    status: 'active',
    subresource_uris: {},
    type: 'Full',
    uri: '/x',
  };

  test('one that Twilio could give passes', () => {
    expect(fetchAccount?.answerFault(200, account)).toBeUndefined();
  });

  test.each([
    ['a property too many', { ...account, nickname: 'x' }, 'nickname'],
    ['a property too few', { ...account, uri: undefined }, 'uri'],
    ['a date of another form', { ...account, date_created: '2023-08-24T05:01:45Z' }, 'date_created'],
    ['a status that is none', { ...account, status: 'open' }, 'status'],
  ])('%s is found', (_what, body, name) => {
    expect(fetchAccount?.answerFault(200, body)).toContain(name);
  });

  test('a status that the operation never answers is found', () => {
    expect(fetchAccount?.answerFault(201, account)).toContain('201');
  });

  test('every operation of every document compiles', () => {
    const outcomes = [...operationTable().byId.values()].map((operation) => {
      for (const status of [200, 201, 202]) operation.answerFault(status, {});
      try {
        operation.checkRequest('/', {}, {}, {});
        return 'accepted';
      } catch (error) {
        return error instanceof Error ? error.name : 'no error';
      }
    });
    expect(new Set(outcomes)).toEqual(new Set(['accepted', 'TwilioError']));
  });
});

test("every answer carries Twilio's request headers", async () => {
  const { raw } = await simulator();
  const { headers } = await raw('GET', `/api/2010-04-01/Accounts/${ACCOUNT_SID}.json`);
  expect(headers.get('twilio-request-id')).toMatch(/^RQ[0-9a-f]{32}$/);
  expect(headers.get('twilio-concurrent-requests')).toBe('1');
});
