/** What messages are about: marketing campaigns, talent networks, career sites, their pages and their jobs. */
import { type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type NamedTable, pageOfNamed } from '../../../db/named.ts';
import { type Api, type Client, type Organization, startApi } from '../support.ts';

let api: Api;
let acme: Organization;
let client: Client;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await api.organization();
  client = acme.client;
});

const url = 'https://jobs.acme.example/nurses';

interface Kind {
  /** Below /v1, where `{site}` is a career site. */
  path: string;
  one: Record<string, unknown>;
  /** The field people find it by, and what else is unique. */
  named: 'name' | 'title';
  unique: Record<string, string>;
}
const kinds: Record<string, Kind> = {
  'marketing campaigns': {
    path: '/marketing-campaigns',
    one: { name: 'Spring', code: 'SP-27', landingPageUrl: url, published: true },
    named: 'name',
    unique: { name: 'name_taken', code: 'code_taken' },
  },
  'talent networks': {
    path: '/talent-networks',
    one: { name: 'Spring', joinUrl: url },
    named: 'name',
    unique: { name: 'name_taken' },
  },
  'career sites': {
    path: '/career-sites',
    one: { name: 'Spring', url },
    named: 'name',
    unique: { name: 'name_taken' },
  },
  pages: {
    path: '/career-sites/{site}/pages',
    one: { title: 'Spring', url },
    named: 'title',
    unique: { title: 'title_taken' },
  },
  jobs: {
    path: '/career-sites/{site}/jobs',
    one: { title: 'Spring', reference: 'REQ-1', url, confidential: false },
    named: 'title',
    unique: { reference: 'reference_taken' },
  },
};

const newSite = async (of: Client, name = 'Site'): Promise<string> =>
  (await of.post('/v1/career-sites', { name, url })).body.id;

const pathOf = async ({ path }: Kind, of = client, name = 'Site'): Promise<string> =>
  `/v1${path.includes('{site}') ? path.replace('{site}', await newSite(of, name)) : path}`;

/** The same but for what must be unique. */
const another = (kind: Kind, number: number): Record<string, unknown> => ({
  ...kind.one,
  ...Object.fromEntries(Object.keys(kind.unique).map((field) => [field, `${String(kind.one[field])} ${number}`])),
});

