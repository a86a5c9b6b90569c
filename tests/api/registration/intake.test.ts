/** The questionnaire: saved field by field, read in many forms, and locked while somebody reviews it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Api, Client, Organization } from '../support.ts';
import { bluebird, complete, force, startWithTemporal, upload, formOf, png } from './support.ts';

let api: Api;
let acme: Organization;
let client: Client;

beforeAll(async () => {
  ({ api } = await startWithTemporal());
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await bluebird(api);
  client = acme.client;
});

const put = (body: unknown) => client.put('/v1/registration/intake', body);
const stored = async () => (await client.get('/v1/registration')).body.intake;

test('before anything was entered, the registration is a draft in all its parts', async () => {
  expect(await client.get('/v1/registration')).toMatchObject({
    status: 200,
    body: {
      state: 'draft',
      brand: { status: 'draft', indicator: 'blue', since: null, reasons: [], verificationUntil: null },
      campaign: { status: 'not_started', indicator: 'blue', since: null, reasons: [] },
      messagingService: { status: 'not_started', indicator: 'blue', since: null, reasons: [] },
      timeline: [],
      fees: [],
      nextStep: { from: 'organization', until: null },
      intake: {},
      evidence: [],
      attempts: [],
      declarations: [],
      changes: [],
      allowed: ['submit'],
    },
  });
});

describe('what is sent', () => {
  test('is saved, null removes, and the rest stays', async () => {
    await put({ legalName: ' Bluebird ', description: 'Texts about jobs', ageGated: true });
    const { body } = await put({ description: null, industry: 'RETAIL', ageGated: false });
    expect(body.intake).toEqual({ legalName: 'Bluebird', industry: 'RETAIL', ageGated: false });
    expect(await stored()).toEqual(body.intake);
  });

  test('merges within address and representative too, and null removes them whole', async () => {
    await put({ address: { street: '1 Main St', city: 'Austin' }, representative: { firstName: 'Rosa' } });
    const second = await put({ address: { city: null, country: 'us' }, representative: { title: 'GM' } });
    expect(second.body.intake).toEqual({
      address: { street: '1 Main St', country: 'US' },
      representative: { firstName: 'Rosa', title: 'GM' },
    });
    const third = await put({ address: null, representative: { firstName: null, title: null } });
    expect(third.body.intake).toEqual({});
  });

  test('in twenty requests at once all counts', async () => {
    const fields = ['legalName', 'stockTicker', 'stockExchange', 'registrationNumber', 'optInMessage'];
    await Promise.all(Array.from({ length: 20 }, (_, n) => put({ [fields[n % 5]!]: `v${n % 5}` })));
    expect(Object.keys(await stored()).toSorted()).toEqual(fields.toSorted());
  });

  test('is audited by the names of its fields only', async () => {
    await put({ legalName: 'Secret Name', representative: { email: 'rosa@example.com' } });
    const { body } = await client.get('/v1/audit-log');
    expect(body.items[0]).toMatchObject({
      action: 'registration.intake_changed',
      detail: { fields: ['legalName', 'representative'] },
    });
    expect(JSON.stringify(body)).not.toMatch(/Secret Name|rosa@/);
  });

  test('that is a whole questionnaire comes back as it was', async () => {
    expect((await put(complete)).body.intake).toEqual(complete);
    expect(await stored()).toEqual(complete);
  });
});

describe('forms', () => {
  test.each([
    [{ businessType: 'LLC' }, { businessType: 'Limited Liability Corporation' }],
    [{ businessType: 'l.l.c.' }, { businessType: 'Limited Liability Corporation' }],
    [{ businessType: 'CO-OPERATIVE' }, { businessType: 'Co-operative' }],
    [{ businessType: 'Inc.' }, { businessType: 'Corporation' }],
    [{ businessType: 'nonprofit corporation' }, { businessType: 'Non-profit Corporation' }],
    [{ registrationIdentifier: 'ein' }, { registrationIdentifier: 'EIN' }],
    [{ registrationIdentifier: 'other' }, { registrationIdentifier: 'Other' }],
    [{ industry: 'food and beverage' }, { industry: 'FOOD_AND_BEVERAGE' }],
    [{ industry: 'Oil & Gas' }, { industry: 'OIL_AND_GAS' }],
    [
      { regionsOfOperation: ['us', 'Canada', 'NORTH_AMERICA', 'europe'] },
      { regionsOfOperation: ['USA_AND_CANADA', 'EUROPE'] },
    ],
    [{ regionsOfOperation: ['usa_and_canada'] }, { regionsOfOperation: ['USA_AND_CANADA'] }],
    [{ companyType: 'Non-Profit' }, { companyType: 'non-profit' }],
    [{ companyType: 'non_profit' }, { companyType: 'non-profit' }],
    [{ companyType: 'Publicly traded' }, { companyType: 'public' }],
    [{ useCase: 'low volume' }, { useCase: 'LOW_VOLUME' }],
    [{ useCase: '2fa' }, { useCase: '2FA' }],
    [{ website: 'www.acme.example/jobs' }, { website: 'https://www.acme.example/jobs' }],
    [{ website: 'http://acme.example' }, { website: 'http://acme.example' }],
    [{ notificationEmail: ' Ops@Acme.Example ' }, { notificationEmail: 'ops@acme.example' }],
    [{ address: { country: 'usa' } }, { address: { country: 'US' } }],
    [{ address: { country: 'Canada' } }, { address: { country: 'CA' } }],
    [
      { representative: { phone: '(512) 555-0144', email: 'ROSA@ACME.EXAMPLE', jobPosition: 'ceo' } },
      { representative: { phone: '+15125550144', email: 'rosa@acme.example', jobPosition: 'CEO' } },
    ],
    [{ representative: { jobPosition: 'vice president' } }, { representative: { jobPosition: 'VP' } }],
  ])('%j is read as %j', async (body, intake) => {
    const answer = await put(body);
    expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200, body: { intake } });
  });

  test.each([
    [{ legalname: 'x' }, 'legalname', /not a field/],
    [{ address: { zip: '1' } }, 'address.zip', /not a field/],
    [{ legalName: '' }, 'legalName', /empty/],
    [{ legalName: 5 }, 'legalName', /string/],
    [{ legalName: 'x'.repeat(256) }, 'legalName', /at most 255/],
    [{ businessType: 'Empire' }, 'businessType', /must be one of Co-operative, Corporation, Limited/],
    [{ industry: 'MAGIC' }, 'industry', /must be one of AGRICULTURE, AUTOMOTIVE/],
    [{ companyType: 'secret' }, 'companyType', /must be one of private, public, non-profit, government/],
    [{ useCase: 'K12_EDUCATION' }, 'useCase', /must be one of 2FA/],
    [{ regionsOfOperation: ['MARS'] }, 'regionsOfOperation.0', /must be one of AFRICA/],
    [{ regionsOfOperation: [] }, 'regionsOfOperation', /at least one/],
    [{ website: 'not a site' }, 'website', /web address/],
    [{ website: 'ftp://acme.example' }, 'website', /web address/],
    [{ website: 'https://user:secret@acme.example' }, 'website', /web address/],
    [{ notificationEmail: 'ops' }, 'notificationEmail', /email/],
    [{ representative: { phone: 'call me' } }, 'representative.phone', /phone number/],
    [{ representative: { jobPosition: 'King' } }, 'representative.jobPosition', /must be one of Director/],
    [{ address: { country: 'Narnia' } }, 'address.country', /two-letter/],
    [{ messageSamples: 'one' }, 'messageSamples', /array/],
    [{ hasEmbeddedLinks: 'yes' }, 'hasEmbeddedLinks', /boolean/],
    [{ messagingServiceSid: 'MG1' }, 'messagingServiceSid', /MG and 32/],
    [{ description: 'a\0b' }, 'description', /NUL/],
  ])('%j is a 400 that names %s', async (body, path, message) => {
    const answer = await put(body);
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ path, message: expect.stringMatching(message) }] },
    });
  });
});

test('findings are about what was filled in, and block nothing', async () => {
  const { status, body } = await put({ registrationNumber: '1', registrationIdentifier: 'EIN' });
  expect(status).toBe(200);
  expect(body.findings).toMatchObject([{ field: 'registrationNumber', severity: 'error' }]);
});

test('what cleaning would change in the samples is shown, here and later', async () => {
  const { body } = await put({
    messageSamples: ['1. "Bluebird: a new job near you. Reply STOP to opt out."', 'Plain text.'],
  });
  const changes = [
    {
      field: 'messageSamples[0]',
      before: '1. "Bluebird: a new job near you. Reply STOP to opt out."',
      after: 'Bluebird: a new job near you. Reply STOP to opt out.',
    },
  ];
  expect(body.changes).toEqual(changes);
  expect((await client.get('/v1/registration')).body.changes).toEqual(changes);
});

test('policies of the settings fill in for those that the questionnaire does not name', async () => {
  const settings = { privacyPolicyUrl: 'https://acme.example/privacy', termsUrl: 'acme.example/terms' };
  expect((await client.patch('/v1/settings', settings)).body).toMatchObject({ termsUrl: 'https://acme.example/terms' });
  const { body } = await put({ termsUrl: 'https://acme.example/own-terms' });
  expect(body.intake).toEqual({
    privacyPolicyUrl: 'https://acme.example/privacy',
    termsUrl: 'https://acme.example/own-terms',
  });
  await client.patch('/v1/settings', { privacyPolicyUrl: null });
  expect(await stored()).toEqual({ termsUrl: 'https://acme.example/own-terms' });
});

describe('may be changed', () => {
  const submitted = { state: 'submitted' };
  const correctable = [
    [{ ...submitted, brand_status: 'failed' }],
    [{ ...submitted, brand_status: 'verification_expired' }],
    [{ ...submitted, brand_status: 'verified', campaign_status: 'failed' }],
  ] as const;
  const cancelled = [
    [{ state: 'cancelled' }],
    [{ state: 'cancelled', brand_status: 'verified', campaign_status: 'failed' }],
  ] as const;

  test.each([...cancelled, ...correctable])('in %j', async (row) => {
    await force(api, acme, { ...row, intake: JSON.stringify(complete) });
    const { status, body } = await put({ industry: 'retail' });
    expect({ status, intake: body.intake }).toEqual({ status: 200, intake: { ...complete, industry: 'RETAIL' } });
    expect(await stored()).toEqual(body.intake);
  });

  test.each(correctable)('in %j, but not into what reviewers would reject', async (row) => {
    await force(api, acme, { ...row, intake: JSON.stringify(complete) });
    for (const change of [{ registrationNumber: '1' }, { legalName: null, industry: 'RETAIL' }]) {
      expect(await put(change)).toMatchObject({
        status: 422,
        body: {
          reason: 'preflight_failed',
          findings: expect.arrayContaining([
            expect.objectContaining({ field: Object.keys(change)[0], severity: 'error' }),
          ]),
        },
      });
    }
    expect(await stored()).toEqual(complete);
    const { body: log } = await client.get('/v1/audit-log');
    expect(JSON.stringify(log)).not.toContain('intake_changed');
  });

  test('after submission with the policies of the settings, which are kept with it', async () => {
    await client.patch('/v1/settings', { privacyPolicyUrl: complete.privacyPolicyUrl, termsUrl: complete.termsUrl });
    await force(api, acme, { ...correctable[0][0], intake: JSON.stringify(complete) });
    expect((await put({ privacyPolicyUrl: null })).status).toBe(200);
    await client.patch('/v1/settings', { privacyPolicyUrl: null });
    expect(await stored()).toEqual(complete);
  });

  test.each(cancelled)('in %j into anything: it is checked when it is submitted again', async (row) => {
    await force(api, acme, row);
    expect(await put({ registrationNumber: '1', registrationIdentifier: 'EIN' })).toMatchObject({
      status: 200,
      body: { findings: [{ field: 'registrationNumber', severity: 'error' }] },
    });
  });

  const withCarriers =
    /the registration was cancelled, but the campaign that was submitted is still with the carriers\. Submit the registration again to go on; answers can be corrected if the campaign is rejected\.$/;
  const live = { state: 'cancelled', brand_status: 'verified' };
  test.each([
    [
      { ...submitted, brand_status: 'submitted' },
      /the brand is submitted\. Awaited from Twilio: Twilio and the/,
      ['cancel'],
    ],
    [{ ...submitted, brand_status: 'registered' }, /Awaited from the representative/, ['cancel']],
    [
      { ...submitted, brand_status: 'verified', campaign_status: 'longer_than_usual' },
      /the campaign is longer than usual\. Awaited from the carriers/,
      ['cancel'],
    ],
    [{ state: 'completed' }, /the registration is complete/, []],
    [{ ...live, campaign_status: 'in_review' }, withCarriers, ['submit']],
    [{ ...live, campaign_status: 'overdue' }, withCarriers, ['submit']],
    [{ ...live, campaign_status: 'verified' }, /cancelled, but the carriers approved the campaign/, ['submit']],
  ])('but not in %j, which says what is awaited', async (row, detail, allowed) => {
    await force(api, acme, row);
    for (const answer of [await put({ legalName: 'New' }), await upload(api, acme, formOf({ content: png }))]) {
      expect(answer).toMatchObject({
        status: 409,
        body: { type: '/problems/not-in-this-state', detail: expect.stringMatching(detail), allowed },
      });
      expect(answer.body.detail).toMatch(/^The questionnaire cannot be changed now: /);
    }
    expect(await stored()).toEqual({});
  });
});

test('needs the permission registration:manage; others see nothing of it', async () => {
  const weak = api.client(await api.key(acme.id, { permissions: ['settings:manage'] }));
  const refusals = [
    await weak.put('/v1/registration/intake', {}),
    await weak.post('/v1/registration/preflight'),
    await weak.post('/v1/registration/submit', { accurate: true, representativeAgrees: true }),
    await weak.post('/v1/registration/brand/resend'),
    await weak.post('/v1/registration/brand/resubmit'),
    await weak.post('/v1/registration/campaign/resubmit'),
    await weak.post('/v1/registration/cancel'),
    await upload(api, { key: await api.key(acme.id, { permissions: ['settings:manage'] }) }, formOf({ content: png })),
  ];
  for (const refusal of refusals) {
    expect(refusal).toMatchObject({ status: 403, body: { permission: 'registration:manage' } });
  }
  const other = await api.organization();
  expect((await other.client.get('/v1/registration')).body).toMatchObject({ intake: {}, timeline: [] });
});

test('without that permission one sees where it stands, and nothing of what was filled in and submitted', async () => {
  await upload(api, acme, formOf({ content: png }));
  await put({ ...complete, messageSamples: ['1. Bluebird: a job. Reply STOP to opt out.'] });
  await force(api, acme, { state: 'submitted', brand_status: 'failed' });
  const at = new Date();
  const attempt = { organization_id: acme.id, part: 'campaign', number: 1, actor: 'user:x', begun_at: at } as const;
  const { system } = api.database;
  await system
    .insertInto('registration_attempts')
    .values({ ...attempt, submitted_at: at, submission: '{"messageFlow":"see https://longwave.test/evidence/x"}' })
    .execute();
  await system
    .insertInto('registration_declarations')
    .values({ id: `dcl_${acme.id}`, organization_id: acme.id, declaration: 'accurate', actor: 'user:rosa', at })
    .execute();

  const { body: full } = await client.get('/v1/registration');
  for (const part of ['evidence', 'declarations', 'changes']) expect(full[part]).toHaveLength(1);
  expect(full).toMatchObject({ intake: { legalName: complete.legalName }, attempts: [{ submission: {} }] });

  const weak = api.client(await api.key(acme.id, { permissions: ['settings:manage', 'contacts:manage'] }));
  const { status, body } = await weak.get('/v1/registration');
  expect(status).toBe(200);
  expect(body).toEqual({
    ...full,
    intake: null,
    evidence: [],
    declarations: [],
    changes: [],
    attempts: [{ ...full.attempts[0], submission: null }],
  });
  expect(JSON.stringify(body)).not.toMatch(/47-3829105|rosa|longwave\.test\/evidence/i);
});
