/** What is reported of a mass SMS after a batch of it has ended, and hours before the next one begins (F9). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { massSmsWorkflowId } from '../../../workflows/ids.ts';
import { startSystem, type System } from '../../harness/system.ts';
import { keepHistory } from '../../replay/record.ts';
import { accepted, command, create, moveTo, next, until } from '../support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ timeSkipping: true });
});
afterAll(async () => {
  await system?.stop();
});

it('a suspended campaign puts it in Error and tells of it; settled, it is resumed at once, and goes to everyone once', async () => {
  const organization = await system.enabledOrganization({ settings: { firstBatchSize: 10, dailyBatchSize: 10 } });
  const contacts = await system.contacts(organization, 20, { consent: true, list: 'all' });
  const user = system.client(organization.key, { user: organization.user.id });
  const monday = await next(system, 1, '10:00');
  const id = await create(organization, { startAt: monday.toISO() });
  const late = { delayMs: 3 * 3_600_000 };
  await system.twilio.behaviour({ undeliveredRate: 1, errorCodes: [30_033], callbacks: late });
  await moveTo(system, monday.plus({ hours: 1 }));
  const batches = [{ status: 'sent' }, { status: 'scheduled' }];
  await until(organization, id, { status: 'in_process', sent: 10, batches });
  await system.twilio.behaviour({ undeliveredRate: 0, callbacks: { delayMs: 0 } });
  await moveTo(system, monday.plus({ hours: 4 }));
  await until(organization, id, { status: 'error', cause: { code: '30033' } });
  const notifications = (await user.get('/v1/notifications')).body.items;
  expect(notifications.filter(({ kind }: { kind: string }) => kind === 'mass_sms.error')).toMatchObject([
    { subject: id, body: expect.stringContaining('The A2P campaign is suspended.') },
  ]);

  const tuesday = monday.plus({ days: 1 });
  const resumed = await command(organization, id, 'resume', { startAt: tuesday.toISO() });
  expect(resumed).toMatchObject({ status: 200, body: { status: 'in_process' } });
  await moveTo(system, tuesday.plus({ hours: 1 }));
  await until(organization, id, { status: 'completed', sent: 20 });
  const to = (await accepted(system, organization)).map((message) => message.to);
  expect(to.toSorted()).toEqual(contacts.map((contact) => contact.mobile).toSorted());
  await keepHistory(system.temporal, massSmsWorkflowId(id), 'massSms.toldToLook');
});
