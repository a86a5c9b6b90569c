/** What contacts send us, on real Postgres: kept once, attributed, and obeyed when it is STOP or START. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InboundMessage, recordInbound } from '../../../db/conversations/inbound.ts';
import { claimMessages } from '../../../db/messages/outgoing.ts';
import { type Fixture, openFixture, type Organization, type TestMassSms } from '../fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(async () => {
  await fixture?.close();
});

const start = Date.parse('2026-12-01T15:00:00Z');
const at = (ms: number) => new Date(start + ms);
const day = 86_400_000;

/** @returns the id of the message; null when it was delivered before */
const receive = (organization: Organization, message: Partial<InboundMessage> & { from: string }) =>
  fixture.in(organization, async (trx) => {
    const inbound = await recordInbound(trx, {
      organizationId: organization.id,
      sid: `SM${randomUUID()}`,
      to: organization.line,
      body: 'Hello',
      mediaUrls: [],
      keyword: null,
      at: at(0),
      ...message,
    });
    return inbound.kind === 'received' ? inbound.messageId : null;
  });
const stop = (organization: Organization, from: string, more: Partial<InboundMessage> = {}) =>
  receive(organization, { from, body: 'STOP', keyword: 'stop', ...more });
const startAgain = (organization: Organization, from: string, more: Partial<InboundMessage> = {}) =>
  receive(organization, { from, body: 'START', keyword: 'start', ...more });

const claimable = async (organization: Organization, massSms: TestMassSms) => {
  const { claimed } = await fixture.in(organization, (trx) =>
    claimMessages(trx, massSms.range, { attemptId: 'a/1', limit: 100, now: at(0) }),
  );
  return claimed.map((message) => message.to);
};
const countOf = async (table: string, where: string) => {
  const { rows } = await sql<{
    count: number;
  }>`select count(*) as count from ${sql.raw(table)} where ${sql.raw(where)}`.execute(fixture.database.system);
  return rows[0]!.count;
};
/** Makes a message, and the contact it is for, one of somebody else: the same person in another list or organization. */
async function readdress(massSms: TestMassSms, to: string): Promise<void> {
  const { id, contactId } = massSms.messages[0]!;
  await sql`update messages set contact_number = ${to} where id = ${id}`.execute(fixture.database.system);
  await sql`update contacts set mobile = ${to} where id = ${contactId}`.execute(fixture.database.system);
}

describe('an inbound message', () => {
  it('is kept once however often it is delivered', async () => {
    const acme = await fixture.organization();
    const massSms = await fixture.massSms(acme, 1);
    const message = {
      from: massSms.messages[0]!.to,
      sid: 'SMtwice',
      keyword: 'stop' as const,
      mediaUrls: ['https://m/1'],
    };
    const id = await receive(acme, message);
    expect(id).toMatch(/^msg_/);
    expect(await receive(acme, { ...message, at: at(5_000) })).toBeNull();
    expect(
      await countOf('messages', `twilio_sid = 'SMtwice' and direction = 'inbound' and media_urls = '{https://m/1}'`),
    ).toBe(1);
    expect(await countOf('consent_ledger', `evidence = 'SMtwice'`)).toBe(2);
  });

  it('delivered twice at the same moment is kept once too', async () => {
    const acme = await fixture.organization();
    const message = { from: '+14155550188', sid: 'SMrace' };
    const ids = await Promise.all([receive(acme, message), receive(acme, message), receive(acme, message)]);
    expect(ids.filter((id) => id !== null)).toHaveLength(1);
    expect(await countOf('messages', `twilio_sid = 'SMrace'`)).toBe(1);
    expect(await countOf('contacts', `organization_id = '${acme.id}'`)).toBe(1);
  });

  it('of a known number belongs to its contact, the oldest of several', async () => {
    const acme = await fixture.organization();
    const massSms = await fixture.massSms(acme, 1);
    const { to, contactId } = massSms.messages[0]!;
    const id = await receive(acme, { from: to });
    expect(await countOf('messages', `id = '${id}' and contact_id = '${contactId}'`)).toBe(1);
  });

  it('of an unknown number makes a contact, without consent', async () => {
    const acme = await fixture.organization();
    const from = '+14155550199';
    await receive(acme, { from });
    await receive(acme, { from });
    const where = `organization_id = '${acme.id}' and mobile = '${from}' and not consent_promotional`;
    expect(await countOf('contacts', where)).toBe(1);
    expect(await countOf('messages', `contact_number = '${from}' and organization_id = '${acme.id}'`)).toBe(2);
  });
});

