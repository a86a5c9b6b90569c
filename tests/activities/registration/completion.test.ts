/** The end of a registration: how fast the organization may send from then on (B9). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCompletionActivities } from '../../../activities/registration/completion.ts';
import { type Database, openDatabase } from '../../../db/database.ts';
import { newId } from '../../../db/ids.ts';
import { secretBox } from '../../../db/secrets.ts';
import { cloneDatabase, type ClonedDatabase } from '../../harness/infrastructure.ts';
import { run } from '../numbers/support.ts';

const secrets = secretBox(`k1:${Buffer.alloc(32, 1).toString('base64')}`);
let own: ClonedDatabase;
let database: Database;
beforeAll(async () => {
  own = await cloneDatabase();
  database = openDatabase(own.url);
});
afterAll(async () => {
  await database.close();
  await own.release();
});

/** An organization whose campaign the carriers have just approved. */
async function approved(useCase: string): Promise<string> {
  const at = new Date();
  const organizationId = newId('organization', at);
  const stamps = { created_at: at, updated_at: at };
  const named = { name: 'Acme', domain: 'acme.example', time_zone: 'UTC', module_on: true };
  const account = { account_sid: `AC ${organizationId}`, auth_token: secrets.encrypt('token') };
  await database.system
    .insertInto('organizations')
    .values({ id: organizationId, ...named, ...account, ...stamps })
    .execute();
  await database.system
    .insertInto('registrations')
    .values({
      id: newId('registration', at),
      organization_id: organizationId,
      state: 'submitted',
      brand_status: 'verified',
      campaign_status: 'verified',
      messaging_service_status: 'in_progress',
      intake: JSON.stringify({ useCase }),
      ...stamps,
    })
    .execute();
  await database.system
    .insertInto('registration_resources')
    .values([
      { organization_id: organizationId, kind: 'brand', sid: `BN ${organizationId}` },
      { organization_id: organizationId, kind: 'messaging_service', sid: `MG ${organizationId}` },
    ])
    .execute();
  return organizationId;
}

/** Completes it. @param brand what Twilio says of the brand; may throw */
async function complete(organizationId: string, brand: () => object) {
  const fetch = async () => brand();
  const brandRegistrations = (sid: string) => {
    expect(sid).toBe(`BN ${organizationId}`);
    return { fetch };
  };
  const activities = createCompletionActivities({
    database,
    secrets,
    clock: { now: () => new Date(), sync: async () => {} },
    twilio: { client: () => ({ messaging: { v1: { brandRegistrations } } }) } as never,
    operator: { accountSid: 'AC0', authToken: 'x' },
    publicUrl: 'https://longwave.test',
    operatorEmail: 'operator@longwave.test',
    fees: { brand: 4, campaignReview: 15, identityCheck: 12.5 },
    sendEmails: () => {},
  });
  await run(() => activities.completeRegistration({ organizationId }));
}

const stateOf = (organizationId: string) =>
  database.system
    .selectFrom('registrations')
    .innerJoin('organizations', 'organizations.id', 'registrations.organization_id')
    .select(['state', 'segments_per_second'])
    .where('organization_id', '=', organizationId)
    .executeTakeFirstOrThrow();

describe('an organization that is registered is paced', () => {
  it.each([
    ['MARKETING', 80, 225],
    ['MIXED', 75, 225],
    ['MIXED', 60, 120],
    ['MIXED', 20, 12],
    ['MIXED', null, 12],
    ['LOW_VOLUME', 80, 3.75],
  ])('for %s by a brand that is scored %j: %d segments a second', async (useCase, brandScore, rate) => {
    const organizationId = await approved(useCase);
    await complete(organizationId, () => ({ brandScore }));
    expect(await stateOf(organizationId)).toEqual({ state: 'completed', segments_per_second: rate });
  });

  it('at the lowest rate when Twilio does not know the brand any more', async () => {
    const organizationId = await approved('MIXED');
    await complete(organizationId, () => {
      throw Object.assign(new Error('not found'), { status: 404, code: 20_404 });
    });
    expect(await stateOf(organizationId)).toEqual({ state: 'completed', segments_per_second: 12 });
  });

  it('once Twilio answers: while it is away, nothing is completed', async () => {
    const organizationId = await approved('MIXED');
    const away = complete(organizationId, () => {
      throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    });
    await expect(away).rejects.toThrow('away');
    expect(await stateOf(organizationId)).toMatchObject({ state: 'submitted' });
    await complete(organizationId, () => ({ brandScore: 90 }));
    expect(await stateOf(organizationId)).toEqual({ state: 'completed', segments_per_second: 225 });
  });
});
