/** Answers to opt-in requests on real Postgres: what is consent and what is not, and what becomes of what was held for it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordInbound } from '../../../db/conversations/inbound.ts';
import { newId } from '../../../db/ids.ts';
import { insertMessage } from '../../../db/messages/messages.ts';
import { settleOptIns } from '../../../db/consent/settling.ts';
import { ensureOptInRequest, requestOptIn } from '../../../db/consent/opt-ins.ts';
import { keywordOf } from '../../../domain/consent/keywords.ts';
import { days } from '../../../domain/send-window.ts';
import type { SettingsOverrides } from '../../../domain/settings.ts';
import type { Trx } from '../../../db/database.ts';
import { type Fixture, openFixture, type Organization } from '../fixture.ts';
import { eventually } from '../../harness/eventually.ts';
import { at, optInRows, type Person } from './fixture.ts';

let fixture: Fixture;
let acme: Organization;
let userId: string;
let rows: ReturnType<typeof optInRows>;
beforeAll(async () => {
  fixture = await openFixture();
  rows = optInRows(fixture);
});
afterAll(async () => {
  await fixture?.close();
});

const sendWindow = { startTime: '00:00', endTime: '00:00', timeZone: 'UTC', days };
const system = () => fixture.database.system;

async function organization(settings: SettingsOverrides = {}) {
  const made = await fixture.organization({ sendWindow, ...settings });
  return { made, user: await rows.userOf(made) };
}
beforeEach(async () => {
  ({ made: acme, user: userId } = await organization());
});

/** A request whose message has left unless said otherwise. @returns its id, and its message's */
async function asked(contact: Person, { by = userId, when = at(0), status = 'delivered' } = {}) {
  const made = await fixture.in(acme, (trx) =>
    requestOptIn(trx, { organizationId: acme.id, userId: by, contactId: contact.id, at: when }),
  );
  if (!made || !('request' in made)) throw new Error(`refused: ${JSON.stringify(made)}`);
  await fixture.force([made.request.message_id], { status });
  return { id: made.request.id, messageId: made.request.message_id };
}

const writeHeld = (trx: Trx, contact: Person, { sendAt = null as Date | null, line = acme.line } = {}) =>
  insertMessage(trx, {
    organizationId: acme.id,
    source: 'journey',
    purpose: 'transactional',
    line,
    contact,
    userId,
    body: 'Your interview is on Monday.',
    segments: 1,
    direct: false,
    sendAt,
    due: null,
    at: at(0),
  });
const held = (contact: Person, sendAt: Date | null = null) =>
  fixture.in(acme, (trx) => writeHeld(trx, contact, { sendAt }));

const says = (contact: Person, body: string, { when = at(1), to = acme.line, sid = `SM${randomUUID()}` } = {}) =>
  fixture.in(acme, (trx) =>
    recordInbound(trx, {
      organizationId: acme.id,
      sid,
      from: contact.mobile,
      to,
      body,
      mediaUrls: [],
      keyword: keywordOf(body),
      at: when,
    }),
  );
const settle = (contact: Person, when = at(1), by = userId) =>
  fixture.in(acme, (trx) => settleOptIns(trx, { organizationId: acme.id, userId: by, contactId: contact.id }, when));

