/** Templates: how they are written, found and published. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

describe('templates', () => {
  test('are made, read and changed, and tell their merge codes', async () => {
    const body = '{{ contact.firstName }}: {{job.title}} {{job.url}} {{job.title}}';
    const made = await client.post('/v1/templates', { name: 'Job', body, purpose: 'transactional' });
    const defaults = { published: false, careerSiteId: null };
    const codes = { mergeCodes: ['contact.firstName', 'job.title', 'job.url'] };
    expect(made).toMatchObject({ status: 201, body: { name: 'Job', body, ...defaults, ...codes } });
    const at = `/v1/templates/${made.body.id}`;
    expect((await client.get(at)).body).toEqual(made.body);
    const changed = await client.patch(at, { body: 'Hello', published: true });
    expect(changed.body).toMatchObject({ name: 'Job', body: 'Hello', published: true, mergeCodes: [] });
    expect((await client.get('/v1/templates')).body.items).toEqual([changed.body]);
  });

  test('are found by prefix, and by whether they are published', async () => {
    await template({ name: 'Welcome' });
    await template({ name: 'welcome back', published: false });
    await template({ name: 'Interview' });
    const found = async (query: string) =>
      (await client.get(`/v1/templates?${query}`)).body.items.map(({ name }: { name: string }) => name);
    expect(await found('')).toEqual(['Interview', 'Welcome', 'welcome back']);
    expect(await found('prefix=WEL')).toEqual(['Welcome', 'welcome back']);
    expect(await found('prefix=wel&published=true')).toEqual(['Welcome']);
    expect(await found('published=false')).toEqual(['welcome back']);
    expect((await client.get('/v1/templates?published=maybe')).status).toBe(400);
    const first = await client.get('/v1/templates?published=true&limit=1');
    expect(await found(`published=true&cursor=${first.body.nextCursor}`)).toEqual(['Welcome']);
  });

  test('have a name of their own within the organization, whatever its case', async () => {
    const id = await template();
    const taken = { status: 422, body: { reason: 'name_taken' } };
    expect(await client.post('/v1/templates', { ...hello, name: 'HELLO' })).toMatchObject(taken);
    const other = await template({ name: 'Other' });
    expect(await client.patch(`/v1/templates/${other}`, { name: 'hello' })).toMatchObject(taken);
    expect((await client.patch(`/v1/templates/${id}`, { name: 'hello' })).status).toBe(200);
    const stranger = await api.organization({ name: 'Stranger' });
    expect((await stranger.client.post('/v1/templates', hello)).status).toBe(201);
  });

  test('with a merge code that there is not are a 400 that names those there are', async () => {
    for (const body of ['{{first_name}}', '{{}}', '{{Job.title}}', '{{contact.mobile}} {{job.title}}']) {
      const answer = await client.post('/v1/templates', { ...hello, body });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'body' }] } });
      for (const code of mergeCodes) expect(answer.body.errors[0].message).toContain(`{{${code}}}`);
    }
    const id = await template();
    expect((await client.patch(`/v1/templates/${id}`, { body: '{{x}}' })).body.errors).toMatchObject([
      { path: 'body' },
    ]);
    expect((await template({ name: 'All', body: mergeCodes.map((code) => `{{${code}}}`).join() })).length).toBe(40);
  });

  test.each([
    [{ body: '' }, 'body'],
    [{ body: 'x'.repeat(1_601) }, 'body'],
    [{ purpose: 'marketing' }, 'purpose'],
    [{ published: 'yes' }, 'published'],
    [{ mergeCodes: [] }, 'mergeCodes'],
  ])('%#: what is malformed is a 400 that names the field', async (wrong, path) => {
    const answer = await client.post('/v1/templates', { ...hello, ...wrong });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  test('are for a purpose the organization may send', async () => {
    const id = await template();
    const draft = await template({ name: 'Draft', published: false });
    await client.patch('/v1/settings', { permittedPurposes: ['transactional'] });
    const refused = { status: 422, body: { reason: 'purpose_not_permitted' } };
    expect(await client.post('/v1/templates', { ...hello, name: 'New' })).toMatchObject(refused);
    expect(await client.patch(`/v1/templates/${draft}`, { published: true })).toMatchObject(refused);
    const own = await template({ name: 'Own', purpose: 'transactional' });
    expect(await client.patch(`/v1/templates/${own}`, { purpose: 'promotional' })).toMatchObject(refused);
    expect((await client.patch(`/v1/templates/${id}`, { name: 'Old', published: true })).status).toBe(200);
    expect((await client.patch(`/v1/templates/${id}`, { published: false })).status).toBe(200);
    expect(await client.patch(`/v1/templates/${id}`, { published: true })).toMatchObject(refused);
    expect((await client.patch(`/v1/templates/${draft}`, { purpose: 'transactional', published: true })).status).toBe(
      200,
    );
  });

  test('may be for a career site of the organization', async () => {
    const site = await make('/career-sites', { name: 'Site', url: 'https://acme.example' });
    const id = await template({ careerSiteId: site });
    const refused = { status: 422, body: { reason: 'unknown_career_site' } };
    for (const careerSiteId of ['crs_none', ''])
      expect(await client.patch(`/v1/templates/${id}`, { careerSiteId })).toMatchObject(refused);
    expect((await client.patch(`/v1/templates/${id}`, { careerSiteId: null })).body.careerSiteId).toBe(null);
    const stranger = (await api.organization({ name: 'Stranger' })).client;
    expect(await stranger.post('/v1/templates', { ...hello, careerSiteId: site })).toMatchObject(refused);
    expect((await stranger.get(`/v1/templates/${id}`)).status).toBe(404);
    expect((await stranger.patch(`/v1/templates/${id}`, {})).status).toBe(404);
  });

  test('need settings:manage to be made or changed', async () => {
    const id = await template();
    const sender = await api.user(writer, null, ['mass-sms:send']);
    const lacking = { status: 403, body: { permission: 'settings:manage' } };
    expect(await sender.client.post('/v1/templates', hello)).toMatchObject(lacking);
    expect(await sender.client.patch(`/v1/templates/${id}`, { published: false })).toMatchObject(lacking);
    expect((await sender.client.get(`/v1/templates/${id}`)).status).toBe(200);
  });
});
