import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { timeSkippingServer } from '../../harness/infrastructure.ts';
import { company } from './support.ts';
import { receiver, until } from '../support.ts';

test('the link is sent again only after the last one failed, and can be clicked once', async () => {
  const acme = await company({ options: { smtpPort: 0 } });
  const sid = await acme.brand();
  const click = () => acme.control('POST', `brands/${sid}/click-link`);
  expect(await click()).toMatchObject({ status: 409, body: { error: expect.stringContaining('none was sent') } });
  expect(await acme.retrigger(sid)).toMatchObject({ statusCode: 400, body: { code: 21739 } });
  await acme.decideBrand(sid, { status: 'APPROVED' });
  expect(await acme.retrigger(sid)).toMatchObject({ statusCode: 400, body: { code: 21739 } });
  expect((await click()).body).toMatchObject({ identityStatus: 'VERIFIED', link: 'clicked' });
  expect(await click()).toMatchObject({ status: 409, body: { error: expect.stringContaining('clicked before') } });
  expect((await acme.control('GET', 'mail')).body.total).toBe(1);
});

test('an address that cannot be reached (21738) fails the link at once, and a retrigger mails a new one', async () => {
  const acme = await company({ options: { smtpPort: 0 } });
  const sid = await acme.brand();
  await acme.decideBrand(sid, { status: 'APPROVED', failureReasons: [21738] });
  expect((await acme.control('GET', 'mail')).body.total).toBe(0);
  expect(await acme.fetchBrand(sid)).toMatchObject({
    status: 'APPROVED',
    identityStatus: 'UNVERIFIED',
    errors: [{ error_code: 21738 }],
  });
  const { statusCode, body } = await acme.retrigger(sid);
  expect([statusCode, body.sid, body.errors]).toEqual([200, sid, []]);
  expect((await acme.control('GET', 'mail')).body.total).toBe(1);
});

test('a failed brand takes its link with it', async () => {
  const acme = await company();
  const sid = await acme.brand();
  await acme.decideBrand(sid, { status: 'APPROVED' });
  await acme.decideBrand(sid, { status: 'FAILED' });
  expect((await acme.control('POST', `brands/${sid}/click-link`)).status).toBe(409);
});

describe("with the time of Temporal's time-skipping server", () => {
  let server: Awaited<ReturnType<typeof timeSkippingServer>>;
  beforeAll(async () => {
    server = await timeSkippingServer();
  });
  afterAll(() => server.stop());

  const approved = async () => {
    const acme = await company({ options: { temporalAddress: server.address, smtpPort: 0 } });
    const advance = (duration: string) => acme.control('POST', 'clock', { advance: duration });
    const sid = await acme.brand();
    await acme.decideBrand(sid, { status: 'APPROVED' });
    return { ...acme, sid, advance };
  };

  test('the link lapses after seven days, which is told, and a retrigger starts another seven', async () => {
    const { own, sid, advance, ...acme } = await approved();
    const { url, received } = await receiver();
    const { events } = own;
    const sinkConfiguration = { destination: url, method: 'POST', batch_events: true };
    const sink = await events.v1.sinks.create({ description: 'x', sinkType: 'webhook', sinkConfiguration });
    const type = 'com.twilio.messaging.compliance.brand-registration.brand-secondary-vetting-failure';
    await events.v1.subscriptions.create({ description: 'x', sinkSid: sink.sid, types: [{ type, schema_version: 2 }] });

    await advance('P6DT23H');
    expect((await acme.fetchBrand(sid)).errors).toEqual([]);
    await advance('PT2H');
    const lapsed = await acme.fetchBrand(sid);
    expect(lapsed).toMatchObject({ status: 'APPROVED', identityStatus: 'UNVERIFIED', errors: [{ error_code: 21737 }] });
    expect(received).toHaveLength(1);
    const [event] = JSON.parse(received[0]?.body ?? '[]');
    expect(event).toMatchObject({
      type,
      dataschema: 'https://events-schemas.twilio.com/A2P.BrandRegistrationSecondaryVettingFailure/2',
      data: {
        brandsid: sid,
        identitystatus: 'unverified',
        brandregistrationerrors: [{ registrationerrorcode: 21737 }],
      },
    });
    expect((await acme.control('POST', `brands/${sid}/click-link`)).status).toBe(409);

    await acme.retrigger(sid);
    expect((await acme.fetchBrand(sid)).errors).toEqual([]);
    await advance('P6D');
    expect((await acme.control('GET', 'mail')).body.total).toBe(2);
    expect((await acme.control('POST', `brands/${sid}/click-link`)).status).toBe(200);
    await advance('P7D');
    expect(await acme.fetchBrand(sid)).toMatchObject({ identityStatus: 'VERIFIED', errors: [] });
    expect(received).toHaveLength(1);
  });

  test('an event nobody takes is tried for four hours, with ever longer waits', async () => {
    const { own, sid, advance, ...acme } = await approved();
    const tries: number[] = [];
    const { url } = await receiver(() => {
      tries.push(0);
      return { status: 503 };
    });
    const sinkConfiguration = { destination: url, method: 'POST', batch_events: true };
    const sink = await own.events.v1.sinks.create({ description: 'x', sinkType: 'webhook', sinkConfiguration });
    const type = 'com.twilio.messaging.compliance.brand-registration.brand-failure';
    await own.events.v1.subscriptions.create({ description: 'x', sinkSid: sink.sid, types: [{ type }] });
    await acme.decideBrand(sid, { status: 'FAILED' });
    await until('tried', () => tries.length === 1);
    await advance('PT10M');
    // After 1, 2, 4, … 256 seconds.
    expect(tries).toHaveLength(10);
    await advance('P1D');
    expect(tries).toHaveLength(14);
  });

  test('ten weeks of automatic review pass in a moment', async () => {
    const week = 7 * 86_400;
    const acme = await company({
      options: { temporalAddress: server.address },
      review: { mode: 'auto', brandAfter: week, clickAfter: 86_400, campaignAfter: 8 * week },
    });
    const sid = await acme.brand();
    await acme.control('POST', 'clock', { advance: 'P10W' });
    expect(await acme.fetchBrand(sid)).toMatchObject({ status: 'APPROVED', identityStatus: 'VERIFIED' });
  });
});
