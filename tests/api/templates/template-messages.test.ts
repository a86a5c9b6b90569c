/** Messages that are made with a template, and what they must name (F2). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { mergeCodes } from '../../../domain/messages/merge-codes.ts';
import { type MessagesApi, startMessagesApi, type Writer } from '../messages/support.ts';
import type { Client } from '../support.ts';

let api: MessagesApi;
let writer: Writer;
/** The organization's own key, which may do everything and acts as nobody. */
let client: Client;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  writer = await api.writer();
  client = writer.office;
});

const hello = { name: 'Hello', body: 'Hi {{contact.firstName}}', purpose: 'promotional', published: true } as const;

const make = async (path: string, body: object): Promise<string> => {
  const made = await client.post(`/v1${path}`, body);
  expect({ path, status: made.status, body: made.body }).toMatchObject({ status: 201 });
  return made.body.id;
};
const template = (more: object = {}) => make('/templates', { ...hello, ...more });

/** A text with every code but the user's: an organization's key acts as nobody. */
const everything = mergeCodes
  .filter((code) => code !== 'user.name')
  .map((code) => `{{${code}}}`)
  .join(' ');

describe('messages made with a template', () => {
  let ids: {
    marketingCampaignId: string;
    talentNetworkId: string;
    careerSiteId: string;
    pageId: string;
    jobId: string;
  };
  let contact: { id: string; mobile: string };

  beforeEach(async () => {
    const { organizationId: organization_id, line } = writer;
    const at = api.clock.now();
    const pool = {
      id: newId('pool', at),
      organization_id,
      name: 'Pool',
      purpose: 'promotional' as const,
      created_at: at,
    };
    await api.database.inOrganization(organization_id, async (trx) => {
      await trx.insertInto('number_pools').values(pool).execute();
      await trx.updateTable('phone_numbers').set({ pool_id: pool.id }).where('phone_number', '=', line).execute();
    });
    contact = await api.contact(writer, { firstName: 'Ann' });
    await client.patch(`/v1/contacts/${contact.id}`, { lastName: 'Lee', lists: ['all'] });
    const url = 'https://acme.example';
    const landingPageUrl = `${url}/spring`;
    const careerSiteId = await make('/career-sites', { name: 'Site', url: `${url}/careers` });
    const site = `/career-sites/${careerSiteId}`;
    ids = {
      marketingCampaignId: await make('/marketing-campaigns', {
        name: 'A',
        code: 'A',
        landingPageUrl,
        published: true,
      }),
      talentNetworkId: await make('/talent-networks', { name: 'A', joinUrl: `${url}/join` }),
      careerSiteId,
      pageId: await make(`${site}/pages`, { title: 'A', url: `${url}/nurses` }),
      jobId: await make(`${site}/jobs`, { title: '$& Nurse', reference: 'A', url: `${url}/1` }),
    };
  });

  const filledIn = (name: string) =>
    `Ann Lee ${name} $& Nurse https://acme.example/1 https://acme.example/careers https://acme.example/nurses ` +
    'https://acme.example/spring https://acme.example/join';

  const sendMany = (body: object, by = client) =>
    by.post('/v1/mass-sms', { list: 'all', allowWeekends: true, ...body });
  const write = (body: object) => writer.client.post('/v1/messages', { contactId: contact.id, ...body });
  const textOf = async (massSmsId: string) => {
    const { items } = (await client.get(`/v1/mass-sms/${massSmsId}/recipients`)).body;
    expect(items).toHaveLength(1);
    return (await client.get(`/v1/messages/${items[0].messageId}`)).body.body;
  };

  test('have its text, with what its codes stand for; a mass SMS keeps what it was made with', async () => {
    const templateId = await template({ body: everything });
    const { status, body } = await sendMany({ templateId, ...ids });
    expect({ status, body }).toMatchObject({ status: 201, body: { templateId, ...ids, body: everything } });
    expect(body.purpose).toBe('promotional');
    expect(await textOf(body.id)).toBe(filledIn('Acme'));
    expect((await client.get(`/v1/mass-sms/${body.id}`)).body).toMatchObject({ templateId, ...ids });
    // What changes later changes nothing of what was made.
    await client.patch(`/v1/templates/${templateId}`, { body: 'Changed', published: false });
    await client.patch(`/v1/career-sites/${ids.careerSiteId}/jobs/${ids.jobId}`, { title: 'Changed' });
    expect(await textOf(body.id)).toBe(filledIn('Acme'));
    expect((await client.get(`/v1/mass-sms/${body.id}`)).body.body).toBe(everything);
  });

  test('do not look for codes in what is filled in: no name and no title stands for another', async () => {
    await client.patch(`/v1/contacts/${contact.id}`, { firstName: '{{contact.lastName}}', lastName: '{{job.url}} $&' });
    const sender = await api.user(writer, null, ['mass-sms:send']);
    await client.patch(`/v1/users/${sender.id}`, { name: '{{contact.firstName}}' });
    const body = '{{user.name}}: {{ contact.firstName }} {{contact.lastName}} {{job.title}}';
    const made = await sendMany({ body, jobId: ids.jobId }, sender.client);
    expect(made).toMatchObject({ status: 201, body: { body } });
    const said = '{{contact.firstName}}: {{contact.lastName}} {{job.url}} $& $& Nurse';
    expect(await textOf(made.body.id)).toBe(said);
  });

  test('that a name makes too long are refused before they are made', async () => {
    await client.patch(`/v1/contacts/${contact.id}`, { firstName: 'A'.repeat(100) });
    const body = `${'x'.repeat(1_494)} Reply STOP {{contact.firstName}}`;
    const { status, body: answer } = await sendMany({ body });
    expect({ status, answer }).toMatchObject({ status: 422, answer: { reason: 'too_long', characters: 1_606 } });
    expect((await client.get('/v1/mass-sms')).body.items).toEqual([]);
    await client.patch(`/v1/contacts/${contact.id}`, { firstName: 'A'.repeat(94) });
    expect((await sendMany({ body })).status).toBe(201);
  });

  test('one by one, too', async () => {
    const templateId = await template({ body: `{{user.name}} ${everything}`, purpose: 'transactional' });
    const { status, body } = await write({ templateId, ...ids });
    expect({ status, body }).toMatchObject({ status: 202, body: { purpose: 'transactional' } });
    expect(body.body).toContain(`Sam Sender ${filledIn('Acme')}`);
  });

  test('need one that is published', async () => {
    const templateId = await template({ published: false });
    const stranger = (await api.organization({ name: 'Stranger' })).client;
    const { body: theirs } = await stranger.post('/v1/templates', hello);
    for (const send of [sendMany, write]) {
      const draft = await send({ templateId });
      expect(draft).toMatchObject({ status: 422, body: { reason: 'template_not_published' } });
      // Nor does an edited text make it usable.
      expect((await send({ templateId, body: 'Hi' })).body.reason).toBe('template_not_published');
      for (const id of ['tpl_none', '', theirs.id])
        expect(await send({ templateId: id })).toMatchObject({ status: 422, body: { reason: 'unknown_template' } });
    }
  });

  test('have its purpose, which must still be permitted', async () => {
    const templateId = await template({ purpose: 'transactional' });
    expect((await sendMany({ templateId })).body.purpose).toBe('transactional');
    expect((await sendMany({ templateId, purpose: 'transactional' })).status).toBe(201);
    const other = { status: 422, body: { reason: 'other_purpose' } };
    expect(await sendMany({ templateId, purpose: 'promotional' })).toMatchObject(other);
    expect(await write({ templateId, purpose: 'promotional' })).toMatchObject(other);
    await client.patch('/v1/settings', { permittedPurposes: ['promotional'] });
    const refused = { status: 422, body: { reason: 'purpose_not_permitted' } };
    expect(await sendMany({ templateId })).toMatchObject(refused);
    expect(await write({ templateId })).toMatchObject(refused);
  });

  test('name what its codes need: every field that is lacking, or too much, in one 400', async () => {
    const templateId = await template({ body: '{{job.title}} {{campaign.landingPageUrl}}' });
    const { pageId, talentNetworkId } = ids;
    for (const send of [sendMany, write]) {
      const { status, body } = await send({ templateId, pageId, talentNetworkId });
      const paths = body.errors.map(({ path, message }: { path: string; message: string }) => [
        path,
        message.slice(0, 14),
      ]);
      expect({ status, paths }).toEqual({
        status: 400,
        paths: [
          ['marketingCampaignId', 'is required: t'],
          ['talentNetworkId', 'is not needed:'],
          ['pageId', 'is not needed:'],
          ['jobId', 'is required: t'],
        ],
      });
    }
  });

  test('cannot name what is not there, not published or of another site: a 422 that says each', async () => {
    const elsewhere = await make('/career-sites', { name: 'Elsewhere', url: 'https://else.example' });
    await client.patch(`/v1/marketing-campaigns/${ids.marketingCampaignId}`, { published: false });
    const templateId = await template({ body: everything });
    const { status, body } = await sendMany({
      templateId,
      ...ids,
      careerSiteId: elsewhere,
      talentNetworkId: 'tln_none',
    });
    expect({ status, reason: body.reason }).toEqual({ status: 422, reason: 'not_published' });
    const paths = body.errors.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(['marketingCampaignId', 'talentNetworkId', 'pageId', 'jobId']);
    for (const path of paths) expect(body.detail).toContain(path);
    const stranger = (await api.organization({ name: 'Stranger' })).client;
    const { body: theirs } = await stranger.post('/v1/talent-networks', { name: 'A', joinUrl: 'https://b.example' });
    const foreign = await sendMany({ body: '{{talentNetwork.joinUrl}}', talentNetworkId: theirs.id });
    expect(foreign).toMatchObject({ status: 422, body: { reason: 'unknown' } });
  });

  test('may be edited: the text that is given wins, and is judged the same way', async () => {
    const templateId = await template({ body: '{{job.title}}' });
    const { jobId, pageId } = ids;
    const edited = await sendMany({ templateId, body: 'See {{page.url}}', pageId });
    expect(edited).toMatchObject({ status: 201, body: { templateId, pageId, jobId: null, body: 'See {{page.url}}' } });
    expect(await textOf(edited.body.id)).toBe('See https://acme.example/nurses');
    expect(await sendMany({ templateId, body: 'See {{page.url}}', jobId })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'pageId' }, { path: 'jobId' }] },
    });
    expect(await sendMany({ templateId, body: '{{x}}' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'body' }] },
    });
  });

  test('take the site from the template that is for one', async () => {
    const templateId = await template({ body: '{{careerSite.url}} {{job.url}}', careerSiteId: ids.careerSiteId });
    const { body } = await sendMany({ templateId, jobId: ids.jobId });
    expect(await textOf(body.id)).toBe('https://acme.example/careers https://acme.example/1');
    const careerSiteId = await make('/career-sites', { name: 'Elsewhere', url: 'https://else.example' });
    const refused = { status: 422, body: { reason: 'other_career_site', errors: [{ path: 'careerSiteId' }] } };
    expect(await sendMany({ templateId, jobId: ids.jobId, careerSiteId })).toMatchObject(refused);
  });

  test('that are about a confidential job need the privilege, and do not tell of it', async () => {
    const body = '{{job.title}}';
    await client.patch(`/v1/career-sites/${ids.careerSiteId}/jobs/${ids.jobId}`, { confidential: true });
    const sender = await api.user(writer, null, ['mass-sms:send']);
    const hidden = await sendMany({ body, jobId: ids.jobId }, sender.client);
    const unknown = await sendMany({ body, jobId: 'job_none' }, sender.client);
    expect(hidden.status).toBe(422);
    expect({ ...hidden.body, instance: null }).toEqual({ ...unknown.body, instance: null });
    expect(JSON.stringify(hidden.body)).not.toContain('Nurse');
    const trusted = await api.user(writer, null, ['mass-sms:send', 'jobs:confidential']);
    expect((await sendMany({ body, jobId: ids.jobId }, trusted.client)).status).toBe(201);
  });

  test('may belong to a campaign that their text does not name when they are many; one message keeps none', async () => {
    const { marketingCampaignId } = ids;
    const templateId = await template();
    const made = await sendMany({ templateId, marketingCampaignId });
    expect(made).toMatchObject({ status: 201, body: { marketingCampaignId, jobId: null } });
    const refused = { status: 400, body: { errors: [{ path: 'marketingCampaignId' }] } };
    expect(await write({ templateId, marketingCampaignId })).toMatchObject(refused);
  });

  test('are named after the list and the date where they are sent from', async () => {
    for (const timeZone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
      const { body } = await sendMany({ body: 'Hi', timeZone });
      const date = new Intl.DateTimeFormat('en-CA', { timeZone }).format(new Date(body.createdAt));
      expect(body.name).toBe(`all ${date}`);
    }
  });

  test('need a text: a template or a body', async () => {
    for (const send of [sendMany, write])
      expect(await send({})).toMatchObject({ status: 400, body: { errors: [{ path: 'body' }] } });
  });

  test('without one may hold its codes as well; several at once and edited ones may not', async () => {
    const { jobId } = ids;
    const made = await write({ body: '{{job.title}} {{job.url}}', jobId });
    expect(made.body.body).toContain('$& Nurse https://acme.example/1');
    const refused = { status: 400, body: { errors: [{ path: 'body' }] } };
    expect(await write({ body: '{{job.title}}' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'jobId' }] },
    });
    const bulk = { contactIds: [contact.id], body: '{{job.title}}' };
    expect(await writer.client.post('/v1/messages/bulk', bulk)).toMatchObject(refused);
    const later = await write({ body: 'Hi', sendAt: new Date(api.clock.now().getTime() + 3_600_000).toISOString() });
    expect(await writer.client.patch(`/v1/messages/${later.body.id}`, { body: '{{job.title}}' })).toMatchObject(
      refused,
    );
  });
});
