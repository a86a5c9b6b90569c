/** `POST /v1/mass-sms`: when it starts, what is refused of a start and of a plan (F4), and what it is sent from (B8). */
import { sql } from 'kysely';
import { DateTime } from 'luxon';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../db/ids.ts';
import type { Purpose } from '../../../domain/purpose.ts';
import type { SettingsOverrides } from '../../../domain/settings.ts';
import { startWithoutTemporal, type Tenant, tenantWith } from '../conversations/fixture.ts';
import type { Api } from '../support.ts';

let api: Api;
let acme: Tenant;
beforeAll(async () => {
  api = await startWithoutTemporal();
});
afterAll(() => api.stop());

const zone = 'America/Chicago';
const sendWindow = {
  startTime: '08:00',
  endTime: '16:00',
  timeZone: zone,
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
} as const;

async function pool(name: string, purpose: Purpose): Promise<string> {
  const at = api.clock.now();
  const id = newId('pool', at);
  await api.database.system
    .insertInto('number_pools')
    .values({ id, organization_id: acme.id, name, purpose, created_at: at })
    .execute();
  return id;
}
const assign = (poolId: string) =>
  api.database.system.updateTable('phone_numbers').set({ pool_id: poolId }).where('id', '=', acme.numberId).execute();

/** So many contacts on the list `all`, who have agreed to everything. */
async function contacts(count: number): Promise<void> {
  const at = api.clock.now();
  await api.database.inOrganization(acme.id, (trx) =>
    sql`
      with list as (
        insert into contact_lists (id, organization_id, name, created_at) values (${newId('list', at)}, ${acme.id}, 'all', ${at})
        returning id
      ), made as (
        insert into contacts (id, organization_id, mobile, phone_status, consent_transactional, consent_promotional,
          created_at, updated_at)
        select 'con_' || uuid_v7(${at}), ${acme.id}, '+1212' || (2000000 + n), 'valid', true, true, ${at}, ${at}
        from generate_series(1, ${count}::int) n returning id
      )
      insert into contact_list_members (organization_id, list_id, contact_id)
      select ${acme.id}, list.id, made.id from made, list`.execute(trx),
  );
}

async function begin(settings: SettingsOverrides = {}, recipients = 3): Promise<void> {
  acme = await tenantWith(api, { settings: { sendWindow, firstBatchSize: 1, dailyBatchSize: 1, ...settings } });
  await contacts(recipients);
}

const asked = { list: 'all', body: 'We are hiring. Reply STOP to opt out.' };
const post = (more: object = {}) => acme.client.post('/v1/mass-sms', { ...asked, ...more });
const forecast = (more: object = {}) => acme.client.post('/v1/mass-sms/forecast', { ...asked, ...more });
const startsOf = (body: { batches: { startAt: string }[] }): string[] =>
  body.batches.map(({ startAt }) => DateTime.fromISO(startAt, { zone }).toFormat('ccc HH:mm'));

