import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { array, assert, integer, property } from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { DueQueue } from '../../simulator/clock/due-queue.ts';
import { timeSkippingServer } from '../harness/infrastructure.ts';
import { receiver, rejection, simulator, until } from './support.ts';

test('what is due runs in the order of its time, and of its arrival where times are equal', () => {
  assert(
    property(array(integer({ min: 0, max: 20 }), { maxLength: 200 }), integer({ min: 0, max: 20 }), (times, now) => {
      const queue = new DueQueue();
      const ran: [number, number][] = [];
      times.forEach((at, index) => queue.add(at, () => ran.push([at, index])));
      for (let run = queue.takeDue(now); run !== undefined; run = queue.takeDue(now)) run();
      const due = times.map((at, index): [number, number] => [at, index]).filter(([at]) => at <= now);
      expect(ran).toEqual(due.toSorted(([a, i], [b, j]) => a - b || i - j));
      expect(queue.size).toBe(times.length - due.length);
      expect(queue.nextAt ?? Infinity).toBe(Math.min(...times.filter((at) => at > now)));
    }),
  );
});

describe("with the time of Temporal's time-skipping server", () => {
  const DAY = 86_400_000;
  const TO = '+14155550199';
  let server: Awaited<ReturnType<typeof timeSkippingServer>>;

  beforeAll(async () => {
    server = await timeSkippingServer();
  });
  afterAll(() => server.stop());

  async function skipping() {
    const twin = await simulator({ temporalAddress: server.address });
    const service = await twin.client().messaging.v1.services.create({ friendlyName: 'S' });
    await twin.number('+14155550100', service.sid);
    const now = async (): Promise<number> => (await twin.control('GET', 'clock')).body.epochMs;
    const send = (body: string, more: { statusCallback?: string; sendAt?: Date } = {}) =>
      twin.client().messages.create({
        messagingServiceSid: service.sid,
        to: TO,
        body,
        ...more,
        ...(more.sendAt === undefined ? {} : { scheduleType: 'fixed' }),
      });
    return { ...twin, now, send };
  }

  test('moving the clock moves it by that much and answers the time it is then', async () => {
    const { control, now } = await skipping();
    const before = await now();
    const { status, body } = await control('POST', 'clock', { advance: 'P7D' });
    expect(status).toBe(200);
    expect(body.epochMs - before).toBeGreaterThanOrEqual(7 * DAY);
    expect(body.epochMs - before).toBeLessThan(7 * DAY + 60_000);
    expect(Math.abs((await now()) - body.epochMs)).toBeLessThan(10_000);
  });

  test('a message goes its way while nobody moves the clock', async () => {
    const { send, accepted } = await skipping();
    await send('now');
    await until('delivered', async () => (await accepted())[0]?.status === 'delivered');
    expect((await accepted())[0]?.body).toBe('now');
  });

  test('scheduled messages leave at their times on the way, in order, and their callbacks are answered then', async () => {
    const { control, now, send, accepted, client } = await skipping();
    const start = await now();
    const told: [string | undefined, number][] = [];
    const { url } = await receiver(async ({ params }) => {
      // Before it is answered: until then time does not go on.
      if (params['MessageStatus'] === 'sent') told.push([params['MessageSid'], await now()]);
      return { status: 200 };
    });
    const at = (days: number) => new Date(start + days * DAY);
    const late = await send('late', { sendAt: at(5), statusCallback: url });
    const early = await send('early', { sendAt: at(2), statusCallback: url });
    const beyond = await send('beyond', { sendAt: at(8) });
    await control('POST', 'clock', { advance: 'P7D' });
    expect((await accepted()).map(({ status }) => status)).toEqual(['delivered', 'delivered', 'scheduled']);
    expect(told.map(([sid]) => sid)).toEqual([early.sid, late.sid]);
    expect(told.map(([, time]) => Math.round((time - start) / DAY))).toEqual([2, 5]);
    const { dateSent } = await client().messages(early.sid).fetch();
    expect(Math.abs(dateSent.getTime() - at(2).getTime())).toBeLessThan(60_000);
    await client().messages(beyond.sid).update({ status: 'canceled' });
    expect(await rejection(client().messages(late.sid).update({ status: 'canceled' }))).toMatchObject({ code: 30409 });
  });

  test('a callback can come days late: after whoever waits for it has given up', async () => {
    const { behave, control, now, send, accepted } = await skipping();
    const start = await now();
    const told: number[] = [];
    const { url } = await receiver(async ({ params }) => {
      if (params['MessageStatus'] === 'delivered') told.push(await now());
      return { status: 200 };
    });
    expect(await behave({ callbacks: { delayMs: 4 * DAY } })).toMatchObject({ status: 200 });
    await send('told late', { statusCallback: url });
    await control('POST', 'clock', { advance: 'P3D' });
    expect((await accepted())[0]?.status).toBe('delivered');
    expect(told).toEqual([]);
    await control('POST', 'clock', { advance: 'P2D' });
    await until('it is told', () => told.length === 1);
    expect(Math.round((told[0]! - start) / DAY)).toBe(4);
    expect((await behave({ callbacks: { delayMs: 8 * DAY } })).status).toBe(400);
  });

  test('what a workflow sends in the middle is delivered and told before time goes on', async () => {
    const { control, now, send, accepted } = await skipping();
    const start = await now();
    const told: [string | undefined, number][] = [];
    const { url } = await receiver(async ({ params }) => {
      told.push([params['MessageStatus'], await now()]);
      return { status: 200 };
    });
    const native = await NativeConnection.connect({ address: server.address });
    const connection = await Connection.connect({ address: server.address });
    const worker = await Worker.create({
      connection: native,
      taskQueue: 'simulator-clock',
      workflowsPath: fileURLToPath(new URL('sleeping-workflow.ts', import.meta.url)),
      activities: { sendMessage: async () => void (await send('from a workflow', { statusCallback: url })) },
    });
    const running = worker.run();
    onTestFinished(async () => {
      worker.shutdown();
      await running;
      await native.close();
      await connection.close();
    });
    const { workflow } = new Client({ connection });
    const handle = await workflow.start('sleepSendSleep', { taskQueue: 'simulator-clock', workflowId: 'sleeper' });
    await control('POST', 'clock', { advance: 'P7D' });
    expect((await handle.describe()).status.name).toBe('COMPLETED');
    expect((await accepted()).map(({ status }) => status)).toEqual(['delivered']);
    expect(told.map(([status]) => status)).toEqual(['queued', 'sent', 'delivered']);
    for (const [, at] of told) expect(Math.abs(at - start - 2 * DAY)).toBeLessThan(60_000);
  });

  test('an answer that is withheld does not hold up the clock', async () => {
    const { control, behave, now, send, accepted } = await skipping();
    await behave({ holdAnswers: ['CreateMessage'] });
    const sending = send('held', { sendAt: new Date((await now()) + DAY) });
    await until('accepted', async () => (await accepted()).length === 1);
    expect((await control('POST', 'clock', { advance: 'P2D' })).status).toBe(200);
    expect((await accepted()).map(({ status }) => status)).toEqual(['delivered']);
    await behave({ holdAnswers: [] });
    expect((await sending).body).toBe('held');
  });
});
