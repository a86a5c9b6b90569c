/**
 * The workflows of a registration alone, their activities played by the tests: what cannot be brought about from outside,
 * such as the long histories of a review that lasts many months.
 */
import { randomUUID } from 'node:crypto';
import { type Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BrandState, BrandStatus, CampaignState, CampaignStatus } from '../../../domain/registration/status.ts';
import * as brand from '../../../workflows/brand-verification/messages.ts';
import * as campaign from '../../../workflows/campaign-review/messages.ts';
import { taskQueues } from '../../../workflows/task-queues.ts';
import { eventually } from '../../harness/eventually.ts';
import { workflowBundle } from '../../replay/bundle.ts';
import { keepHistory } from '../../replay/record.ts';
import { type SmallHistories, startSmallHistories } from '../small-histories.ts';

/** What Postgres would say, by organization. */
interface Brand {
  status: BrandStatus;
  looks: number;
  submissions: number;
  /** How long a resubmission takes to be written. */
  slowly?: () => Promise<void>;
}
const brands = new Map<string, Brand>();
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
    if (given.actor !== undefined) await play.slowly?.();
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

let temporal: SmallHistories;
let client: Client;

beforeAll(async () => {
  temporal = await startSmallHistories(150);
  client = temporal.client;
  await temporal.work({ taskQueue: taskQueues.control, workflowBundle: await workflowBundle(), activities });
});
afterAll(async () => {
  await temporal?.stop();
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
  await handle.signal(brand.changedSignal);
  play.status = 'verified';
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
  await handle.signal(campaign.changedSignal);
  play.status = 'verified';
  expect(await handle.result()).toBe('verified');
  await keepHistory(client, input.registrationId, 'campaignReview.continuedAsNew');
});

it('a resubmission that is being written when the workflow continues as new is not lost', async () => {
  const input = ids();
  const begun = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const play: Brand = {
    status: 'failed',
    looks: 0,
    submissions: 0,
    slowly: () => {
      begun.resolve();
      return written.promise;
    },
  };
  brands.set(input.organizationId, play);
  const handle = await start('brandVerification', input);
  await eventually(async () => expect((await handle.query(brand.stateQuery)).status).toBe('failed'));
  // To just below the length at which the server suggests it.
  await eventually(
    async () => {
      await handle.signal(brand.changedSignal);
      expect((await handle.describe()).historyLength).toBeGreaterThan(125);
    },
    { everyMs: 30 },
  );
  const answer = handle.executeUpdate(brand.resubmitUpdate, { args: [{ actor: 'user:usr_1' }] });
  await begun.promise;
  for (let events = 0; events < 12; events += 1) await handle.signal(brand.changedSignal);
  await eventually(async () => expect((await handle.describe()).historyLength).toBeGreaterThan(150));
  written.resolve();
  expect(await answer).toMatchObject({ status: 'submitted' });
  await eventually(async () => expect(play.submissions).toBe(1));
  const current = client.workflow.getHandle(input.registrationId);
  await current.signal(brand.changedSignal);
  play.status = 'verified';
  expect(await current.result()).toBe('verified');
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
