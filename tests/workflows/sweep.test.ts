/** A mass SMS created while Temporal is away: nothing is lost, and the sweep starts it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSystem, type System } from '../harness/system.ts';
import { accepted, create, read, until } from './support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ own: ['temporal'] });
});
afterAll(async () => {
  await system?.stop();
});

it('is accepted, started by the sweep once Temporal is back, and sent to everyone once', async () => {
  const organization = await system.enabledOrganization();
  const contacts = await system.contacts(organization, 40, { consent: true, list: 'all' });
  await system.crash('temporal');
  const id = await create(organization, { immediate: true, allowWeekends: true });
  const startedAt = async () =>
    (
      await system.db
        .selectFrom('mass_sms')
        .select('workflow_started_at')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
    ).workflow_started_at;
  expect(await startedAt()).toBeNull();
  expect(await read(organization, id)).toMatchObject({ status: 'scheduled', sent: 0, remaining: 40 });

  await system.start('temporal');
  await until(organization, id, { status: 'completed', sent: 40 });
  expect(await startedAt()).toBeInstanceOf(Date);
  const to = (await accepted(system, organization)).map((message) => message.to);
  expect(to.toSorted()).toEqual(contacts.map((contact) => contact.mobile).toSorted());
});
