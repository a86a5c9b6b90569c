/** Who texts from a line: shared (B3), and given to others (B6). */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Trx } from '../../../db/database.ts';
import { newId } from '../../../db/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Api, startApi } from '../support.ts';
import { addLine, addUser, staffed } from './support.ts';

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

/** Until somebody waits for what this transaction holds. */
async function waitsForALock(trx: Trx): Promise<void> {
  await eventually(async () => {
    const { rows } = await sql`
      select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))`.execute(trx);
    expect(rows).toHaveLength(1);
  });
}

const change: (typeof own)['change'] = (...args) => own.change(...args);
const acts = (id: string) => own.acts(id);
const read = (id: string) => own.read(id);

describe('the users of a line', () => {
  test('are set as a whole, each once; two make it a shared one', async () => {
    const { id } = await addLine(api, own.acme);
    expect(await change(id, { userIds: [own.bob, own.ada, own.bob] })).toMatchObject({
      status: 200,
      body: { id, userIds: [own.ada, own.bob], sharedLabel: '+1' },
    });
    expect((await change(id, { userIds: [own.ada] })).body).toMatchObject({ userIds: [own.ada], sharedLabel: null });
    expect((await change(id, { userIds: [] })).body).toMatchObject({ userIds: [] });
    expect(await acts(id)).toEqual([
      ['number.changed', { fields: ['userIds'], from: [own.ada], to: [] }],
      ['number.changed', { fields: ['userIds'], from: [own.ada, own.bob], to: [own.ada] }],
      ['number.changed', { fields: ['userIds'], from: [], to: [own.bob, own.ada] }],
    ]);
  });

  test('are given another line as soon as they have left the one', async () => {
    const first = await addLine(api, own.acme, { userIds: [own.ada] });
    const second = await addLine(api, own.acme, { userIds: [own.bob] });
    expect((await change(first.id, { userIds: [] })).status).toBe(200);
    expect((await change(second.id, { userIds: [own.ada, own.bob] })).status).toBe(200);
  });

  test('who are inactive may stay, and cannot join', async () => {
    const { id } = await addLine(api, own.acme, { userIds: [own.gone] });
    expect((await change(id, { userIds: [own.gone, own.ada] })).body.userIds).toEqual([own.ada, own.gone].toSorted());
    const { id: free } = await addLine(api, own.acme);
    await change(id, { userIds: [own.ada] });
    expect(await change(free, { userIds: [own.gone] })).toMatchObject({
      status: 422,
      body: {
        reason: 'user_inactive',
        detail: expect.stringMatching(/^Gone is not active\. Only active users/),
        userId: own.gone,
      },
    });
  });

  test('have no other line: 422 that names it', async () => {
    const taken = await addLine(api, own.acme, { userIds: [own.bob] });
    const { id } = await addLine(api, own.acme, { userIds: [own.ada] });
    const { status, body } = await change(id, { userIds: [own.ada, own.bob] });
    expect({ status, ...body }).toMatchObject({
      status: 422,
      reason: 'has_line',
      userId: own.bob,
      numberId: taken.id,
      phoneNumber: taken.phoneNumber,
    });
    expect(body.detail).toContain(taken.phoneNumber);
    expect(body.detail).toContain(taken.id);
    expect((await read(id)).userIds).toEqual([own.ada]);
  });

  test('have none being bought for them: 422 that names the run', async () => {
    const at = new Date();
    const jobId = newId('numberJob', at);
    const tenant = { organization_id: own.acme.id };
    const { system } = api.database;
    await system
      .insertInto('number_jobs')
      .values({ id: jobId, ...tenant, kind: 'purchase', actor: 'test', created_at: at })
      .execute();
    await system
      .insertInto('number_purchases')
      .values({ id: newId('purchase', at), ...tenant, job_id: jobId, user_ids: [own.bob], state: 'waiting' })
      .execute();
    const { id } = await addLine(api, own.acme);
    expect(await change(id, { userIds: [own.bob] })).toMatchObject({
      status: 422,
      body: { reason: 'purchase_under_way', jobId },
    });
  });

  test('exist in this organization', async () => {
    const other = await api.organization({ name: 'Other' });
    const stranger = await addUser(other, 'Stranger');
    const { id } = await addLine(api, own.acme);
    for (const userId of [stranger, 'usr_nonsense'])
      expect(await change(id, { userIds: [own.ada, userId] })).toMatchObject({
        status: 422,
        body: { reason: 'unknown_user' },
      });
    expect((await read(id)).userIds).toEqual([]);
  });

  test('get one line when two are given to them at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = await addUser(own.acme, `Racer${round}`);
      const lines = [await addLine(api, own.acme), await addLine(api, own.acme), await addLine(api, own.acme)];
      const answers = await Promise.all(lines.map(({ id }) => change(id, { userIds: [user] })));
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422, 422]);
      const won = lines[answers.findIndex(({ status }) => status === 200)]!;
      for (const { status, body } of answers) {
        if (status === 422) expect(body).toMatchObject({ reason: 'has_line', numberId: won.id });
      }
    }
  });

  test('are locked in one order, also those who stay: two writers never wait for each other', async () => {
    const { id } = await addLine(api, own.acme, { userIds: [own.ada] });
    const both = [own.ada, own.bob];
    const answer = await api.database.system.transaction().execute(async (trx) => {
      const lock = (userId: string) => trx.selectFrom('users').select('id').where('id', '=', userId).forUpdate();
      await lock(own.ada).execute();
      const changing = change(id, { userIds: both });
      await waitsForALock(trx);
      await lock(own.bob).execute();
      return { changing };
    });
    expect(await answer.changing).toMatchObject({ status: 200, body: { userIds: both } });
  });

  test('who stay are not taken off and put on again', async () => {
    const { id } = await addLine(api, own.acme, { userIds: [own.ada] });
    const version = async () =>
      (
        await sql<{ xmin: string }>`select xmin from phone_number_users where user_id = ${own.ada}`.execute(
          api.database.system,
        )
      ).rows;
    const before = await version();
    expect((await change(id, { userIds: [own.bob, own.ada] })).status).toBe(200);
    expect(await version()).toEqual(before);
  });

  test('of one line that is changed twice at once are those of the later change', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id } = await addLine(api, own.acme, { forward_to: phone });
      const [one, two] = [await addUser(own.acme, `One${round}`), await addUser(own.acme, `Two${round}`)];
      const answers = await Promise.all([change(id, { userIds: [one] }), change(id, { userIds: [two] })]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      const [last, first] = await acts(id);
      // The second sees who came first, and takes their phone away.
      expect(last[0]).toBe('number.reallocated');
      expect(last[1].from).toEqual(first[1].to);
      expect(await read(id)).toMatchObject({ userIds: last[1].to, forwardTo: null });
    }
  });
});