describe('STOP', () => {
  it('cancels what has not left for that contact, and nothing else', async () => {
    const acme = await fixture.organization();
    const massSms = await fixture.massSms(acme, 3);
    await stop(acme, massSms.messages[1]!.to);
    expect(await fixture.messagesOf(massSms)).toMatchObject([
      { status: 'queued' },
      { status: 'cancelled', cancel_reason: 'opted_out', finished_at: at(0) },
      { status: 'queued' },
    ]);
  });

  it('leaves alone what may have left already', async () => {
    const acme = await fixture.organization();
    const massSms = await fixture.massSms(acme, 1);
    await fixture.force([massSms.messages[0]!.id], { status: 'sending' });
    await stop(acme, massSms.messages[0]!.to);
    expect((await fixture.messagesOf(massSms))[0]!.status).toBe('sending');
  });

  it('is written to the ledger for every purpose, with the message as evidence', async () => {
    const acme = await fixture.organization();
    const massSms = await fixture.massSms(acme, 1);
    const { to, contactId } = massSms.messages[0]!;
    await stop(acme, to, { sid: 'SMledger' });
    const { rows } = await sql`
      select purpose, granted, method, actor, source, phone_number from consent_ledger where evidence = 'SMledger'
      order by purpose`.execute(fixture.database.system);
    const entry = {
      granted: false,
      method: 'reply',
      actor: `contact:${contactId}`,
      source: acme.line,
      phone_number: to,
    };
    expect(rows).toEqual([
      { purpose: 'promotional', ...entry },
      { purpose: 'transactional', ...entry },
    ]);
  });

  it.for([
    { scope: 'platform', otherLine: false, otherOrganization: false },
    { scope: 'organization', otherLine: false, otherOrganization: true },
    { scope: 'number', otherLine: true, otherOrganization: true },
  ] as const)(
    'of scope $scope: another line may send: $otherLine, another organization: $otherOrganization',
    async (given) => {
      const acme = await fixture.organization({ optOutScope: given.scope });
      const other = await fixture.organization();
      const queued = await fixture.massSms(acme, 1);
      const { to } = queued.messages[0]!;
      await stop(acme, to);
      expect((await fixture.messagesOf(queued))[0]!.status).toBe('cancelled');

      // Made after the STOP: judged when they are claimed.
      const sameLine = await fixture.massSms(acme, 1);
      const otherLine = await fixture.massSms(acme, 1, { lines: ['+13125550001'] });
      const elsewhere = await fixture.massSms(other, 1);
      for (const massSms of [sameLine, otherLine, elsewhere]) await readdress(massSms, to);
      expect(await claimable(acme, sameLine)).toEqual([]);
      expect(await claimable(acme, otherLine)).toEqual(given.otherLine ? [to] : []);
      expect(await claimable(other, elsewhere)).toEqual(given.otherOrganization ? [to] : []);
    },
  );

  it('of scope number cancels only what would leave from that line', async () => {
    const acme = await fixture.organization({ optOutScope: 'number' });
    const here = await fixture.massSms(acme, 1);
    const there = await fixture.massSms(acme, 1, { lines: ['+13125550002'] });
    const { to } = here.messages[0]!;
    await readdress(there, to);
    await stop(acme, to);
    expect((await fixture.messagesOf(here))[0]!.status).toBe('cancelled');
    expect((await fixture.messagesOf(there))[0]!.status).toBe('queued');
  });

  it('on two lines at once, both of which hold a message in question, is taken twice', async () => {
    const acme = await fixture.organization();
    const from = '+14155550177';
    const lines = [acme.line, '+13125550178'];
    for (const to of lines) await receive(acme, { from, to, body: 'Please stop texting me' });
    const flagged = `contact_number = '${from}' and revocation_message_id is not null`;
    expect(await countOf('conversations', flagged)).toBe(2);
    await Promise.all(lines.map((to) => stop(acme, from, { to })));
    expect(await countOf('conversations', flagged)).toBe(0);
  });

  describe('counts as unsubscribed', () => {
    const sentAt = async (massSms: TestMassSms, accepted: Date) => {
      await fixture.database.system
        .updateTable('messages')
        .set({ status: 'delivered', accepted_at: accepted })
        .where(
          'id',
          'in',
          massSms.messages.map((message) => message.id),
        )
        .execute();
    };
    const unsubscribed = async (massSms: TestMassSms) =>
      (await fixture.messagesOf(massSms)).filter((row) => row.unsubscribed_at !== null).length;

    it('against the mass SMS whose message came last', async () => {
      const acme = await fixture.organization();
      const [older, newer] = [await fixture.massSms(acme, 1), await fixture.massSms(acme, 1)];
      const { to } = older.messages[0]!;
      await readdress(newer, to);
      await sentAt(older, at(-2 * day));
      await sentAt(newer, at(-day));
      await stop(acme, to);
      expect([await unsubscribed(older), await unsubscribed(newer)]).toEqual([0, 1]);
      expect(
        await countOf('mass_sms_tallies', `mass_sms_id = '${newer.id}' and kind = 'unsubscribed' and count = 1`),
      ).toBe(1);
    });

    it('once, when STOP comes twice', async () => {
      const acme = await fixture.organization();
      const [older, newer] = [await fixture.massSms(acme, 1), await fixture.massSms(acme, 1)];
      const { to } = older.messages[0]!;
      await readdress(newer, to);
      await sentAt(older, at(-2 * day));
      await sentAt(newer, at(-day));
      await stop(acme, to);
      await stop(acme, to, { at: at(1_000) });
      expect([await unsubscribed(older), await unsubscribed(newer)]).toEqual([0, 1]);
      expect((await fixture.messagesOf(newer))[0]!.unsubscribed_at).toEqual(at(0));
    });

    it('not after a week', async () => {
      const acme = await fixture.organization();
      const massSms = await fixture.massSms(acme, 1);
      await sentAt(massSms, at(-7 * day - 1));
      await stop(acme, massSms.messages[0]!.to);
      expect(await unsubscribed(massSms)).toBe(0);
    });
  });
});