describe('a YES to a request that waits', () => {
  it('is consent, proved by the answer and by the words that were agreed to, and is confirmed once', async () => {
    const robin = await rows.person(acme);
    const request = await asked(robin);
    const received = await says(robin, 'Yes!');
    const answer = received.kind === 'received' && received.messageId;
    expect(await rows.stateOf(request.id)).toBe('accepted');
    expect(await rows.consents(robin)).toBe(true);
    const wording = /^Ada Lane of Acme .* would like to text you\./;
    expect(await rows.ledger(robin)).toMatchObject([
      {
        purpose: 'transactional',
        granted: true,
        phone_number: robin.mobile,
        actor: `contact:${robin.id}`,
        source: acme.line,
        at: at(1),
        evidence: expect.stringMatching(
          new RegExp(
            `^${answer} answers ${request.messageId}, worded \\(sha256 [0-9a-f]{64}\\): ${wording.source.slice(1)}`,
          ),
        ),
      },
    ]);
    await says(robin, 'yes', { when: at(2) });
    const confirmed = { body: expect.stringMatching(/^Acme .*: thank you/), direct: true, status: 'queued' };
    expect(await rows.confirmations(robin)).toEqual([confirmed]);
    expect(await rows.ledger(robin)).toHaveLength(1);
  });

  it('releases what was held, once, each for the first moment at which it may leave', async () => {
    const robin = await rows.person(acme);
    await asked(robin);
    const [now, later] = [await held(robin), await held(robin, at(30))];
    await says(robin, 'YES');
    expect(await rows.message(now)).toMatchObject({ status: 'held', due_at: null });
    expect(await settle(robin)).toEqual({ expiresAt: null, released: 2 });
    expect(await rows.message(now)).toMatchObject({ status: 'queued', due_at: at(1), held_reason: null });
    expect(await rows.message(later)).toMatchObject({ status: 'scheduled', due_at: at(30), held_reason: 'scheduled' });
    expect(await settle(robin)).toEqual({ expiresAt: null, released: 0 });
  });

  it('releases it for the opening of a window that is closed', async () => {
    const closed = { ...sendWindow, startTime: '20:00', endTime: '21:00' };
    ({ made: acme, user: userId } = await organization({ sendWindow: closed }));
    const robin = await rows.person(acme);
    await asked(robin);
    const id = await held(robin);
    await says(robin, 'YES');
    await settle(robin);
    expect(await rows.message(id)).toMatchObject({ status: 'queued', due_at: at(5), held_reason: 'outside_window' });
  });

  it('releases what a colleague’s line holds for the contact too: the agreement is with the organization', async () => {
    const robin = await rows.person(acme);
    const theirs = '+13125550177';
    const colleague = await rows.userOf(acme, theirs);
    const [, other] = [await asked(robin), await asked(robin, { by: colleague })];
    const id = await fixture.in(acme, (trx) => writeHeld(trx, robin, { line: theirs }));
    await says(robin, 'YES');
    expect(await settle(robin)).toEqual({ expiresAt: null, released: 1 });
    expect(await rows.message(id)).toMatchObject({ status: 'queued' });
    const entry = system().selectFrom('outbox').select('line').where('message_id', '=', id);
    expect(await entry.executeTakeFirst()).toEqual({ line: theirs });
    expect(await rows.stateOf(other.id)).toBe('waiting');
  });

  it('answers every request of that line, and is confirmed once', async () => {
    const robin = await rows.person(acme);
    const colleague = await rows.userOf(acme);
    const requests = [await asked(robin), await asked(robin, { by: colleague })];
    await says(robin, 'oui');
    expect(await Promise.all(requests.map(({ id }) => rows.stateOf(id)))).toEqual(['accepted', 'accepted']);
    expect(await rows.confirmations(robin)).toHaveLength(1);
    expect(await rows.ledger(robin)).toHaveLength(1);
  });

  it('may be a START, which lifts an opt-out as well', async () => {
    const robin = await rows.person(acme);
    const request = await asked(robin);
    await system()
      .insertInto('opt_outs')
      .values({
        id: newId('optOut', at(0)),
        organization_id: acme.id,
        phone_number: robin.mobile,
        method: 'reply',
        at: at(0),
      })
      .execute();
    await says(robin, 'START');
    expect(await rows.stateOf(request.id)).toBe('accepted');
    expect(
      await system().selectFrom('opt_outs').select('id').where('phone_number', '=', robin.mobile).execute(),
    ).toEqual([]);
  });

  it('delivered twice by Twilio is taken once', async () => {
    const robin = await rows.person(acme);
    await asked(robin);
    await Promise.all([1, 2, 3].map(() => says(robin, 'YES', { sid: `SMdouble${robin.id}` })));
    expect(await rows.confirmations(robin)).toHaveLength(1);
    expect(await rows.ledger(robin)).toHaveLength(1);
  });
});

describe('a YES is an ordinary message', () => {
  it('when nobody asked: it lifts no opt-out and is no consent', async () => {
    const robin = await rows.person(acme);
    await says(robin, 'STOP', { when: at(0) });
    await says(robin, 'YES');
    expect(await rows.consents(robin)).toBe(false);
    expect(await rows.confirmations(robin)).toEqual([]);
    expect(
      await system().selectFrom('opt_outs').select('id').where('phone_number', '=', robin.mobile).execute(),
    ).not.toEqual([]);
  });

  it.for(['queued', 'cancelled', 'failed'])(
    'when the request is %s and has not reached the contact',
    async (status) => {
      const robin = await rows.person(acme);
      const request = await asked(robin, { status });
      await says(robin, 'YES');
      expect(await rows.stateOf(request.id)).toBe('waiting');
      expect(await rows.consents(robin)).toBe(false);
    },
  );

  it('on another line than the one that asked', async () => {
    const robin = await rows.person(acme);
    const request = await asked(robin);
    await says(robin, 'YES', { to: '+13125550100' });
    expect(await rows.stateOf(request.id)).toBe('waiting');
  });

  it('when the number is not the contact’s any more', async () => {
    const robin = await rows.person(acme);
    const request = await asked(robin);
    await system().updateTable('contacts').set({ mobile: '+14155550142' }).where('id', '=', robin.id).execute();
    await says(robin, 'YES');
    expect(await rows.stateOf(request.id)).toBe('waiting');
    expect(await rows.consents(robin)).toBe(false);
  });

  it('when it comes after seven days', async () => {
    const robin = await rows.person(acme);
    const request = await asked(robin);
    await says(robin, 'YES', { when: at(7 * 24) });
    expect(await rows.stateOf(request.id)).toBe('waiting');
    await settle(robin, at(7 * 24));
    expect(await rows.stateOf(request.id)).toBe('expired');
  });

  it('when it says more than yes', async () => {
    const robin = await rows.person(acme);
    const request = await asked(robin);
    await says(robin, 'yes please, but not on Mondays');
    expect(await rows.stateOf(request.id)).toBe('waiting');
  });
});

