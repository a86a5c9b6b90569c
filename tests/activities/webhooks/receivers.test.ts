/** Receivers of webhooks that answer with something else than a status, and addresses that nothing is sent to. */
import { afterAll, beforeEach, expect, it } from 'vitest';
import { startReceiver } from '../../harness/webhook-receiver.ts';
import { startDeliveries } from './support.ts';

const deliveries = await startDeliveries();
const { receiver, workerWith, strict, run, endpoint, tell, log } = deliveries;
beforeEach(() => deliveries.reset());
afterAll(() => deliveries.stop());

it('a redirect is a failure, and is not followed', async () => {
  const acme = await endpoint();
  await tell(acme, 'a');
  receiver.answer = (response) => void response.writeHead(302, { location: `${receiver.url}/elsewhere` }).end();
  await run(acme);
  expect(receiver.received.map(({ path }) => path)).toEqual(['/']);
  expect(await log(acme)).toMatchObject([{ state: 'waiting', last_status: 302, last_error: null }]);
});

it('an answer without end is cut off, and counts by its status', async () => {
  const acme = await endpoint();
  await tell(acme, 'a');
  receiver.answer = (response) => {
    response.writeHead(200);
    const more = setInterval(() => response.write('x'.repeat(10_000)), 5);
    response.on('close', () => clearInterval(more));
  };
  await run(acme);
  expect(await log(acme)).toMatchObject([{ state: 'delivered', attempts: 1 }]);
});

it('an answer that trickles in is cut off too: it holds the next for a second and no longer', async () => {
  const acme = await endpoint();
  await tell(acme, 'a', 'b');
  receiver.answer = (response) => {
    response.writeHead(200);
    const more = setInterval(() => response.write('x'), 100);
    response.on('close', () => clearInterval(more));
  };
  await run(acme);
  expect(await log(acme)).toMatchObject([
    { state: 'delivered', attempts: 1 },
    { state: 'delivered', attempts: 1 },
  ]);
});

it('what is down says so, without words of our own network', async () => {
  const gone = await startReceiver();
  await gone.close();
  const acme = await endpoint(gone.url);
  await tell(acme, 'a');
  await run(acme);
  expect(await log(acme)).toMatchObject([{ last_status: null, last_error: 'the server refused the connection' }]);
});

it.for([
  ['http://127.0.0.1:1/', 'the address leads to no public server'],
  ['https://10.0.0.1/', 'the address leads to no public server'],
  // A name is resolved with each attempt: what it led to when it was given does not count.
  ['https://localhost/', 'the address leads to no public server'],
  ['http://hooks.acme.example/', 'it does not begin with https://'],
] as const)('nothing goes to %s, checked with each attempt', async ([url, why]) => {
  const acme = await endpoint(url);
  await tell(acme, 'a');
  await run(acme, workerWith(strict));
  expect(await log(acme)).toMatchObject([{ state: 'waiting', attempts: 1, last_status: null, last_error: why }]);
});

it('who does not answer in time has failed', async () => {
  const acme = await endpoint();
  await tell(acme, 'a');
  receiver.answer = () => {};
  await run(acme, workerWith(undefined, { withinMs: 500 }));
  expect(await log(acme)).toMatchObject([{ last_status: null, last_error: 'no answer within 0.5 seconds' }]);
});