describe('START', () => {
  it.for(['platform', 'organization', 'number'] as const)(
    'lifts a STOP of scope %s, and is written to the ledger',
    async (optOutScope) => {
      const acme = await fixture.organization({ optOutScope });
      const massSms = await fixture.massSms(acme, 1);
      const { to } = massSms.messages[0]!;
      await stop(acme, to);
      const again = await fixture.massSms(acme, 1);
      await readdress(again, to);
      await startAgain(acme, to, { sid: `SMstart${optOutScope}` });
      expect(await claimable(acme, again)).toEqual([to]);
      expect(await countOf('consent_ledger', `evidence = 'SMstart${optOutScope}' and granted`)).toBe(2);
      // What was cancelled stays cancelled.
      expect((await fixture.messagesOf(massSms))[0]!.status).toBe('cancelled');
    },
  );

  it('does not lift what was said to another organization, or to another line', async () => {
    const acme = await fixture.organization({ optOutScope: 'organization' });
    const other = await fixture.organization({ optOutScope: 'organization' });
    const massSms = await fixture.massSms(acme, 1);
    const { to } = massSms.messages[0]!;
    await stop(acme, to);
    await startAgain(other, to);
    expect(await countOf('opt_outs', `phone_number = '${to}'`)).toBe(1);

    const byLine = await fixture.organization({ optOutScope: 'number' });
    const second = await fixture.massSms(byLine, 1);
    await stop(byLine, second.messages[0]!.to);
    await startAgain(byLine, second.messages[0]!.to, { to: '+13125550003' });
    expect(await countOf('opt_outs', `phone_number = '${second.messages[0]!.to}'`)).toBe(1);
  });

  it('lifts a STOP of scope platform that was said to another organization, but not for that one', async () => {
    const [acme, other] = [await fixture.organization(), await fixture.organization()];
    const { to } = (await fixture.massSms(acme, 1)).messages[0]!;
    await stop(acme, to);
    const [here, there] = [await fixture.massSms(acme, 1), await fixture.massSms(other, 1)];
    for (const massSms of [here, there]) await readdress(massSms, to);
    await startAgain(other, to);
    expect(await claimable(other, there)).toEqual([to]);
    expect(await claimable(acme, here)).toEqual([]);
    expect(await countOf('opt_outs', `phone_number = '${to}' and organization_id = '${acme.id}'`)).toBe(1);
  });

  it('without a STOP before it changes nothing', async () => {
    const acme = await fixture.organization();
    const massSms = await fixture.massSms(acme, 1);
    await startAgain(acme, massSms.messages[0]!.to, { sid: 'SMnothing' });
    expect(await countOf('consent_ledger', `evidence = 'SMnothing'`)).toBe(0);
  });
});

