/** Resend, resubmit and cancel: allowed or refused with what is awaited, and obeyed by the workflow that is there. */
import { ApplicationFailure, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { notInThisState, refusedByTwilio, type RegistrationAction } from '../../../domain/registration/status.ts';
import type { Api, Organization } from '../support.ts';
import { away, bluebird, complete, force, notFound, startWithTemporal, tooLate } from './support.ts';

let api: Api;
let temporal: Awaited<ReturnType<typeof startWithTemporal>>['temporal'];
let reset: () => void;
let acme: Organization;

beforeAll(async () => {
  ({ api, temporal, reset } = await startWithTemporal());
});
afterAll(() => api.stop());
beforeEach(async () => {
  reset();
  acme = await bluebird(api);
});

const order = (action: RegistrationAction, body?: unknown, headers?: Record<string, string>) =>
  acme.client.post(`/v1/registration/${action}`, body, headers);

const intake = JSON.stringify(complete);
const submitted = { state: 'submitted', workflow_started_at: new Date(), intake };
const failedBrand = { ...submitted, brand_status: 'failed' };
const failedCampaign = { ...submitted, brand_status: 'verified', campaign_status: 'failed' };
const expired = { ...submitted, brand_status: 'verification_expired' };

const refusal = (type: string, ...details: unknown[]) =>
  new WorkflowUpdateFailedError(
    'refused',
    ApplicationFailure.create({ message: 'no', type, details, nonRetryable: true }),
  );

describe('an allowed command', () => {
  test.each([
    ['brand/resend', expired, 'brand', 'resend'],
    ['brand/resubmit', failedBrand, 'brand', 'resubmit'],
    ['campaign/resubmit', failedCampaign, 'campaign', 'resubmit'],
    ['cancel', failedCampaign, 'registration', 'cancel'],
  ] as const)('%s is an update of its workflow, in the name of who asked', async (action, row, kind, message) => {
    const id = await force(api, acme, row);
    const { status, body } = await order(action);
    expect({ status, state: body.state }).toEqual({ status: 200, state: 'submitted' });
    expect(temporal.asked).toEqual([
      {
        workflow: `${kind}/${kind === 'registration' ? acme.id : id}`,
        message,
        actor: expect.stringMatching(/^organization:key_/),
        updateId: expect.any(String),
      },
    ]);
    const { body: log } = await acme.client.get('/v1/audit-log');
    expect(log.items[0].action).toBe(`registration.${action.replace('/', '_')}_requested`);
  });

  test('answers where the registration stands afterwards', async () => {
    await force(api, acme, expired);
    temporal.onMessage = async () => {
      await force(api, acme, { brand_status: 'registered', verification_sent_at: new Date() });
    };
    expect((await order('brand/resend')).body.brand.status).toBe('registered');
  });
});

describe('corrections', () => {
  test('are merged and kept before the workflow is asked, a new use case included', async () => {
    await force(api, acme, failedCampaign);
    let atThatMoment: unknown;
    temporal.onMessage = async () => {
      atThatMoment = (await acme.client.get('/v1/registration')).body.intake;
    };
    const { status } = await order('campaign/resubmit', { useCase: 'mixed', address: { street2: null } });
    expect(status).toBe(200);
    const { street2: _, ...address } = complete.address;
    expect(atThatMoment).toEqual({ ...complete, useCase: 'MIXED', address });
  });

  test('that reviewers would reject are refused with the findings, and not kept', async () => {
    await force(api, acme, failedBrand);
    expect(await order('brand/resubmit', { registrationNumber: '1' })).toMatchObject({
      status: 422,
      body: {
        reason: 'preflight_failed',
        findings: [{ field: 'registrationNumber' }, { field: 'evidence' }],
      },
    });
    expect((await acme.client.get('/v1/registration')).body.intake).toEqual(complete);
    expect(temporal.asked).toEqual([]);
  });

  test('are read as strictly as the questionnaire', async () => {
    await force(api, acme, failedBrand);
    expect(await order('brand/resubmit', { legalname: 'x' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'legalname' }] },
    });
  });
});

