/** Commands to a mass SMS whose workflow does not answer, or ended meanwhile. */
import { ApplicationFailure, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../db/ids.ts';
import type { MassSmsStatus } from '../../../domain/mass-sms/mass-sms.ts';
import { startWithTemporal, tooLate } from '../registration/support.ts';
import type { Api, Organization } from '../support.ts';

let api: Api;
let temporal: Awaited<ReturnType<typeof startWithTemporal>>['temporal'];
let reset: () => void;
let acme: Organization;
let id: string;

beforeAll(async () => {
  ({ api, temporal, reset } = await startWithTemporal());
});
afterAll(() => api.stop());

beforeEach(async () => {
  reset();
  acme = await api.organization();
  const at = api.clock.now();
  const { system } = api.database;
  const poolId = newId('pool', at);
  await system
    .insertInto('number_pools')
    .values({ id: poolId, organization_id: acme.id, name: 'Pool', purpose: 'promotional', created_at: at })
    .execute();
  id = newId('massSms', at);
  const audience = JSON.stringify({ lists: [], search: null, limit: null });
  await system
    .insertInto('mass_sms')
    .values({
      id,
      organization_id: acme.id,
      name: 'Spring',
      status: 'in_process',
      audience,
      excluded: JSON.stringify({ noPhone: 0, invalid: 0, unsubscribed: 0, noConsent: 0, duplicate: 0, overLimit: 0 }),
      recipients: 1,
      pool_id: poolId,
      purpose: 'promotional',
      body: 'Hi',
      time_zone: 'UTC',
      start_at: at,
      daily_at: '10:00',
      end_at: at,
      allow_weekends: true,
      at_window_close: 'continue',
      first_batch_size: 1,
      daily_batch_size: 1,
      created_by: 'user:x',
      created_at: at,
      updated_at: at,
      workflow_started_at: at,
    })
    .execute();
});

const pause = () => acme.client.post(`/v1/mass-sms/${id}/pause`);
const ended = () =>
  new WorkflowUpdateFailedError(
    'ended',
    ApplicationFailure.create({ message: 'ended', type: 'AcceptedUpdateCompletedWorkflow', nonRetryable: true }),
  );
const become = (status: MassSmsStatus) =>
  api.database.system.updateTable('mass_sms').set({ status }).where('id', '=', id).execute();

const mayStillObey = () => ({
  status: 503,
  body: {
    type: '/problems/unavailable',
    detail: `No worker answered in time; the command may still be obeyed. Look at GET /v1/mass-sms/${id} before you repeat it.`,
  },
});

test('a reschedule that is repeated after its start has passed answers the first result again', async () => {
  const startAt = new Date(api.clock.now().getTime() + 3_600_000).toISOString();
  temporal.onMessage = async () => {};
  const reschedule = (key: string) =>
    acme.client.post(`/v1/mass-sms/${id}/reschedule`, { startAt }, { 'idempotency-key': key });
  const first = await reschedule('once');
  expect(first.status).toBe(200);
  api.clock.advance(2 * 3_600_000);
  expect(await reschedule('once')).toMatchObject({ status: 200, body: first.body });
  expect(await reschedule('another')).toMatchObject({ status: 422, body: { reason: 'start_in_the_past' } });
});

test('a resume that allows weekends has that obeyed with it', async () => {
  await become('error');
  const commands: unknown[] = [];
  temporal.onMessage = async (_asked, command) => void commands.push(command);
  expect((await acme.client.post(`/v1/mass-sms/${id}/resume`, { allowWeekends: true })).status).toBe(200);
  expect(commands).toEqual([{ allowWeekends: true, actor: expect.any(String) }]);
});

describe('with an Idempotency-Key', () => {
  const key = { 'idempotency-key': 'once' };
  const resume = () => acme.client.post(`/v1/mass-sms/${id}/resume`, {}, key);
  const cancel = () => acme.client.post(`/v1/mass-sms/${id}/cancel`, undefined, key);
  const closed = () => {
    const cause = { message: 'never opens', type: 'WindowNeverOpens', nonRetryable: true };
    return new WorkflowUpdateFailedError('no', ApplicationFailure.create(cause));
  };
  /** As if every answer had been lost. */
  const loseAnswers = () => api.database.system.deleteFrom('idempotency_keys').execute();

  test('a command that was refused is asked for anew, and refused or obeyed by what is so by then', async () => {
    await become('paused');
    temporal.onMessage = async () => {
      if (temporal.asked.length < 3) throw closed();
    };
    for (const status of [422, 422, 200]) expect((await resume()).status).toBe(status);
    await loseAnswers();
    expect((await resume()).status).toBe(200);
    expect(temporal.asked).toHaveLength(3);
  });

  test('one that was obeyed after a refusal is answered again when the mass SMS is over', async () => {
    temporal.onMessage = async () => {
      if (temporal.asked.length < 2) throw closed();
      await become('cancelled');
    };
    for (const status of [422, 200]) expect((await cancel()).status).toBe(status);
    await loseAnswers();
    expect(await cancel()).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(temporal.asked).toHaveLength(2);
  });

  test('one that was only ever refused is a 409 when the mass SMS is over', async () => {
    temporal.onMessage = async () => {
      throw closed();
    };
    expect((await cancel()).status).toBe(422);
    await become('completed');
    expect(await cancel()).toMatchObject({ status: 409, body: { allowed: [] } });
    expect(temporal.asked).toHaveLength(1);
  });
});

test('a start where no batch is left to start is a 409 that says how to send the rest at another time', async () => {
  temporal.onMessage = async () => {
    const details = [{ status: 'in_process', allowed: ['pause', 'reschedule', 'cancel'] }];
    const cause = { message: 'no', type: 'NoBatchToMove', nonRetryable: true, details };
    throw new WorkflowUpdateFailedError('no', ApplicationFailure.create(cause));
  };
  const startAt = new Date(api.clock.now().getTime() + 3_600_000).toISOString();
  expect(await acme.client.post(`/v1/mass-sms/${id}/reschedule`, { startAt })).toMatchObject({
    status: 409,
    body: {
      type: '/problems/not-in-this-state',
      detail: expect.stringContaining('pause it, then resume it with that startAt'),
      allowed: ['pause', 'cancel'],
    },
  });
});

test('no answer in time is a 503 that says so: the workflow may still obey', async () => {
  temporal.onMessage = async () => {
    throw tooLate();
  };
  const answer = await pause();
  expect(answer).toMatchObject(mayStillObey());
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
});

test('one that was cancelled meanwhile is a 409 from what is in Postgres by then', async () => {
  temporal.onMessage = async () => {
    await become('cancelled');
    throw ended();
  };
  expect(await pause()).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('A mass SMS that is cancelled cannot pause'), allowed: [] },
  });
});