describe('the start', () => {
  beforeEach(async () => {
    await begin();
    await assign(await pool('Main', 'promotional'));
  });

  /** A week from now or later. */
  const next = (weekday: number, time: string): string => {
    const day = DateTime.fromJSDate(api.clock.now(), { zone })
      .plus({ weeks: 2 })
      .startOf('week')
      .plus({ days: weekday - 1 });
    return DateTime.fromISO(`${day.toISODate()}T${time}`, { zone }).toUTC().toISO()!;
  };

  test('on a day that is not allowed is at the same time of the next day that is, here and in the forecast', async () => {
    const saturday = { startAt: next(6, '10:00') };
    const expected = ['Mon 10:00', 'Tue 10:00', 'Wed 10:00'];
    const created = await post(saturday);
    expect({ status: created.status, starts: startsOf(created.body) }).toEqual({ status: 201, starts: expected });
    expect(startsOf((await forecast(saturday)).body)).toEqual(expected);
    expect(startsOf((await post({ ...saturday, allowWeekends: true })).body)).toEqual([
      'Sat 10:00',
      'Sun 10:00',
      'Mon 10:00',
    ]);
  });

  test('is in the next opening where none is chosen, and the later ones follow at its time', async () => {
    for (const { body } of [await post({ immediate: true }), await forecast({ immediate: true })]) {
      const times = startsOf(body).map((start) => start.slice(4));
      expect(times[0]! >= '08:00' && times[0]! < '16:00').toBe(true);
      expect(new Set(times).size).toBe(1);
    }
  });

  test('is refused more than two years ahead wherever it is given, and the list can still be read', async () => {
    const { body: made } = await post({ startAt: next(2, '10:00') });
    const startAt = '9999-12-31T23:30:00Z';
    const refusal = {
      status: 422,
      body: { reason: 'start_too_late', detail: /up to two years ahead: choose a start/ },
    };
    const expected = { ...refusal, body: { ...refusal.body, detail: expect.stringMatching(refusal.body.detail) } };
    expect(await post({ startAt })).toMatchObject(expected);
    expect(await forecast({ startAt })).toMatchObject(expected);
    for (const action of ['resume', 'reschedule']) {
      expect(await acme.client.post(`/v1/mass-sms/${made.id}/${action}`, { startAt })).toMatchObject(expected);
    }
    expect((await acme.client.get('/v1/mass-sms')).body.items).toMatchObject([{ id: made.id }]);
    const inTime = DateTime.fromJSDate(api.clock.now()).plus({ years: 2 }).minus({ days: 3 }).toUTC().toISO();
    expect(await post({ startAt: inTime })).toMatchObject({ status: 201 });
  });
});

describe('the plan', () => {
  test('of more than a thousand batches is refused with what to change, and of a thousand is taken', async () => {
    await begin({}, 1_001);
    await assign(await pool('Main', 'promotional'));
    const expected = {
      status: 422,
      body: { reason: 'too_many_batches', detail: expect.stringMatching(/1,001 daily batches.*dailyBatchSize/) },
    };
    expect(await post()).toMatchObject(expected);
    expect(await forecast()).toMatchObject(expected);
    expect((await acme.client.get('/v1/mass-sms')).body.items).toEqual([]);
    const created = await post({ limitToTop: 1_000 });
    expect(created.status).toBe(201);
    expect(created.body.batches).toHaveLength(1_000);
  });
});

describe('the pool', () => {
  beforeEach(() => begin());

  test('that is not named is the only one, or the only one of the purpose', async () => {
    const main = await pool('Main', 'transactional');
    await assign(main);
    expect(await post()).toMatchObject({ status: 201, body: { sender: { id: main } } });
    const news = await pool('News', 'promotional');
    // It has no number, and is still the one that is meant.
    expect(await post()).toMatchObject({ status: 422, body: { reason: 'no_numbers' } });
    await assign(news);
    expect(await post()).toMatchObject({ status: 201, body: { sender: { id: news } } });
  });

  test('is asked for where none or several are for the purpose', async () => {
    const news = await pool('News', 'promotional');
    await assign(news);
    await pool('Offers', 'promotional');
    expect(await post()).toMatchObject({
      status: 422,
      body: { reason: 'pool_required', detail: expect.stringContaining('more than one of them is for promotional') },
    });
    expect(await post({ purpose: 'transactional' })).toMatchObject({
      status: 422,
      body: { reason: 'pool_required', detail: expect.stringContaining('none of them is for transactional') },
    });
    expect(await post({ poolId: news })).toMatchObject({ status: 201, body: { sender: { id: news } } });
  });
});

test('a purpose that is not permitted is refused with what to do', async () => {
  await begin({ permittedPurposes: ['transactional'] });
  await assign(await pool('Main', 'transactional'));
  expect(await post()).toMatchObject({
    status: 422,
    body: {
      reason: 'purpose_not_permitted',
      detail: expect.stringContaining('choose that purpose, or change permittedPurposes in the settings'),
    },
  });
  expect(await post({ purpose: 'transactional' })).toMatchObject({ status: 201 });
});
