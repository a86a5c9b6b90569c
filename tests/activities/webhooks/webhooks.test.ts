/**
 * The activity that delivers to webhook endpoints: order, repetition, giving up, switching off, rotation, replay. The receiver
 * verifies with the library of the scheme.
 */
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { forgetEvents, tellStreams } from '../../../db/conversations/live-events.ts';
import { askForReplay, forgetDeliveries } from '../../../db/webhooks/deliveries.ts';
import { lockEndpoint, rotateSecret, updateEndpoint } from '../../../db/webhooks/endpoints.ts';
import { secret, secrets, startDeliveries } from './support.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const deliveries = await startDeliveries();
const { database, receiver, time, clock, workerWith, run, endpoint, tell, names, state, log, due, goTo } = deliveries;
beforeEach(() => deliveries.reset());
afterAll(() => deliveries.stop());

it('signs so that the library verifies it, with ids and states and nothing else', async () => {
  const acme = await endpoint();
  await tell(acme, 'msg_1');
  expect(await due(acme)).toBe(true);
  expect(await run(acme)).toEqual({ nextAt: null });
  expect(await due(acme)).toBe(false);
  const [got] = receiver.received;
  expect(new Webhook(secret).verify(got!.body, got!.headers as Record<string, string>)).toEqual({
    type: 'message.updated',
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: { messageId: 'msg_1', status: 'sent' },
  });
  expect(got!.headers).toMatchObject({
    'content-type': 'application/json',
    'webhook-id': expect.stringMatching(/^evt_\d+$/),
  });
  const changed = () => new Webhook(secret).verify(`${got!.body} `, got!.headers as Record<string, string>);
  expect(changed).toThrow('No matching signature');
  expect(await log(acme)).toMatchObject([{ state: 'delivered', attempts: 1, last_status: 204, body: got!.body }]);
});

it('delivers what comes while it is at work, in order, and only the types that were asked for', async () => {
  const acme = await endpoint();
  await database.inOrganization(acme.organizationId, async (trx) => {
    const before = (await lockEndpoint(trx, acme.organizationId, acme.endpointId))!;
    await updateEndpoint(trx, before, { events: ['message.updated'] }, clock.now());
    await tellStreams(trx, acme.organizationId, [{ type: 'message.received', data: {} }], clock.now());
  });
  await tell(acme, 'a');
  receiver.answer = (response, { payload }) => {
    const more = payload.data.messageId === 'a' ? tell(acme, 'b', 'c') : Promise.resolve();
    void more.then(() => response.writeHead(204).end());
  };
  await run(acme);
  expect(names()).toEqual(['a', 'b', 'c']);
});

it('a failure holds what came after it; then all goes out in order, each with the id it had', async () => {
  const acme = await endpoint();
  await tell(acme, 'a', 'b');
  receiver.answer = 503;
  let { nextAt } = await run(acme);
  expect(names()).toEqual(['a']);
  expect(await state(acme)).toMatchObject({ failures: 1, failing_since: expect.any(Date) });
  await tell(acme, 'c');
  // Nothing is due, whatever comes: who is away is not asked for each event.
  expect(await due(acme)).toBe(false);
  await run(acme);
  expect(names()).toEqual(['a']);
  for (const failures of [2, 3, 4]) {
    goTo(nextAt);
    ({ nextAt } = await run(acme));
    expect(await state(acme)).toMatchObject({ failures });
  }
  receiver.answer = 200;
  goTo(nextAt);
  expect(await due(acme)).toBe(true);
  expect(await run(acme)).toEqual({ nextAt: null });
  expect(names()).toEqual(['a', 'a', 'a', 'a', 'a', 'b', 'c']);
  expect(new Set(receiver.received.slice(0, 5).map(({ id, body }) => id + body)).size).toBe(1);
  expect(await state(acme)).toMatchObject({ failures: 0, failing_since: null, next_attempt_at: null });
  expect(await log(acme)).toMatchObject([{ attempts: 5 }, { attempts: 1 }, { attempts: 1 }]);
});

