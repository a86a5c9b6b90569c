/** Who is told of a mass SMS and of the registration, once; and the digest, written with the mark that it was (G1–G3). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Digest, digestsToWake, writeDueDigests } from '../../../db/notifications/digests.ts';
import { newId } from '../../../db/ids.ts';
import { endBatch, setStatus } from '../../../db/mass-sms/status.ts';
import { notify } from '../../../db/notifications/notifications.ts';
import { addToTimeline, openRegistration } from '../../../db/registration/registrations.ts';
import type { NotificationDelivery, NotificationKind } from '../../../domain/notifications/notifications.ts';
import { type Fixture, openFixture, type Organization, type TestMassSms } from '../fixture.ts';

let fixture: Fixture;
let acme: Organization;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());
/** Later than all that the fixture has written: ids follow the time. */
let now: Date;
beforeEach(async () => {
  acme = await fixture.organization();
  now = new Date();
});

async function user(name: string, permissions: string[] = [], active = true): Promise<string> {
  const id = newId('user', now);
  const stamps = { created_at: now, updated_at: now };
  const row = { id, organization_id: acme.id, name, email: `${id}@acme.example`, permissions, active, ...stamps };
  await fixture.database.system.insertInto('users').values(row).execute();
  return id;
}

const prefer = (userId: string, kind: NotificationKind, delivery: NotificationDelivery) =>
  fixture.database.system
    .insertInto('notification_preferences')
    .values({ organization_id: acme.id, user_id: userId, kind, delivery })
    .execute();

const told = () =>
  fixture.database.system
    .selectFrom('notifications')
    .selectAll()
    .where('organization_id', '=', acme.id)
    .orderBy('id')
    .execute();
const kindsOf = async (userId: string) =>
  (await told()).filter((row) => row.user_id === userId).map(({ kind }) => kind.replace('mass_sms.', ''));
const emails = () =>
  fixture.database.system
    .selectFrom('emails')
    .selectAll()
    .where('organization_id', '=', acme.id)
    .orderBy('id')
    .execute();

