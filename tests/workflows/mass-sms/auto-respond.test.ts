/** A mass SMS to the first matches of a search (F1), whose first replies are answered (F3), on the whole product. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import { startSystem, type System } from '../../harness/system.ts';
import { accepted, create, until } from '../support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
});

it('goes to the best-ranked matches of a search, and answers the first reply of each once', async () => {
  const organization = await system.enabledOrganization({ name: 'Acme' });
  const contacts = await system.contacts(organization, 4, { consent: true });
  const listed = await organization.client.get('/v1/contacts?q=first');
  const order: string[] = listed.body.items.map(({ mobile }: { mobile: string }) => mobile);
  expect(order).toHaveLength(contacts.length);
  const template = await organization.client.post('/v1/templates', {
    name: 'Thanks',
    body: 'Thank you {{contact.lastName}}, {{organization.name}} will call you.',
    purpose: 'promotional',
    published: true,
  });
  const id = await create(organization, {
    list: undefined,
    query: 'first',
    limitToTop: 2,
    immediate: true,
    allowWeekends: true,
    autoRespondTemplateId: template.body.id,
  });
  await until(organization, id, { status: 'completed', recipients: 2, sent: 2, excluded: { overLimit: 2 } });
  expect((await accepted(system, organization)).map(({ to }) => to).toSorted()).toEqual(order.slice(0, 2).toSorted());

  const { phoneNumber: to } = organization.line;
  for (const from of [order[0]!, order[0]!, order[1]!, order[2]!]) {
    await system.twilio.inbound({ from, to, body: 'I am interested' });
  }
  const thanks = async () => (await accepted(system, organization)).filter(({ body }) => body.startsWith('Thank you'));
  await eventually(async () => expect(await thanks()).toHaveLength(2));
  // What comes after it, so that one too many would have come before.
  await system.twilio.inbound({ from: order[1]!, to, body: 'And when?' });
  await system.twilio.inbound({ from: order[3]!, to, body: 'And me?' });
  await eventually(async () => {
    const { body } = await organization.client.get('/v1/conversations?limit=10');
    expect(body.items).toHaveLength(4);
  });
  expect((await thanks()).map((message) => message.to).toSorted()).toEqual(order.slice(0, 2).toSorted());
});
