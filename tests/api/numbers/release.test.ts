/** Releasing numbers (B7): confirmed in so many words, all or nothing, done at Twilio, and with the history kept. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type EnabledOrganization, startSystem, type System } from '../../harness/system.ts';
import { eventually } from '../../harness/eventually.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
});
afterEach(async () => {
  await system.twilio.reset();
});

const confirm = 'irreversible';
const message = { body: 'Acme: we are hiring. Reply STOP to opt out.', list: 'all', allowWeekends: true };

interface TestNumber {
  id: string;
  phoneNumber: string;
}

/** Buys another number for the organization's pool. */
async function buy({ client, line }: EnabledOrganization): Promise<TestNumber> {
  const { body: found } = await client.get('/v1/numbers/available?areaCode=312');
  const { phoneNumber } = found.items[0];
  const bought = await client.post('/v1/numbers', { phoneNumber, poolId: line.poolId, acceptTerms: true });
  expect(bought).toMatchObject({ status: 201, body: { registered: true } });
  return bought.body;
}

async function massSms({ client }: EnabledOrganization, given: object): Promise<string> {
  const made = await client.post('/v1/mass-sms', { ...message, ...given });
  expect(made.status).toBe(201);
  return made.body.id;
}
const later = () => ({ startAt: new Date(Date.now() + 3 * 86_400_000).toISOString() });
const completed = ({ client }: EnabledOrganization, id: string) =>
  eventually(async () => expect((await client.get(`/v1/mass-sms/${id}`)).body.status).toBe('completed'));
const senders = async ({ client }: EnabledOrganization, id: string): Promise<Set<string>> => {
  const { body } = await client.get(`/v1/mass-sms/${id}/recipients?limit=200`);
  return new Set(body.items.map(({ from }: { from: string }) => from));
};

const numberIds = async ({ client }: EnabledOrganization): Promise<string[]> =>
  (await client.get('/v1/numbers')).body.items.map(({ id }: { id: string }) => id);
const isReleasing = async ({ client }: EnabledOrganization): Promise<boolean> =>
  (await client.get('/v1/numbers')).body.items.some(({ releasing }: { releasing: boolean }) => releasing);
const acts = async ({ client }: EnabledOrganization, action: string) =>
  (await client.get('/v1/audit-log?limit=200')).body.items.filter(
    (entry: { action: string }) => entry.action === action,
  );
const atTwilio = async ({ phoneNumber }: TestNumber): Promise<boolean> =>
  (await system.twilio.state()).numbers.some((number) => number.phoneNumber === phoneNumber);
const release = ({ client }: EnabledOrganization, ids: string[], headers: Record<string, string> = {}) =>
  client.post('/v1/numbers/release', { numberIds: ids, confirm }, headers);

describe('a release is refused', () => {
  it.for([{}, { confirm: 'yes' }, { confirm: 'Irreversible' }, { confirm: '' }])(
    'with %o: it says what is at stake and what to send, and who tried is on record',
    async (given) => {
      const acme = await system.enabledOrganization();
      const refusal = await acme.client.post('/v1/numbers/release', {
        numberIds: [acme.line.id, '+14155550123'],
        ...given,
      });
      expect(refusal).toMatchObject({ status: 422, body: { reason: 'confirmation_required' } });
      expect(refusal.body.detail).toMatch(/cannot be undone.*history stays.*confirm: "irreversible"/);
      expect(await isReleasing(acme)).toBe(false);
      expect(await acts(acme, 'number.release_refused')).toMatchObject([
        { subject: acme.id, detail: { reason: 'confirmation_required', numberIds: [acme.line.id] } },
      ]);
    },
  );

  it('for numbers that nobody has, or another organization: they look the same, and none is released', async () => {
    const [acme, other] = [await system.enabledOrganization(), await system.enabledOrganization()];
    const unknown = [other.line.id, 'num_0199a7f0-5a3c-7b1e-9d2f-3c4b5a697887'];
    const refusal = await release(acme, [acme.line.id, ...unknown]);
    expect(refusal).toMatchObject({ status: 422, body: { reason: 'unknown_number', numberIds: unknown } });
    for (const id of unknown) expect(refusal.body.detail).toContain(id);
    expect(refusal.body.detail).not.toContain(acme.line.id);
    expect([await isReleasing(acme), await isReleasing(other)]).toEqual([false, false]);
    expect(await acts(acme, 'number.release_requested')).toEqual([]);
  });

  it('while a mass SMS needs the number: it is named with what to do, and doing that helps', async () => {
    const acme = await system.enabledOrganization();
    await system.contacts(acme, 20, { consent: true, list: 'all' });
    const id = await massSms(acme, { name: 'Spring fair', ...later() });
    const refusal = await release(acme, [acme.line.id]);
    expect(refusal).toMatchObject({
      status: 422,
      body: { reason: 'in_use', massSms: [{ id, name: 'Spring fair', status: 'scheduled' }] },
    });
    expect(refusal.body.detail).toMatch(
      new RegExp(`"Spring fair" \\(${id}\\) from: cancel it.*add a registered number to its`),
    );
    expect(await isReleasing(acme)).toBe(false);
    expect(await atTwilio(acme.line)).toBe(true);
    expect((await acme.client.post(`/v1/mass-sms/${id}/cancel`)).status).toBe(200);
    expect(await release(acme, [acme.line.id])).toMatchObject({ status: 200, body: { released: [acme.line.id] } });
  });

  it('to whoever may not manage numbers, and without numbers or with too many', async () => {
    const acme = await system.enabledOrganization();
    const { body } = await system.operator.post(`/v1/organizations/${acme.id}/keys`, {
      kind: 'organization',
      permissions: ['mass-sms:send'],
    });
    const denied = await system.client(body.key).post('/v1/numbers/release', { numberIds: [acme.line.id], confirm });
    expect(denied).toMatchObject({ status: 403, body: { permission: 'numbers:manage' } });
    for (const ids of [[], Array.from({ length: 501 }, (_, index) => `num_${index}`)]) {
      expect(await release(acme, ids)).toMatchObject({ status: 400, body: { errors: [{ path: 'numberIds' }] } });
    }
  });
});

