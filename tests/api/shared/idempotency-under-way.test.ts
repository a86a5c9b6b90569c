/** Requests under one key while the first of them is under way: however long it takes, one effect. */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commandOutside } from '../../../api/shared/idempotency.ts';
import { conflict, unavailable } from '../../../api/shared/problems.ts';
import type { Database } from '../../../db/database.ts';
import { withClient } from '../../../launcher/postgres.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Api, type Organization, startApi } from '../support.ts';

/** Milliseconds after which Postgres loses patience: with whoever waits for a lock, and with whoever holds one and is idle. */
const patience = { lock: 1_000, idle: 1_500 };
let isImpatient = false;
const impatient = (database: Database): Database => ({
  ...database,
  inOrganization: (organizationId, work) =>
    database.inOrganization(organizationId, async (trx) => {
      if (!isImpatient) return work(trx);
      await sql`select set_config('lock_timeout', ${String(patience.lock)}, true),
        set_config('idle_in_transaction_session_timeout', ${String(patience.idle)}, true)`.execute(trx);
      return work(trx);
    }),
});

let api: Api;
let acme: Organization;
beforeAll(async () => {
  api = await startApi({}, 0, impatient);
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await api.organization();
});

const headers = (key: string) => ({ 'idempotency-key': key, 'content-type': 'text/csv' });

/** An upload that is written bit by bit. */
function upload(key: string) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const sent = acme.client.post('/v1/contacts/import', readable, headers(key));
  return { sent, write: (text: string) => writer.write(Buffer.from(text)), end: () => writer.close() };
}

const keys = () =>
  api.database.system
    .selectFrom('idempotency_keys')
    .select(['key', 'status'])
    .where('organization_id', '=', acme.id)
    .execute();

/** Waits until the transaction of an import has been idle for longer than any other may be. */
const untilHeld = () =>
  withClient(api.databaseUrl, (client) =>
    eventually(async () => {
      const { rows } = await client.query(
        `select from pg_stat_activity where datname = current_database() and state = 'idle in transaction'
           and clock_timestamp() - state_change > make_interval(secs => $1)`,
        [(1.5 * patience.idle) / 1_000],
      );
      expect(rows).toHaveLength(1);
    }),
  );

describe('an import that takes longer than a transaction may be idle', () => {
  beforeAll(() => {
    isImpatient = true;
  });
  afterAll(() => {
    isImpatient = false;
  });

  test('is answered and remembered', async () => {
    const slow = upload('slow');
    await slow.write('mobile\n4155550123\n');
    await untilHeld();
    await slow.write('4155550124\n');
    await slow.end();
    const first = await slow.sent;
    expect(first).toMatchObject({ status: 200, body: { imported: 2 } });
    const again = await acme.client.post('/v1/contacts/import', 'mobile\n4155550123\n4155550124\n', headers('slow'));
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  test('has whoever comes with its key told to come back, in words that say why', async () => {
    const slow = upload('same');
    await slow.write('mobile\n4155550123\n');
    await untilHeld();
    const meanwhile = await acme.client.post('/v1/contacts/import', 'mobile\n4155550123\n', headers('same'));
    expect(meanwhile).toMatchObject({
      status: 429,
      body: { detail: expect.stringContaining('Idempotency-Key is still under way') },
    });
    expect(meanwhile.headers.get('retry-after')).toBe('10');
    // Another kind of request waits for the key too.
    const other = await acme.client.post('/v1/contacts', { firstName: 'x' }, { 'idempotency-key': 'same' });
    expect(other).toMatchObject({ status: 429, body: { detail: expect.stringContaining('still under way') } });
    await slow.end();
    expect(await slow.sent).toMatchObject({ status: 200, body: { imported: 1 } });
  });
});

describe('an effect outside Postgres', () => {
  const request = (key: string, hash: number) =>
    ({
      server: api.app,
      routeOptions: { config: { access: 'member' } },
      principal: {
        kind: 'organization',
        keyId: 'key_1',
        organizationId: acme.id,
        userId: null,
        permissions: new Set(),
      },
      idempotency: { key, hash: Buffer.alloc(32, hash) },
    }) as never;
  const reply = { header: () => {} };
  const run = (key: string, hash: number, work: () => Promise<object>) =>
    commandOutside(request(key, hash), reply, async () => ({ status: 200, body: await work() }));
  const reused = { members: { reason: 'idempotency_key_reused' } };

  test('keeps another request from its key while it is under way, and the same request not', async () => {
    const effects: string[] = [];
    const gate = Promise.withResolvers<object>();
    const first = run('k1', 1, () => {
      effects.push('first');
      return gate.promise;
    });
    await eventually(async () => expect(effects).toEqual(['first']));
    const other = run('k1', 2, async () => {
      effects.push('other');
      return {};
    });
    await expect(other).rejects.toMatchObject(reused);
    const again = await run('k1', 1, async () => {
      effects.push('again');
      return { by: 'again' };
    });
    expect(again.body).toEqual({ by: 'again' });
    gate.resolve({ by: 'first' });
    // Whoever was through first is who was right.
    expect((await first).body).toEqual({ by: 'again' });
    expect(effects).toEqual(['first', 'again']);
  });

  test('that is refused leaves the key free for a correction', async () => {
    const refusal = conflict('not-in-this-state', 'Not now.');
    await expect(run('k2', 1, () => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(await keys()).toEqual([]);
    expect((await run('k2', 2, async () => ({ by: 'the correction' }))).body).toEqual({ by: 'the correction' });
  });

  test('that nobody knows the outcome of may be tried again, by the same request only', async () => {
    for (const error of [unavailable('Temporal'), new Error('crashed')]) {
      await expect(run('k3', 1, () => Promise.reject(error))).rejects.toBe(error);
      await expect(run('k3', 2, async () => ({}))).rejects.toMatchObject(reused);
    }
    expect((await run('k3', 1, async () => ({ by: 'the same' }))).body).toEqual({ by: 'the same' });
    expect((await run('k3', 1, () => Promise.reject(new Error('not asked')))).body).toEqual({ by: 'the same' });
  });

  test('that is refused after the same request was answered leaves the answer', async () => {
    const gate = Promise.withResolvers<object>();
    const begun = Promise.withResolvers<void>();
    const first = run('k4', 1, () => {
      begun.resolve();
      return gate.promise;
    });
    await begun.promise;
    await run('k4', 1, async () => ({ by: 'the second' }));
    gate.reject(conflict('not-in-this-state', 'Done already.'));
    await expect(first).rejects.toMatchObject({ status: 409 });
    expect(await keys()).toEqual([{ key: 'k4', status: 200 }]);
  });
});
