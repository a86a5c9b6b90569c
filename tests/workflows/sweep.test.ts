/** What is asked for while Temporal is away: nothing is lost, and the sweep starts it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { startSystem, type System } from '../harness/system.ts';
import { insertUsers } from '../harness/users.ts';
import { accepted, create, read, until } from './support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ own: ['temporal'] });
});
afterAll(async () => {
  await system?.stop();
});

it('a mass SMS is accepted, started by the sweep once Temporal is back, and sent to everyone once', async () => {
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
  await eventually(async () => expect(await startedAt()).toBeInstanceOf(Date));
  const to = (await accepted(system, organization)).map((message) => message.to);
  expect(to.toSorted()).toEqual(contacts.map((contact) => contact.mobile).toSorted());
});

it('a number is bought once Temporal is back, once, although it was asked for again and again: 202, then 201', async () => {
  const { client, id: organizationId } = await system.enabledOrganization();
  const [userId] = await insertUsers(system, organizationId, ['+13125550110']);
  const { items } = (await client.get('/v1/numbers/available?areaCode=415')).body;
  await system.crash('temporal');
  const body = { phoneNumber: items[0].phoneNumber, userIds: [userId], acceptTerms: true };
  const buy = () => client.post('/v1/numbers', body, { 'idempotency-key': 'while-temporal-is-away' });
  const asked = await buy();
  expect(asked).toMatchObject({
    status: 202,
    body: { kind: 'purchase', state: 'running', counts: { total: 1, waiting: 1 }, results: [{ userId }] },
  });
  expect(await buy()).toMatchObject({ status: 202, body: { id: asked.body.id } });
  // Nothing is left to chance: without the key it would be a second purchase for this user.
  expect(await client.post('/v1/numbers', body)).toMatchObject({
    status: 422,
    body: { reason: 'purchase_under_way', jobId: asked.body.id },
  });

  await system.start('temporal');
  await eventually(async () => {
    expect((await client.get(`/v1/numbers/jobs/${asked.body.id}`)).body).toMatchObject({
      state: 'finished',
      results: [{ status: 'provisioned', phoneNumber: body.phoneNumber }],
    });
  });
  expect(await buy()).toMatchObject({ status: 201, body: { phoneNumber: body.phoneNumber, userIds: [userId] } });
  const { numbers } = await system.twilio.state();
  expect(numbers.filter(({ friendlyName }) => friendlyName.startsWith('Longwave '))).toHaveLength(1);
});
