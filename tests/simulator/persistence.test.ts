import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../harness/infrastructure.ts';
import { company, draftProfile, draftTrustProduct, CAMPAIGN, verifiedCompany } from './registration/support.ts';
import { freePort } from '../harness/infrastructure.ts';
import { ACCOUNT_SID, AUTH_TOKEN, receiver, rejection, simulator, twinAt, until } from './support.ts';

const main = resolve(import.meta.dirname, '../../simulator/main.ts');
const newFile = async () => join(await temporaryFolder('twin'), 'simulator.json');

/** Starts the program; `ready` is false when it has ended instead. */
async function program({
  dataFile,
  args = [],
  cwd,
  accountSid = ACCOUNT_SID,
}: {
  dataFile?: string;
  args?: string[];
  cwd?: string;
  accountSid?: string;
}) {
  const port = await freePort();
  const child = spawn(process.execPath, [main, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: {
      ...process.env,
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      SIMULATOR_PORT: String(port),
      SIMULATOR_SMTP_PORT: String(await freePort()),
      SIMULATOR_DATA: dataFile ?? '',
      LONGWAVE_CLOCK: 'system',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = once(child, 'close');
  const ready = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  return { ...twinAt(`http://127.0.0.1:${port}`), child, ready, end, errors: () => errors };
}

/** Changes what is in the file, as time would have while nobody was there. */
async function edit(dataFile: string, part: string, change: object): Promise<void> {
  const content = JSON.parse(await readFile(dataFile, 'utf8'));
  for (const item of content.setUp[part]) Object.assign(item, change);
  await writeFile(dataFile, JSON.stringify(content));
}

test('all that was set up survives a kill -9 once it is written, and works', async () => {
  const { url, received } = await receiver();
  const dataFile = await newFile();
  const before = await program({ dataFile });
  await before.behave({ review: { profileAfter: 0 } });
  const account = await before.client().api.v2010.accounts.create({ friendlyName: 'Acme' });
  const own = before.client(account.sid, account.authToken);
  const profileSid = await draftProfile(before, own);
  const productSid = await draftTrustProduct(own, profileSid);
  await own.trusthub.v1.customerProfiles(profileSid).update({ status: 'pending-review' });
  await own.trusthub.v1.trustProducts(productSid).update({ status: 'pending-review' });
  const isApproved = async () => (await own.trusthub.v1.trustProducts(productSid).fetch()).status === 'twilio-approved';
  await until('the bundles are approved', isApproved);
  const brand = await own.messaging.v1.brandRegistrations.create({
    customerProfileBundleSid: profileSid,
    a2PProfileBundleSid: productSid,
  });
  await before.control('POST', `brands/${brand.sid}`, { status: 'APPROVED' });
  const service = await own.messaging.v1.services.create({ friendlyName: 'S', inboundRequestUrl: url });
  const number = await own.incomingPhoneNumbers.create({ phoneNumber: '+14155550100' });
  await own.messaging.v1.services(service.sid).phoneNumbers.create({ phoneNumberSid: number.sid });
  await before.control('POST', 'inbound', { from: '+14155550199', to: '+14155550100', body: 'STOP' });
  const sinkConfiguration = { destination: url, method: 'POST', batch_events: true };
  const sink = await own.events.v1.sinks.create({ description: 'x', sinkType: 'webhook', sinkConfiguration });
  const type = 'com.twilio.messaging.compliance.campaign-registration.campaign-approved';
  await own.events.v1.subscriptions.create({ description: 'x', sinkSid: sink.sid, types: [{ type }] });
  await until('the sink is active', async () => (await own.events.v1.sinks(sink.sid).fetch()).status === 'active');
  const state = (await before.control('GET', 'state')).body;
  await until('all of it is written', async () => {
    const { sinks = [], subscriptions = [] } = JSON.parse(await readFile(dataFile, 'utf8')).setUp;
    return subscriptions.length === 1 && sinks[0]?.status === 'active';
  });
  await before.end('SIGKILL');

  const after = await program({ dataFile, args: ['--auto-review'] });
  await after.behave({ review: { campaignAfter: 0.1 } });
  expect((await after.control('GET', 'state')).body).toEqual(state);
  const again = after.client(account.sid, account.authToken);
  const {
    url: address,
    serviceSid,
    ...kept
  } = await again.messaging.v1.services(service.sid).phoneNumbers(number.sid).fetch();
  expect([serviceSid, kept.phoneNumber, address]).toEqual([service.sid, '+14155550100', expect.any(String)]);

  const outcome = async (to: string) => {
    const { sid } = await again.messages.create({ to, messagingServiceSid: service.sid, body: 'Hello' });
    const final = async () => ['delivered', 'failed'].includes((await again.messages(sid).fetch()).status);
    await until('the message has arrived or failed', final);
    const { status, errorCode, from } = await again.messages(sid).fetch();
    return [status, errorCode ?? null, from];
  };
  expect(await outcome('+14155550177')).toEqual(['delivered', null, '+14155550100']);
  expect(await outcome('+14155550199')).toEqual(['failed', 21610, '+14155550100']);

  const clicked = await after.control('POST', `brands/${brand.sid}/click-link`);
  expect(clicked).toMatchObject({ status: 200, body: { identityStatus: 'VERIFIED' } });
  const { usAppToPerson } = again.messaging.v1.services(service.sid);
  const { sid } = await usAppToPerson.create({ ...CAMPAIGN, brandRegistrationSid: brand.sid });
  const isVerified = async () => (await usAppToPerson(sid).fetch()).campaignStatus === 'VERIFIED';
  await until('the campaign is verified', isVerified);
  await until('the sink was told', () => received.some(({ body }) => body.includes(type)));
});

test('numbers keep all their settings, what was sold to others stays sold, and what was on sale is behaviour', async () => {
  const dataFile = await newFile();
  const before = await simulator({ dataFile });
  await before.behave({ inventory: { 415: 2 } });
  const settings = { friendlyName: 'Front desk', voiceUrl: 'https://example.com/voice', voiceMethod: 'GET' };
  const { sid, phoneNumber } = await before.client().incomingPhoneNumbers.create({ areaCode: '415', ...settings });
  const onSale = async (twin: typeof before) =>
    (await twin.client().availablePhoneNumbers('US').local.list({ areaCode: 415 })).map((offer) => offer.phoneNumber);
  const [sold = ''] = await onSale(before);
  await before.control('POST', 'numbers/sell', { phoneNumber: sold });
  expect(await onSale(before)).toEqual([]);
  await before.close();

  const after = await simulator({ dataFile, behaviour: { inventory: { 415: 3 } } });
  expect(await after.client().incomingPhoneNumbers(sid).fetch()).toMatchObject({ phoneNumber, ...settings });
  const offers = await onSale(after);
  expect(offers).toHaveLength(3);
  expect(offers).not.toContain(phoneNumber);
  expect(offers).not.toContain(sold);
  expect(await rejection(after.client().incomingPhoneNumbers.create({ phoneNumber: sold }))).toMatchObject({
    code: 21422,
  });
});

describe('what was due', () => {
  test('is due again: reviews of bundles, brands and campaigns that were under way', async () => {
    const dataFile = await newFile();
    const before = await verifiedCompany(
      { mode: 'auto', profileAfter: 0.5, brandAfter: 0.5, campaignAfter: 0.5 },
      { dataFile },
    );
    // Long enough for a restart in between.
    await before.behave({ review: { profileAfter: 8, brandAfter: 8, campaignAfter: 8 } });
    const campaign = await before.campaign();
    const product = await draftTrustProduct(before.own, before.profileSid);
    await before.own.trusthub.v1.trustProducts(product).update({ status: 'pending-review' });
    const brandSid = await before.brand();
    await before.close();

    const after = await simulator({ dataFile });
    const state = async () => {
      const { campaigns, trustProducts, brands } = (await after.control('GET', 'state')).body;
      const status = (list: { sid: string; status: string }[], sid: string) =>
        list.find((one) => one.sid === sid)?.status;
      return [status(campaigns, campaign.sid), status(trustProducts, product), status(brands, brandSid)];
    };
    expect(await state()).toEqual(['IN_PROGRESS', 'pending-review', 'PENDING']);
    await until(
      'all are decided',
      async () => (await state()).every((status) => ['VERIFIED', 'twilio-approved', 'APPROVED'].includes(status ?? '')),
      20_000,
    );
  });

  test('happens at once when its time has passed: a link lapses, a click is made, a sink is validated', async () => {
    const dataFile = await newFile();
    const before = await company({ options: { dataFile } });
    const brandSid = await before.brand();
    await before.decideBrand(brandSid, { status: 'APPROVED' });
    const { events } = before.own;
    const sinkConfiguration = { destination: 'http://127.0.0.1:9/', method: 'POST', batch_events: true };
    await events.v1.sinks.create({ description: 'x', sinkType: 'webhook', sinkConfiguration });
    await before.close();
    const past = Date.now() - 1_000;
    const link = { state: 'live', expiresAt: past, clickAt: null };
    await edit(dataFile, 'brands', { link });
    await edit(dataFile, 'sinks', { status: 'initialized' });

    const lapsed = await simulator({ dataFile });
    const brands = (twin: typeof lapsed) =>
      twin.client(before.account.sid, before.account.authToken).messaging.v1.brandRegistrations(brandSid);
    await until('the link has lapsed', async () => (await brands(lapsed).fetch()).errors.length > 0);
    expect(await brands(lapsed).fetch()).toMatchObject({
      identityStatus: 'UNVERIFIED',
      errors: [{ error_code: 21737 }],
    });
    const sinkStatus = async () => (await lapsed.control('GET', 'state')).body.sinks[0].status;
    await until('the sink is active', async () => (await sinkStatus()) === 'active');
    await lapsed.close();

    // A click that was due before the link lapses, although both have passed.
    await edit(dataFile, 'brands', { link: { ...link, clickAt: past - 1 }, errors: [] });
    const clicked = await simulator({ dataFile });
    await until('the link is clicked', async () => (await brands(clicked).fetch()).identityStatus === 'VERIFIED');
    expect((await brands(clicked).fetch()).errors).toEqual([]);
  });
});

describe('the file', () => {
  const written = async () => {
    const dataFile = await newFile();
    await (await simulator({ dataFile })).close();
    return dataFile;
  };

  test('is for its owner only, and is complete after an orderly stop', async () => {
    const dataFile = await newFile();
    const twin = await simulator({ dataFile });
    await twin.client().api.v2010.accounts.create({ friendlyName: 'at the last moment' });
    await twin.close();
    expect(await readFile(dataFile, 'utf8')).toContain('at the last moment');
    expect((await stat(dataFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(dataFile, '..'))).toEqual(['simulator.json']);
  });

  test('is written while changes go on, and not when nothing has changed', async () => {
    const dataFile = await newFile();
    const twin = await simulator({ dataFile });
    let last = '';
    let written = '';
    for (let index = 0; !written.includes('account 5'); index += 1) {
      last = `account ${index}`;
      await twin.client().api.v2010.accounts.create({ friendlyName: last });
      await sleep(50);
      written = await readFile(dataFile, 'utf8').catch(() => '');
    }
    await until('the last one is written', async () => (await readFile(dataFile, 'utf8')).includes(`"${last}"`));
    const { mtimeMs } = await stat(dataFile);
    await twin.number('+14155550100');
    await until('the number is written', async () => (await stat(dataFile)).mtimeMs > mtimeMs);
    const { mtimeMs: before } = await stat(dataFile);
    const sent = twin.client().messages.create({ to: '+14155550199', from: '+14155550100', body: 'x' });
    await sent;
    await sleep(500);
    expect((await stat(dataFile)).mtimeMs).toBe(before);
  });

  test.each([
    ['is damaged', (text: string) => text.slice(0, -10), 'is damaged'],
    ['is empty', () => '', 'is damaged'],
    ['is of somebody else', () => '{"name":"x"}', 'no file of the simulator'],
    ['lacks a part', (text: string) => text.replace('"services"', '"service"'), 'services is missing'],
    ['is of another version', (text: string) => text.replace(/"version":\d+/, '"version":999'), 'is of version 999'],
  ])('that %s stops the start and stays as it is', async (_what, change, message) => {
    const dataFile = await written();
    const text = change(await readFile(dataFile, 'utf8'));
    await writeFile(dataFile, text);
    const refusal = await rejection(simulator({ dataFile }));
    expect(refusal.message).toContain(message);
    expect(refusal.message).toContain('Delete it');
    expect(await readFile(dataFile, 'utf8')).toBe(text);
  });

  test('of another main account is refused by the program, by both names', async () => {
    const dataFile = await written();
    const other = `AC${'b'.repeat(32)}`;
    const refused = await program({ dataFile, accountSid: other });
    expect([refused.ready, refused.child.exitCode]).toEqual([false, 1]);
    expect(refused.errors()).toBe(
      `${dataFile} is of the main account ${ACCOUNT_SID}, and TWILIO_ACCOUNT_SID is ${other}. ` +
        'Delete it to start with nothing set up, or let SIMULATOR_DATA name another file.\n',
    );
  });

  test('in a place that cannot be written stops the start', async () => {
    const file = await newFile();
    await writeFile(file, '');
    const refusal = await rejection(simulator({ dataFile: join(file, 'simulator.json') }));
    expect(refusal.message).toContain('SIMULATOR_DATA');
  });

  test('is not there without the variable', async () => {
    const cwd = await temporaryFolder('twin');
    const first = await program({ cwd });
    await first.client().api.v2010.accounts.create({ friendlyName: 'Acme' });
    await sleep(500);
    await first.end('SIGTERM');
    expect(await readdir(cwd)).toEqual([]);
    const second = await program({ cwd });
    expect((await second.control('GET', 'state')).body.accounts).toHaveLength(1);
  });
});

test('the main account takes the token of the environment', async () => {
  const dataFile = await newFile();
  await (await simulator({ dataFile })).close();
  const twin = await simulator({ dataFile, authToken: 'another-token' });
  expect((await twin.client(ACCOUNT_SID, 'another-token').api.v2010.accounts(ACCOUNT_SID).fetch()).sid).toBe(
    ACCOUNT_SID,
  );
});
