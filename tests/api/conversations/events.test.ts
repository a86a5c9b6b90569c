/** Server-sent events: in order, none lost, resumed after everything that can happen to a stream, tenants apart. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Trx } from '../../../db/database.ts';
import { forgetEvents, tellStreams } from '../../../db/conversations/live-events.ts';
import { setStatus } from '../../../db/mass-sms/status.ts';
import { addToTimeline } from '../../../db/registration/registrations.ts';
import { withClient } from '../../../launcher/postgres.ts';
import { fillTenant } from '../../db/tenant-rows.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Api, type Organization, startApi } from '../support.ts';
import { type EventStream, openEventStream } from './event-stream.ts';

let api: Api;
let acme: Organization;
let other: Organization;
beforeAll(async () => {
  api = await startApi();
  acme = await api.organization();
  other = await api.organization({ name: 'Other' });
});
afterAll(() => api.stop());

const tell = (organization: Organization, ...numbers: number[]) =>
  api.database.inOrganization(organization.id, (trx) =>
    tellStreams(
      trx,
      organization.id,
      numbers.map((n) => ({ type: 'message.updated', data: { n } })),
      api.clock.now(),
    ),
  );
const open = (options: Parameters<typeof openEventStream>[2] = {}, organization = acme) =>
  openEventStream(api.url, organization.key, options);
const numbers = ({ events }: EventStream) => events.map(({ data }) => data.n);

describe('a stream', () => {
  test('is of server-sent events, and tells what happens from then on', async () => {
    await tell(acme, 1);
    const stream = await open();
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    await tell(acme, 2, 3);
    await tell(acme, 4);
    await stream.until(3);
    expect(numbers(stream)).toEqual([2, 3, 4]);
    expect(stream.events.map(({ type }) => type)).toEqual(Array.from({ length: 3 }, () => 'message.updated'));
    expect(stream.lastEventId()).toBe(String(stream.events[2]!.id));
    stream.close();
  });

  test('says where it stands before anything has happened, so that even then it can be resumed', async () => {
    await tell(acme, 1);
    const stream = await open();
    await eventually(async () => expect(stream.lastEventId()).toMatch(/^\d+$/));
    stream.close();
    await tell(acme, 2);
    const resumed = await open({ after: stream.lastEventId() });
    await resumed.until(1);
    expect(numbers(resumed)).toEqual([2]);
    resumed.close();
  });

  test('of one organization tells nothing of another', async () => {
    const [mine, theirs] = [await open(), await open({}, other)];
    await tell(acme, 1);
    await tell(other, 2);
    await tell(acme, 3);
    await mine.until(2);
    await theirs.until(1);
    expect(numbers(mine)).toEqual([1, 3]);
    expect(numbers(theirs)).toEqual([2]);
    const foreign = await open({ after: String(theirs.events[0]!.id) });
    await sleep(200);
    expect(numbers(foreign).filter((n) => n !== undefined)).not.toContain(2);
    for (const stream of [mine, theirs, foreign]) stream.close();
  });

  test('is fed while another of the organization is closed', async () => {
    const [first, second] = [await open(), await open()];
    first.close();
    await sleep(50);
    await tell(acme, 1);
    await second.until(1);
    second.close();
    await sleep(50);
    const third = await open();
    await tell(acme, 2);
    await third.until(1);
    expect(numbers(third)).toEqual([2]);
    third.close();
  });

  test('sends a comment every 15 seconds, and ends when its key is revoked', async () => {
    const key = await api.key(acme.id);
    const stream = await openEventStream(api.url, key);
    await api.database.system
      .updateTable('api_keys')
      .set({ revoked_at: api.clock.now() })
      .where('organization_id', '=', acme.id)
      .where('key_hash', '=', (await import('../../../api/shared/auth.ts')).hashKey(key))
      .execute();
    await eventually(async () => expect(stream.hasEnded()).toBe(true), { withinMs: 20_000 });
    expect(stream.comments).toHaveLength(1);
  });

  test('needs a key, and answers a HEAD with nothing that stays open', async () => {
    expect((await fetch(`${api.url}/v1/events`)).status).toBe(401);
    const head = await fetch(`${api.url}/v1/events`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${acme.key}` },
    });
    expect(head.status).toBe(405);
  });
});

describe('a stream that resumes', () => {
  test('gets everything after the event it names, once and in order, before what is new', async () => {
    const first = await open();
    await tell(acme, 1);
    await first.until(1);
    first.close();
    for (let n = 2; n <= 1_300; n += 50) await tell(acme, ...Array.from({ length: 50 }, (_, i) => n + i));
    const resuming = open({ after: first.lastEventId() });
    await tell(acme, 9_999);
    const resumed = await resuming;
    await resumed.until(1_301);
    expect(numbers(resumed)).toEqual([...Array.from({ length: 1_300 }, (_, i) => i + 2), 9_999]);
    resumed.close();
  });

  test('after an event that is not kept any more is told to read anew first, and then gets what is kept', async () => {
    const third = await api.organization({ name: 'Third' });
    const stream = await open({}, third);
    await tell(third, 1);
    await stream.until(1);
    stream.close();
    await tell(third, 2);
    api.clock.advance(4 * 86_400_000);
    await tell(third, 3);
    await forgetEvents(api.database.system, api.clock.now());
    const resumed = await open({ after: stream.lastEventId() }, third);
    await resumed.until(2);
    expect(resumed.events.map(({ type, data }) => ({ type, data }))).toEqual([
      { type: 'reset', data: {} },
      { type: 'message.updated', data: { n: 3 } },
    ]);
    resumed.close();
  });

  test('after the newest event, however old, goes on as if nothing had been', async () => {
    const quiet = await api.organization({ name: 'Quiet' });
    const stream = await open({}, quiet);
    await tell(quiet, 1);
    await stream.until(1);
    stream.close();
    await forgetEvents(api.database.system, new Date(api.clock.now().getTime() + 4 * 86_400_000));
    const resumed = await open({ after: stream.lastEventId() }, quiet);
    await tell(quiet, 2);
    await resumed.until(1);
    expect(numbers(resumed)).toEqual([2]);
    resumed.close();
  });

  test.for(['nonsense', '-1', '99999999999999', '9999999999999999999999', '1.5'])(
    'after %j, which was never an event here, is told to read anew and gets what is new',
    async (after) => {
      const stream = await open({ after });
      await tell(acme, 7);
      await stream.until(2);
      expect(stream.events.map(({ type }) => type)).toEqual(['reset', 'message.updated']);
      stream.close();
    },
  );
});

describe('under load', () => {
  test('50 transactions at once, on three streams, one of which comes back again and again: in order and none lost', async () => {
    const steady = [await open(), await open()];
    const seen: number[] = [];
    let lastEventId = steady[0]!.lastEventId();
    await eventually(async () => {
      lastEventId = steady[0]!.lastEventId();
      expect(lastEventId).not.toBe('');
    });
    const state = { isWriting: true };
    const restless = (async () => {
      while (state.isWriting || seen.length < 1_000) {
        const stream = await open({ after: lastEventId });
        // With something where there is something, so that it gets on however slow the machine is.
        await Promise.race([stream.until(1).catch(() => {}), sleep(500)]);
        await sleep(Math.random() * 20);
        stream.close();
        seen.push(...stream.events.map(({ id }) => id!));
        lastEventId = stream.lastEventId() || lastEventId;
      }
    })();
    // Each does something else first, for a while that differs.
    const write = async (n: number): Promise<void> => {
      await api.database.inOrganization(acme.id, async (trx) => {
        await sql`select pg_sleep(${Math.random() * 0.02})`.execute(trx);
        await tellStreams(trx, acme.id, [{ type: 'message.updated', data: { n } }], api.clock.now());
      });
    };
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => write(round * 50 + i)));
    }
    state.isWriting = false;
    for (const stream of steady) await stream.until(1_000);
    await restless;
    const { rows } = await sql<{ id: number }>`
      select id from events where organization_id = ${acme.id} order by id desc limit 1000`.execute(
      api.database.system,
    );
    const expected = rows.map(({ id }) => id).toReversed();
    for (const stream of steady) expect(stream.events.map(({ id }) => id)).toEqual(expected);
    expect(seen).toEqual(expected);
    expect(new Set(numbers(steady[0]!)).size).toBe(1_000);
    for (const stream of steady) stream.close();
  });

  test('a client that does not read is ended, the others go on, and it can come back', async () => {
    const stuck = await fetch(`${api.url}/v1/events`, { headers: { authorization: `Bearer ${acme.key}` } });
    const well = await open();
    const before = well.events.length;
    const large = { type: 'message.updated' as const, data: { filling: 'x'.repeat(10_000) } };
    // More than any kernel keeps for a socket by itself.
    for (let round = 1; round <= 40; round += 1) {
      await api.database.inOrganization(acme.id, (trx) =>
        tellStreams(
          trx,
          acme.id,
          Array.from({ length: 50 }, () => large),
          api.clock.now(),
        ),
      );
      await well.until(before + round * 50);
    }
    await expect(stuck.text()).rejects.toThrow(/terminated/);
    well.close();
  });
});

test('the 1,001st stream of an organization is told when to come back, and one of another organization is not', async () => {
  const streams: EventStream[] = [];
  try {
    // Not all at once: each looks its key up first.
    while (streams.length < 1_000) streams.push(...(await Promise.all(Array.from({ length: 50 }, () => open()))));
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await acme.client.get('/v1/events');
    expect(refused).toMatchObject({
      status: 429,
      body: { type: '/problems/too-many-requests', detail: expect.stringContaining('1000 event streams') },
    });
    expect(refused.headers.get('retry-after')).toBe('60');
    const theirs = await open({}, other);
    expect(theirs.status).toBe(200);
    theirs.close();
    streams.pop()!.close();
    await eventually(async () => {
      const again = await open();
      again.close();
      expect(again.status).toBe(200);
    });
  } finally {
    for (const stream of streams) stream.close();
  }
}, 60_000);

describe('a stream is told by the database itself', () => {
  const at = new Date();

  test('of a mass SMS whose status changes, on whatever path, once the change is committed', async () => {
    const tenant = await fillTenant(api.database, 'Filled', '+14155550133');
    const stream = await openEventStream(api.url, await api.key(tenant.organization));
    const { massSms: id } = tenant.ids;
    const inOrganization = <T>(work: (trx: Trx) => Promise<T>) =>
      api.database.inOrganization(tenant.organization, work);
    await inOrganization(async (trx) => {
      await setStatus(trx, id, 'in_process', { now: at });
      await setStatus(trx, id, 'in_process', { now: at });
      await trx.updateTable('mass_sms').set({ name: 'Another name' }).where('id', '=', id).execute();
    });
    await inOrganization(async (trx) => {
      await setStatus(trx, id, 'paused', { now: at });
      throw new Error('undone');
    }).catch(() => {});
    await inOrganization((trx) => setStatus(trx, id, 'cancelled', { now: at }));
    await stream.until(2);
    expect(stream.events).toMatchObject([
      { type: 'mass_sms.updated', data: { massSmsId: id, status: 'in_process' } },
      { type: 'mass_sms.updated', data: { massSmsId: id, status: 'cancelled' } },
    ]);
    stream.close();
  });

  test('of every entry in the timeline of the registration', async () => {
    const stream = await open();
    const entry = { organizationId: acme.id, subject: 'brand', actor: 'carriers', awaiting: 'nobody', at } as const;
    await api.database.inOrganization(acme.id, async (trx) => {
      await addToTimeline(trx, { ...entry, event: 'submitted', detail: 'The brand was submitted.' });
      await addToTimeline(trx, { ...entry, event: 'verified', detail: 'The brand is verified.' });
    });
    await stream.until(2);
    expect(stream.events).toMatchObject([
      { type: 'registration.updated', data: { subject: 'brand', event: 'submitted' } },
      { type: 'registration.updated', data: { subject: 'brand', event: 'verified' } },
    ]);
    stream.close();
  });

  test('without anybody waiting for another: what changes in 20 transactions at once is told of 20 times', async () => {
    const stream = await open();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        api.database.inOrganization(acme.id, async (trx) => {
          const entry = {
            organizationId: acme.id,
            subject: 'campaign',
            actor: 'test',
            awaiting: 'nobody',
            at,
          } as const;
          await addToTimeline(trx, { ...entry, event: `event_${n}`, detail: 'It changed.' });
          // Both may happen in one transaction, and rows be locked in between.
          await sql`select from organizations where id = ${acme.id} for no key update`.execute(trx);
        }),
      ),
    );
    await stream.until(20);
    expect(new Set(stream.events.map(({ data }) => data.event)).size).toBe(20);
    stream.close();
  });
});

test('a stream goes on when its database connections were cut', async () => {
  const stream = await open();
  await tell(acme, 1);
  await stream.until(1);
  await withClient(api.databaseUrl, (client) =>
    client.query(`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and usename = current_user and pid <> pg_backend_pid()`),
  );
  await eventually(() => tell(acme, 2));
  await stream.until(2);
  expect(numbers(stream)).toEqual([1, 2]);
  stream.close();
});

test('closing the API ends its streams at once', async () => {
  const own = await startApi();
  const organization = await own.organization();
  const stream = await openEventStream(own.url, organization.key);
  const stuck = await fetch(`${own.url}/v1/events`, { headers: { authorization: `Bearer ${organization.key}` } });
  const before = performance.now();
  await own.app.close();
  // A stream that held it up would do so until its next heartbeat at least, after up to 15 seconds.
  expect(performance.now() - before).toBeLessThan(10_000);
  await eventually(async () => expect(stream.hasEnded()).toBe(true));
  await stuck.body?.cancel();
  await own.stop();
});
