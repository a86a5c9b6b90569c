/** Opt-in requests that nobody has to answer any more: the consent came in another way, or they were cancelled. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ImportRow, importChunk } from '../../../db/contacts/import.ts';
import type { Trx } from '../../../db/database.ts';
import { recordInbound } from '../../../db/conversations/inbound.ts';
import { insertMessage } from '../../../db/messages/messages.ts';
import { recordAndSettle, settleOptIns } from '../../../db/consent/settling.ts';
import { ensureOptInRequest, requestOptIn } from '../../../db/consent/opt-ins.ts';
import { keywordOf } from '../../../domain/consent/keywords.ts';
import { days } from '../../../domain/send-window.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Fixture, openFixture, type Organization } from '../fixture.ts';
import { at, optInRows, type Person } from './fixture.ts';

let fixture: Fixture;
let acme: Organization;
let userId: string;
let robin: Person;
let rows: ReturnType<typeof optInRows>;
beforeAll(async () => {
  fixture = await openFixture();
  rows = optInRows(fixture);
});
afterAll(async () => {
  await fixture?.close();
});

const wholeDay = { startTime: '00:00', endTime: '00:00', timeZone: 'UTC', days };
const system = () => fixture.database.system;

async function begin(sendWindow = wholeDay): Promise<void> {
  acme = await fixture.organization({ sendWindow });
  userId = await rows.userOf(acme);
  robin = await rows.person(acme);
}
beforeEach(() => begin());

/** @param status of its message, once it has left */
async function asked({ when = at(0), status }: { when?: Date; status?: string } = {}) {
  const made = await fixture.in(acme, (trx) =>
    requestOptIn(trx, { organizationId: acme.id, userId, contactId: robin.id, at: when }),
  );
  if (!made || !('request' in made)) throw new Error(`refused: ${JSON.stringify(made)}`);
  const { id, message_id: messageId, expires_at: expiresAt } = made.request;
  if (status) {
    await fixture.force([messageId], { status, claimedAt: when });
    await system().deleteFrom('outbox').where('message_id', '=', messageId).execute();
  }
  return { id, messageId, expiresAt };
}

const ensure = (trx: Trx) =>
  ensureOptInRequest(trx, { organizationId: acme.id, contact: robin, userId, line: acme.line, at: at(1) });
const writeHeld = (trx: Trx) =>
  insertMessage(trx, {
    organizationId: acme.id,
    source: 'journey',
    purpose: 'transactional',
    line: acme.line,
    contact: robin,
    userId,
    body: 'Your interview is on Monday.',
    segments: 1,
    direct: false,
    sendAt: null,
    due: null,
    at: at(0),
  });
const held = () => fixture.in(acme, writeHeld);

const fact = { granted: true, method: 'web_form', evidence: 'form 7', actor: 'test', source: null };
const record = (trx: Trx): Promise<unknown> =>
  recordAndSettle(trx, acme.id, robin.id, { ...fact, purpose: 'transactional' }, at(1));
const row = (mobile: string, purposes: ('transactional' | 'promotional')[]): ImportRow => ({
  firstName: null,
  lastName: null,
  mobile,
  homePhone: null,
  email: null,
  postalCode: null,
  timeZone: null,
  attributes: {},
  lists: [],
  consent: { purposes, method: 'import', evidence: 'line 2', source: null },
});
const importing = (trx: Trx, purposes: ('transactional' | 'promotional')[] = ['transactional']) =>
  importChunk(trx, { organizationId: acme.id, rows: [row(robin.mobile, purposes)], actor: 'test', at: at(1) });

const settle = (when: Date) =>
  fixture.in(acme, (trx) => settleOptIns(trx, { organizationId: acme.id, userId, contactId: robin.id }, when));
const says = (body: string, when = at(2), to = acme.line) =>
  fixture.in(acme, (trx) =>
    recordInbound(trx, {
      organizationId: acme.id,
      sid: `SM${crypto.randomUUID()}`,
      from: robin.mobile,
      to,
      body,
      mediaUrls: [],
      keyword: keywordOf(body),
      at: when,
    }),
  );

