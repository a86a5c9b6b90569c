/**
 * The workflows of a registration alone, their activities played by the tests: what cannot be brought about from outside.
 * On a development server of its own that suggests to continue as new after a few events, as a real one does after
 * thousands, which a review of many months may reach.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection, WorkflowUpdateFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BrandState, BrandStatus, CampaignState, CampaignStatus } from '../../domain/registration/status.ts';
import { startChild } from '../../launcher/support/child.ts';
import { findTemporal, untilTemporalAnswers } from '../../launcher/temporal.ts';
import * as brand from '../../workflows/brand-verification/messages.ts';
import * as campaign from '../../workflows/campaign-review/messages.ts';
import { taskQueues } from '../../workflows/task-queues.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort, temporaryFolder } from '../harness/infrastructure.ts';
import { workflowBundle } from '../replay/bundle.ts';
import { keepHistory } from '../replay/record.ts';

/** What Postgres would say, by organization. */
const brands = new Map<string, { status: BrandStatus; looks: number; submissions: number }>();
const campaigns = new Map<string, { status: CampaignStatus; looks: number; submissions: number }>();

type Ref = { organizationId: string };
const brandState = ({ organizationId }: Ref): BrandState => ({
  status: brands.get(organizationId)!.status,
  round: 1,
  nextAt: null,
});
const campaignState = ({ organizationId }: Ref): CampaignState => ({
  status: campaigns.get(organizationId)!.status,
  nextAt: null,
});
const nothing = async (): Promise<void> => {};

const activities = {
  createCustomerProfile: nothing,
  putBusinessInformation: nothing,
  putRepresentative: nothing,
  ensureAddress: nothing,
  putAddressDocument: nothing,
  assignToCustomerProfile: nothing,
  submitCustomerProfile: nothing,
  createTrustProduct: nothing,
  putA2pInformation: nothing,
  assignToTrustProduct: nothing,
  submitTrustProduct: nothing,
  lookAtCustomerProfile: async () => 'approved',
  ensureMessagingService: nothing,
  beginBrandAttempt: async (given: Ref & { actor?: string }) => {
    const play = brands.get(given.organizationId)!;
    if (given.actor !== undefined || play.status === 'draft') play.status = 'submitted';
    return brandState(given);
  },
  submitBrand: async ({ organizationId }: Ref) => {
    brands.get(organizationId)!.submissions += 1;
  },
  lookAtBrand: async (ref: Ref) => {
    brands.get(ref.organizationId)!.looks += 1;
    return brandState(ref);
  },
  beginCampaignAttempt: async (given: Ref & { actor?: string }) => {
    const play = campaigns.get(given.organizationId)!;
    if (given.actor !== undefined || play.status === 'not_started') play.status = 'in_review';
    return campaignState(given);
  },
  submitCampaign: async (ref: Ref) => {
    campaigns.get(ref.organizationId)!.submissions += 1;
    return campaignState(ref);
  },
  lookAtCampaign: async (ref: Ref) => {
    campaigns.get(ref.organizationId)!.looks += 1;
    return campaignState(ref);
  },
};

let client: Client;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const port = await freePort();
  const { path } = await findTemporal(() => {});
  const folder = await temporaryFolder('small-histories');
  const server = startChild({
    name: 'temporal',
    command: path,
    args: [
      ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--headless', '--log-level', 'warn'],
      ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=150'],
    ].flat(),
    log: join(folder, 'server.log'),
  });
  closing.push(() => server.stop());
  await untilTemporalAnswers(server, port, ['default']);
  const address = `127.0.0.1:${port}`;
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  client = new Client({ connection });
  const worker = await Worker.create({
    connection: native,
    taskQueue: taskQueues.control,
    workflowBundle: await workflowBundle(),
    activities,
  });
  const running = worker.run();
  closing.push(async () => {
    worker.shutdown();
    await running;
    await connection.close();
    await native.close();
  });
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

const ids = () => ({ organizationId: `org_${randomUUID()}`, registrationId: `reg_${randomUUID()}` });
const start = async (type: 'brandVerification' | 'campaignReview', input: ReturnType<typeof ids>) =>
  client.workflow.start(type, { taskQueue: taskQueues.control, workflowId: input.registrationId, args: [input] });