describe.each(Object.entries(kinds))('%s', (_, kind) => {
  const { one, named, unique } = kind;

  test('are made, read, changed and listed', async () => {
    const path = await pathOf(kind);
    const made = await client.post(path, one);
    expect(made).toMatchObject({ status: 201, body: { ...one, id: expect.stringMatching(/^[a-z]{3}_/) } });
    const at = `${path}/${made.body.id}`;
    expect(await client.get(at)).toMatchObject({ status: 200, body: made.body });
    const changed = await client.patch(at, { [named]: 'Autumn' });
    expect(changed).toMatchObject({ status: 200, body: { ...one, [named]: 'Autumn' } });
    expect((await client.patch(at, {})).body).toEqual(changed.body);
    expect((await client.get(path)).body.items).toContainEqual(changed.body);
    const { items } = (await client.get('/v1/audit-log')).body;
    const acts = items.filter((entry: { subject: string }) => entry.subject === made.body.id);
    expect(acts.map((entry: { action: string }) => entry.action.split('.')[1])).toEqual(['changed', 'created']);
  });

  test('are found by the beginning of their name, in order, page by page', async () => {
    const path = await pathOf(kind);
    const names = ['Nurse', 'nursing', 'NURSERY', 'Night nurse', '100% nurse', 'nur_e', 'Ärztin', 'ärzte'];
    for (const [number, name] of names.entries()) {
      const { status } = await client.post(path, { ...another(kind, number), [named]: name });
      expect(status).toBe(201);
    }
    const found = async (query: string) =>
      (await client.get(`${path}?${query}`)).body.items.map((item: Record<string, string>) => item[named]);
    expect(await found('prefix=nur')).toEqual(['nur_e', 'Nurse', 'NURSERY', 'nursing']);
    expect(await found('prefix=NURSE')).toEqual(['Nurse', 'NURSERY']);
    expect(await found('prefix=nur_')).toEqual(['nur_e']);
    expect(await found('prefix=100%25')).toEqual(['100% nurse']);
    expect(await found(`prefix=${encodeURIComponent('ÄRZ')}`)).toEqual(['ärzte', 'Ärztin']);
    expect(await found('prefix=nurse%20')).toEqual(['Nurse', 'NURSERY']);
    expect(await found('prefix=urse')).toEqual([]);

    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { body } = await client.get(`${path}?limit=3${query}`);
      walked.push(...body.items.map((item: Record<string, string>) => item[named]));
      cursor = body.nextCursor;
    } while (cursor !== null);
    // One career site is there already, for the others to be of.
    expect(walked.filter((name) => name !== 'Site')).toEqual([
      '100% nurse', 'Night nurse', 'nur_e', 'Nurse', 'NURSERY', 'nursing', 'ärzte', 'Ärztin',
    ]); // prettier-ignore
  });

  test.each(Object.entries(unique))('have a %s of their own: 422 %s', async (field, reason) => {
    const path = await pathOf(kind);
    const first = await client.post(path, one);
    const same = { ...another(kind, 2), [field]: String(one[field]).toLowerCase() };
    const refused = { status: 422, body: { reason, detail: expect.stringContaining('use another one') } };
    expect(await client.post(path, same)).toMatchObject(refused);
    const second = await client.post(path, another(kind, 2));
    expect(await client.patch(`${path}/${second.body.id}`, { [field]: one[field] })).toMatchObject(refused);
    expect((await client.patch(`${path}/${first.body.id}`, { [field]: one[field] })).status).toBe(200);
    const other = await api.organization({ name: 'Other' });
    expect((await other.client.post(await pathOf(kind, other.client), one)).status).toBe(201);
    const atOnce = await Promise.all([1, 2, 3].map(() => client.post(path, another(kind, 3))));
    expect(atOnce.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422, 422]);
  });

  test('are made once per Idempotency-Key', async () => {
    const path = await pathOf(kind);
    const key = { 'idempotency-key': 'a' };
    const first = await client.post(path, one, key);
    expect(await client.post(path, one, key)).toMatchObject({ status: 201, body: first.body });
  });

  test('need settings:manage to be made or changed, and are unknown to other organizations', async () => {
    const path = await pathOf(kind);
    const { body } = await client.post(path, one);
    const texting = api.client(await api.key(acme.id, { permissions: ['messages:send'] }));
    const lacking = { status: 403, body: { permission: 'settings:manage' } };
    expect(await texting.post(path, one)).toMatchObject(lacking);
    expect(await texting.patch(`${path}/${body.id}`, {})).toMatchObject(lacking);
    expect((await texting.get(`${path}/${body.id}`)).body).toEqual(body);
    const other = (await api.organization({ name: 'Other' })).client;
    const theirs = await pathOf(kind, other);
    for (const base of new Set([path, theirs])) {
      expect((await other.get(`${base}/${body.id}`)).status).toBe(404);
      expect((await other.patch(`${base}/${body.id}`, { [named]: 'Mine' })).status).toBe(404);
    }
    expect((await other.get(theirs)).body.items?.map(({ id }: { id: string }) => id) ?? []).not.toContain(body.id);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ [named]: ' ' }, named],
    [{ [named]: 'long' }, named],
    [{ [named]: 'two\nlines' }, named],
    [{ nonsense: 1 }, 'nonsense'],
  ])('%j is a 400 that names %s', async (wrong, field) => {
    const path = await pathOf(kind);
    const sent = wrong[field] === 'long' ? { [field]: 'x'.repeat(201) } : wrong;
    const answer = { status: 400, body: { errors: [{ path: field }] } };
    expect(await client.post(path, { ...one, ...sent })).toMatchObject(answer);
    const { body } = await client.post(path, one);
    expect(await client.patch(`${path}/${body.id}`, sent)).toMatchObject(answer);
  });
});