test('one whose workflow ended although it can still be done is a 503: it may have been obeyed', async () => {
  temporal.onMessage = async () => {
    throw ended();
  };
  expect(await pause()).toMatchObject(mayStillObey());
});

/** What a workflow says that has not heard of a suspension. */
const unheard = () => {
  const details = [{ status: 'in_process', allowed: ['pause', 'reschedule', 'cancel'] }];
  const failure = ApplicationFailure.create({
    message: 'no',
    type: 'TransitionNotAllowed',
    nonRetryable: true,
    details,
  });
  return new WorkflowUpdateFailedError('no', failure);
};

test('a workflow that has yet to hear of a suspension is told to look, and asked again', async () => {
  let isTold = false;
  temporal.onMessage = async ({ message }) => {
    if (message === 'look') isTold = true;
    else if (!isTold) throw unheard();
  };
  await become('suspended');
  const answer = await acme.client.post(`/v1/mass-sms/${id}/resume`, { acknowledge: true });
  expect(answer.status).toBe(200);
  expect(temporal.asked.map(({ message }) => message)).toEqual(['resume', 'look', 'resume']);
  // The first has failed for good: asked again under its id, Temporal would answer from its record.
  expect(new Set(temporal.asked.flatMap(({ updateId }) => updateId ?? [])).size).toBe(2);
});

test('one that does not hear of it for seconds, since a batch is still being written, is a 503', async () => {
  temporal.onMessage = async ({ message }) => {
    if (message !== 'look') throw unheard();
  };
  await become('suspended');
  const answer = await acme.client.post(`/v1/mass-sms/${id}/resume`, { acknowledge: true });
  expect(answer).toMatchObject({ status: 503, body: { detail: expect.stringContaining('It is suspended') } });
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
});