it('tried for three days it has failed, the next gets through; nothing for five days switches it off and says so', async () => {
  const acme = await endpoint();
  const user = newId('user', clock.now());
  await database.system
    .insertInto('users')
    .values({
      id: user,
      organization_id: acme.organizationId,
      name: 'Ann',
      email: `${user}@acme.example`,
      permissions: ['settings:manage'],
      created_at: clock.now(),
      updated_at: clock.now(),
    })
    .execute();
  await tell(acme, 'poison');
  const poisoned = (_: unknown, got: { payload: { data: { messageId: string } } }) =>
    got.payload.data.messageId === 'poison' ? 400 : 204;
  receiver.answer = (response, got) => void response.writeHead(poisoned(response, got)).end();
  const begun = clock.now().getTime();
  let { nextAt } = await run(acme);
  for (let tries = 0; (await log(acme))[0]!.state === 'waiting'; tries += 1) {
    expect(tries).toBeLessThan(100);
    goTo(nextAt);
    ({ nextAt } = await run(acme));
  }
  expect((clock.now().getTime() - begun) / day).toBeGreaterThan(3);
  expect((clock.now().getTime() - begun) / day).toBeLessThan(3.1);
  await tell(acme, 'fine');
  goTo(nextAt);
  await run(acme);
  expect(names(receiver.taken())).toEqual(['fine']);
  expect(await state(acme)).toMatchObject({ active: true, failures: 0 });

  receiver.answer = 500;
  await tell(acme, 'lost');
  ({ nextAt } = await run(acme));
  const since = clock.now().getTime();
  time.offset += 2 * day;
  for (let tries = 0; (await state(acme)).active; tries += 1) {
    expect(tries).toBeLessThan(200);
    await tell(acme, `later ${tries}`);
    ({ nextAt } = await run(acme));
    if ((await state(acme)).active) goTo(nextAt);
  }
  expect((clock.now().getTime() - since) / day).toBeGreaterThanOrEqual(5);
  expect((clock.now().getTime() - since) / day).toBeLessThan(5.1);
  expect(await state(acme)).toMatchObject({ active: false, off_reason: 'failing' });
  const notices = await database.system.selectFrom('notifications').selectAll().where('user_id', '=', user).execute();
  expect(notices).toMatchObject([{ kind: 'webhook_endpoint.switched_off', level: 'error', subject: acme.endpointId }]);
  const states = (await log(acme)).map((delivery) => delivery.state);
  expect(states.slice(0, 3)).toEqual(['failed', 'delivered', 'failed']);
  expect(states.at(-1)).toBe('waiting');
  expect(await due(acme)).toBe(false);
}, 120_000);

it('one that is given up takes no other with it: each that is as old is tried at least once, in order', async () => {
  const acme = await endpoint();
  await tell(acme, 'poison', 'fine', 'poison too', 'fine too');
  receiver.answer = (response, got) =>
    void response.writeHead(got.payload.data.messageId.startsWith('poison') ? 400 : 204).end();
  await run(acme);
  time.offset += 3 * day;
  for (const taken of [[], ['fine'], ['fine', 'fine too']]) {
    const { nextAt } = await run(acme);
    expect(names(receiver.taken())).toEqual(taken);
    if (nextAt) goTo(nextAt);
  }
  expect(await log(acme)).toMatchObject([
    { state: 'failed', attempts: 2 },
    { state: 'delivered', attempts: 1 },
    { state: 'failed', attempts: 1 },
    { state: 'delivered', attempts: 1 },
  ]);
});

it('410 switches it off at once, and what waits goes out in order when it is switched on again', async () => {
  const acme = await endpoint();
  await tell(acme, 'a', 'b');
  receiver.answer = 410;
  expect(await run(acme)).toEqual({ nextAt: null });
  expect(names()).toEqual(['a']);
  expect(await state(acme)).toMatchObject({ active: false, off_reason: 'gone' });
  const entries = await database.system
    .selectFrom('audit_log')
    .select(['action', 'actor', 'detail'])
    .where('organization_id', '=', acme.organizationId)
    .execute();
  expect(entries).toEqual([{ action: 'webhook_endpoint.switched_off', actor: 'webhooks', detail: { reason: 'gone' } }]);
  receiver.answer = 204;
  await database.inOrganization(acme.organizationId, async (trx) => {
    const before = (await lockEndpoint(trx, acme.organizationId, acme.endpointId))!;
    await updateEndpoint(trx, before, { active: true }, clock.now());
  });
  await run(acme);
  expect(names()).toEqual(['a', 'a', 'b']);
});

