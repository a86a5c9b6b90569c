/** Asking a contact for consent: the limits, the refusals, and what a request leaves behind. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureOptInRequest } from '../../../db/consent/opt-ins.ts';
import { newId } from '../../../db/ids.ts';
import { type Api, type Client, startApi } from '../support.ts';

const hourMs = 3_600_000;
/** What Temporal was asked; `isAway` makes it fail. */
const temporal = { isAway: false, started: [] as string[], woken: [] as string[] };
const hear =
  (list: string[]) =>
  async (_type: string, { workflowId }: { workflowId: string }) => {
    if (temporal.isAway) throw new Error('away');
    list.push(workflowId);
  };

let api: Api;
let acme: { id: string; client: Client };
/** Acting as Ada, who has a line. */
let ada: Client;
let adaId: string;
let line: string;
let number = 0;

beforeAll(async () => {
  const workflow = { start: hear(temporal.started), signalWithStart: hear(temporal.woken) };
  const connection = { withDeadline: (_at: number, work: () => unknown) => work() };
  api = await startApi({ temporal: { client: { workflow, connection } as never, ping: async () => {} } });
});
afterAll(() => api.stop());

const wholeDay = { startTime: '00:00', endTime: '00:00', timeZone: 'America/Chicago' };

beforeEach(async () => {
  temporal.isAway = false;
  temporal.started.length = 0;
  temporal.woken.length = 0;
  acme = await api.organization({ name: 'Acme Staffing', country: 'US', region: 'IL', organizationNumber: '1' });
  await api.database.system
    .updateTable('organizations')
    .set({ module_on: true, account_sid: `AC${acme.id}`, auth_token: 'x', messaging_service_sid: 'MG1' })
    .where('id', '=', acme.id)
    .execute();
  await acme.client.patch('/v1/settings', { sendWindow: wholeDay });
  ({ id: adaId, client: ada } = await user('Ada Lane'));
  line = await giveLine(adaId);
});

async function user(name: string, permissions = ['messages:send']) {
  const email = `${name.split(' ')[0]}@acme.example`;
  const { body } = await acme.client.post('/v1/users', { name, email, permissions });
  return { id: body.id as string, client: api.client(await api.key(acme.id, { userId: body.id })) };
}

async function giveLine(userId: string, registered = true): Promise<string> {
  const at = api.clock.now();
  const id = newId('number', at);
  const phoneNumber = `+1312555${String((number += 1)).padStart(4, '0')}`;
  await api.database.system
    .insertInto('phone_numbers')
    .values({
      id,
      organization_id: acme.id,
      phone_number: phoneNumber,
      twilio_sid: `PN${id}`,
      registered,
      purchased_at: at,
    })
    .execute();
  await api.database.system
    .insertInto('phone_number_users')
    .values({ organization_id: acme.id, number_id: id, user_id: userId })
    .execute();
  return phoneNumber;
}

async function contact(fields: Record<string, unknown> = {}): Promise<{ id: string; mobile: string }> {
  number += 1;
  const mobile = `+1415555${String(number).padStart(4, '0')}`;
  return (await acme.client.post('/v1/contacts', { mobile, firstName: 'Robin', ...fields })).body;
}

const ask = (contactId: string, by = ada, headers?: Record<string, string>) =>
  by.post('/v1/opt-in-requests', { contactId }, headers);

const messageOf = (id: string) =>
  api.database.system
    .selectFrom('messages')
    .leftJoin('outbox', 'outbox.message_id', 'messages.id')
    .selectAll('messages')
    .select(['outbox.due_at', 'outbox.held_reason', 'outbox.priority'])
    .where('messages.id', '=', id)
    .executeTakeFirstOrThrow();

/** The message of a request leaves, at the moment at which it was made. */
async function leaves({ messageId, requestedAt }: { messageId: string; requestedAt: string }): Promise<void> {
  await api.database.system.deleteFrom('outbox').where('message_id', '=', messageId).execute();
  const sent = { status: 'sent', claimed_at: new Date(requestedAt) } as const;
  await api.database.system.updateTable('messages').set(sent).where('id', '=', messageId).execute();
}