describe('an address', () => {
  const give = (written: string) => client.post('/v1/career-sites', { name: 'Site', url: written });

  test.each([
    ['https://jobs.acme.example/a?b=c#d', 'https://jobs.acme.example/a?b=c#d'],
    ['http://acme.example', 'http://acme.example'],
    ['acme.example/jobs', 'https://acme.example/jobs'],
    // What would end the link on a phone is written as links write it.
    ['https://acme.example/night shift', 'https://acme.example/night%20shift'],
    ['https://acme.example/ärzte', 'https://acme.example/%C3%A4rzte'],
    ['https://acme.example/?q={{contact.firstName}}', 'https://acme.example/?q=%7B%7Bcontact.firstName%7D%7D'],
  ])('%s is kept as %s', async (written, kept) => {
    expect(await give(written)).toMatchObject({ status: 201, body: { url: kept } });
  });

  test.each([
    'ftp://acme.example/x',
    'javascript:alert(1)',
    'https://localhost/jobs',
    'https://jobs.internal/x',
    'https://10.0.0.1/jobs',
    'https://[::1]/jobs',
    'https://acme/jobs',
    'https://user:password@acme.example',
    'mailto:x@acme.example',
    '',
  ])('that not everybody can open is a 400: %s', async (written) => {
    const { status, body } = await give(written);
    expect({ status, path: body.errors?.[0].path }).toEqual({ status: 400, path: 'url' });
  });
});

test('an address has at most 2,000 characters, as a link', async () => {
  for (const part of ['x'.repeat(2_000), 'ä'.repeat(400)]) {
    const answer = await client.post('/v1/career-sites', { name: 'Site', url: `https://acme.example/${part}` });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'url' }] } });
  }
});

test('a campaign is not published and has no landing page unless it says so, and may lose both again', async () => {
  const { body } = await client.post('/v1/marketing-campaigns', { name: 'Spring', code: 'S' });
  expect(body).toMatchObject({ landingPageUrl: null, published: false });
  const at = `/v1/marketing-campaigns/${body.id}`;
  expect((await client.patch(at, { landingPageUrl: url, published: true })).body).toMatchObject({
    landingPageUrl: url,
  });
  const none = { landingPageUrl: null, published: false };
  expect((await client.patch(at, none)).body).toMatchObject({ ...none, name: 'Spring' });
});

describe('what is of a career site', () => {
  test.each(['pages', 'jobs'])('is found at that site only: %s', async (kind) => {
    const [first, second] = [await newSite(client, 'First'), await newSite(client, 'Second')];
    const { body } = await client.post(`/v1/career-sites/${first}/${kind}`, kinds[kind]!.one);
    expect(body.careerSiteId).toBe(first);
    expect((await client.get(`/v1/career-sites/${second}/${kind}`)).body.items).toEqual([]);
    expect((await client.get(`/v1/career-sites/${second}/${kind}/${body.id}`)).status).toBe(404);
    expect((await client.patch(`/v1/career-sites/${second}/${kind}/${body.id}`, {})).status).toBe(404);
    // What is unique is so within a site.
    expect((await client.post(`/v1/career-sites/${second}/${kind}`, kinds[kind]!.one)).status).toBe(201);
  });

  test.each(['pages', 'jobs'])('needs the site to be there: %s', async (kind) => {
    const nowhere = `/v1/career-sites/crs_none/${kind}`;
    expect((await client.get(nowhere)).status).toBe(404);
    expect((await client.post(nowhere, kinds[kind]!.one)).status).toBe(404);
  });

  test('a title that would be filled in with merge codes is refused', async () => {
    const path = `/v1/career-sites/${await newSite(client)}/jobs`;
    const wrong = { ...kinds['jobs']!.one, title: 'Nurse {{contact.firstName}}' };
    expect(await client.post(path, wrong)).toMatchObject({ status: 400, body: { errors: [{ path: 'title' }] } });
  });
});