it('during a rotation both secrets sign, afterwards the new one alone', async () => {
  const acme = await endpoint();
  const next = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
  const until = new Date(clock.now().getTime() + hour);
  await database.inOrganization(acme.organizationId, (trx) =>
    rotateSecret(trx, acme.organizationId, {
      id: acme.endpointId,
      secret: secrets.encrypt(next),
      until,
      at: clock.now(),
    }),
  );
  await tell(acme, 'a');
  await run(acme);
  time.offset = hour + minute;
  await tell(acme, 'b');
  await run(acme);
  const signers = receiver.received.map(({ id, headers, body }) => {
    const at = new Date(Number(headers['webhook-timestamp']) * 1000);
    const signatures = String(headers['webhook-signature']).split(' ');
    return [secret, next].map((one) => signatures.includes(new Webhook(one).sign(id, at, body)));
  });
  expect(signers).toEqual([
    [true, true],
    [false, true],
  ]);
});

it('a replay is one attempt with the same id, beside what waits, whose order it leaves as it is', async () => {
  const acme = await endpoint();
  await tell(acme, 'a', 'b');
  await run(acme);
  await tell(acme, 'c', 'd');
  receiver.answer = 500;
  const { nextAt } = await run(acme);
  const [a] = await log(acme);
  const replay = () => database.inOrganization(acme.organizationId, (trx) => askForReplay(trx, a!.id, clock.now()));
  await replay();
  time.offset += 1;
  expect(await due(acme)).toBe(true);
  // It fails too, and is not tried again; nor does it change when what waits is tried.
  expect(await run(acme)).toEqual({ nextAt });
  expect((await log(acme))[0]).toMatchObject({
    state: 'delivered',
    attempts: 2,
    last_status: 500,
    replay_asked_at: null,
  });
  receiver.answer = 204;
  await replay();
  // It gets through: so may the others, at once.
  await run(acme);
  expect(names()).toEqual(['a', 'b', 'c', 'a', 'a', 'c', 'd']);
  expect(
    new Set(receiver.received.filter(({ payload }) => payload.data.messageId === 'a').map(({ id }) => id)).size,
  ).toBe(1);
});

it('a replay that is asked for while another of the same delivery is on its way is an attempt of its own', async () => {
  const acme = await endpoint();
  await tell(acme, 'a');
  await run(acme);
  const [a] = await log(acme);
  const replay = () => database.inOrganization(acme.organizationId, (trx) => askForReplay(trx, a!.id, clock.now()));
  await replay();
  receiver.answer = (response) => {
    time.offset += 1;
    receiver.answer = 204;
    void replay().then(() => response.writeHead(204).end());
  };
  await run(acme);
  expect(names()).toEqual(['a', 'a', 'a']);
  expect((await log(acme))[0]).toMatchObject({ attempts: 3, replay_asked_at: null });
});

it('two workers at once deliver each event once, in order', async () => {
  const acme = await endpoint();
  const all = Array.from({ length: 60 }, (_, n) => `msg_${n}`);
  await tell(acme, ...all);
  receiver.answer = (response) => void setTimeout(() => response.writeHead(204).end(), 10);
  const answers = await Promise.all([run(acme), run(acme, workerWith()), run(acme, workerWith())]);
  expect(names()).toEqual(all);
  // The others look again when the lease of the first could have ended.
  expect(answers.filter(({ nextAt }) => nextAt !== null)).toHaveLength(2);
});

it('events are kept until they are read, and deliveries for thirty days', async () => {
  const acme = await endpoint();
  await tell(acme, 'a', 'b');
  time.offset = 4 * day;
  await forgetEvents(database.system, clock.now());
  await run(acme);
  expect(names()).toEqual(['a', 'b']);
  await forgetEvents(database.system, clock.now());
  const left = await database.system
    .selectFrom('events')
    .select('id')
    .where('organization_id', '=', acme.organizationId)
    .execute();
  expect(left).toHaveLength(1);
  await forgetDeliveries(database.system, clock.now());
  expect(await log(acme)).toHaveLength(2);
  time.offset = 31 * day;
  await forgetDeliveries(database.system, clock.now());
  expect(await log(acme)).toHaveLength(0);
});