describe('a release', () => {
  it('is done at Twilio; what waits leaves from the other numbers, and what was sent stays listed', async () => {
    const acme = await system.enabledOrganization();
    const second = await buy(acme);
    await system.contacts(acme, 60, { consent: true, list: 'all' });
    const sent = await massSms(acme, { immediate: true });
    await completed(acme, sent);
    const both = new Set([acme.line.phoneNumber, second.phoneNumber]);
    expect(await senders(acme, sent)).toEqual(both);
    const waiting = await massSms(acme, later());
    expect(await senders(acme, waiting)).toEqual(both);

    const answer = await release(acme, [acme.line.id, acme.line.id]);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        jobId: expect.stringMatching(/^njb_/),
        state: 'finished',
        released: [acme.line.id],
        failed: [],
        waiting: [],
      },
    });
    expect([await atTwilio(acme.line), await atTwilio(second)]).toEqual([false, true]);
    expect(await numberIds(acme)).toEqual([second.id]);
    expect(await senders(acme, sent)).toEqual(both);
    expect(await senders(acme, waiting)).toEqual(new Set([second.phoneNumber]));
    for (const action of ['number.release_requested', 'number.released']) {
      expect(await acts(acme, action)).toMatchObject([{ subject: acme.line.id, detail: { jobId: answer.body.jobId } }]);
    }
    const job = await acme.client.get(`/v1/numbers/jobs/${answer.body.jobId}`);
    expect(job).toMatchObject({ status: 200, body: { kind: 'release', state: 'finished', counts: { released: 1 } } });

    expect(
      (await acme.client.post(`/v1/mass-sms/${waiting}/reschedule`, { startAt: new Date().toISOString() })).status,
    ).toBe(200);
    await completed(acme, waiting);
    expect((await acme.client.get(`/v1/mass-sms/${waiting}`)).body).toMatchObject({ sent: 60, undeliveredPercent: 0 });
  });

  it('in the middle of a batch loses no message and sends none twice', async () => {
    const acme = await system.enabledOrganization();
    await buy(acme);
    const contacts = await system.contacts(acme, 1_500, { consent: true, list: 'all' });
    await system.twilio.behaviour({ latencyMs: 100 });
    const id = await massSms(acme, { immediate: true });
    await eventually(async () => expect((await acme.client.get(`/v1/mass-sms/${id}`)).body.sent).toBeGreaterThan(100), {
      everyMs: 20,
    });
    expect(await release(acme, [acme.line.id])).toMatchObject({ status: 200, body: { released: [acme.line.id] } });
    await completed(acme, id);
    const { body } = await acme.client.get(`/v1/mass-sms/${id}`);
    expect(body).toMatchObject({ sent: 1_500, undeliveredPercent: 0 });
    const { accountSid } = (await system.twilio.messages({ to: contacts[0]!.mobile })).items[0]!;
    const { items } = await system.twilio.messages({ accountSid, limit: 5_000 });
    expect(items.map(({ to }) => to).toSorted()).toEqual(contacts.map(({ mobile }) => mobile).toSorted());
  });

  it('with one Idempotency-Key happens once, however often and however concurrently it is asked for', async () => {
    const acme = await system.enabledOrganization();
    const key = { 'idempotency-key': 'once' };
    const both = await Promise.all([release(acme, [acme.line.id], key), release(acme, [acme.line.id], key)]);
    const answers = [...both, await release(acme, [acme.line.id], key)];
    for (const { status, body } of answers) expect({ status, body }).toEqual({ status: 200, body: answers[0]!.body });
    expect(await acts(acme, 'number.release_requested')).toHaveLength(1);
    expect(await acts(acme, 'number.released')).toHaveLength(1);
  });

  it('is fine when the number is released already', async () => {
    const acme = await system.enabledOrganization();
    expect((await release(acme, [acme.line.id])).status).toBe(200);
    expect(await release(acme, [acme.line.id])).toMatchObject({ status: 200, body: { released: [acme.line.id] } });
    expect(await acts(acme, 'number.released')).toHaveLength(1);
  });

  it('that takes longer is answered 202 meanwhile; the same request again waits for it', async () => {
    const acme = await system.enabledOrganization();
    const second = await buy(acme);
    const ids = [acme.line.id, second.id];
    const key = { 'idempotency-key': 'patient' };
    await system.crash('worker');
    const first = await release(acme, ids, key);
    expect(first).toMatchObject({ status: 202, body: { state: 'running', released: [], failed: [], waiting: ids } });
    expect(await isReleasing(acme)).toBe(true);
    await system.start('worker');
    const again = await release(acme, ids, key);
    expect(again).toMatchObject({
      status: 200,
      body: { jobId: first.body.jobId, state: 'finished', released: ids, waiting: [] },
    });
    expect((await release(acme, ids, key)).headers.get('idempotency-replayed')).toBe('true');
  });
});
