/** What no crash test can time: two workers in one activity, lists that lag, organizations that reach for one account. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCampaignActivities } from '../../../activities/registration/campaign.ts';
import { createCompletionActivities } from '../../../activities/registration/completion.ts';
import type { RegistrationDeps } from '../../../activities/registration/deps.ts';
import { foundOrCreated } from '../../../activities/registration/found-or-created.ts';
import { createProfileActivities } from '../../../activities/registration/profiles.ts';
import { createSubaccountActivities } from '../../../activities/registration/subaccount.ts';
import { systemClock } from '../../../clock.ts';
import { type Database, openDatabase } from '../../../db/database.ts';
import { newId } from '../../../db/ids.ts';
import { secretBox } from '../../../db/secrets.ts';
import { type ClonedDatabase, cloneDatabase } from '../../harness/infrastructure.ts';
import { honestIntake } from '../../workflows/registration/support.ts';

const secrets = secretBox(`k1:${Buffer.alloc(32, 1).toString('base64')}`);
let own: ClonedDatabase;
let database: Database;
beforeAll(async () => {
  own = await cloneDatabase();
  database = openDatabase(own.url);
});
afterAll(async () => {
  await database?.close();
  await own?.release();
});

/** The dependencies, with a stand-in for the SDK that the test plays. */
const depsWith = (client: unknown, change: Partial<RegistrationDeps> = {}): RegistrationDeps => ({
  database,
  clock: systemClock,
  secrets,
  twilio: { client: () => client, account: () => null, close: async () => {} } as never,
  operator: { accountSid: 'ACoperator', authToken: 'token' },
  publicUrl: 'https://longwave.test',
  operatorEmail: 'operator@longwave.test',
  fees: { brand: 4, campaignReview: 15, identityCheck: 12.5 },
  sendEmails: () => {},
  ...change,
});
const run = <T>(activity: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(activity);
const hex = () => randomUUID().replaceAll('-', '');

/** A registration whose brand is verified and whose campaign is being submitted. */
async function organization(change: { domain?: string; accountSid?: string | null } = {}): Promise<string> {
  const at = new Date();
  const id = newId('organization', at);
  const { domain = 'acme.example', accountSid = `AC${hex()}` } = change;
  await database.system
    .insertInto('organizations')
    .values({
      id,
      name: `Acme ${id}`,
      domain,
      time_zone: 'UTC',
      account_sid: accountSid,
      auth_token: accountSid && secrets.encrypt('token'),
      created_at: at,
      updated_at: at,
    })
    .execute();
  await database.system
    .insertInto('registrations')
    .values({
      id: newId('registration', at),
      organization_id: id,
      state: 'submitted',
      brand_status: 'verified',
      campaign_status: 'in_review',
      intake: JSON.stringify(honestIntake),
      submitted_at: at,
      created_at: at,
      updated_at: at,
    })
    .execute();
  await database.system
    .insertInto('registration_attempts')
    .values({ organization_id: id, part: 'campaign', number: 1, actor: 'test', begun_at: at })
    .execute();
  for (const kind of ['brand', 'messaging_service'] as const) {
    await database.system
      .insertInto('registration_resources')
      .values({ organization_id: id, kind, sid: `${kind === 'brand' ? 'BN' : 'MG'}${hex()}` })
      .execute();
  }
  return id;
}

const feesOf = async (organizationId: string) =>
  (
    await database.system.selectFrom('fees').select('reference').where('organization_id', '=', organizationId).execute()
  ).map(({ reference }) => reference);

it('of two workers in the same activity one asks; the other waits, and finds what was made', async () => {
  const organizationId = await organization();
  const made: string[] = [];
  const recorded: string[] = [];
  const making = (looked?: () => Promise<void>) => () =>
    foundOrCreated(depsWith(null), {
      organizationId,
      kind: 'campaign',
      find: async () => {
        const [seen] = made;
        await looked?.();
        return seen;
      },
      create: async () => {
        made.push(`QE${made.length}`);
        return made.at(-1)!;
      },
      record: async (_trx, sid) => void recorded.push(sid),
    });
  // Cut off from Temporal, not from Twilio, and waiting for a slow list.
  const [looking, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const cutOff = run(
    making(() => {
      looking.resolve();
      return answered.promise;
    }),
  );
  await looking.promise;
  expect(await run(making())).toBe('QE0');
  answered.resolve();
  await expect(cutOff).rejects.toMatchObject({ type: 'NotSettled' });
  expect(await run(making())).toBe('QE0');
  expect({ made, recorded }).toEqual({ made: ['QE0'], recorded: ['QE0'] });
});

it('what was asked for a moment ago and is not in the list yet is not asked for again before the list has had time', async () => {
  const organizationId = await organization();
  const made: string[] = [];
  const instant = { ms: Date.now() };
  const clock = { now: () => new Date(instant.ms), sync: async () => {} };
  const making = (find: () => Promise<string | undefined>, create: () => Promise<string>) => () =>
    foundOrCreated(depsWith(null, { clock }), { organizationId, kind: 'campaign', find, create });
  const cut = async (): Promise<string> => {
    made.push('QE9');
    throw new Error('the connection was cut');
  };
  await expect(run(making(async () => undefined, cut))).rejects.toThrow('cut');
  instant.ms += 10_000;
  await expect(run(making(async () => undefined, cut))).rejects.toMatchObject({ type: 'NotSettled' });
  instant.ms += 25_000;
  expect(await run(making(async () => made[0], cut))).toBe('QE9');
  expect(made).toEqual(['QE9']);
});

it('a campaign that is on record is charged once, although the list does not show it yet and the attempt was not marked', async () => {
  const organizationId = await organization();
  const made: string[] = [];
  const campaign = (sid: string) => ({
    sid,
    campaignStatus: 'IN_PROGRESS',
    errors: [],
    usAppToPersonUsecase: 'LOW_VOLUME',
    dateUpdated: new Date(),
  });
  const usAppToPerson = Object.assign((sid: string) => ({ fetch: async () => campaign(sid) }), {
    list: async () => [],
    create: async () => {
      made.push(`QE${made.length}${hex()}`);
      return { sid: made.at(-1) };
    },
  });
  const activities = createCampaignActivities(depsWith({ messaging: { v1: { services: () => ({ usAppToPerson }) } } }));
  await run(() => activities.submitCampaign({ organizationId }));
  // The worker dies between the record of the campaign and that of the attempt.
  await database.system
    .updateTable('registration_attempts')
    .set({ submitted_at: null })
    .where('organization_id', '=', organizationId)
    .execute();
  await run(() => activities.submitCampaign({ organizationId }));
  expect(made).toHaveLength(1);
  expect(await feesOf(organizationId)).toEqual(made);
});

it('a campaign that somebody deleted at Twilio fails, with what to do', async () => {
  const organizationId = await organization();
  await database.system
    .insertInto('registration_resources')
    .values({ organization_id: organizationId, kind: 'campaign', sid: `QE${hex()}` })
    .execute();
  const notFound = Object.assign(new Error('not found'), { status: 404, code: 20404 });
  const usAppToPerson = () => ({ fetch: () => Promise.reject(notFound) });
  const activities = createCampaignActivities(depsWith({ messaging: { v1: { services: () => ({ usAppToPerson }) } } }));
  await database.system
    .updateTable('registration_attempts')
    .set({ submitted_at: new Date() })
    .where('organization_id', '=', organizationId)
    .execute();
  expect(await run(() => activities.lookAtCampaign({ organizationId }))).toMatchObject({ status: 'failed' });
  const { campaign_reasons: reasons } = await database.system
    .selectFrom('registrations')
    .select('campaign_reasons')
    .where('organization_id', '=', organizationId)
    .executeTakeFirstOrThrow();
  expect(reasons).toMatchObject([{ code: 20404, fixable: true, remedy: expect.stringContaining('Resubmit') }]);
});

it('what was made a moment ago and cannot be fetched yet is no refusal of the company', async () => {
  const organizationId = await organization();
  const notFound = Object.assign(new Error('not found'), { status: 404, code: 20404 });
  const endUsers = Object.assign(() => ({ fetch: () => Promise.reject(notFound) }), {
    list: async () => [],
    create: async () => ({ sid: `IT${hex()}` }),
  });
  const { putRepresentative } = createProfileActivities(depsWith({ trusthub: { v1: { endUsers } } }));
  await expect(run(() => putRepresentative({ organizationId }))).rejects.toMatchObject({ status: 404 });
});

it('two organizations that reach for one account named by their domain do not share it', async () => {
  const pair = [await organization({ accountSid: null }), await organization({ accountSid: null })];
  const shared = `AC${hex()}`;
  const made: string[] = [];
  const both = Promise.withResolvers<void>();
  let listing = 0;
  const accounts = Object.assign(() => ({ fetch: async () => ({ authToken: hex() }) }), {
    list: async ({ friendlyName }: { friendlyName: string }) => {
      if (friendlyName !== 'acme.example') return [];
      // Both see it before either has it.
      if ((listing += 1) === 2) both.resolve();
      await both.promise;
      return [{ sid: shared }];
    },
    create: async () => {
      made.push(`AC${hex()}`);
      return { sid: made.at(-1) };
    },
  });
  const activities = createSubaccountActivities(depsWith({ api: { v2010: { accounts } } }));
  const attempt = () =>
    Promise.allSettled(pair.map((organizationId) => run(() => activities.ensureSubaccount({ organizationId }))));
  await attempt();
  await attempt();
  const rows = await database.system
    .selectFrom('organizations')
    .select('account_sid')
    .where('id', 'in', pair)
    .execute();
  expect(new Set(rows.map((row) => row.account_sid))).toEqual(new Set([shared, made[0]]));
});

it('a cancellation that is repeated does not cancel what was submitted since', async () => {
  const organizationId = await organization();
  const activities = createCompletionActivities(depsWith(null));
  const stateNow = async () =>
    (
      await database.system
        .selectFrom('registrations')
        .select('state')
        .where('organization_id', '=', organizationId)
        .executeTakeFirstOrThrow()
    ).state;
  const cancellation = { organizationId, actor: 'user:usr_1', cancelledAt: new Date().toISOString() };
  await run(() => activities.cancelRegistration(cancellation));
  expect(await stateNow()).toBe('cancelled');
  await database.system
    .updateTable('registrations')
    .set({ state: 'submitted', submitted_at: new Date(Date.now() + 1_000) })
    .where('organization_id', '=', organizationId)
    .execute();
  await run(() => activities.cancelRegistration(cancellation));
  expect(await stateNow()).toBe('submitted');
});