const rowsOf = (contactId: string) =>
  api.database.system.selectFrom('opt_in_requests').selectAll().where('contact_id', '=', contactId).execute();

describe('a request', () => {
  test('is a message from the user, named in it as is the organization, and a workflow that waits for the answer', async () => {
    const { id, mobile } = await contact();
    const { status, body } = await ask(id);
    expect({ status, body }).toEqual({
      status: 202,
      body: {
        id: expect.stringMatching(/^oir_/),
        contactId: id,
        userId: adaId,
        state: 'waiting',
        requestedAt: expect.any(String),
        expiresAt: expect.any(String),
        endedAt: null,
        messageId: expect.stringMatching(/^msg_/),
      },
    });
    expect(Date.parse(body.expiresAt) - Date.parse(body.requestedAt)).toBe(7 * 24 * hourMs);
    expect(await messageOf(body.messageId)).toMatchObject({
      source: 'opt_in',
      purpose: 'transactional',
      status: 'queued',
      line,
      contact_number: mobile,
      user_id: adaId,
      body: expect.stringMatching(/^Ada Lane of Acme Staffing would like to text you. Reply YES/),
      segments: 1,
      held_reason: null,
      priority: 0,
    });
    expect(temporal.started).toEqual([`opt-in/${adaId}/${id}`]);
    expect(temporal.woken).toEqual([`outbox/${acme.id}`]);
    expect((await rowsOf(id))[0]!.workflow_started_at).toBeInstanceOf(Date);
  });

  test('waits for the sending window like any message', async () => {
    // Open for one hour, which is half a day away.
    const opens = (new Date(api.clock.now().getTime() + 12 * hourMs).getUTCHours() + 24) % 24;
    const time = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
    const sendWindow = { startTime: time(opens), endTime: opens === 23 ? '23:59' : time(opens + 1), timeZone: 'UTC' };
    await acme.client.patch('/v1/settings', { sendWindow });
    const { body } = await ask((await contact()).id);
    const message = await messageOf(body.messageId);
    expect(message).toMatchObject({ status: 'queued', held_reason: 'outside_window' });
    expect(message.due_at!.getUTCHours()).toBe(opens);
  });

  test('is accepted while Temporal is away, and left to the sweep', async () => {
    temporal.isAway = true;
    const { id } = await contact();
    expect((await ask(id)).status).toBe(202);
    expect((await rowsOf(id))[0]!.workflow_started_at).toBeNull();
  });

  test('is made once for one Idempotency-Key', async () => {
    const { id } = await contact();
    const first = await ask(id, ada, { 'idempotency-key': 'k1' });
    const second = await ask(id, ada, { 'idempotency-key': 'k1' });
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect(await rowsOf(id)).toHaveLength(1);
  });
});

