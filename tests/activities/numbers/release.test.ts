/** Releasing a number at Twilio: once nothing can leave from it any more, and with every step safe to repeat. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { sendingPools } from '../../../db/mass-sms/create.ts';
import { claimMessages, settleAsUnsent, writeResults } from '../../../db/messages/outgoing.ts';
import type { MassSmsStatus } from '../../../domain/mass-sms/mass-sms.ts';
import { type Fixture, openFixture, type Organization, type TestMassSms } from '../../dispatch/fixture.ts';
import { failing, lines, releasesOn, run, type TestNumber } from './release-support.ts';

let fixture: Fixture;
let releases: ReturnType<typeof releasesOn>;
beforeAll(async () => {
  fixture = await openFixture();
  releases = releasesOn(fixture);
});
afterAll(async () => {
  await fixture?.close();
});

const stillSending = { type: 'StillSending', nextRetryDelay: 5_000, nonRetryable: false };
const claim = (acme: Organization, massSms: TestMassSms, limit: number) =>
  fixture.in(acme, (trx) => claimMessages(trx, massSms.range, { attemptId: 'a/1', limit, now: new Date() }));

describe('a release', () => {
  it('deletes the number at Twilio, takes its users off it and keeps its messages, on record by who asked', async () => {
    const { acme, numbers } = await releases.organization(2);
    const [leaving] = numbers as [TestNumber, TestNumber];
    const at = new Date();
    const user = newId('user', at);
    const stamps = { created_at: at, updated_at: at };
    await fixture.database.system
      .insertInto('users')
      .values({ id: user, organization_id: acme.id, name: 'Sam', email: 'sam@acme.example', ...stamps })
      .execute();
    await fixture.database.system
      .insertInto('phone_number_users')
      .values({ organization_id: acme.id, number_id: leaving.id, user_id: user })
      .execute();
    const sent = await fixture.massSms(acme, 10, { status: 'completed', lines: [leaving.line] });
    await fixture.force(
      sent.messages.map(({ id }) => id),
      { status: 'delivered' },
    );

    const jobId = await releases.begin(acme, [leaving]);
    expect(await releases.rowOf(leaving)).toMatchObject({ releasing_since: expect.any(Date), released_at: null });
    const { outcome, deleted } = releases.release(acme, jobId, leaving);
    expect(await outcome).toBe('released');
    expect(deleted).toEqual([leaving.sid]);
    expect(await releases.rowOf(leaving)).toMatchObject({
      released_at: expect.any(Date),
      registered: false,
      register_at: null,
    });
    const users = fixture.database.system.selectFrom('phone_number_users').selectAll();
    expect(await users.where('number_id', '=', leaving.id).execute()).toEqual([]);
    expect(await releases.resultsOf(acme, jobId)).toMatchObject([
      { numberId: leaving.id, state: 'released', detail: null },
    ]);
    expect(await releases.auditOf(leaving)).toEqual([
      { action: 'number.released', actor: 'user:usr_asked', detail: { jobId } },
    ]);
    expect(await releases.linesOf(sent)).toEqual(new Set([leaving.line]));
  });

  it.for(['completed', 'cancelled'] as MassSmsStatus[])('is not held up by a mass SMS that is %s', async (status) => {
    const { acme, numbers } = await releases.organization(1);
    const massSms = await fixture.massSms(acme, 5, { status, lines: lines(numbers) });
    const jobId = await releases.begin(acme, numbers);
    expect(await releases.release(acme, jobId, numbers[0]!).outcome).toBe('released');
    expect(await releases.linesOf(massSms)).toEqual(new Set(lines(numbers)));
  });
});

describe('Twilio is not asked', () => {
  it('while a message is leaving from the number; what comes back leaves from another one', async () => {
    const { acme, numbers } = await releases.organization(2);
    const [leaving, staying] = numbers as [TestNumber, TestNumber];
    const massSms = await fixture.massSms(acme, 6, { lines: [leaving.line] });
    await claim(acme, massSms, 2);
    const [accepted, back] = massSms.messages.map(({ id }) => id);
    const jobId = await releases.begin(acme, [leaving]);
    const first = releases.release(acme, jobId, leaving);
    await expect(first.outcome).rejects.toMatchObject(stillSending);
    const results = [
      { id: accepted!, status: 'accepted' as const, sid: 'SM1', errorCode: null, segments: 1 },
      { id: back!, status: 'queued' as const, sid: null, errorCode: null, segments: null },
    ];
    await fixture.in(acme, (trx) => writeResults(trx, { attemptId: 'a/1', results, now: new Date() }));
    const second = releases.release(acme, jobId, leaving);
    expect(await second.outcome).toBe('released');
    expect([...first.deleted, ...second.deleted]).toEqual([leaving.sid]);
    const [sent, ...rest] = await releases.messagesOf(massSms);
    expect(sent).toMatchObject({ line: leaving.line, status: 'accepted' });
    expect(rest.map((message) => message.line)).toEqual(Array(5).fill(staying.line));
  });

  it('while it is in doubt whether a message left', async () => {
    const { acme, numbers } = await releases.organization(2);
    const [leaving, staying] = numbers as [TestNumber, TestNumber];
    const massSms = await fixture.massSms(acme, 1, { status: 'paused', lines: [leaving.line] });
    const claimedAt = new Date('2026-12-01T15:00:00.000Z');
    const [message] = massSms.messages;
    await fixture.force([message!.id], { status: 'in_doubt', claimedAt });
    const jobId = await releases.begin(acme, [leaving]);
    await expect(releases.release(acme, jobId, leaving).outcome).rejects.toMatchObject(stillSending);
    await fixture.in(acme, (trx) => settleAsUnsent(trx, message!.id, claimedAt));
    expect(await releases.release(acme, jobId, leaving).outcome).toBe('released');
    expect(await releases.linesOf(massSms)).toEqual(new Set([staying.line]));
  });

  it('while a mass SMS that was cancelled a moment ago may be sending, but an hour later', async () => {
    const { acme, numbers } = await releases.organization(1);
    const massSms = await fixture.massSms(acme, 1, { status: 'cancelled', lines: lines(numbers) });
    await fixture.force([massSms.messages[0]!.id], { status: 'in_doubt' });
    const jobId = await releases.begin(acme, numbers);
    await expect(releases.release(acme, jobId, numbers[0]!).outcome).rejects.toMatchObject(stillSending);
    await fixture.database.system
      .updateTable('mass_sms')
      .set({ updated_at: new Date(Date.now() - 3_700_000) })
      .where('id', '=', massSms.id)
      .execute();
    expect(await releases.release(acme, jobId, numbers[0]!).outcome).toBe('released');
  });

  it('when the pool has lost its other number meanwhile: the release fails, and the mass SMS goes on', async () => {
    const { acme, numbers } = await releases.organization(2);
    const [leaving, other] = numbers as [TestNumber, TestNumber];
    const massSms = await fixture.massSms(acme, 4, { lines: [leaving.line] });
    await claim(acme, massSms, 4);
    const jobId = await releases.begin(acme, [leaving]);
    await fixture.database.system
      .updateTable('phone_numbers')
      .set({ pool_id: null })
      .where('id', '=', other.id)
      .execute();
    const { outcome, deleted } = releases.release(acme, jobId, leaving);
    expect(await outcome).toBe('failed');
    expect(deleted).toEqual([]);
    expect(await releases.resultsOf(acme, jobId)).toMatchObject([
      {
        state: 'failed',
        detail: expect.stringMatching(`"Test" \\(${massSms.id}\\).*cancel it.*add a registered number`),
      },
    ]);
    expect(await releases.rowOf(leaving)).toMatchObject({ releasing_since: null, registered: true, released_at: null });
  });
});

describe('when Twilio', () => {
  it('has no such number any more, it is released', async () => {
    const { acme, numbers } = await releases.organization(1);
    const jobId = await releases.begin(acme, numbers);
    expect(await releases.release(acme, jobId, numbers[0]!, failing({ status: 404, code: 20404 })).outcome).toBe(
      'released',
    );
    expect(await releases.rowOf(numbers[0]!)).toMatchObject({ released_at: expect.any(Date) });
  });

  it.for([400, 422])('refuses with %i, the number stays, with the code and none of its words', async (status) => {
    const { acme, numbers } = await releases.organization(1);
    const jobId = await releases.begin(acme, numbers);
    const refusal = failing({ status, code: 21_729 });
    expect(await releases.release(acme, jobId, numbers[0]!, refusal).outcome).toBe('failed');
    const [result] = await releases.resultsOf(acme, jobId);
    expect(result).toMatchObject({ state: 'failed', detail: expect.stringContaining('21729') });
    expect(result!.detail).not.toContain('+1312');
    expect(await releases.rowOf(numbers[0]!)).toMatchObject({
      releasing_since: null,
      registered: true,
      released_at: null,
    });
    expect(await releases.auditOf(numbers[0]!)).toEqual([
      { action: 'number.release_failed', actor: 'user:usr_asked', detail: { jobId } },
    ]);
    const pools = await fixture.in(acme, (trx) => sendingPools(trx, acme.id));
    expect(pools).toMatchObject([{ lines: lines(numbers) }]);
    // It has ended: a repetition does not ask again.
    const again = releases.release(acme, jobId, numbers[0]!);
    expect(await again.outcome).toBe('failed');
    expect(again.deleted).toEqual([]);
    expect(await releases.release(acme, await releases.begin(acme, numbers), numbers[0]!).outcome).toBe('released');
  });

  it.for([{ status: 401, code: 20_003 }, { status: 409 }, { status: 500 }, { code: 'UND_ERR_HEADERS_TIMEOUT' }])(
    'cannot be asked (%o), nothing is decided',
    async (error) => {
      const { acme, numbers } = await releases.organization(1);
      const jobId = await releases.begin(acme, numbers);
      await expect(releases.release(acme, jobId, numbers[0]!, failing(error)).outcome).rejects.toMatchObject(error);
      expect(await releases.resultsOf(acme, jobId)).toMatchObject([{ state: 'waiting' }]);
      expect(await releases.release(acme, jobId, numbers[0]!).outcome).toBe('released');
    },
  );
});

describe('after a crash', () => {
  it('between the answer of Twilio and its record the number is found gone, and released once', async () => {
    const { acme, numbers } = await releases.organization(1);
    const jobId = await releases.begin(acme, numbers);
    await expect(releases.release(acme, jobId, numbers[0]!, failing({ code: 'ECONNRESET' })).outcome).rejects.toThrow(
      'Twilio',
    );
    expect(await releases.release(acme, jobId, numbers[0]!, failing({ status: 404 })).outcome).toBe('released');
    const third = releases.release(acme, jobId, numbers[0]!);
    expect(await third.outcome).toBe('released');
    expect(third.deleted).toEqual([]);
    expect((await releases.auditOf(numbers[0]!)).map(({ action }) => action)).toEqual(['number.released']);
  });

  it('a release that another worker ended does not ask Twilio', async () => {
    const { acme, numbers } = await releases.organization(1);
    const jobId = await releases.begin(acme, numbers);
    const { activities } = releases.activitiesWith();
    await run(() => activities.abandonRelease({ organizationId: acme.id, jobId, numberId: numbers[0]!.id }));
    const late = releases.release(acme, jobId, numbers[0]!);
    expect(await late.outcome).toBe('failed');
    expect(late.deleted).toEqual([]);
    expect(await releases.rowOf(numbers[0]!)).toMatchObject({ releasing_since: null });
    await run(() => activities.abandonRelease({ organizationId: acme.id, jobId, numberId: numbers[0]!.id }));
    expect((await releases.auditOf(numbers[0]!)).map(({ action }) => action)).toEqual(['number.release_failed']);
  });

  it('a release that nobody asked for is no matter of retrying', async () => {
    const { acme, numbers } = await releases.organization(1);
    const jobId = newId('numberJob', new Date());
    await expect(releases.release(acme, jobId, numbers[0]!).outcome).rejects.toMatchObject({
      type: 'NotFound',
      nonRetryable: true,
    });
  });
});

describe('two at once', () => {
  it('runs for one number release it once', async () => {
    const { acme, numbers } = await releases.organization(1);
    const jobs = [await releases.begin(acme, numbers, 'user:usr_1'), await releases.begin(acme, numbers, 'user:usr_2')];
    const both = jobs.map((jobId) => releases.release(acme, jobId, numbers[0]!).outcome);
    expect(await Promise.all(both)).toEqual(['released', 'released']);
    for (const jobId of jobs) expect(await releases.resultsOf(acme, jobId)).toMatchObject([{ state: 'released' }]);
    expect((await releases.auditOf(numbers[0]!)).map(({ action }) => action)).toEqual(['number.released']);
  });

  it('runs for one number: when one fails, nothing leaves from it while the other goes on', async () => {
    const { acme, numbers } = await releases.organization(1);
    const [first, second] = [await releases.begin(acme, numbers), await releases.begin(acme, numbers)];
    expect(await releases.release(acme, first, numbers[0]!, failing({ status: 400, code: 20_001 })).outcome).toBe(
      'failed',
    );
    expect(await releases.rowOf(numbers[0]!)).toMatchObject({ releasing_since: expect.any(Date) });
    expect(await releases.release(acme, second, numbers[0]!).outcome).toBe('released');
  });
});