describe('a command that is not allowed is a 409 that says what is awaited', () => {
  const until = '2026-12-08T10:00:00.000Z';
  const registered = { ...submitted, brand_status: 'registered', verification_sent_at: '2026-12-01T10:00:00Z' };
  const inReview = { ...submitted, brand_status: 'verified', campaign_status: 'in_review' };
  test.each<[RegistrationAction, object, string, string[]]>([
    [
      'brand/resend',
      { state: 'draft' },
      'The identity link cannot be sent again now: the registration was not submitted yet. Awaited from the organization: Fill in the questionnaire and submit it.',
      ['submit'],
    ],
    [
      'brand/resend',
      registered,
      `The identity link cannot be sent again now: the brand is registered. Awaited from the representative: The representative follows the identity link in the email from the registry, within 7 days. The link is good until ${until}.`,
      ['cancel'],
    ],
    [
      'brand/resend',
      failedBrand,
      'The identity link cannot be sent again now: the brand is failed. Awaited from the operator: The brand was rejected: correct what it says and resubmit it (brand/resubmit).',
      ['brand/resubmit', 'cancel'],
    ],
    [
      'brand/resubmit',
      { ...submitted, brand_status: 'submitted' },
      'The brand cannot be resubmitted now: the brand is submitted. Awaited from Twilio: Twilio and the registry check the company; mostly minutes, at times some days.',
      ['cancel'],
    ],
    [
      'brand/resubmit',
      inReview,
      'The brand cannot be resubmitted now: the campaign is in review. Awaited from the carriers: The carriers review the campaign; mostly a week, up to ten.',
      ['cancel'],
    ],
    [
      'campaign/resubmit',
      { ...submitted, brand_status: 'submitted' },
      'The campaign cannot be resubmitted now: the brand is submitted. The brand has to be verified first. Awaited from Twilio: Twilio and the registry check the company; mostly minutes, at times some days. The campaign is then submitted by itself.',
      ['cancel'],
    ],
    [
      'campaign/resubmit',
      registered,
      `The campaign cannot be resubmitted now: the brand is registered. The brand has to be verified first. Awaited from the representative: The representative follows the identity link in the email from the registry, within 7 days. The link is good until ${until}. The campaign is then submitted by itself.`,
      ['cancel'],
    ],
    [
      'campaign/resubmit',
      expired,
      'The campaign cannot be resubmitted now: the brand is verification expired. The brand has to be verified first. Awaited from the operator: The identity link lapsed or did not work: have it sent again (brand/resend). The campaign is then submitted by itself.',
      ['brand/resend', 'cancel'],
    ],
    [
      'campaign/resubmit',
      { ...inReview, campaign_status: 'overdue' },
      'The campaign cannot be resubmitted now: the campaign is overdue. Awaited from the carriers: The review is overdue. The operator asks Twilio support; the wait goes on.',
      ['cancel'],
    ],
    [
      'campaign/resubmit',
      { state: 'completed', brand_status: 'verified', campaign_status: 'verified' },
      'The campaign cannot be resubmitted now: the registration is complete. Awaited from the organization: The registration is complete: enable the SMS module to send.',
      [],
    ],
    [
      'cancel',
      { state: 'cancelled' },
      'The registration cannot be cancelled now: the registration was cancelled. Awaited from the operator: The registration was cancelled: submit it again to go on.',
      ['submit'],
    ],
  ])('%s in %j', async (action, row, detail, allowed) => {
    await force(api, acme, row);
    const answer = await order(action);
    expect(answer).toMatchObject({ status: 409, body: { type: '/problems/not-in-this-state', allowed } });
    expect(answer.body.detail).toBe(detail);
    expect(temporal.asked).toEqual([]);
  });

  test('also of a registration that nobody began, which stays as it was', async () => {
    expect((await order('cancel')).status).toBe(409);
    const rows = await api.database.system
      .selectFrom('registrations')
      .select('id')
      .where('organization_id', '=', acme.id)
      .execute();
    expect(rows).toEqual([]);
  });
});