describe('a STOP', () => {
  it('refuses what waits for an answer, and what was held is cancelled at once', async () => {
    const robin = await rows.person(acme);
    const request = await asked(robin);
    const id = await held(robin);
    await says(robin, 'STOP');
    expect(await rows.stateOf(request.id)).toBe('declined');
    expect(await rows.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'opt_in_declined' });
    expect(await rows.consents(robin)).toBe(false);
    expect(await settle(robin)).toEqual({ expiresAt: null, released: 0 });
  });

  it('to another line refuses it too, unless an opt-out is for one number', async () => {
    for (const [optOutScope, state] of [
      ['organization', 'declined'],
      ['number', 'waiting'],
    ] as const) {
      ({ made: acme, user: userId } = await organization({ optOutScope }));
      const robin = await rows.person(acme);
      const request = await asked(robin);
      await says(robin, 'STOP', { to: '+13125550101' });
      expect(await rows.stateOf(request.id)).toBe(state);
    }
  });

  it('after a YES leaves what was released to the opt-out, which beats it', async () => {
    const robin = await rows.person(acme);
    const request = await asked(robin);
    const id = await held(robin);
    await says(robin, 'YES');
    await settle(robin);
    await says(robin, 'STOP', { when: at(2) });
    expect(await rows.stateOf(request.id)).toBe('accepted');
    expect(await rows.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'opted_out' });
  });

  it('between a YES and the release leaves nothing to release', async () => {
    const robin = await rows.person(acme);
    await asked(robin);
    const id = await held(robin);
    await says(robin, 'YES');
    await says(robin, 'STOP', { when: at(2) });
    expect(await settle(robin, at(2))).toMatchObject({ released: 0 });
    expect(await rows.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'opted_out' });
  });
});

describe('without an answer', () => {
  it('a request waits, and after seven days what was held is cancelled', async () => {
    const robin = await rows.person(acme);
    const request = await asked(robin);
    const id = await held(robin);
    const expiresAt = at(7 * 24);
    expect(await settle(robin, new Date(expiresAt.getTime() - 1))).toEqual({ expiresAt, released: 0 });
    expect(await rows.message(id)).toMatchObject({ status: 'held' });
    expect(await settle(robin, expiresAt)).toEqual({ expiresAt: null, released: 0 });
    expect(await rows.stateOf(request.id)).toBe('expired');
    expect(await rows.message(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'opt_in_expired' });
  });

  it('what was held goes on waiting while another request on the line does', async () => {
    const robin = await rows.person(acme);
    await asked(robin);
    const id = await held(robin);
    await asked(robin, { when: at(24) });
    expect(await settle(robin, at(7 * 24))).toEqual({ expiresAt: at(8 * 24), released: 0 });
    expect(await rows.message(id)).toMatchObject({ status: 'held' });
    await says(robin, 'YES', { when: at(7 * 24 + 1) });
    expect(await settle(robin, at(7 * 24 + 1))).toEqual({ expiresAt: null, released: 1 });
  });
});

it('a message that is being held at the very moment of the YES is not forgotten', async () => {
  const robin = await rows.person(acme);
  await asked(robin);
  const [holding, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const journey = fixture.in(acme, async (trx) => {
    const contact = { id: robin.id, mobile: robin.mobile };
    const ensured = await ensureOptInRequest(trx, {
      organizationId: acme.id,
      contact,
      userId,
      line: acme.line,
      at: at(1),
    });
    expect(ensured).toMatchObject({ isNew: false });
    holding.resolve();
    await answered.promise;
    return writeHeld(trx, robin);
  });
  await holding.promise;
  await says(robin, 'YES');
  let isSettled = false;
  const settled = settle(robin).finally(() => {
    isSettled = true;
  });
  // It waits for whoever holds a message meanwhile, and has not settled without it.
  await eventually(async () => expect(isSettled || (await rows.waitingForLocks()) > 0).toBe(true), { everyMs: 10 });
  answered.resolve();
  const id = await journey;
  expect(await settled).toMatchObject({ released: 1 });
  expect(await rows.message(id)).toMatchObject({ status: 'queued' });
});
