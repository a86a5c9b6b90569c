/** Opt-in requests through days: asked, answered or not, on the whole product and one clock that can be moved. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertMessage } from '../../db/messages/messages.ts';
import { ensureOptInRequest, requestOptIn } from '../../db/consent/opt-ins.ts';
import { optInWorkflowId } from '../../workflows/ids.ts';
import type { ApiClient } from '../harness/api-client.ts';
import { eventually } from '../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../harness/system.ts';
import { keepHistory } from '../replay/record.ts';
import { moveTo, next, zone } from './support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ timeSkipping: true });
});
afterAll(async () => {
  await system?.stop();
});

interface Scene {
  organization: EnabledOrganization;
  /** Acting as the user. */
  sam: ApiClient;
  contact: { id: string; mobile: string };
  workflowId: string;
}

async function scene(given: Parameters<System['enabledOrganization']>[0] = {}): Promise<Scene> {
  const organization = await system.enabledOrganization(given);
  const [contact] = await system.contacts(organization, 1, { consent: false });
  const sam = system.client(organization.key, { user: organization.user.id });
  const workflowId = optInWorkflowId({ userId: organization.user.id, contactId: contact!.id });
  return { organization, sam, contact: contact!, workflowId };
}

async function ask({ sam, contact }: Scene): Promise<string> {
  const { status, body } = await sam.post('/v1/opt-in-requests', { contactId: contact.id });
  expect({ status, body }).toMatchObject({ status: 202, body: { state: 'waiting' } });
  return body.id;
}

/** An automated message in the user's name, held until the contact has opted in. */
const hold = async ({ organization, contact }: Scene, body = 'Your interview is on Monday.'): Promise<string> => {
  const at = new Date(await system.now());
  const line = organization.line.phoneNumber;
  const asking = { organizationId: organization.id, contact, userId: organization.user.id, line, at };
  return system.database.inOrganization(organization.id, async (trx) => {
    expect(await ensureOptInRequest(trx, asking)).toHaveProperty('requestId');
    return insertMessage(trx, {
      ...asking,
      source: 'journey',
      purpose: 'transactional',
      body,
      segments: 1,
      direct: false,
      sendAt: null,
      due: null,
    });
  });
};

/** What reached the contact, in order. */
const received = async ({ organization, contact }: Scene): Promise<string[]> => {
  const { items } = await system.twilio.messages({ to: contact.mobile, from: organization.line.phoneNumber });
  return items.map(({ body }) => body);
};
const untilReceived = (of: Scene, ...expected: RegExp[]) =>
  eventually(async () => expect(await received(of)).toEqual(expected.map((one) => expect.stringMatching(one))));

const says = async ({ organization, contact }: Scene, body: string) =>
  expect(await system.twilio.inbound({ from: contact.mobile, to: organization.line.phoneNumber, body })).toMatchObject({
    status: 200,
  });
const stateOf = async ({ sam, contact }: Scene) =>
  (await sam.get(`/v1/opt-in-requests?contactId=${contact.id}`)).body.items[0].state;
const message = (id: string) =>
  system.db.selectFrom('messages').select(['status', 'cancel_reason']).where('id', '=', id).executeTakeFirstOrThrow();
const ended = ({ workflowId }: Scene, status: string) =>
  eventually(async () =>
    expect((await system.temporal.workflow.getHandle(workflowId).describe()).status.name).toBe(status),
  );
const keep = ({ workflowId }: Scene, what: string, runId?: string) =>
  keepHistory(system.temporal, workflowId, `optIn.${what}`, runId);

const question = /^Sam Sender of Acme .* would like to text you\. Reply YES/;
const thanks = /^Acme .*: thank you/;
const interview = /^Your interview/;

