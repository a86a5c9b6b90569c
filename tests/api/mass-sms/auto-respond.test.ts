/** F3: the first reply to a mass SMS is answered with a template, once for each contact. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { newNumber, startWithoutTemporal, type Tenant, tenantWith, threadWith } from '../conversations/fixture.ts';
import type { Api, Client } from '../support.ts';

let api: Api;
let acme: Tenant;
let client: Client;
let to: string;
let list = 0;
beforeAll(async () => {
  api = await startWithoutTemporal();
});
afterAll(() => api.stop());

beforeEach(async () => {
  acme = await tenantWith(api, { settings: { permittedPurposes: ['transactional', 'promotional'] } });
  const at = api.clock.now();
  const pool = newId('pool', at);
  await api.database.system
    .insertInto('number_pools')
    .values({ id: pool, organization_id: acme.id, name: 'Main', purpose: 'promotional', created_at: at })
    .execute();
  await api.database.system
    .updateTable('phone_numbers')
    .set({ pool_id: pool })
    .where('id', '=', acme.numberId)
    .execute();
  await acme.client.patch(`/v1/users/${acme.users[0]!.id}`, { permissions: ['mass-sms:send'] });
  client = api.client(acme.key, { 'longwave-user': acme.users[0]!.id });
  to = newNumber();
  await contact(to);
});

async function contact(mobile: string, more: object = { firstName: 'Ann' }): Promise<string> {
  const made = await acme.client.post('/v1/contacts', { mobile, lists: ['all'], ...more });
  expect(made.status).toBe(201);
  const consent = { purpose: 'promotional', granted: true, method: 'test' };
  expect((await acme.client.post(`/v1/contacts/${made.body.id}/consent`, consent)).status).toBeLessThan(300);
  return made.body.id;
}

async function template(body: string, more: object = {}): Promise<string> {
  list += 1;
  const given = { name: `Template ${list}`, body, purpose: 'promotional', published: true, ...more };
  const made = await acme.client.post('/v1/templates', given);
  expect(made).toMatchObject({ status: 201 });
  return made.body.id;
}

const post = (more: object = {}) =>
  client.post('/v1/mass-sms', { list: 'all', body: 'We are hiring. Reply STOP to opt out.', immediate: true, ...more });

/** A mass SMS that was sent, as far as `status` says. */
async function massSms(more: object = {}, status = 'delivered'): Promise<string> {
  const made = await post(more);
  expect(made).toMatchObject({ status: 201 });
  await api.database.system
    .updateTable('messages')
    .set({ status: status as 'delivered', accepted_at: status === 'queued' ? null : api.clock.now() })
    .where('mass_sms_id', '=', made.body.id)
    .execute();
  return made.body.id;
}

const answers = () =>
  api.database.system
    .selectFrom('messages')
    .selectAll()
    .where('organization_id', '=', acme.id)
    .where('source', '=', 'auto_respond')
    .orderBy('id')
    .execute();
const thanks = 'Thank you {{contact.firstName}}, {{user.name}} of {{organization.name}} will call you.';

describe('the first reply', () => {
  test('is answered at once, as a reply, in the name of the creator, from the line that was written to', async () => {
    const id = await template(thanks);
    const massSmsId = await massSms({ autoRespondTemplateId: id });
    expect((await client.get(`/v1/mass-sms/${massSmsId}`)).body.autoRespondTemplateId).toBe(id);
    await acme.receive(to, 'I am interested');
    expect(await answers()).toMatchObject([
      {
        body: 'Thank you Ann, User 0 of Acme will call you.',
        line: acme.line,
        contact_number: to,
        user_id: acme.users[0]!.id,
        direct: true,
        status: 'queued',
        purpose: 'promotional',
        mass_sms_id: null,
      },
    ]);
    const { id: thread } = await threadWith(acme.client, to);
    const { body } = await acme.client.get(`/v1/conversations/${thread}/messages`);
    expect(body.items.map((one: { source: string }) => one.source)).toEqual(['auto_respond', 'contact', 'mass_sms']);
    const waiting = await api.database.system
      .selectFrom('outbox')
      .selectAll()
      .where('organization_id', '=', acme.id)
      .execute();
    expect(waiting).toMatchObject([{ priority: 0, held_reason: null }]);
  });

  test('is answered as the template was when the mass SMS was made', async () => {
    const id = await template('First version');
    await massSms({ autoRespondTemplateId: id });
    await acme.client.patch(`/v1/templates/${id}`, { body: 'Second version', published: false });
    await acme.receive(to, 'hello');
    expect(await answers()).toMatchObject([{ body: 'First version' }]);
  });

  test('is answered once however often it is delivered, and further ones are not: two programs never go in circles', async () => {
    await massSms({ autoRespondTemplateId: await template(thanks) });
    const same = { MessageSid: `SM${randomBytes(16).toString('hex')}` };
    await Promise.all(Array.from({ length: 5 }, () => acme.receive(to, 'hello', same)));
    await Promise.all(Array.from({ length: 5 }, (_, n) => acme.receive(to, `Automatic answer ${n}`)));
    expect(await answers()).toHaveLength(1);
  });

  test('to the next mass SMS is answered again, and each contact for itself', async () => {
    const other = newNumber();
    await contact(other, { firstName: 'Bob' });
    await massSms({ autoRespondTemplateId: await template(thanks) });
    await acme.receive(to, 'hello');
    await acme.receive(other, 'hello');
    api.clock.advance(60_000);
    await massSms({ autoRespondTemplateId: await template('Again') });
    await acme.receive(to, 'hello');
    expect((await answers()).map(({ body }) => body.slice(0, 13))).toEqual(['Thank you Ann', 'Thank you Bob', 'Again']);
  });

  test('that comes after the first keyword is the first: keywords are not answered so', async () => {
    await massSms({ autoRespondTemplateId: await template(thanks) });
    await acme.receive(to, 'HELP');
    expect(await answers()).toEqual([]);
    await acme.receive(to, 'I am interested');
    expect(await answers()).toHaveLength(1);
  });
});

