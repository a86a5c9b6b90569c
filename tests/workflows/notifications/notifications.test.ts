/**
 * Notifications of mass SMS (G1) on the whole product with a real SMTP server: each of the eight kinds, to three users who
 * want them by email, in the digest, and in the product alone (G3).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DateTime } from 'luxon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationKinds } from '../../../domain/notifications/notifications.ts';
import { digestWorkflowId } from '../../../workflows/ids.ts';
import { type ApiClient } from '../../harness/api-client.ts';
import { eventually } from '../../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../../harness/system.ts';
import { keepHistory } from '../../replay/record.ts';
import { command, create, until, zone } from '../support.ts';

let system: System;
let organization: EnabledOrganization;
const ways = ['email', 'digest', 'product'] as const;
type Way = (typeof ways)[number];
const users = {} as Record<Way, { email: string; client: ApiClient }>;
const kinds = notificationKinds.filter((kind) => kind.startsWith('mass_sms.'));

beforeAll(async () => {
  system = await startSystem();
  organization = await system.enabledOrganization({ name: 'Acme', segmentsPerSecond: 100 });
  // Not while the others are told of: its own test chooses when.
  const later = DateTime.now().setZone(zone).plus({ hours: 12 });
  await organization.client.patch('/v1/settings', { digestTime: later.toFormat('HH:mm') });
  for (const way of ways) {
    const email = `${way}@acme.example`;
    const permissions = ['mass-sms:manage'];
    const { id } = (await organization.client.post('/v1/users', { name: way, email, permissions })).body;
    const client = system.client(organization.key, { user: id });
    await client.put('/v1/notification-preferences', Object.fromEntries(kinds.map((kind) => [kind, way])));
    users[way] = { email, client };
  }
});
afterAll(async () => {
  await system?.stop();
});

const mailTo = async (way: Way) =>
  (await system.mail.messages()).filter(({ to }) => to.some((one) => one.includes(users[way].email)));
const setModule = (on: boolean) =>
  system.db.updateTable('organizations').set({ module_on: on }).where('id', '=', organization.id).execute();

/** What happens, by the notifications that tell of it. */
const titles: Record<string, string[]> = {
  'mass_sms.scheduled': [
    'Mass SMS "Sent" is scheduled',
    'Mass SMS "Held" is scheduled',
    'Mass SMS "Dropped" is scheduled',
  ],
  'mass_sms.batch_sent': ['Mass SMS "Sent" has sent batch 1 of 1'],
  'mass_sms.completed': ['Mass SMS "Sent" is completed'],
  'mass_sms.paused': ['Mass SMS "Held" is paused'],
  'mass_sms.resumed': ['Mass SMS "Held" is resumed'],
  'mass_sms.error': ['Mass SMS "Held" is in error'],
  'mass_sms.cancelled': ['Mass SMS "Held" is cancelled'],
  'mass_sms.suspended': ['Mass SMS "Dropped" is suspended'],
};