describe('a line that is given to others', () => {
  test('does not ring the phone of those who left; its number stays', async () => {
    const { id, phoneNumber } = await addLine(api, own.acme, { userIds: [own.gone], forward_to: phone });
    expect((await change(id, { userIds: [own.ada, own.bob] })).body).toMatchObject({
      phoneNumber,
      userIds: [own.ada, own.bob],
      forwardTo: null,
    });
    expect(await acts(id)).toEqual([
      ['number.reallocated', { fields: ['userIds', 'forwardTo'], from: [own.gone], to: [own.ada, own.bob] }],
    ]);
  });

  test('rings the phone that is named with it', async () => {
    const { id } = await addLine(api, own.acme, { userIds: [own.gone], forward_to: phone });
    expect((await change(id, { userIds: [own.ada], forwardTo: '+12125550188' })).body.forwardTo).toBe('+12125550188');
    expect((await change(id, { userIds: [own.bob], forwardTo: '+12125550188' })).body.forwardTo).toBe('+12125550188');
  });

  test('rings the same phone while one of them stays, or where nobody had it', async () => {
    const { id } = await addLine(api, own.acme, { userIds: [own.gone], forward_to: phone });
    expect((await change(id, { userIds: [own.gone, own.ada] })).body.forwardTo).toBe(phone);
    expect((await change(id, { userIds: [own.ada] })).body.forwardTo).toBe(phone);
    const { id: pooled } = await addLine(api, own.acme, { pool_id: own.pool, forward_to: phone });
    expect((await change(pooled, { userIds: [own.bob] })).body.forwardTo).toBe(phone);
  });

  test('and to nobody, rings nobody', async () => {
    const { id } = await addLine(api, own.acme, { userIds: [own.ada], forward_to: phone });
    expect((await change(id, { userIds: [] })).body).toMatchObject({ userIds: [], forwardTo: null });
  });
});
