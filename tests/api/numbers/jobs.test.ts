/** Runs of purchases and releases: listed, begun while Temporal is away, and found again by their Idempotency-Key. */
import { randomBytes } from 'node:crypto';
import { ServiceError } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { markJobStarted } from '../../../db/numbers/jobs.ts';
import { startSweep } from '../../../worker/sweep.ts';
import { somePhone } from '../../harness/phone-numbers.ts';
import { type Api, type Organization, startApi } from '../support.ts';
import { addLine, addUser, userClient } from './support.ts';

const away = async () => {
  throw new ServiceError('away', { cause: Object.assign(new Error('away'), { code: 14 }) });
};
const connection = { withDeadline: (_at: number, work: () => unknown) => work() };
const twilio = {
  client: () => ({ availablePhoneNumbers: () => ({ local: { list: async () => [] } }) }),
};

let api: Api;
let acme: Organization;
beforeAll(async () => {
  api = await startApi({
    temporal: { client: { workflow: { start: away }, connection } as never, ping: away },
    twilio: twilio as never,
  });
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await api.organization();
  await api.database.system
    .updateTable('organizations')
    .set({ account_sid: `AC${randomBytes(16).toString('hex')}`, auth_token: api.app.deps.secrets.encrypt('token') })
    .where('id', '=', acme.id)
    .execute();
});

const buy = (userIds: string[], headers = {}, phoneNumber = somePhone()) =>
  acme.client.post('/v1/numbers', { phoneNumber, userIds, acceptTerms: true }, headers);
const release = (numberIds: string[], headers = {}) =>
  acme.client.post('/v1/numbers/release', { numberIds, confirm: 'irreversible' }, headers);

/** The answer, which must not have been waited for. */
async function atOnce<T>(work: () => Promise<T>): Promise<T> {
  const from = Date.now();
  const answer = await work();
  expect(Date.now() - from).toBeLessThan(5_000);
  return answer;
}

describe('while Temporal is away, 202 comes at once', () => {
  test('for a purchase, and for one whose run was started before', async () => {
    const userId = await addUser(acme, 'Ada');
    const key = { 'idempotency-key': 'away' };
    const phoneNumber = somePhone();
    const first = await atOnce(() => buy([userId], key, phoneNumber));
    expect(first).toMatchObject({ status: 202, body: { state: 'running', counts: { waiting: 1 } } });
    await api.database.inOrganization(acme.id, (trx) => markJobStarted(trx, first.body.id, new Date()));
    expect(await atOnce(() => buy([userId], key, phoneNumber))).toMatchObject({
      status: 202,
      body: { id: first.body.id },
    });
  });

  test('for a release, and for one whose run was started before', async () => {
    const { id } = await addLine(api, acme);
    const key = { 'idempotency-key': 'away' };
    const first = await atOnce(() => release([id], key));
    expect(first).toMatchObject({ status: 202, body: { state: 'running', waiting: [id] } });
    await api.database.inOrganization(acme.id, (trx) => markJobStarted(trx, first.body.jobId, new Date()));
    expect(await atOnce(() => release([id], key))).toMatchObject({ status: 202, body: { jobId: first.body.jobId } });
  });
});

describe('the list', () => {
  test('has the newest first, with counts and without results', async () => {
    const [ada, bob, eve] = [await addUser(acme, 'Ada'), await addUser(acme, 'Bob'), await addUser(acme, 'Eve')];
    const gone = await addUser(acme, 'Gone', { active: false });
    const shared = (await buy([ada, bob])).body;
    const { body: bulk } = await acme.client.post('/v1/numbers/bulk', {
      userIds: [eve, gone],
      areaCode: '415',
      acceptTerms: true,
    });
    const numberIds = [await addLine(api, acme), await addLine(api, acme)].map(({ id }) => id);
    const released = (await release(numberIds)).body;
    const none = { total: 0, waiting: 0, provisioned: 0, released: 0, failed: 0 };
    const { status, body } = await acme.client.get('/v1/numbers/jobs');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        items: [
          [released.jobId, 'release', { ...none, total: 2, waiting: 2 }],
          [bulk.jobId, 'purchase', { ...none, total: 2, waiting: 1, failed: 1 }],
          // One number for two: as many as it has results.
          [shared.id, 'purchase', { ...none, total: 2, waiting: 2 }],
        ].map(([id, kind, counts]) => ({
          id,
          kind,
          state: 'running',
          counts,
          createdAt: expect.any(String),
          finishedAt: null,
        })),
        nextCursor: null,
      },
    });
    for (const { id, counts } of body.items)
      expect((await acme.client.get(`/v1/numbers/jobs/${id}`)).body.counts).toEqual(counts);
  });

  test('is read page by page, and has those of one organization only', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.unshift((await buy([await addUser(acme, `User${n}`)])).body.id);
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
      const path: string = `/v1/numbers/jobs?limit=2${cursor ? `&cursor=${cursor}` : ''}`;
      const { body } = await acme.client.get(path);
      pages.push(body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
    } while (cursor);
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2)]);
    const other = await api.organization({ name: 'Other' });
    expect((await other.client.get('/v1/numbers/jobs')).body).toEqual({ items: [], nextCursor: null });
  });

  test('is for who may manage numbers', async () => {
    const client = await userClient(api, acme, await addUser(acme, 'Ada'));
    expect(await client.get('/v1/numbers/jobs')).toMatchObject({ status: 403, body: { permission: 'numbers:manage' } });
  });
});

test('a run is found again by its Idempotency-Key for a day, and no longer', async () => {
  const key = { 'idempotency-key': 'daily' };
  const { id } = await addLine(api, acme);
  /** Every duty once, at this many hours from now. */
  const sweepAfter = async (hours: number): Promise<void> => {
    const now = () => new Date(Date.now() + hours * 3_600_000);
    const clock = { now, sync: async () => {} };
    const workflows = { start: away } as never;
    await startSweep({ database: api.database, clock, workflows, sendEmails: () => {}, onError: () => {} })();
  };
  const first = (await release([id], key)).body.jobId;
  await sweepAfter(23);
  expect((await release([id], key)).body.jobId).toBe(first);
  await sweepAfter(25);
  const again = await release([id], key);
  expect(again).toMatchObject({ status: 202, body: { waiting: [id] } });
  expect(again.body.jobId).not.toBe(first);
  expect((await acme.client.get(`/v1/numbers/jobs/${first}`)).status).toBe(200);
});
