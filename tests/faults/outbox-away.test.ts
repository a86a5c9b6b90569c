/** Messages are accepted while Temporal is away. The simulator's own list is the judge. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ own: ['temporal'] });
});
afterAll(async () => {
  await system?.stop();
});

const text = 'Acme: new shifts are open. Reply STOP to opt out.';
const accepted = ({ line }: EnabledOrganization) => system.twilio.messages({ from: line.phoneNumber, limit: 1_000 });

it('messages that are accepted while Temporal is away go out once when it is back', async () => {
  const organization = await system.enabledOrganization();
  const contacts = await system.contacts(organization, 40, { consent: true });
  const client = system.client(organization.key, { user: organization.user.id });
  const writeTo = async (some: readonly { id: string }[]) => {
    const answers = await Promise.all(
      some.map(({ id: contactId }) => client.post('/v1/messages', { contactId, body: text })),
    );
    expect(answers.map(({ status }) => status)).toEqual(some.map(() => 202));
  };
  await system.crash('temporal');
  const away = sleep(15_000);
  await writeTo(contacts.slice(0, 20));
  await sleep(8_000);
  await writeTo(contacts.slice(20));
  await away;
  expect((await accepted(organization)).total).toBe(0);
  await system.start('temporal');
  await eventually(
    async () => {
      // A worker gives up when Temporal stays away; under `npm start` the launcher brings it back, here the test does.
      if (system.stack.pid('worker') === undefined) await system.start('worker');
      expect((await accepted(organization)).total).toBe(40);
    },
    { withinMs: 120_000 },
  );
  await sleep(3_000);
  const { items } = await accepted(organization);
  expect(items.map(({ to }) => to).toSorted()).toEqual(contacts.map(({ mobile }) => mobile).toSorted());
}, 180_000);