describe('a confidential job', () => {
  let path: string;
  let id: string;
  let outsider: Client;
  beforeEach(async () => {
    path = `/v1/career-sites/${await newSite(client)}/jobs`;
    ({ id } = (await client.post(path, { ...kinds['jobs']!.one, confidential: true })).body);
    outsider = api.client(await api.key(acme.id, { permissions: ['settings:manage', 'mass-sms:send'] }));
  });

  test('is there for those with jobs:confidential', async () => {
    expect((await client.get(`${path}/${id}`)).body.confidential).toBe(true);
    expect((await client.get(`${path}?prefix=spr`)).body.items).toHaveLength(1);
    const user = await client.post('/v1/users', {
      name: 'Sam',
      email: 'sam@acme.example',
      permissions: ['jobs:confidential'],
    });
    const sam = api.client(await api.key(acme.id, { userId: user.body.id }));
    expect((await sam.get(`${path}/${id}`)).status).toBe(200);
  });

  test('is not there for anybody else', async () => {
    expect((await outsider.get(path)).body.items).toEqual([]);
    expect((await outsider.get(`${path}?prefix=spring`)).body.items).toEqual([]);
    const unknown = await outsider.get(`${path}/job_none`);
    const hidden = await outsider.get(`${path}/${id}`);
    expect({ ...hidden.body, instance: null }).toEqual({ ...unknown.body, instance: null });
    expect((await outsider.patch(`${path}/${id}`, { title: 'Seen' })).status).toBe(404);
    expect((await client.get(`${path}/${id}`)).body.title).toBe('Spring');
  });

  test('is made, and made confidential, by those who can see it then', async () => {
    const lacking = { status: 403, body: { permission: 'jobs:confidential' } };
    const open = { ...kinds['jobs']!.one, reference: 'REQ-2' };
    expect(await outsider.post(path, { ...open, confidential: true })).toMatchObject(lacking);
    const { body } = await outsider.post(path, open);
    expect(await outsider.patch(`${path}/${body.id}`, { confidential: true })).toMatchObject(lacking);
    expect((await client.patch(`${path}/${body.id}`, { confidential: true })).status).toBe(200);
    expect((await outsider.get(`${path}/${body.id}`)).status).toBe(404);
    expect((await client.patch(`${path}/${body.id}`, { confidential: false })).status).toBe(200);
    expect((await outsider.get(`${path}/${body.id}`)).status).toBe(200);
  });
});

test('the beginning of a name is looked up in an index', async () => {
  const rows = 3_000;
  const site = await newSite(client);
  await api.database.inOrganization(acme.id, async (trx) => {
    await sql`
      insert into talent_networks (id, organization_id, name, join_url, created_at, updated_at)
      select 'tln_' || n, ${acme.id}, 'Network ' || n, 'x', now(), now() from generate_series(1, ${rows}) n`.execute(
      trx,
    );
    await sql`
      insert into career_site_jobs (id, organization_id, career_site_id, title, reference, url, confidential, created_at, updated_at)
      select 'job_' || n, ${acme.id}, ${site}, 'Job ' || n, n, 'x', false, now(), now() from generate_series(1, ${rows}) n`.execute(
      trx,
    );
  });
  // As the API asks, in the role of a tenant: what row-level security does not trust looks nothing up.
  const planOf = async (table: NamedTable, prefix: string, conditions: RawBuilder<boolean>[] = []) => {
    const query = pageOfNamed(table, { organizationId: acme.id, conditions }, { prefix, limit: 51 });
    const { rows } = await api.database.inOrganization(acme.id, (trx) => sql`explain ${query}`.execute(trx));
    return JSON.stringify(rows);
  };
  expect(await planOf('talent_networks', 'Network 29')).toMatch(/Index.*talent_networks_name.*Index Cond.*name_key >=/);
  const ofSite = sql<boolean>`career_site_id = ${site}`;
  expect(await planOf('career_site_jobs', 'Job 29', [ofSite])).toMatch(
    /Index.*career_site_jobs_title.*Index Cond.*name_key >=/,
  );
});