/** Signals until the first run has been continued as new. @returns that run's id */
async function untilContinued(workflowId: string, signal: () => Promise<void>): Promise<string> {
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  await eventually(
    async () => {
      await signal();
      expect((await client.workflow.getHandle(workflowId).describe()).runId).not.toBe(runId);
    },
    { everyMs: 20 },
  );
  return runId;
}

it('brandVerification continues as new when the server suggests it, submits nothing again, and still obeys', async () => {
  const input = ids();
  brands.set(input.organizationId, { status: 'draft', looks: 0, submissions: 0 });
  const play = brands.get(input.organizationId)!;
  await start('brandVerification', input);
  const handle = client.workflow.getHandle(input.registrationId);
  await eventually(async () => expect(play.submissions).toBe(1));
  play.status = 'registered';
  const first = await untilContinued(input.registrationId, () => handle.signal(brand.changedSignal));
  await keepHistory(client, input.registrationId, 'brandVerification.continuingAsNew', first);

  const command = { args: [{ actor: 'user:usr_1' }] as [{ actor: string }] };
  await expect(handle.executeUpdate(brand.resubmitUpdate, command)).rejects.toThrow(WorkflowUpdateFailedError);
  play.status = 'failed';
  await handle.signal(brand.changedSignal);
  await eventually(async () => expect((await handle.query(brand.stateQuery)).status).toBe('failed'));
  expect(play.submissions).toBe(1);
  expect(await handle.executeUpdate(brand.resubmitUpdate, command)).toMatchObject({ status: 'submitted' });
  await eventually(async () => expect(play.submissions).toBe(2));
  play.status = 'verified';
  await handle.signal(brand.changedSignal);
  expect(await handle.result()).toBe('verified');
  await keepHistory(client, input.registrationId, 'brandVerification.continuedAsNew');
});

it('campaignReview continues as new when the server suggests it, submits nothing again, and still obeys', async () => {
  const input = ids();
  campaigns.set(input.organizationId, { status: 'not_started', looks: 0, submissions: 0 });
  const play = campaigns.get(input.organizationId)!;
  await start('campaignReview', input);
  const handle = client.workflow.getHandle(input.registrationId);
  await eventually(async () => expect(play.submissions).toBe(1));
  const first = await untilContinued(input.registrationId, () => handle.signal(campaign.changedSignal));
  await keepHistory(client, input.registrationId, 'campaignReview.continuingAsNew', first);

  play.status = 'failed';
  await handle.signal(campaign.changedSignal);
  await eventually(async () => expect((await handle.query(campaign.stateQuery)).status).toBe('failed'));
  expect(play.submissions).toBe(1);
  const command = { args: [{ actor: 'user:usr_1' }] as [{ actor: string }] };
  expect(await handle.executeUpdate(campaign.resubmitUpdate, command)).toMatchObject({ status: 'in_review' });
  await eventually(async () => expect(play.submissions).toBe(2));
  play.status = 'verified';
  await handle.signal(campaign.changedSignal);
  expect(await handle.result()).toBe('verified');
  await keepHistory(client, input.registrationId, 'campaignReview.continuedAsNew');
});

it('two resubmissions at once are one', async () => {
  const input = ids();
  brands.set(input.organizationId, { status: 'failed', looks: 0, submissions: 0 });
  const play = brands.get(input.organizationId)!;
  await start('brandVerification', input);
  const handle = client.workflow.getHandle(input.registrationId);
  await eventually(async () => expect((await handle.query(brand.stateQuery)).status).toBe('failed'));
  const command = { args: [{ actor: 'user:usr_1' }] as [{ actor: string }] };
  await Promise.allSettled([
    handle.executeUpdate(brand.resubmitUpdate, command),
    handle.executeUpdate(brand.resubmitUpdate, command),
  ]);
  await eventually(async () => expect(play.submissions).toBeGreaterThan(0));
  await handle.signal(brand.changedSignal);
  play.status = 'verified';
  expect(await handle.result()).toBe('verified');
  expect(play.submissions).toBe(1);
});
