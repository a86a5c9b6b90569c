/** Numbers that are released: in organizations with an account, on a stand-in for Twilio's SDK. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { createReleaseActivities } from '../../../activities/numbers/release.ts';
import { systemClock } from '../../../clock.ts';
import { beginJob } from '../../../db/numbers/jobs.ts';
import { beginRelease, releaseResults } from '../../../db/numbers/releases.ts';
import { secretBox } from '../../../db/secrets.ts';
import type { Fixture, Organization, TestMassSms } from '../../dispatch/fixture.ts';

const secrets = secretBox(`k1:${Buffer.alloc(32, 1).toString('base64')}`);

export type TestNumber = Awaited<ReturnType<Fixture['numbers']>>[number];

export const lines = (numbers: readonly TestNumber[]): string[] => numbers.map(({ line }) => line);

/** What Twilio answers to the deletion of a number: nothing, or an error. */
export type Answer = () => Promise<void>;
const gone: Answer = async () => {};
export const failing = (error: object): Answer => {
  const thrown = Object.assign(new Error('Twilio said +13125550100'), error);
  return async () => {
    throw thrown;
  };
};

export const run = <T>(activity: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(activity);

export const releasesOn = (fixture: Fixture) => {
  const { system } = fixture.database;

  /** The activities, and which numbers Twilio was asked to delete. */
  const activitiesWith = (answer: Answer = gone) => {
    const deleted: string[] = [];
    const incomingPhoneNumbers = (sid: string) => ({
      remove: async () => {
        deleted.push(sid);
        await answer();
        return true;
      },
    });
    const activities = createReleaseActivities({
      database: fixture.database,
      clock: systemClock,
      secrets,
      twilio: { client: () => ({ incomingPhoneNumbers }), account: () => null, close: async () => {} } as never,
      publicUrl: 'https://longwave.test',
    });
    return { activities, deleted };
  };

  return {
    activitiesWith,

    /** An organization with an account and so many registered numbers in its pool. */
    async organization(count: number): Promise<{ acme: Organization; numbers: TestNumber[] }> {
      const acme = await fixture.organization();
      await system
        .updateTable('organizations')
        .set({ account_sid: `AC${randomUUID().replaceAll('-', '')}`, auth_token: secrets.encrypt('token') })
        .where('id', '=', acme.id)
        .execute();
      return { acme, numbers: await fixture.numbers(acme, count) };
    },

    /** Begins a release as the API does. @throws unless it begins, which undoes it */
    begin(acme: Organization, numbers: readonly TestNumber[], actor = 'user:usr_asked'): Promise<string> {
      const at = new Date();
      return fixture.in(acme, async (trx) => {
        const { id: jobId } = await beginJob(trx, { organizationId: acme.id, kind: 'release', actor, at });
        const numberIds = numbers.map(({ id }) => id);
        const begun = await beginRelease(trx, { organizationId: acme.id, jobId, numberIds, at });
        if (begun.kind === 'begun') return jobId;
        throw Object.assign(new Error(begun.kind), begun);
      });
    },

    /** Runs the activity once. */
    release(acme: Organization, jobId: string, number: TestNumber, answer?: Answer) {
      const { activities, deleted } = activitiesWith(answer);
      const ref = { organizationId: acme.id, jobId, numberId: number.id };
      return { deleted, outcome: run(() => activities.releaseNumber(ref)) };
    },

    rowOf: (number: TestNumber) =>
      system.selectFrom('phone_numbers').selectAll().where('id', '=', number.id).executeTakeFirstOrThrow(),

    resultsOf: (acme: Organization, jobId: string) => fixture.in(acme, (trx) => releaseResults(trx, jobId)),

    auditOf: (number: TestNumber) =>
      system
        .selectFrom('audit_log')
        .select(['action', 'actor', 'detail'])
        .where('subject', '=', number.id)
        .orderBy('id')
        .execute(),

    /** Messages by rank. */
    async messagesOf(massSms: Pick<TestMassSms, 'id'>) {
      const { rows } = await sql<{ id: string; to: string; line: string; status: string }>`
        select id, contact_number as "to", line, status from messages where mass_sms_id = ${massSms.id}
        order by rank`.execute(system);
      return rows;
    },

    /** The lines its messages leave from. */
    async linesOf(massSms: Pick<TestMassSms, 'id'>): Promise<Set<string>> {
      return new Set((await this.messagesOf(massSms)).map((message) => message.line));
    },
  };
};
