/**
 * `kill -9` of the worker between the YES and the release of what was held for it, and while it is being released. The
 * simulator's own list is the judge: everybody is asked once, thanked once, and gets what was held once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertMessage } from '../../db/messages/messages.ts';
import { ensureOptInRequest } from '../../db/consent/opt-ins.ts';
import { eventually } from '../harness/eventually.ts';
import { startSystem, type System } from '../harness/system.ts';

const people = 40;

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
});

it('everybody who said YES gets what was held for it exactly once', async () => {
  const organization = await system.enabledOrganization();
  const contacts = await system.contacts(organization, people, { consent: false });
  const line = organization.line.phoneNumber;
  await system.database.inOrganization(organization.id, async (trx) => {
    for (const contact of contacts) {
      const at = new Date();
      const asking = { organizationId: organization.id, contact, userId: organization.user.id, line, at };
      expect(await ensureOptInRequest(trx, asking)).toMatchObject({ isNew: true });
      const held = {
        ...asking,
        source: 'journey',
        purpose: 'transactional',
        direct: false,
        sendAt: null,
        due: null,
      } as const;
      await insertMessage(trx, { ...held, body: 'Your interview is on Monday.', segments: 1 });
    }
  });
  const received = async () => {
    const { items } = await system.twilio.messages({ from: line, limit: 10_000 });
    return contacts.map(({ mobile }) => items.filter(({ to }) => to === mobile).map(({ body }) => body.split(' ')[0]));
  };
  const untilEach = (count: number) =>
    eventually(
      async () => expect((await received()).map((bodies) => bodies.length)).toEqual(contacts.map(() => count)),
      { withinMs: 150_000, everyMs: 500 },
    );
  await untilEach(1);

  const sayYes = async (from: number, to: number): Promise<void> => {
    for (const { mobile } of contacts.slice(from, to)) {
      expect(await system.twilio.inbound({ from: mobile, to: line, body: 'YES' })).toMatchObject({ status: 200 });
    }
  };
  // Some answer while no worker runs, the others while one runs and dies.
  await system.crash('worker');
  await sayYes(0, 20);
  await system.start('worker');
  const answering = sayYes(20, people);
  for (const pauseMs of [1_500, 400]) {
    await sleep(pauseMs);
    await system.crash('worker');
    await system.start('worker');
  }
  await answering;

  await untilEach(3);
  // Nothing is on its way any more, and nothing in doubt, that could be sent a second time.
  const unfinished = () =>
    system.db
      .selectFrom('messages')
      .select(['id', 'status'])
      .where('organization_id', '=', organization.id)
      .where('status', 'not in', ['delivered', 'received'])
      .execute();
  await eventually(async () => expect(await unfinished()).toEqual([]), { withinMs: 60_000 });
  const once = ['Sam', expect.stringMatching(/^Acme/), 'Your'];
  expect(await received()).toEqual(contacts.map(() => expect.arrayContaining(once)));
  expect((await received()).flat()).toHaveLength(3 * people);
  const open = await system.db.selectFrom('opt_in_requests').select('id').where('settled_at', 'is', null).execute();
  expect(open).toEqual([]);
}, 300_000);