describe('the limits', () => {
  test('three per user and contact, twelve hours apart, and the moment at which the next is possible', async () => {
    const { id } = await contact();
    for (let made = 0; made < 3; made += 1) {
      const { status, body } = await ask(id);
      expect(status).toBe(202);
      await leaves(body);
      const possibleAt = new Date(Date.parse(body.requestedAt) + 12 * hourMs).toISOString();
      const refused = await ask(id);
      const expected = made < 2 ? { reason: 'too_soon', possibleAt } : { reason: 'limit_reached' };
      expect(refused).toMatchObject({ status: 422, body: expected });
      if (made === 2) expect(refused.body).not.toHaveProperty('possibleAt');
      api.clock.advance(12 * hourMs);
    }
    api.clock.advance(365 * 24 * hourMs);
    expect(await ask(id)).toMatchObject({ status: 422, body: { reason: 'limit_reached' } });
  });

  test('hold for what arrives too: those made on a closed weekend leave twelve hours apart', async () => {
    const opens = new Date(api.clock.now().getTime() + 20 * hourMs);
    const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
    const sendWindow = { startTime: '00:00', endTime: '00:00', days: [days[opens.getUTCDay()]], timeZone: 'UTC' };
    await acme.client.patch('/v1/settings', { sendWindow });
    const { id } = await contact();
    const first = await messageOf((await ask(id)).body.messageId);
    api.clock.advance(12 * hourMs);
    const second = await ask(id);
    expect(second.status).toBe(202);
    const { due_at: dueAt, status } = await messageOf(second.body.messageId);
    expect(status).toBe('scheduled');
    // To the millisecond or, where the window has closed by then, at its next opening.
    expect(dueAt!.getTime()).toBeGreaterThanOrEqual(first.due_at!.getTime() + 12 * hourMs);
  });

  test('hold although a request waits behind something: the next waits twelve hours more', async () => {
    const { id } = await contact();
    await ask(id);
    api.clock.advance(30 * hourMs);
    const { body } = await ask(id);
    const { due_at: dueAt } = await messageOf(body.messageId);
    expect(Math.abs(dueAt!.getTime() - api.clock.now().getTime() - 12 * hourMs)).toBeLessThan(10_000);
  });

  test('are those of the one user and the one contact', async () => {
    const { id } = await contact();
    const { id: graceId, client: grace } = await user('Grace Hill');
    await giveLine(graceId);
    expect((await ask(id)).status).toBe(202);
    expect((await ask(id, grace)).status).toBe(202);
    expect((await ask((await contact()).id)).status).toBe(202);
  });

  test('count requests whatever became of them', async () => {
    const { id } = await contact();
    await ask(id);
    await api.database.system
      .updateTable('opt_in_requests')
      .set({ state: 'expired' })
      .where('contact_id', '=', id)
      .execute();
    expect(await ask(id)).toMatchObject({ status: 422, body: { reason: 'too_soon' } });
  });

  test('hold for requests made at the same moment: one of five passes', async () => {
    const { id } = await contact();
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(id)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status, body }) => status === 422 && body.reason === 'too_soon')).toHaveLength(4);
    expect(await rowsOf(id)).toHaveLength(1);
  });
});

describe('a request is refused', () => {
  test('without a number that can be texted', async () => {
    expect(await ask((await contact({ mobile: null })).id)).toMatchObject({
      status: 422,
      body: { reason: 'no_mobile' },
    });
    const invalid = await contact({ mobile: '+1415' });
    expect(await ask(invalid.id)).toMatchObject({ status: 422, body: { reason: 'no_mobile' } });
  });

  test('without a line, or with one that is not registered', async () => {
    const { id: ivyId, client: ivy } = await user('Ivy Moss');
    const { id } = await contact();
    expect(await ask(id, ivy)).toMatchObject({ status: 422, body: { reason: 'no_line' } });
    await giveLine(ivyId, false);
    expect(await ask(id, ivy)).toMatchObject({ status: 422, body: { reason: 'no_line' } });
  });

  test('for what is true of the contact before what the user can mend: the line is asked for last', async () => {
    const { client: ivy } = await user('Ivy Moss');
    const { id, mobile } = await contact();
    expect(await ask((await contact({ mobile: null })).id, ivy)).toMatchObject({ body: { reason: 'no_mobile' } });
    const fact = { purpose: 'transactional', granted: true, method: 'web_form' };
    await acme.client.post(`/v1/contacts/${id}/consent`, fact);
    expect(await ask(id, ivy)).toMatchObject({ status: 422, body: { reason: 'already_opted_in' } });
    const at = api.clock.now();
    await api.database.system
      .insertInto('opt_outs')
      .values({ id: newId('optOut', at), organization_id: acme.id, phone_number: mobile, method: 'reply', at })
      .execute();
    expect(await ask(id, ivy)).toMatchObject({ status: 422, body: { reason: 'opted_out' } });
  });

  test('after an opt-out, on the platform, here, or on this line', async () => {
    for (const scope of [{ organization_id: null }, { organization_id: acme.id }, { organization_id: acme.id, line }]) {
      const { id, mobile } = await contact();
      const at = api.clock.now();
      await api.database.system
        .insertInto('opt_outs')
        .values({ id: newId('optOut', at), phone_number: mobile, method: 'reply', at, ...scope })
        .execute();
      expect(await ask(id)).toMatchObject({ status: 422, body: { reason: 'opted_out' } });
    }
  });

  test('when the contact has consented already', async () => {
    const { id } = await contact();
    const fact = { purpose: 'transactional', granted: true, method: 'web_form' };
    await acme.client.post(`/v1/contacts/${id}/consent`, fact);
    expect(await ask(id)).toMatchObject({ status: 422, body: { reason: 'already_opted_in' } });
  });

  test('without a user, without the permission, without the module, and for a contact of somebody else', async () => {
    const { id } = await contact();
    expect(await ask(id, acme.client)).toMatchObject({ status: 422, body: { reason: 'user_required' } });
    const { client: eve } = await user('Eve Stone', ['usage:read']);
    expect(await ask(id, eve)).toMatchObject({ status: 403, body: { permission: 'messages:send' } });
    const other = await api.organization();
    const theirs = (await other.client.post('/v1/contacts', { mobile: '+14155559999' })).body;
    expect(await ask(theirs.id)).toMatchObject({ status: 404 });
    await acme.client.post('/v1/module/disable');
    const { client } = await user('Max Ford', ['messages:send', 'settings:manage']);
    expect(await ask(id, client)).toMatchObject({ status: 409 });
  });
});

