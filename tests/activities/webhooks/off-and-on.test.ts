/** Endpoints that are switched off and on: what happened while they were on arrives, in order, and nothing else does. */
import { afterAll, beforeEach, expect, it } from 'vitest';
import { forgetEvents, tellStreams } from '../../../db/conversations/live-events.ts';
import { lockEndpoint, updateEndpoint } from '../../../db/webhooks/endpoints.ts';
import { startDeliveries } from './support.ts';

const day = 86_400_000;

const deliveries = await startDeliveries();
const { database, receiver, time, clock, run, endpoint, tell, names, state, due } = deliveries;
beforeEach(() => deliveries.reset());
afterAll(() => deliveries.stop());

type Endpoint = Awaited<ReturnType<typeof endpoint>>;

const turn = ({ organizationId, endpointId }: Endpoint, active: boolean) =>
  database.inOrganization(organizationId, async (trx) => {
    const before = (await lockEndpoint(trx, organizationId, endpointId))!;
    await updateEndpoint(trx, before, { active }, clock.now());
  });

it('what happened while it failed, and was no delivery yet, arrives after it was off', async () => {
  const acme = await endpoint();
  await tell(acme, 'a');
  receiver.answer = 503;
  await run(acme);
  await tell(acme, 'b', 'c');
  await turn(acme, false);
  await tell(acme, 'off');
  await turn(acme, true);
  await tell(acme, 'd');
  receiver.answer = 204;
  receiver.received.length = 0;
  await run(acme);
  expect(names()).toEqual(['a', 'b', 'c', 'd']);
  expect(await due(acme)).toBe(false);
});

it('off and on several times while it fails, it gets what happened in each time it was on', async () => {
  const acme = await endpoint();
  receiver.answer = 503;
  await tell(acme, 'on 1');
  await run(acme);
  for (const time of [2, 3, 4]) {
    await turn(acme, false);
    // Twice the same says nothing new.
    await turn(acme, false);
    await tell(acme, `off ${time}`);
    await turn(acme, true);
    await turn(acme, true);
    await tell(acme, `on ${time}`);
    await run(acme);
  }
  receiver.answer = 204;
  receiver.received.length = 0;
  await turn(acme, true);
  await run(acme);
  expect(names()).toEqual(['on 1', 'on 2', 'on 3', 'on 4']);
  expect(await state(acme)).toMatchObject({ skipped: '{}', active: true });
});

it('more than is read at a time arrives too, and is passed over too', async () => {
  const acme = await endpoint();
  await database.inOrganization(acme.organizationId, async (trx) => {
    const before = (await lockEndpoint(trx, acme.organizationId, acme.endpointId))!;
    await updateEndpoint(trx, before, { events: ['message.updated'] }, clock.now());
  });
  /** Of a type that it did not ask for. */
  const tellOthers = () =>
    database.inOrganization(acme.organizationId, (trx) => {
      const others = Array.from({ length: 700 }, () => ({ type: 'message.received' as const, data: {} }));
      return tellStreams(trx, acme.organizationId, others, clock.now());
    });
  await tell(acme, 'a');
  await tellOthers();
  await tell(acme, 'b');
  await turn(acme, false);
  await tell(acme, ...Array.from({ length: 700 }, (_, n) => `off ${n}`));
  await turn(acme, true);
  await tellOthers();
  await tell(acme, 'c');
  await run(acme);
  expect(names()).toEqual(['a', 'b', 'c']);
});

it('410 to what was on its way: what happened until then arrives when it is on again', async () => {
  const acme = await endpoint();
  await tell(acme, 'a');
  receiver.answer = (response) => void tell(acme, 'b').then(() => response.writeHead(410).end());
  await run(acme);
  expect(await state(acme)).toMatchObject({ active: false, off_reason: 'gone' });
  await tell(acme, 'off');
  receiver.answer = 204;
  receiver.received.length = 0;
  await turn(acme, true);
  await run(acme);
  expect(names()).toEqual(['a', 'b']);
  await tell(acme, 'c');
  await run(acme);
  expect(names()).toEqual(['a', 'b', 'c']);
});

it('when nothing but what is passed over is left, nobody is woken for it again', async () => {
  const acme = await endpoint();
  await turn(acme, false);
  await tell(acme, 'off');
  await turn(acme, true);
  await run(acme);
  expect(names()).toEqual([]);
  expect(await due(acme)).toBe(false);
  await tell(acme, 'on');
  expect(await due(acme)).toBe(true);
});

it('what it is to be told is kept for thirty days while it is off; what is passed over, as long as streams need it', async () => {
  const acme = await endpoint();
  await tell(acme, 'a', 'b');
  await turn(acme, false);
  await tell(acme, 'off', 'newest');
  const left = async (days: number) => {
    time.offset = days * day;
    await forgetEvents(database.system, clock.now());
    const rows = await database.system
      .selectFrom('events')
      .select('data')
      .where('organization_id', '=', acme.organizationId)
      .orderBy('id')
      .execute();
    return rows.map(({ data }) => data['messageId']);
  };
  expect(await left(2)).toEqual(['a', 'b', 'off', 'newest']);
  expect(await left(29)).toEqual(['a', 'b', 'newest']);
  await turn(acme, true);
  await run(acme);
  expect(names()).toEqual(['a', 'b']);
  expect(await left(31)).toEqual(['newest']);
});
