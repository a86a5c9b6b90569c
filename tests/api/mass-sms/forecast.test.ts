/** `POST /v1/mass-sms/forecast` against what is created from the same request (F10). */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { createMassSms } from '../../../db/mass-sms/create.ts';
import { batchesOf } from '../../../db/mass-sms/mass-sms.ts';
import { withDisclaimer } from '../../../domain/messages/text.ts';
import { countSegments } from '../../../domain/messages/segments.ts';
import { defaultSettings } from '../../../domain/settings.ts';
import { type Api, type Organization, startApi } from '../support.ts';

let api: Api;
let acme: Organization;
const names = [
  'Al',
  'Bartholomew',
  'Zoë',
  'Chidiebere',
  "O'Neil",
  'Anne-Marie',
  'Łukasz',
  'Jean^Luc',
  '',
  'Wolfeschlegelsteinhausen',
];
const body = `{{organization.name}}: {{contact.firstName}} ${'x'.repeat(138)}`;

beforeAll(async () => {
  api = await startApi();
  api.clock.set(new Date('2027-03-01T15:00:00Z'));
  acme = await api.organization();
  await api.database.system.updateTable('organizations').set({ segments_per_second: 12 }).execute();
  await acme.client.patch('/v1/settings', { firstBatchSize: 100, dailyBatchSize: 150 });
  const at = api.clock.now();
  const list = newId('list', at);
  await api.database.inOrganization(acme.id, async (trx) => {
    await trx
      .insertInto('contact_lists')
      .values({ id: list, organization_id: acme.id, name: 'all', created_at: at })
      .execute();
    await sql`
      with made as (
        insert into contacts (id, organization_id, first_name, last_name, mobile, phone_status, consent_transactional,
          consent_promotional, created_at, updated_at)
        select 'con_' || uuid_v7(${at}), ${acme.id}, nullif((${names}::text[])[1 + n % ${names.length}::int], ''), 'Last',
          '+1212' || (2000000 + n), 'valid', true, true, ${at}, ${at} from generate_series(1, 300) n
        returning id, mobile
      )
      insert into contact_list_members (organization_id, list_id, contact_id)
      select ${acme.id}, ${list}, id from made order by mobile`.execute(trx);
    // Some have had a message before: they get no disclaimer.
    await sql`
      insert into messages (id, organization_id, direction, source, purpose, status, line, contact_number, body, created_at)
      select 'msg_' || uuid_v7(${at}), ${acme.id}, 'outbound', 'user', 'promotional', 'delivered', '+14155550100',
        '+1212' || (2000000 + n), 'Hi', ${at} from generate_series(1, 40) n`.execute(trx);
  });
});
afterAll(() => api.stop());

test('counts exactly what would be sent, and plans the same batches', async () => {
  const startAt = '2027-03-12T16:00:00.000Z';
  const asked = { list: 'all', body, startAt };
  const { status, body: foreseen } = await acme.client.post('/v1/mass-sms/forecast', asked);
  expect(status, JSON.stringify(foreseen)).toBe(200);
  expect(foreseen).toMatchObject({ matches: 300, recipients: 300, segmentsPerSecond: 12 });

  // The mass SMS itself, of the same audience, and each of its texts as it would leave.
  const at = api.clock.now();
  const settings = { ...defaultSettings, firstBatchSize: 100, dailyBatchSize: 150 };
  const { texts, batches } = await api.database.inOrganization(acme.id, async (trx) => {
    const poolId = newId('pool', at);
    await trx
      .insertInto('number_pools')
      .values({ id: poolId, organization_id: acme.id, name: 'Pool', purpose: 'promotional', created_at: at })
      .execute();
    const created = await createMassSms(trx, {
      organizationId: acme.id,
      name: 'Spring',
      audience: { list: 'all', purpose: 'promotional' },
      pool: { id: poolId, lines: ['+14155550100'] },
      body,
      values: { 'organization.name': 'Acme' },
      origin: {
        template_id: null,
        marketing_campaign_id: null,
        talent_network_id: null,
        career_site_id: null,
        page_id: null,
        job_id: null,
      },
      timeZone: settings.sendWindow.timeZone,
      startAt: new Date(startAt),
      allowWeekends: false,
      atWindowClose: 'continue',
      createdBy: 'test',
      settings,
      segmentsPerSecond: 12,
      now: at,
    });
    if (created.kind !== 'created') throw new Error('the audience is empty');
    const rows = await trx
      .selectFrom('messages')
      .select(['body', 'contact_number', 'batch_number'])
      .where('mass_sms_id', '=', created.id)
      .execute();
    return { texts: rows, batches: await batchesOf(trx, created.id) };
  });
  const disclaimer = defaultSettings.disclaimer.replace('{{organization.name}}', 'Acme');
  const counts = texts.map(({ body: text, contact_number: to, batch_number: batch }) => {
    const isFirst = to > '+12122000040';
    return { batch, ...countSegments(isFirst ? withDisclaimer(text, disclaimer) : text) };
  });
  const total = counts.reduce((all, one) => all + one.segments, 0);
  expect(foreseen.segments.total).toBe(total);
  expect(foreseen.segments.unicodeRecipients).toBe(counts.filter((one) => one.encoding === 'UCS-2').length);
  expect(foreseen.segments.unicodeRecipients).toBe(60);
  expect(foreseen.segments.distribution.length).toBeGreaterThan(1);
  expect(foreseen.batches).toMatchObject(
    batches.map(({ number, size, startAt: starts }) => ({
      number,
      size,
      startAt: starts.toISOString(),
      segments: counts.filter((one) => one.batch === number).reduce((all, one) => all + one.segments, 0),
      expired: 0,
    })),
  );
  expect(foreseen.batches.map((batch: { startAt: string }) => batch.startAt)).toEqual([
    startAt,
    // Not on the weekend, and an hour earlier: clocks go forward on the 14th.
    '2027-03-15T15:00:00.000Z',
    '2027-03-16T15:00:00.000Z',
  ]);
  expect(foreseen.cost.low).toBe(Math.floor(total * 1.18) / 100);
  expect(foreseen.tMobile).toMatchObject({ dailyLimit: 2_000 });
});

