/** Preflight and submission: nothing is submitted that reviewers would reject, and nothing twice. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Api, Client, Organization } from '../support.ts';
import { away, bluebird, complete, force, formOf, png, startWithTemporal, upload } from './support.ts';

const opened: string[] = [];
let api: Api;
let temporal: Awaited<ReturnType<typeof startWithTemporal>>['temporal'];
let reset: () => void;
let acme: Organization;
let client: Client;

beforeAll(async () => {
  ({ api, temporal, reset } = await startWithTemporal({
    checkSite: async (url) => {
      opened.push(url);
      if (url.endsWith('/privacy')) return { reachable: false, detail: 'no answer within 3 seconds' };
      return { reachable: true, status: url.endsWith('/terms') ? 404 : 200 };
    },
  }));
});
afterAll(() => api.stop());
beforeEach(async () => {
  reset();
  opened.length = 0;
  acme = await bluebird(api);
  client = acme.client;
});

const both = { accurate: true, representativeAgrees: true };
const submit = (headers?: Record<string, string>) => client.post('/v1/registration/submit', both, headers);
const fillIn = (changes: object = {}) => client.put('/v1/registration/intake', { ...complete, ...changes });

describe('preflight', () => {
  test('lists what is missing when nothing was filled in, and opens no page', async () => {
    const { status, body } = await client.post('/v1/registration/preflight');
    expect(status).toBe(200);
    const missing = body.findings.filter(({ code }: { code: string }) => code === 'missing');
    expect(missing.map(({ field }: { field: string }) => field)).toEqual(
      expect.arrayContaining(['legalName', 'address.street', 'representative.email', 'messageSamples', 'termsUrl']),
    );
    expect(opened).toEqual([]);
    expect((await client.get('/v1/registration')).body.timeline).toEqual([]);
  });

  test('opens the pages, and tells of those that do not answer', async () => {
    await fillIn();
    const { body } = await client.post('/v1/registration/preflight');
    expect(opened.toSorted()).toEqual([complete.website, complete.privacyPolicyUrl, complete.termsUrl].toSorted());
    expect(body.findings).toMatchObject([
      { field: 'evidence', severity: 'warning', code: 'evidence_missing' },
      { field: 'privacyPolicyUrl', severity: 'warning', code: 'url_unreachable', twilioCode: 30933 },
      { field: 'termsUrl', severity: 'warning', code: 'url_refused' },
    ]);
    await upload(api, acme, formOf({ content: png }));
    const { body: after } = await client.post('/v1/registration/preflight');
    expect(after.findings.map(({ field }: { field: string }) => field)).toEqual(['privacyPolicyUrl', 'termsUrl']);
  });
});

describe('submission', () => {
  test('is refused with the findings while there are errors, and keeps nothing', async () => {
    await fillIn({ registrationNumber: '1', legalName: null });
    expect(await submit()).toMatchObject({
      status: 422,
      body: {
        reason: 'preflight_failed',
        findings: expect.arrayContaining([
          expect.objectContaining({ field: 'legalName', code: 'missing', severity: 'error' }),
          expect.objectContaining({ field: 'registrationNumber', severity: 'error' }),
        ]),
      },
    });
    expect((await client.get('/v1/registration')).body).toMatchObject({
      state: 'draft',
      declarations: [],
      timeline: [],
    });
    expect(temporal.started).toEqual([]);
  });

  test('keeps who declared what, and starts the workflow', async () => {
    await fillIn();
    const user = await client.post('/v1/users', {
      name: 'A',
      email: 'a@x.example',
      permissions: ['registration:manage'],
    });
    const actor = `user:${user.body.id}`;
    const { status, body } = await submit({ 'longwave-user': user.body.id });
    expect(status).toBe(202);
    const at = expect.any(String);
    expect(body).toMatchObject({
      state: 'submitted',
      declarations: [
        { declaration: 'accurate', actor, at },
        { declaration: 'representative_agrees', actor, at },
      ],
      timeline: [{ subject: 'registration', event: 'submitted', actor, awaiting: 'twilio', at }],
      nextStep: { from: 'twilio' },
      allowed: ['cancel'],
    });
    const { id } = await api.database.system
      .selectFrom('registrations')
      .select('id')
      .where('organization_id', '=', acme.id)
      .where('workflow_started_at', 'is not', null)
      .executeTakeFirstOrThrow();
    expect(temporal.started).toEqual([
      {
        type: 'registration',
        workflowId: `registration/${acme.id}`,
        args: [{ organizationId: acme.id, registrationId: id }],
      },
    ]);
    const { body: log } = await client.get('/v1/audit-log');
    expect(log.items[0]).toMatchObject({ action: 'registration.submitted', actor, subject: id });
    expect(opened).toEqual([]);
  });

  test('takes the policies of the settings with it', async () => {
    await client.patch('/v1/settings', { privacyPolicyUrl: complete.privacyPolicyUrl, termsUrl: complete.termsUrl });
    await fillIn({ privacyPolicyUrl: null, termsUrl: null });
    expect((await submit()).status).toBe(202);
    await client.patch('/v1/settings', { privacyPolicyUrl: 'https://later.example', termsUrl: null });
    const { privacyPolicyUrl, termsUrl } = complete;
    expect((await client.get('/v1/registration')).body.intake).toMatchObject({ privacyPolicyUrl, termsUrl });
  });

  test('succeeds while Temporal is away, and leaves the workflow to the sweep', async () => {
    await fillIn();
    temporal.onStart = async () => {
      throw away();
    };
    expect(await submit()).toMatchObject({ status: 202, body: { state: 'submitted' } });
    const row = await api.database.system
      .selectFrom('registrations')
      .select('workflow_started_at')
      .where('organization_id', '=', acme.id)
      .executeTakeFirstOrThrow();
    expect(row.workflow_started_at).toBeNull();
  });

  test('with the same Idempotency-Key happens once, and a repetition starts nothing that ended since', async () => {
    await fillIn();
    const key = { 'idempotency-key': 'once' };
    const first = await submit(key);
    await force(api, acme, { state: 'cancelled', workflow_started_at: null });
    const again = await submit(key);
    expect(again).toMatchObject({ status: 202, body: first.body });
    expect(temporal.started).toHaveLength(1);
    const declarations = await api.database.system
      .selectFrom('registration_declarations')
      .select('id')
      .where('organization_id', '=', acme.id)
      .execute();
    expect(declarations).toHaveLength(2);
  });

  test('by five at once happens once', async () => {
    await fillIn();
    const answers = await Promise.all(Array.from({ length: 5 }, () => submit()));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409, 409, 409, 409]);
    expect((await client.get('/v1/registration')).body.declarations).toHaveLength(2);
  });

  test.each([
    [{}, ['accurate', 'representativeAgrees']],
    [{ accurate: true }, ['representativeAgrees']],
    [{ accurate: 'true', representativeAgrees: true }, ['accurate']],
    [{ accurate: false, representativeAgrees: true }, ['accurate']],
    [{ ...both, also: 1 }, ['also']],
  ])('%j does not declare both: 400', async (body, paths) => {
    await fillIn();
    const answer = await client.post('/v1/registration/submit', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
  });

  test.each([
    [
      { state: 'submitted', brand_status: 'submitted' },
      /^The registration cannot be submitted now: the brand is submitted/,
      ['cancel'],
    ],
    [{ state: 'completed' }, /^The registration cannot be submitted now: the registration is complete/, []],
  ])('in %j is a 409', async (row, detail, allowed) => {
    await force(api, acme, row);
    expect(await submit()).toMatchObject({
      status: 409,
      body: { type: '/problems/not-in-this-state', detail: expect.stringMatching(detail), allowed },
    });
  });

  test('goes on after it was cancelled', async () => {
    await fillIn();
    await force(api, acme, { state: 'cancelled', workflow_started_at: new Date() });
    expect((await client.get('/v1/registration')).body.allowed).toEqual(['submit']);
    expect(await submit()).toMatchObject({ status: 202, body: { state: 'submitted' } });
    expect(temporal.started).toHaveLength(1);
  });

  test('goes on with a campaign that is still with the carriers, which was checked and cannot be corrected now', async () => {
    const outdated = '{}';
    const live = { state: 'cancelled', brand_status: 'verified', campaign_status: 'in_review', intake: outdated };
    await force(api, acme, live);
    expect(await submit()).toMatchObject({ status: 202, body: { state: 'submitted' } });
    await force(api, acme, { state: 'cancelled', campaign_status: 'failed', intake: '{}' });
    expect(await submit()).toMatchObject({ status: 422, body: { reason: 'preflight_failed' } });
  });

  test('is refused to an organization with an account of its own', async () => {
    await fillIn();
    await api.database.system
      .updateTable('organizations')
      .set({ own_account: true })
      .where('id', '=', acme.id)
      .execute();
    expect(await submit()).toMatchObject({
      status: 409,
      body: { type: '/problems/own-account', detail: expect.stringContaining('account of its own'), allowed: [] },
    });
    expect((await client.get('/v1/registration')).body).toMatchObject({
      messagingService: { status: 'registered', indicator: 'green', detail: expect.stringContaining('of its own') },
      nextStep: { from: 'organization', what: expect.stringContaining('Enable the SMS module') },
      allowed: [],
    });
  });
});

test('what workflows have written is read: attempts, fees, reasons, since when and until when', async () => {
  const at = new Date('2026-12-01T10:00:00.000Z');
  const reason = { code: 30795, reason: 'No match.', remedy: 'Correct it.', fields: ['legalName'], fixable: true };
  await force(api, acme, {
    state: 'submitted',
    brand_status: 'registered',
    brand_since: at,
    verification_sent_at: at,
    campaign_reasons: JSON.stringify([reason]),
  });
  const { system } = api.database;
  const tenant = { organization_id: acme.id };
  await system
    .insertInto('registration_attempts')
    .values({
      ...tenant,
      part: 'brand',
      number: 1,
      actor: 'user:x',
      begun_at: at,
      submitted_at: at,
      decided_at: at,
      outcome: 'failed',
      reasons: JSON.stringify([reason]),
      submission: '{"name":"A"}',
    })
    .execute();
  await system
    .insertInto('fees')
    .values({
      ...tenant,
      id: `fee_${acme.id}`,
      kind: 'brand_registration',
      amount: 4.5,
      currency: 'USD',
      reference: 'BN1',
      description: 'Brand',
      at,
    })
    .execute();
  expect((await client.get('/v1/registration')).body).toMatchObject({
    brand: {
      status: 'registered',
      since: at.toISOString(),
      verificationUntil: '2026-12-08T10:00:00.000Z',
      reasons: [],
    },
    campaign: { reasons: [reason] },
    nextStep: { from: 'representative', until: '2026-12-08T10:00:00.000Z' },
    fees: [
      {
        kind: 'brand_registration',
        amount: 4.5,
        currency: 'USD',
        reference: 'BN1',
        description: 'Brand',
        at: at.toISOString(),
      },
    ],
    attempts: [
      {
        part: 'brand',
        number: 1,
        actor: 'user:x',
        submittedAt: at.toISOString(),
        decidedAt: at.toISOString(),
        outcome: 'failed',
        reasons: [reason],
        submission: { name: 'A' },
      },
    ],
  });
});