describe('an organization with an account of its own, which could sign such messages itself', () => {
  const ofItsOwn = async (organization: Organization) => {
    await fixture.database.system
      .updateTable('organizations')
      .set({ own_account: true })
      .where('id', '=', organization.id)
      .execute();
    return organization;
  };

  it('stops nobody else: a STOP of scope platform counts for itself', async () => {
    const acme = await ofItsOwn(await fixture.organization({ optOutScope: 'platform' }));
    const other = await fixture.organization();
    const queued = await fixture.massSms(acme, 1);
    const { to } = queued.messages[0]!;
    await stop(acme, to);
    const here = await fixture.massSms(acme, 1, { lines: ['+13125550004'] });
    const elsewhere = await fixture.massSms(other, 1);
    for (const massSms of [here, elsewhere]) await readdress(massSms, to);
    expect(await claimable(acme, here)).toEqual([]);
    expect(await claimable(other, elsewhere)).toEqual([to]);
    expect(
      await countOf('opt_outs', `phone_number = '${to}' and organization_id = '${acme.id}' and line is null`),
    ).toBe(1);
  });

  it('keeps a scope that is narrower still', async () => {
    const acme = await ofItsOwn(await fixture.organization({ optOutScope: 'number' }));
    const { to } = (await fixture.massSms(acme, 1)).messages[0]!;
    await stop(acme, to);
    expect(await countOf('opt_outs', `phone_number = '${to}' and line = '${acme.line}'`)).toBe(1);
  });

  it('lifts with a START its own blocks only, and not the platform’s', async () => {
    const acme = await ofItsOwn(await fixture.organization());
    const other = await fixture.organization({ optOutScope: 'platform' });
    const { to } = (await fixture.massSms(acme, 1)).messages[0]!;
    await stop(other, to);
    await stop(acme, to);
    await startAgain(acme, to, { sid: 'SMownstart' });
    const { rows } = await sql<{ organization_id: string | null }>`
      select organization_id from opt_outs where phone_number = ${to}`.execute(fixture.database.system);
    expect(new Set(rows.map((row) => row.organization_id))).toEqual(new Set([null, other.id]));
    expect(await countOf('consent_ledger', `evidence = 'SMownstart' and granted`)).toBe(2);
    await startAgain(acme, to, { sid: 'SMownagain' });
    expect(await countOf('opt_outs', `phone_number = '${to}'`)).toBe(2);
    expect(await countOf('consent_ledger', `evidence = 'SMownagain'`)).toBe(0);
  });
});
