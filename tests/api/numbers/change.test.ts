/** What else is changed of a line: where its calls go (B5), its pool (B8), and whether anybody uses it (B10). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { somePhone } from '../../harness/phone-numbers.ts';
import { type Api, startApi } from '../support.ts';
import { addLine, staffed, userClient } from './support.ts';

let api: Api;
let own: Awaited<ReturnType<typeof staffed>>;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  own = await staffed(api);
});

const phone = '+12125550199';
const change: (typeof own)['change'] = (...args) => own.change(...args);
const acts = (id: string) => own.acts(id);
const row = (id: string) =>
  api.database.system.selectFrom('phone_numbers').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

describe('forwarding', () => {
  test('is set in any common form, and taken away; the audit log has no phone numbers', async () => {
    const { id, phoneNumber } = await addLine(api, own.acme);
    expect((await change(id, { forwardTo: '(212) 555-0199' })).body.forwardTo).toBe(phone);
    expect((await change(id, { forwardTo: null })).body.forwardTo).toBeNull();
    expect(await acts(id)).toEqual([
      ['number.changed', { fields: ['forwardTo'] }],
      ['number.changed', { fields: ['forwardTo'] }],
    ]);
    const log = JSON.stringify((await own.acme.client.get('/v1/audit-log')).body);
    for (const number of [phone, phoneNumber]) expect(log).not.toContain(number.slice(2));
  });

  test('to what is no phone number is a 400', async () => {
    const { id } = await addLine(api, own.acme);
    expect(await change(id, { forwardTo: 'the front desk' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'forwardTo' }] },
    });
  });

  test('to a line of the organization is a 422, to itself too; to one that is released is not', async () => {
    const { id, phoneNumber } = await addLine(api, own.acme);
    const other = await addLine(api, own.acme);
    for (const [forwardTo, numberId] of [
      [phoneNumber, id],
      [other.phoneNumber, other.id],
    ])
      expect(await change(id, { forwardTo })).toMatchObject({
        status: 422,
        body: { reason: 'forwards_to_a_line', numberId },
      });
    const released = await addLine(api, own.acme, { released_at: new Date() });
    expect((await change(id, { forwardTo: released.phoneNumber })).status).toBe(200);
  });

  test.each([
    ['a premium number', '+19005550123'],
    ['a toll-free number', '+18005550123'],
    ['a British number', '+442071838750'],
    ['a Jamaican number', '+18765550199'],
    ['a Puerto Rican number', '+17875550199'],
  ])('to %s is a 422: such calls cost, and invite fraud', async (_what, forwardTo) => {
    const { id } = await addLine(api, own.acme, { userIds: [own.ada] });
    const { status, body } = await change(id, { forwardTo }, await userClient(api, own.acme, own.ada));
    expect({ status, ...body }).toMatchObject({ status: 422, reason: 'forwarding_not_allowed' });
    expect(body.detail).toMatch(/local numbers of the United States and Canada.*fraud/);
    expect((await row(id)).forward_to).toBeNull();
  });

  test('is the business of who texts from the line; everything else needs numbers:manage', async () => {
    const { id } = await addLine(api, own.acme, { userIds: [own.ada] });
    const others = await addLine(api, own.acme, { userIds: [own.bob] });
    const asAda = await userClient(api, own.acme, own.ada);
    expect(await change(id, { forwardTo: phone }, asAda)).toMatchObject({ status: 200, body: { forwardTo: phone } });
    const lacking = { status: 403, body: { permission: 'numbers:manage' } };
    expect(await change(others.id, { forwardTo: phone }, asAda)).toMatchObject(lacking);
    for (const body of [{ userIds: [own.ada, own.bob] }, { poolId: null }, { forwardTo: null, poolId: own.pool }])
      expect(await change(id, body, asAda)).toMatchObject(lacking);
    const [entry] = (await own.acme.client.get('/v1/audit-log')).body.items;
    expect(entry).toMatchObject({ action: 'number.changed', actor: `user:${own.ada}` });

    const acting = api.client(own.acme.key, { 'longwave-user': own.bob });
    expect((await change(others.id, { forwardTo: phone }, acting)).status).toBe(200);
    expect(await change(id, { forwardTo: phone }, acting)).toMatchObject(lacking);
    const texting = api.client(await api.key(own.acme.id, { permissions: ['messages:send'] }));
    expect(await change(id, { forwardTo: null }, texting)).toMatchObject(lacking);
    await own.acme.client.patch(`/v1/users/${own.bob}`, { permissions: ['numbers:manage'] });
    expect((await change(id, { userIds: [] }, acting)).status).toBe(200);
  });
});

describe('the pool of a line', () => {
  test('is changed, and taken away', async () => {
    const { id } = await addLine(api, own.acme);
    expect((await change(id, { poolId: own.pool })).body.poolId).toBe(own.pool);
    expect((await change(id, { poolId: null })).body.poolId).toBeNull();
    expect(await acts(id)).toEqual([
      ['number.changed', { fields: ['poolId'], poolId: null }],
      ['number.changed', { fields: ['poolId'], poolId: own.pool }],
    ]);
  });

  test('is one of this organization', async () => {
    const other = await api.organization({ name: 'Other' });
    const { body } = await other.client.post('/v1/pools', { name: 'Theirs', purpose: 'promotional' });
    const { id } = await addLine(api, own.acme);
    for (const poolId of [body.id, 'pol_nonsense', ''])
      expect(await change(id, { poolId })).toMatchObject({ status: 422, body: { reason: 'unknown_pool' } });
  });
});

describe('an orphan', () => {
  const orphan = () => addLine(api, own.acme, { orphan_since: new Date() });

  test.each([
    ['users', () => ({ userIds: [own.ada] }), () => ({ fields: ['userIds'], from: [], to: [own.ada] })],
    ['a pool', () => ({ poolId: own.pool }), () => ({ fields: ['poolId'], poolId: own.pool })],
    [
      'users and a phone',
      () => ({ userIds: [own.ada], forwardTo: phone }),
      () => ({ fields: ['userIds', 'forwardTo'], from: [], to: [own.ada] }),
    ],
  ])('is adopted by giving it %s, and is due to be registered', async (_what, body, detail) => {
    const { id } = await orphan();
    expect(await change(id, body())).toMatchObject({ status: 200, body: { ...body(), orphan: false } });
    expect(await row(id)).toMatchObject({ orphan_since: null, register_at: expect.any(Date) });
    expect(await acts(id)).toEqual([['number.adopted', detail()]]);
  });

  test('is not forwarded, and stays one while nobody is named', async () => {
    const { id } = await orphan();
    for (const body of [{ forwardTo: phone }, { forwardTo: null }, { forwardTo: phone, userIds: [], poolId: null }])
      expect(await change(id, body)).toMatchObject({
        status: 422,
        body: { reason: 'orphan', detail: expect.stringContaining('adopt it first') },
      });
    expect((await change(id, { userIds: [], poolId: null })).body.orphan).toBe(true);
    expect(await acts(id)).toEqual([]);
  });
});

describe('nothing is changed', () => {
  test('of a number that is being released: 409', async () => {
    const { id } = await addLine(api, own.acme, { releasing_since: new Date() });
    for (const body of [{ userIds: [own.ada] }, { forwardTo: null }, {}])
      expect(await change(id, body)).toMatchObject({ status: 409, body: { type: '/problems/releasing', allowed: [] } });
  });

  test('of one that is released: 409', async () => {
    const { id } = await addLine(api, own.acme, { released_at: new Date(), releasing_since: new Date() });
    for (const body of [{ userIds: [own.ada] }, { forwardTo: phone }, {}])
      expect(await change(id, body)).toMatchObject({
        status: 409,
        body: { type: '/problems/released', allowed: [], detail: expect.stringContaining('/v1/numbers/available') },
      });
    expect(await acts(id)).toEqual([]);
  });

  test('of one that is unknown, or of another organization: 404', async () => {
    const other = await api.organization({ name: 'Other' });
    const theirs = await addLine(api, other, { phone_number: somePhone() });
    for (const id of [theirs.id, 'num_nonsense']) expect((await change(id, { forwardTo: phone })).status).toBe(404);
    expect((await row(theirs.id)).forward_to).toBeNull();
  });

  test('and nothing is audited, where all is as it was', async () => {
    const { id } = await addLine(api, own.acme, { userIds: [own.gone, own.ada], forward_to: phone, pool_id: own.pool });
    const same = { userIds: [own.ada, own.gone], forwardTo: phone, poolId: own.pool };
    expect(await change(id, same)).toMatchObject({ status: 200, body: { forwardTo: phone } });
    expect((await change(id, {})).status).toBe(200);
    expect(await acts(id)).toEqual([]);
  });

  test.each([
    [{ userIds: 'x' }, 'userIds'],
    [{ userIds: [1] }, 'userIds.0'],
    [{ poolId: 1 }, 'poolId'],
    [{ registered: true }, 'registered'],
  ])('by %j: 400 that names %s', async (body, path) => {
    const { id } = await addLine(api, own.acme);
    expect(await change(id, body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});