describe('nothing answers', () => {
  test.for([
    ['STOP', 'STOP'],
    ['a wish to be left alone', 'please stop texting me'],
  ])('%s', async ([, said]) => {
    await massSms({ autoRespondTemplateId: await template(thanks) });
    await acme.receive(to, said!);
    await acme.receive(to, said!);
    expect(await answers()).toEqual([]);
  });

  test('a contact who has opted out, whatever is written after it', async () => {
    await massSms({ autoRespondTemplateId: await template(thanks) });
    await acme.receive(to, 'STOP');
    await acme.receive(to, 'By the way, what was it about?');
    expect(await answers()).toEqual([]);
  });

  test.for(['queued', 'cancelled', 'failed', 'undelivered'])('a contact whose message is %s', async (status) => {
    await massSms({ autoRespondTemplateId: await template(thanks) }, status);
    await acme.receive(to, 'hello');
    expect(await answers()).toEqual([]);
  });

  test('who writes more than two weeks later', async () => {
    await massSms({ autoRespondTemplateId: await template(thanks) });
    api.clock.advance(14 * 86_400_000 + 1_000);
    await acme.receive(to, 'hello');
    expect(await answers()).toEqual([]);
  });

  test('who was never written to, and who answers a later mass SMS that has no answer ready', async () => {
    await massSms({ autoRespondTemplateId: await template(thanks) });
    await acme.receive(newNumber(), 'hello');
    api.clock.advance(60_000);
    await massSms();
    await acme.receive(to, 'hello');
    expect(await answers()).toEqual([]);
  });

  test('who has withdrawn the consent that a promotional template needs', async () => {
    await massSms({ autoRespondTemplateId: await template(thanks) });
    const { body } = await acme.client.get(`/v1/contacts?q=${to.slice(2)}`);
    const withdrawn = { purpose: 'promotional', granted: false, method: 'test' };
    await acme.client.post(`/v1/contacts/${body.items[0].id}/consent`, withdrawn);
    await acme.receive(to, 'hello');
    expect(await answers()).toEqual([]);
  });
});

describe('a template', () => {
  test.for(['{{job.title}}', '{{job.url}}', '{{careerSite.url}}', '{{page.url}}'])(
    'with %s is refused',
    async (code) => {
      const answer = await post({ autoRespondTemplateId: await template(`Look at ${code}`) });
      expect(answer).toMatchObject({ status: 422, body: { reason: 'code_not_permitted' } });
      expect(answer.body.detail).toContain(code);
    },
  );

  test('that is unknown, not published, or for a purpose that is not permitted any more is refused', async () => {
    const unknown = await post({ autoRespondTemplateId: newId('template', api.clock.now()) });
    expect(unknown).toMatchObject({ status: 422, body: { reason: 'unknown_template' } });
    const draft = await post({ autoRespondTemplateId: await template('Hi', { published: false }) });
    expect(draft).toMatchObject({ status: 422, body: { reason: 'template_not_published' } });
    const id = await template('Hi', { purpose: 'transactional' });
    await acme.client.patch('/v1/settings', { permittedPurposes: ['promotional'] });
    const notPermitted = await post({ autoRespondTemplateId: id });
    expect(notPermitted).toMatchObject({ status: 422, body: { reason: 'purpose_not_permitted' } });
  });

  test('with codes of a talent network needs the field that fills them, in the forecast too', async () => {
    const network = { name: `Network ${list}`, joinUrl: 'https://acme.example/join' };
    const { body: made } = await acme.client.post('/v1/talent-networks', network);
    const autoRespondTemplateId = await template('Join: {{talentNetwork.joinUrl}}');
    const lacking = await post({ autoRespondTemplateId });
    expect(lacking).toMatchObject({ status: 400, body: { errors: [{ path: 'talentNetworkId' }] } });
    const given = { autoRespondTemplateId, talentNetworkId: made.id };
    const forecast = await client.post('/v1/mass-sms/forecast', {
      list: 'all',
      body: 'We are hiring. Reply STOP to opt out.',
      ...given,
    });
    expect(forecast).toMatchObject({ status: 200, body: { recipients: 1 } });
    await massSms(given);
    await acme.receive(to, 'hello');
    expect(await answers()).toMatchObject([{ body: 'Join: https://acme.example/join' }]);
  });

  test('with the name of a user needs a mass SMS that a user makes; without one, a key may make it', async () => {
    const asNobody = (autoRespondTemplateId: string) =>
      acme.client.post('/v1/mass-sms', { list: 'all', body: 'Hi. Reply STOP to opt out.', autoRespondTemplateId });
    expect(await asNobody(await template(thanks))).toMatchObject({ status: 422, body: { reason: 'user_required' } });
    expect(await asNobody(await template('Thank you'))).toMatchObject({ status: 201 });
  });
});