describe('each of the eight', () => {
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    await system.contacts(organization, 3, { consent: true, list: 'few' });
    await system.contacts(organization, 1_500, { consent: true, list: 'many' });
    const given = { immediate: true, allowWeekends: true };
    ids['sent'] = await create(organization, { ...given, list: 'few', name: 'Sent' });
    await until(organization, ids['sent'], { status: 'completed' });

    ids['held'] = await create(organization, {
      list: 'few',
      name: 'Held',
      allowWeekends: true,
      startAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    await command(organization, ids['held'], 'pause');
    await setModule(false);
    const resumed = await command(organization, ids['held'], 'resume', {});
    if (resumed.status !== 200) throw new Error(`not resumed: ${JSON.stringify(resumed.body)}`);
    await until(organization, ids['held'], { status: 'error', cause: { detail: expect.any(String) } });
    await setModule(true);
    await command(organization, ids['held'], 'resume', { startAt: new Date(Date.now() + 3_600_000).toISOString() });
    await command(organization, ids['held'], 'cancel');

    await system.twilio.behaviour({ undeliveredRate: 0.4, errorCodes: [30_003] });
    ids['dropped'] = await create(organization, { ...given, list: 'many', name: 'Dropped' });
    await until(organization, ids['dropped'], { status: 'suspended' });
  }, 120_000);

  const expected = (kind: string): string[] =>
    // It went on twice: from the pause and from the error.
    kind === 'mass_sms.resumed' ? [...titles[kind]!, ...titles[kind]!] : titles[kind]!;

  it.for(ways.flatMap((way) => kinds.map((kind) => ({ way, kind }))))(
    '$kind reaches the product for who wants it by $way, with its level, title, body and subject',
    async ({ way, kind }) => {
      const { body } = await users[way].client.get('/v1/notifications?limit=200');
      const ofKind = body.items.filter((one: { kind: string }) => one.kind === kind);
      expect(ofKind.map((one: { title: string }) => one.title).toSorted()).toEqual(expected(kind).toSorted());
      const levels = { paused: 'warning', suspended: 'warning', error: 'error' } as Record<string, string>;
      for (const { level, title, subject, body: text } of ofKind) {
        expect(level).toBe(levels[kind.slice('mass_sms.'.length)] ?? 'info');
        expect(subject).toBe(ids[/"(\w+)"/.exec(title)![1]!.toLowerCase()]);
        expect(text).toMatch(/^[A-Z\d].*\.$/s);
      }
    },
  );

  it.for(kinds)('%s is emailed at once to who wants that, and says why', async (kind) => {
    const wanted = expected(kind).map((title) => `Acme: ${title}`);
    await eventually(
      async () => {
        const subjects = (await mailTo('email')).map(({ subject }) => subject);
        for (const subject of wanted) expect(subjects).toContain(subject);
        expect(subjects.filter((one) => wanted.includes(one))).toHaveLength(wanted.length);
      },
      { withinMs: 30_000 },
    );
    const mail = (await mailTo('email')).find(({ subject }) => subject === wanted[0])!;
    if (kind === 'mass_sms.suspended') expect(mail.text).toContain('were not delivered');
    if (kind === 'mass_sms.error') expect(mail.text).toMatch(/Resume it once the cause is gone/);
  });

  it('is never emailed to who wants it in the product alone, and waits for the digest of who wants that', async () => {
    expect(await mailTo('product')).toEqual([]);
    expect(await mailTo('digest')).toEqual([]);
  });

  it('is told of in one digest at the time of day that was set, once although the worker is killed before it', async () => {
    const dueAt = DateTime.now().setZone(zone).plus({ seconds: 85 }).startOf('minute');
    await organization.client.patch('/v1/settings', { digestTime: dueAt.toFormat('HH:mm') });
    const waiting = async () =>
      (
        await system.db
          .selectFrom('organizations')
          .select('digest_at')
          .where('id', '=', organization.id)
          .executeTakeFirstOrThrow()
      ).digest_at;
    await eventually(async () => expect((await waiting())?.getTime()).toBe(dueAt.toMillis()), { withinMs: 15_000 });
    expect(await mailTo('digest')).toEqual([]);
    await system.crash('worker');
    await sleep(Math.max(0, dueAt.toMillis() - Date.now()) + 500);
    await system.start('worker');
    const [digest] = await eventually(
      async () => {
        const mails = await mailTo('digest');
        expect(mails).toHaveLength(1);
        return mails;
      },
      { withinMs: 60_000 },
    );
    expect(digest!.subject).toBe('Acme: 11 notifications since the last digest');
    for (const title of Object.values(titles).flat()) expect(digest!.text).toContain(title);
    expect(digest!.text).toContain('Mass SMS "Held" is resumed (2 times)');
    const handle = system.temporal.workflow.getHandle(digestWorkflowId(organization.id));
    await eventually(async () => expect((await handle.describe()).status.name).toBe('COMPLETED'), { withinMs: 30_000 });
    await keepHistory(system.temporal, digestWorkflowId(organization.id), 'digest.workerKilled');
    await sleep(7_000);
    expect(await mailTo('digest')).toHaveLength(1);
    expect(await mailTo('product')).toEqual([]);
  }, 180_000);
});