describe.for([
  ['recorded', record],
  ['imported', (trx: Trx): Promise<unknown> => importing(trx)],
] as const)('consent that is %s', ([, consent]) => {
  it('queues what was held, and cancels a request that has not left', async () => {
    const request = await asked();
    const id = await held();
    await fixture.in(acme, consent);
    expect(await rows.stateOf(request.id)).toBe('cancelled');
    expect(await rows.message(request.messageId)).toEqual({
      status: 'cancelled',
      cancel_reason: 'opt_in_settled',
      due_at: null,
      held_reason: null,
    });
    expect(await rows.message(id)).toMatchObject({ status: 'queued', due_at: at(1) });
    expect(await settle(at(8 * 24))).toEqual({ expiresAt: null, released: 0 });
    expect(await rows.message(id)).toMatchObject({ status: 'queued' });
  });

  it('ends one that has left, whose YES still proves it and is confirmed, once', async () => {
    const request = await asked({ status: 'delivered' });
    await fixture.in(acme, consent);
    expect(await rows.stateOf(request.id)).toBe('cancelled');
    await says('Yes');
    await says('yes', at(3));
    expect(await rows.stateOf(request.id)).toBe('accepted');
    expect(await rows.confirmations(robin)).toHaveLength(1);
    expect(await rows.ledger(robin)).toHaveLength(1);
    expect(await settle(at(3))).toEqual({ expiresAt: null, released: 0 });
  });

  it.for(['recorded', 'STOP'] as const)(
    'and withdrawn again (%s) leaves nobody waiting: a YES is about something else then',
    async (way) => {
      const request = await asked({ status: 'delivered' });
      await fixture.in(acme, consent);
      const withdrawal = { ...fact, granted: false, method: 'phone', purpose: 'transactional' } as const;
      if (way === 'STOP') await says('STOP');
      else await fixture.in(acme, (trx) => recordAndSettle(trx, acme.id, robin.id, withdrawal, at(2)));
      const before = await rows.consents(robin);
      await says('Yes', at(3));
      expect(await rows.consents(robin)).toBe(before);
      expect(await rows.ledger(robin)).toEqual([]);
      expect(await rows.confirmations(robin)).toEqual([]);
      expect(await rows.stateOf(request.id)).toBe('cancelled');
    },
  );

  it('at the very moment at which a message would be held is seen: it is not held', async () => {
    await asked({ status: 'delivered' });
    const [recorded, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const recording = fixture.in(acme, async (trx) => {
      await consent(trx);
      recorded.resolve();
      await done.promise;
    });
    await recorded.promise;
    const ensured = fixture.in(acme, ensure);
    await eventually(async () => expect(await rows.waitingForLocks()).toBeGreaterThan(0), { everyMs: 10 });
    done.resolve();
    await recording;
    expect(await ensured).toEqual({ refused: 'already_opted_in' });
  });

  it('a moment after a message was held waits for it, and queues it', async () => {
    const [holding, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const journey = fixture.in(acme, async (trx) => {
      expect(await ensure(trx)).toMatchObject({ isNew: true });
      const id = await writeHeld(trx);
      holding.resolve();
      await done.promise;
      return id;
    });
    await holding.promise;
    const recording = fixture.in(acme, consent);
    await eventually(async () => expect(await rows.waitingForLocks()).toBeGreaterThan(0), { everyMs: 10 });
    done.resolve();
    const id = await journey;
    await recording;
    expect(await rows.message(id)).toMatchObject({ status: 'queued' });
  });
});

it('a YES to a colleague is seen by whoever read the contact before it: nothing is held for another request', async () => {
  const theirs = '+13125550178';
  const colleague = await rows.userOf(acme, theirs);
  await asked({ status: 'delivered' });
  const ask = { organizationId: acme.id, userId: colleague, contactId: robin.id, at: at(0) };
  const made = await fixture.in(acme, (trx) => requestOptIn(trx, ask));
  if (!made || !('request' in made)) throw new Error('it was not asked');
  await fixture.force([made.request.message_id], { status: 'delivered' });
  await says('YES', at(1), theirs);
  expect(await fixture.in(acme, ensure)).toEqual({ refused: 'already_opted_in' });
});

describe('an import', () => {
  it('of consent to promotion alone releases nothing', async () => {
    const request = await asked();
    const id = await held();
    expect(await fixture.in(acme, (trx) => importing(trx, ['promotional']))).toMatchObject({ isToWake: false });
    expect(await rows.stateOf(request.id)).toBe('waiting');
    expect(await rows.message(id)).toMatchObject({ status: 'held' });
  });

  it('says whether the outbox has to hear of it', async () => {
    await asked({ status: 'delivered' });
    expect(await fixture.in(acme, (trx) => importing(trx))).toMatchObject({ updated: 1, isToWake: false });
    await begin();
    await asked({ status: 'delivered' });
    await held();
    expect(await fixture.in(acme, (trx) => importing(trx))).toMatchObject({ updated: 1, isToWake: true });
  });
});

describe('after seven days without an answer', () => {
  it('what is held is queued all the same, where the contact has agreed by then', async () => {
    const request = await asked({ status: 'delivered' });
    const id = await held();
    await system().updateTable('contacts').set({ consent_transactional: true }).where('id', '=', robin.id).execute();
    expect(await settle(request.expiresAt)).toEqual({ expiresAt: null, released: 1 });
    expect(await rows.stateOf(request.id)).toBe('expired');
    expect(await rows.message(id)).toMatchObject({ status: 'queued' });
  });
});

describe('the seven days', () => {
  // It is three in the afternoon: the window opens in the morning.
  const morning = { ...wholeDay, startTime: '08:00', endTime: '09:00' };

  it('are counted from when a request may leave at the earliest', async () => {
    await begin(morning);
    expect((await asked()).expiresAt).toEqual(at(17 + 7 * 24));
  });

  it('do not pass while a request has not left: what is held goes on waiting', async () => {
    const request = await asked();
    const id = await held();
    const later = at(9 * 24);
    await system().updateTable('outbox').set({ due_at: later }).where('message_id', '=', request.messageId).execute();
    expect(await settle(request.expiresAt)).toEqual({ expiresAt: at(16 * 24), released: 0 });
    expect(await rows.stateOf(request.id)).toBe('waiting');
    expect(await rows.message(id)).toMatchObject({ status: 'held' });
  });
});