describe('an opt-in request', () => {
  it('answered YES: the contact has consented, is thanked once, and gets what was held, once', async () => {
    const robin = await scene();
    await ask(robin);
    await untilReceived(robin, question);
    const id = await hold(robin);
    await system.advance('20 hours');
    expect(await received(robin)).toHaveLength(1);
    await says(robin, 'Yes!');
    await untilReceived(robin, question, thanks, interview);
    expect(await stateOf(robin)).toBe('accepted');
    await eventually(async () => expect(await message(id)).toMatchObject({ status: 'delivered' }));
    const { body } = await robin.sam.get(`/v1/contacts/${robin.contact.id}`);
    expect(body.consent).toEqual({ transactional: true, promotional: false });
    await ended(robin, 'COMPLETED');
    await keep(robin, 'accepted');
    await says(robin, 'yes');
    await system.advance('2 hours');
    await untilReceived(robin, question, thanks, interview);
  });

  it('answered STOP: what was held is cancelled, and nothing more goes out', async () => {
    const robin = await scene();
    await ask(robin);
    await untilReceived(robin, question);
    const id = await hold(robin);
    await says(robin, 'stop');
    await ended(robin, 'COMPLETED');
    expect(await stateOf(robin)).toBe('declined');
    expect(await message(id)).toEqual({ status: 'cancelled', cancel_reason: 'opt_in_declined' });
    await keep(robin, 'declined');
    await system.advance('8 days');
    expect(await received(robin)).toHaveLength(1);
    expect(await robin.sam.post('/v1/opt-in-requests', { contactId: robin.contact.id })).toMatchObject({
      status: 422,
      body: { reason: 'opted_out' },
    });
  });

  it('answered by nobody: after seven days what was held is cancelled', async () => {
    const robin = await scene();
    await ask(robin);
    await untilReceived(robin, question);
    const id = await hold(robin);
    await system.advance('167 hours');
    expect(await stateOf(robin)).toBe('waiting');
    expect(await message(id)).toMatchObject({ status: 'held' });
    await system.advance('2 hours');
    await ended(robin, 'COMPLETED');
    expect(await stateOf(robin)).toBe('expired');
    expect(await message(id)).toEqual({ status: 'cancelled', cancel_reason: 'opt_in_expired' });
    await keep(robin, 'expired');
  });

  it('whose workflow was cancelled in the Web UI is answered all the same', async () => {
    const robin = await scene();
    await ask(robin);
    await untilReceived(robin, question);
    await hold(robin);
    const handle = system.temporal.workflow.getHandle(robin.workflowId);
    const { runId } = await handle.describe();
    await handle.cancel();
    await ended(robin, 'CANCELLED');
    await keep(robin, 'cancelled', runId);
    expect(await stateOf(robin)).toBe('waiting');
    await says(robin, 'YES');
    await untilReceived(robin, question, thanks, interview);
    await ended(robin, 'COMPLETED');
  });

  it('made once more while the first waits is seen to by the same workflow', async () => {
    const robin = await scene();
    await ask(robin);
    await untilReceived(robin, question);
    const id = await hold(robin);
    await system.advance('6 days');
    await ask(robin);
    await untilReceived(robin, question, question);
    await system.advance('2 days');
    // The first has expired, the second has not.
    expect(await message(id)).toMatchObject({ status: 'held' });
    await says(robin, 'Y');
    await untilReceived(robin, question, question, thanks, interview);
    await ended(robin, 'COMPLETED');
    await keep(robin, 'askedTwice');
  });

  it('made while Temporal was away gets its workflow from the sweep', async () => {
    const robin = await scene();
    const { id: organizationId, user } = robin.organization;
    const asking = { organizationId, userId: user.id, contactId: robin.contact.id, at: new Date(await system.now()) };
    await system.database.inOrganization(organizationId, (trx) => requestOptIn(trx, asking));
    await untilReceived(robin, question);
    await ended(robin, 'RUNNING');
    await system.advance('8 days');
    await ended(robin, 'COMPLETED');
    expect(await stateOf(robin)).toBe('expired');
  });

  it('made at night waits for the window, as does what a YES at night releases; the thanks do not', async () => {
    const sendWindow = { startTime: '08:00', endTime: '16:00', timeZone: zone };
    const robin = await scene({ settings: { sendWindow } });
    await moveTo(system, await next(system, 3, '20:00'));
    await ask(robin);
    await hold(robin);
    await system.advance('11 hours');
    expect(await received(robin)).toEqual([]);
    await system.advance('1 hour');
    await untilReceived(robin, question);
    await system.advance('10 hours');
    await says(robin, 'YES');
    await untilReceived(robin, question, thanks);
    await system.advance('13 hours');
    expect(await received(robin)).toHaveLength(2);
    await system.advance('1 hour');
    await untilReceived(robin, question, thanks, interview);
  });

  it('is needed for a YES to mean anything: alone it lifts no opt-out, though Twilio takes it for START', async () => {
    const robin = await scene();
    await says(robin, 'STOP');
    const { organization, contact } = robin;
    const said = { from: contact.mobile, to: organization.line.phoneNumber, body: 'Yes' };
    expect(await system.twilio.inbound({ ...said, optOutType: 'START' })).toMatchObject({ status: 200 });
    const { body } = await robin.sam.get(`/v1/contacts/${contact.id}`);
    expect(body).toMatchObject({ optedOut: true, consent: { transactional: false } });
  });
});
