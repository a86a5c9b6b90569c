/** Emails: once, whoever sends, however slow the mail server, and again when it was away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createEmailSender } from '../../activities/emails.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { queueEmail } from '../../db/notifications/emails.ts';
import { newId } from '../../db/ids.ts';
import { EmailRefused } from '../../email/mailer.ts';
import { type ClonedDatabase, cloneDatabase } from '../harness/infrastructure.ts';

let own: ClonedDatabase;
let database: Database;
let organizationId: string;
beforeAll(async () => {
  own = await cloneDatabase();
  database = openDatabase(own.url);
});
afterAll(async () => {
  await database?.close();
  await own?.release();
});
beforeEach(async () => {
  const at = new Date();
  organizationId = newId('organization', at);
  await database.system
    .insertInto('organizations')
    .values({ id: organizationId, name: 'Acme', domain: 'a.example', time_zone: 'UTC', created_at: at, updated_at: at })
    .execute();
});

const instant = { ms: Date.now() };
const clock = { now: () => new Date(instant.ms), sync: async () => {} };
const queue = (key: string) =>
  database.inOrganization(organizationId, (trx) =>
    queueEmail(trx, {
      organizationId,
      key,
      recipient: 'robin@acme.example',
      subject: key,
      body: 'text',
      at: clock.now(),
    }),
  );

it('the same is said once', async () => {
  expect([await queue('once'), await queue('once')]).toEqual([true, false]);
});

it('a slow mail server and two senders: each email goes out once', async () => {
  for (const key of ['one', 'two', 'three']) await queue(key);
  const sent: string[] = [];
  const mailer = {
    send: async ({ subject }: { subject: string }) => {
      instant.ms += 35_000;
      sent.push(subject);
      await sleep(60);
    },
    close: () => {},
  };
  const sender = createEmailSender({ database, clock, mailer, onError: () => {} });
  sender.send(organizationId);
  await sleep(100);
  sender.send(organizationId);
  await sender.idle();
  expect(sent.toSorted()).toEqual(['one', 'three', 'two']);
});

it('an email waits while the mail server is away, and one that is refused for good is not tried again', async () => {
  await queue('away');
  const errors: unknown[] = [];
  const away = Object.assign(new Error('connect ECONNREFUSED robin@acme.example'), { code: 'ECONNREFUSED' });
  const answers: (Error | null)[] = [away, null];
  const sent: string[] = [];
  const mailer = {
    send: async ({ id }: { id: string }) => {
      const error = answers.shift();
      if (error) throw error;
      sent.push(id);
    },
    close: () => {},
  };
  const sender = createEmailSender({ database, clock, mailer, onError: (error) => errors.push(error) });
  const attempt = async () => {
    sender.send(organizationId);
    await sender.idle();
  };
  await attempt();
  // What goes to the logs names no address.
  expect(errors.map(String)).toEqual(['Error: An email could not be sent: ECONNREFUSED']);
  await attempt();
  expect(sent).toEqual([]);
  instant.ms += 11_000;
  await attempt();
  expect(sent).toHaveLength(1);

  await queue('refused');
  answers.push(new EmailRefused('550'));
  await attempt();
  instant.ms += 86_400_000;
  await attempt();
  expect(sent).toHaveLength(1);
});

it('senders take one email at a time: none is left to wait for a lease that nobody holds', async () => {
  await Promise.all(Array.from({ length: 30 }, (_, n) => queue(`email ${n}`)));
  const sent: string[] = [];
  const mailer = {
    send: async ({ subject }: { subject: string }) => {
      sent.push(subject);
    },
    close: () => {},
  };
  const sender = createEmailSender({ database, clock, mailer, onError: () => {} });
  for (let n = 0; n < 4; n += 1) sender.send(organizationId);
  await sender.idle();
  expect(new Set(sent).size).toBe(30);
  expect(sent).toHaveLength(30);
});
