import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { ACCOUNT_SID, AUTH_TOKEN, rejection, simulator, until } from './support.ts';

type Twin = Awaited<ReturnType<typeof simulator>>;

/** A request that is under way, and whether it was answered. */
function underWay({ client }: Twin) {
  const state = { answered: false };
  const answer = client()
    .messaging.v1.services.create({ friendlyName: 'Held' })
    .then((service) => {
      state.answered = true;
      return service;
    });
  return { state, answer };
}

const processed = (twin: Twin, count = 1) =>
  until('processed', async () => (await twin.control('GET', 'requests?operation=CreateService')).body.total === count);

test('a held operation is processed and logged, and answered when it is taken off the list', async () => {
  const twin = await simulator();
  expect((await twin.behave({ holdAnswers: ['CreateService'] })).body.holdAnswers).toEqual(['CreateService']);
  const { state, answer } = underWay(twin);
  await processed(twin);
  expect((await twin.control('GET', 'requests')).body.items).toEqual([
    expect.objectContaining({ operation: 'CreateService', status: 201, held: true }),
  ]);
  expect(await twin.client().messaging.v1.services.list()).toHaveLength(1);
  // Another change of the behaviour leaves it where it is.
  await twin.behave({ queueMs: 1, holdAnswers: ['CreateService', 'CreateMessage'] });
  expect(state.answered).toBe(false);
  await twin.behave({ holdAnswers: ['CreateMessage'] });
  expect((await answer).friendlyName).toBe('Held');
});

test('an entry with a number holds that one answer only, counted since it was made', async () => {
  const twin = await simulator();
  const create = () => twin.client().messaging.v1.services.create({ friendlyName: 'One of three' });
  await create();
  await twin.behave({ holdAnswers: ['CreateService#2'] });
  await create();
  const { state, answer } = underWay(twin);
  await processed(twin, 3);
  await create();
  expect(state.answered).toBe(false);
  await twin.behave({ holdAnswers: [] });
  expect((await answer).friendlyName).toBe('Held');
});

test('an entry with a name holds answers to the account of that name, and those about it', async () => {
  const twin = await simulator();
  await twin.behave({ holdAnswers: ['CreateService@Somebody else', 'CreateAccount@Held'] });
  expect((await twin.client().messaging.v1.services.create({ friendlyName: 'Main' })).friendlyName).toBe('Main');
  const account = twin.client().api.v2010.accounts.create({ friendlyName: 'Held' });
  await until('held', async () => {
    const { items } = (await twin.control('GET', 'requests')).body;
    return items.some(({ operation, held }: Record<string, unknown>) => operation === 'CreateAccount' && held);
  });
  await twin.behave({ holdAnswers: [] });
  expect((await account).friendlyName).toBe('Held');
});

test('a reset answers what was held', async () => {
  const twin = await simulator();
  await twin.behave({ holdAnswers: ['CreateService'] });
  const { answer } = underWay(twin);
  await processed(twin);
  await twin.control('POST', 'reset');
  expect((await answer).friendlyName).toBe('Held');
  expect((await twin.control('GET', 'behaviour')).body.holdAnswers).toEqual([]);
});

test('a client that is killed leaves nothing behind, and what it asked for is done', async () => {
  const twin = await simulator();
  await twin.behave({ holdAnswers: ['CreateService'] });
  const authorization = `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString('base64')}`;
  const script = `await fetch(${JSON.stringify(`${twin.url}/messaging/v1/Services`)}, {
    method: 'POST', headers: { authorization: ${JSON.stringify(authorization)} },
    body: new URLSearchParams({ FriendlyName: 'Killed' }),
  })`;
  const client = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const ended = once(client, 'exit');
  await processed(twin);
  client.kill('SIGKILL');
  await ended;
  await twin.behave({ holdAnswers: [] });
  expect((await twin.client().messaging.v1.services.list()).map(({ friendlyName }) => friendlyName)).toEqual([
    'Killed',
  ]);
  expect(twin.log).toEqual([]);
});

test('stopping the simulator does not wait for what is held', async () => {
  const twin = await simulator();
  await twin.behave({ holdAnswers: ['CreateService'] });
  const { answer } = underWay(twin);
  const cut = rejection(answer);
  await processed(twin);
  await twin.close();
  expect((await cut).message).toBeTruthy();
});

test('an operation that Twilio does not have is refused', async () => {
  const { control } = await simulator();
  expect(await control('PUT', 'behaviour', { holdAnswers: ['CreateServce'] })).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('CreateServce') },
  });
});