test('requests are listed newest first, of one contact or of all, and of nobody else', async () => {
  const [first, second] = [await contact(), await contact()];
  const made = [await ask(first.id), await ask(second.id)].map(({ body }) => body);
  await leaves(made[0]);
  api.clock.advance(12 * hourMs);
  made.push((await ask(first.id)).body);
  const list = async (query: string, client = ada) => (await client.get(`/v1/opt-in-requests${query}`)).body;
  expect(await list('')).toEqual({ items: made.toReversed(), nextCursor: null });
  expect((await list(`?contactId=${first.id}`)).items).toEqual([made[2], made[0]]);
  const page = await list('?limit=2');
  expect(page.items).toEqual([made[2], made[1]]);
  expect((await list(`?limit=2&cursor=${page.nextCursor}`)).items).toEqual([made[0]]);
  expect((await list('', (await api.organization()).client)).items).toEqual([]);
});

describe('before an automated message', () => {
  const ensure = (of: { id: string; mobile: string }) =>
    api.database.inOrganization(acme.id, (trx) =>
      ensureOptInRequest(trx, { organizationId: acme.id, contact: of, userId: adaId, line, at: api.clock.now() }),
    );

  test('the contact is asked, and the request serves for the next message too', async () => {
    const robin = await contact();
    const first = await ensure(robin);
    expect(first).toMatchObject({ isNew: true });
    expect(await ensure(robin)).toEqual({ ...first, isNew: false });
    expect(await rowsOf(robin.id)).toHaveLength(1);
  });

  test('one whose message failed does not serve once another may be made, and serves until then', async () => {
    const robin = await contact();
    const { body } = await ask(robin.id);
    await api.database.system
      .updateTable('messages')
      .set({ status: 'failed' })
      .where('id', '=', body.messageId)
      .execute();
    expect(await ensure(robin)).toEqual({ requestId: body.id, isNew: false });
    api.clock.advance(12 * hourMs);
    const next = await ensure(robin);
    expect(next).toMatchObject({ isNew: true });
    expect(next).not.toMatchObject({ requestId: body.id });
  });

  test('it is refused when nobody waits for an answer and the limits are reached', async () => {
    const robin = await contact();
    await ask(robin.id);
    await api.database.system
      .updateTable('opt_in_requests')
      .set({ state: 'declined' })
      .where('contact_id', '=', robin.id)
      .execute();
    expect(await ensure(robin)).toEqual({ refused: 'too_soon', possibleAt: expect.any(Date) });
  });

  test('at once by several, it makes one request', async () => {
    const robin = await contact();
    const all = await Promise.all(Array.from({ length: 4 }, () => ensure(robin)));
    expect(all.filter((one) => 'isNew' in one && one.isNew)).toHaveLength(1);
    expect(new Set(all.map((one) => 'requestId' in one && one.requestId)).size).toBe(1);
  });
});