describe('a mass SMS', () => {
  let massSms: TestMassSms;
  const become = (status: Parameters<typeof setStatus>[2], cause?: { code: string; detail: string }) =>
    fixture.in(acme, (trx) => setStatus(trx, massSms.id, status, { now, ...(cause && { cause }) }));

  test('tells those who manage mass SMS and its creator, and nobody else', async () => {
    const creator = await user('Creator');
    const manager = await user('Manager', ['mass-sms:manage']);
    const away = await user('Away', ['mass-sms:manage'], false);
    const sender = await user('Sender', ['mass-sms:send']);
    massSms = await fixture.massSms(acme, 1);
    await fixture.database.system
      .updateTable('mass_sms')
      .set({ created_by: `user:${creator}` })
      .where('id', '=', massSms.id)
      .execute();
    await become('paused');
    expect(await kindsOf(manager)).toEqual(['scheduled', 'paused']);
    expect(await kindsOf(creator)).toEqual(['paused']);
    expect(await kindsOf(away)).toEqual([]);
    expect(await kindsOf(sender)).toEqual([]);
  });

  test('tells of each transition once, however often a step is repeated, and of none that was taken back', async () => {
    const manager = await user('Manager', ['mass-sms:manage']);
    massSms = await fixture.massSms(acme, 2);
    for (const status of ['paused', 'paused', 'in_process', 'in_process'] as const) await become(status);
    const end = { number: 1, status: 'sent', at: now } as const;
    await fixture.in(acme, (trx) => endBatch(trx, massSms.id, end));
    await fixture.in(acme, (trx) => endBatch(trx, massSms.id, end));
    const undone = fixture.in(acme, async (trx) => {
      await setStatus(trx, massSms.id, 'cancelled', { now });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await become('completed');
    await become('completed');
    expect(await kindsOf(manager)).toEqual(['scheduled', 'paused', 'resumed', 'batch_sent', 'completed']);
  });

  test('does not tell of its beginning as if somebody had resumed it', async () => {
    const manager = await user('Manager', ['mass-sms:manage']);
    massSms = await fixture.massSms(acme, 1, { status: 'scheduled' });
    await become('in_process');
    expect(await kindsOf(manager)).toEqual(['scheduled']);
  });

  test('says the cause of an error and of a suspension, by email at once where nothing was chosen', async () => {
    await user('Manager', ['mass-sms:manage']);
    massSms = await fixture.massSms(acme, 1);
    await become('error', { code: '20003', detail: 'Twilio refuses the token.' });
    await become('in_process');
    await become('suspended', { code: 'drop_rate', detail: 'Half of the messages were filtered.' });
    const sent = await emails();
    expect(sent.map(({ subject }) => subject.replace(/^.*: /, ''))).toEqual([
      'Mass SMS "Test" is in error',
      'Mass SMS "Test" is suspended',
    ]);
    expect(sent[0]!.body).toContain('Twilio refuses the token.');
    expect(sent[1]!.body).toContain('Half of the messages were filtered.');
    expect((await told()).map(({ level }) => level)).toEqual(['info', 'error', 'info', 'warning']);
    for (const { subject } of await told()) expect(subject).toBe(massSms.id);
  });

  test('tells of a batch that has ended how much of it has left', async () => {
    await user('Manager', ['mass-sms:manage']);
    massSms = await fixture.massSms(acme, 3, { firstBatchSize: 2 });
    await fixture.force([massSms.messages[0]!.id], { status: 'delivered' });
    await fixture.in(acme, (trx) => endBatch(trx, massSms.id, { number: 1, status: 'expired', at: now }));
    expect((await told()).at(-1)).toMatchObject({
      title: 'Mass SMS "Test" has sent batch 1 of 2',
      body: expect.stringMatching(
        /^1 of 2 messages has left\. The rest of this batch has expired with the sending window\. The next batch starts at /,
      ),
    });
  });
});

describe('the registration', () => {
  test('tells those who manage it of each change, but for what the operator has to mend', async () => {
    const manager = await user('Manager', ['registration:manage']);
    await user('Other', ['mass-sms:manage']);
    const entry = { organizationId: acme.id, subject: 'campaign', actor: 'carriers', at: now } as const;
    const { id } = await fixture.in(acme, (trx) => openRegistration(trx, acme.id, now));
    await fixture.in(acme, async (trx) => {
      await addToTimeline(trx, {
        ...entry,
        event: 'in_review',
        detail: 'The campaign is in review.',
        awaiting: 'carriers',
      });
      await addToTimeline(trx, {
        ...entry,
        event: 'failed',
        detail: 'The campaign was rejected: x.',
        awaiting: 'operator',
      });
    });
    expect(await told()).toMatchObject([
      {
        user_id: manager,
        kind: 'registration.changed',
        level: 'info',
        title: 'The campaign is in review',
        subject: id,
      },
    ]);
  });
});

describe('the digest', () => {
  const at = (text: string) => new Date(text);
  const written: Digest[] = [];
  const email = (digest: Digest) => {
    written.push(digest);
    return { subject: 'Digest', text: JSON.stringify(digest.subjects) };
  };
  const write = (moment: Date) => fixture.in(acme, (trx) => writeDueDigests(trx, acme.id, { now: moment, email }));
  const happens = (userIds: string[], title: string, moment: Date, subject = 'mms_1') =>
    fixture.in(acme, (trx) =>
      notify(trx, userIds, {
        organizationId: acme.id,
        kind: 'mass_sms.paused',
        title,
        body: title,
        subject,
        at: moment,
      }),
    );
  const toWake = async (moment: Date) => (await digestsToWake(fixture.database.system, moment)).includes(acme.id);

  test('is due at the first time of day after the oldest, and tells each user of what is theirs, by subject', async () => {
    const [one, two] = [await user('One'), await user('Two')];
    for (const id of [one, two]) await prefer(id, 'mass_sms.paused', 'digest');
    await happens([one], 'A', at('2026-11-23T10:00:00Z'));
    await happens([one, two], 'B', at('2026-11-23T11:00:00Z'), 'mms_2');
    await happens([one], 'C', at('2026-11-23T12:00:00Z'));
    expect(await toWake(at('2026-11-23T12:00:00Z'))).toBe(true);
    expect(await write(at('2026-11-23T12:00:00Z'))).toEqual(at('2026-11-24T09:00:00Z'));
    expect(await toWake(at('2026-11-23T12:00:01Z'))).toBe(false);
    expect(await emails()).toEqual([]);
    // Its workflow was lost.
    expect(await toWake(at('2026-11-24T09:01:01Z'))).toBe(true);
    expect(await write(at('2026-11-24T09:00:00Z'))).toBeNull();
    expect((await emails()).map(({ body }) => JSON.parse(body))).toEqual([
      [{ titles: ['A', 'C'] }, { titles: ['B'] }],
      [{ titles: ['B'] }],
    ]);
    expect(await write(at('2026-11-25T09:00:00Z'))).toBeNull();
    expect(await emails()).toHaveLength(2);
    expect(await toWake(at('2026-11-25T09:00:00Z'))).toBe(false);
  });

  test('is written once by two at the same time, and not at all by one that fails', async () => {
    const one = await user('One');
    await prefer(one, 'mass_sms.paused', 'digest');
    await happens([one], 'A', at('2026-11-23T10:00:00Z'));
    const due = at('2026-11-24T09:00:00Z');
    const fails = fixture.in(acme, async (trx) => {
      await writeDueDigests(trx, acme.id, { now: due, email });
      throw new Error('the worker died');
    });
    await expect(fails).rejects.toThrow('the worker died');
    expect(await emails()).toEqual([]);
    await Promise.all([write(due), write(due), write(due)]);
    expect(await emails()).toHaveLength(1);
  });

  test('holds nothing up for a user who was deactivated', async () => {
    const one = await user('One');
    await prefer(one, 'mass_sms.paused', 'digest');
    await happens([one], 'A', at('2026-11-23T10:00:00Z'));
    await fixture.database.system.updateTable('users').set({ active: false }).where('id', '=', one).execute();
    expect(await write(at('2026-11-24T09:00:00Z'))).toBeNull();
    expect(await emails()).toEqual([]);
    expect(await toWake(at('2026-11-24T09:00:00Z'))).toBe(false);
  });
});