describe('the workflow', () => {
  test('refuses what changed at the last moment: 409 from what is in Postgres by then', async () => {
    await force(api, acme, failedBrand);
    temporal.onMessage = async () => {
      await force(api, acme, { brand_status: 'submitted' });
      throw refusal(notInThisState);
    };
    expect(await order('brand/resubmit')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('the brand is submitted'), allowed: ['cancel'] },
    });
  });

  test('has not heard yet of what is in Postgres: it is asked again, under another id', async () => {
    await force(api, acme, failedBrand);
    temporal.onMessage = async () => {
      if (temporal.asked.length < 3) throw refusal(notInThisState);
    };
    expect((await order('brand/resubmit')).status).toBe(200);
    expect(new Set(temporal.asked.map(({ updateId }) => updateId)).size).toBe(3);
  });

  test('is told by Twilio why not: 422 in plain words', async () => {
    await force(api, acme, expired);
    temporal.onMessage = async () => {
      throw refusal(refusedByTwilio, 21736);
    };
    const { status, body } = await order('brand/resend');
    expect({ status, reason: body.reason, code: body.code }).toEqual({
      status: 422,
      reason: 'refused_by_twilio',
      code: 21736,
    });
    expect(body.detail).toMatch(/^Twilio refused this \(21736\)\. [A-Z].{20}/);
  });

  test('that is not there is started, and asked again when its child has appeared', async () => {
    const id = await force(api, acme, { ...failedCampaign, workflow_started_at: null });
    temporal.onMessage = async () => {
      if (temporal.asked.length < 3) throw notFound();
    };
    expect((await order('campaign/resubmit')).status).toBe(200);
    expect(temporal.started).toMatchObject([{ args: [{ registrationId: id }] }]);
    expect(temporal.asked).toHaveLength(3);
  });

  test('that does not appear within seconds is a 503', async () => {
    await force(api, acme, failedCampaign);
    temporal.onMessage = async () => {
      throw notFound();
    };
    const answer = await order('campaign/resubmit');
    expect(answer).toMatchObject({ status: 503, body: { detail: expect.stringContaining('workflow') } });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(temporal.started).toHaveLength(1);
  }, 15_000);

  test('that ended under the command, as when it is cancelled, is a 409 from what is in Postgres by then', async () => {
    await force(api, acme, expired);
    temporal.onMessage = async () => {
      await force(api, acme, { state: 'cancelled' });
      throw refusal('AcceptedUpdateCompletedWorkflow');
    };
    expect(await order('brand/resend')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('the registration was cancelled'), allowed: ['submit'] },
    });
    expect(temporal.started).toEqual([]);
  });

  test('that ended under the command although there is more to do is started, and asked again', async () => {
    await force(api, acme, failedCampaign);
    temporal.onMessage = async () => {
      if (temporal.asked.length < 3) throw refusal('AcceptedUpdateCompletedWorkflow');
    };
    expect((await order('campaign/resubmit')).status).toBe(200);
    expect(temporal.started).toHaveLength(1);
    expect(temporal.asked).toHaveLength(3);
  });

  test('that does not answer in time is a 503 that says so: it may still obey', async () => {
    await force(api, acme, failedCampaign);
    temporal.onMessage = async () => {
      throw tooLate();
    };
    const answer = await order('campaign/resubmit');
    expect(answer).toMatchObject({
      status: 503,
      body: {
        type: '/problems/unavailable',
        detail:
          'No worker answered in time; the command may still be obeyed. Look at GET /v1/registration before you repeat it.',
      },
    });
    expect(temporal.asked).toHaveLength(1);
  });

  test('away is a 503', async () => {
    await force(api, acme, failedCampaign);
    temporal.onMessage = async () => {
      throw away();
    };
    expect(await order('cancel')).toMatchObject({ status: 503, body: { detail: expect.stringContaining('Temporal') } });
  });
});

describe('with an Idempotency-Key', () => {
  const key = { 'idempotency-key': 'once' };

  test('a repetition answers the first result, and asks nobody', async () => {
    await force(api, acme, failedBrand);
    const first = await order('brand/resubmit', {}, key);
    await force(api, acme, { brand_status: 'verified' });
    expect(await order('brand/resubmit', {}, key)).toMatchObject({ status: 200, body: first.body });
    expect(temporal.asked).toHaveLength(1);
  });

  test('a repetition whose first answer was lost asks under the same id, and keeps no corrections', async () => {
    await force(api, acme, failedBrand);
    temporal.onMessage = async () => {
      throw away();
    };
    expect((await order('brand/resubmit', { legalName: 'Bluebird Staffing' }, key)).status).toBe(503);
    await force(api, acme, { brand_status: 'submitted', intake });
    temporal.onMessage = async () => {};
    expect((await order('brand/resubmit', { legalName: 'Bluebird Staffing' }, key)).status).toBe(200);
    expect(new Set(temporal.asked.map(({ updateId }) => updateId)).size).toBe(1);
  });

  test('what Twilio refused is asked for anew once its cause is gone', async () => {
    await force(api, acme, expired);
    temporal.onMessage = async () => {
      if (temporal.asked.length < 3) throw refusal(refusedByTwilio, 21736);
    };
    for (const status of [422, 422, 200, 200]) {
      expect((await order('brand/resend', undefined, key)).status).toBe(status);
    }
    expect(temporal.asked).toHaveLength(3);
  });

  test('nothing is started for what is over', async () => {
    await force(api, acme, { ...failedBrand, state: 'cancelled' });
    temporal.onMessage = async () => {
      throw notFound();
    };
    expect((await order('cancel', undefined, key)).status).toBe(409);
    expect(temporal.started).toEqual([]);
  });
});