test('writes nothing, and needs neither a number nor the module', async () => {
  const count = async () => {
    const { rows } = await sql<{ n: number }>`
      select (select count(*) from mass_sms) + (select count(*) from messages) as n`.execute(api.database.system);
    return rows[0]!.n;
  };
  const before = await count();
  const answer = await acme.client.post('/v1/mass-sms/forecast', { list: 'all', body: 'Hi. STOP to opt out.' });
  expect(answer).toMatchObject({
    status: 200,
    body: { segments: { total: 300, distribution: [{ segments: 1, recipients: 300 }] } },
  });
  expect(await count()).toBe(before);
});

test('refuses what would be refused at creation', async () => {
  const forecast = (asked: object) => acme.client.post('/v1/mass-sms/forecast', { list: 'all', body: 'Hi', ...asked });
  expect(await forecast({ list: 'nobody' })).toMatchObject({ status: 422, body: { reason: 'unknown_list' } });
  expect(await forecast({ list: undefined, query: 'zzzz' })).toMatchObject({
    status: 422,
    body: { reason: 'no_recipients' },
  });
  expect(await forecast({ startAt: '2020-01-01T00:00:00Z' })).toMatchObject({
    status: 422,
    body: { reason: 'start_in_the_past' },
  });
  expect(await forecast({ body: '{{contact.shoeSize}}' })).toMatchObject({ status: 400 });
  // With the longest of the names; the code itself is shorter than it.
  const long = { body: `${'x'.repeat(1_566)} Reply STOP {{contact.firstName}}` };
  expect(await forecast(long)).toMatchObject({ status: 422, body: { reason: 'too_long', characters: 1_602 } });
  const auto = { name: 'A', body: '{{user.name}}: thank you.', purpose: 'transactional', published: true };
  const autoRespondTemplateId = (await acme.client.post('/v1/templates', auto)).body.id;
  expect(await forecast({ autoRespondTemplateId })).toMatchObject({ status: 422, body: { reason: 'user_required' } });
  await acme.client.patch('/v1/settings', { permittedPurposes: ['transactional'] });
  expect(await forecast({})).toMatchObject({ status: 422, body: { reason: 'purpose_not_permitted' } });
  await acme.client.patch('/v1/settings', { permittedPurposes: ['transactional', 'promotional'] });
  const other = await api.organization();
  expect(await other.client.post('/v1/mass-sms/forecast', { list: 'all', body: 'Hi' })).toMatchObject({ status: 422 });
  const weekend = { startTime: '08:00', endTime: '16:00', timeZone: 'UTC', days: ['sat'] };
  await acme.client.patch('/v1/settings', { sendWindow: weekend });
  expect(await forecast({})).toMatchObject({ status: 422, body: { reason: 'window_never_opens' } });
});
