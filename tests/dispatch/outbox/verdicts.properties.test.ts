/**
 * When messages of the outbox leave, whatever the organization, the recipient and the night: judged as it is done before
 * each one leaves, and compared with a judgement minute by minute that shares no code.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../activities/outbox/verdicts.ts';
import type { Candidate } from '../../../db/messages/outbox.ts';
import { type Due, dueOf } from '../../../domain/messages/due.ts';
import { type Recipient, placesOf } from '../../../domain/lawful-hours/places.ts';
import type { SendWindow } from '../../../domain/send-window.ts';
import { type Settings, withDefaults } from '../../../domain/settings.ts';
import { lawful, sendable, windowOpen } from '../../domain/lawful-hours/oracle.ts';
import { recipient, window } from '../../domain/lawful-hours/recipients.ts';

const minute = 60_000;
const day = 1_440 * minute;
/** What would arrive later than this before the window closes waits for the next one. */
const lastMoments = 30_000;

interface Message {
  kind: 'ordinary' | 'released' | 'direct';
  to: Recipient;
  sendAt: Date | null;
  writtenAt: Date;
}

/** The nights on which clocks change in the United States, and three days around each; to the millisecond. */
const nearChange = fc
  .tuple(
    fc.constantFrom('2026-03-08', '2026-11-01', '2027-03-14', '2027-11-07'),
    fc.integer({ min: -3 * day, max: 2 * day }),
  )
  .map(([date, offset]) => new Date(Date.parse(`${date}T08:00:00Z`) + offset));

const settings = fc
  .record({
    sendWindow: window.filter((its): its is SendWindow => its !== null),
    sendWindowMode: fc.constantFrom('organization' as const, 'recipient' as const),
  })
  .map(withDefaults);

const message: fc.Arbitrary<Message> = fc
  .record({
    kind: fc.constantFrom('ordinary' as const, 'ordinary' as const, 'released' as const, 'direct' as const),
    to: recipient,
    ahead: fc.option(fc.integer({ min: 1, max: 4 * day })),
    writtenAt: nearChange,
  })
  .map(({ kind, to, ahead, writtenAt }) => {
    // A reply is written now, and a release takes the chosen time away.
    const sendAt = kind === 'ordinary' && ahead !== null ? new Date(writtenAt.getTime() + ahead) : null;
    return { kind, to, sendAt, writtenAt };
  });

/** An organization's settings, and others that somebody gives it later. */
const organization = fc.record({
  first: settings,
  change: fc.option(fc.record({ settings, after: fc.integer({ min: 1, max: 3 * day }) })),
});
type Organization = ReturnType<typeof organization.generate>['value_'];

const settingsAt = ({ first, change }: Organization, { writtenAt }: Message, at: number): Settings =>
  change && at >= writtenAt.getTime() + change.after ? change.settings : first;

/** By docs/sending-windows.md: a direct one waits for nothing, a released one for the law only. */
function mayLeave({ sendWindow, sendWindowMode }: Settings, { kind, to }: Message, at: number): boolean {
  if (kind === 'direct') return true;
  const isInWindow = windowOpen(sendWindow, at) && windowOpen(sendWindow, at + lastMoments - 1);
  return (kind === 'released' || isInWindow) && (sendWindowMode === 'organization' || sendable(placesOf(to), at));
}

const candidateOf = ({ kind, to, sendAt }: Message, refusal: string | null = null): Candidate => ({
  id: 'msg_1',
  contactId: 'con_1',
  status: sendAt ? 'scheduled' : 'queued',
  source: 'user',
  to: to.mobile ?? '',
  from: '+13125550100',
  body: 'Hello.',
  direct: kind === 'direct',
  sendAt,
  released: kind === 'released',
  refusal,
  lacksDisclaimer: false,
  askedAt: null,
  postalCode: to.postalCode,
  timeZone: to.timeZone,
  organizationName: 'Acme',
  userName: 'Sam',
});

interface Left {
  at: number;
  closesAt: Date | null;
}

/** The outbox in short: looks when the message is due, and anew when the settings change. @returns null if it never leaves */
function outcomeOf(its: Organization, one: Message): Left | null {
  const { kind, to, sendAt, writtenAt } = one;
  const changesAt = its.change ? writtenAt.getTime() + its.change.after : Infinity;
  const question = {
    recipient: { ...to, mobile: to.mobile ?? '' },
    direct: kind === 'direct',
    released: kind === 'released',
  };
  let due: Due = dueOf({ ...question, settings: its.first, from: sendAt ?? writtenAt, now: writtenAt });
  let isChanged = false;
  for (let looks = 0; looks < 40; looks += 1) {
    if (!isChanged && due.at.getTime() >= changesAt) {
      isChanged = true;
      // As `judgeAnew` does.
      if (due.reason === 'outside_window')
        due = { at: new Date(changesAt), reason: due.reason, detail: due.detail, closesAt: due.closesAt };
    }
    const verdicts = judge([candidateOf(one)], settingsAt(its, one, due.at.getTime()), due.at);
    const [leaving] = verdicts.sending;
    if (leaving) return { at: due.at.getTime(), closesAt: leaving.closesAt };
    const [later] = verdicts.later;
    expect(later!.due.at.getTime()).toBeGreaterThan(due.at.getTime());
    expect(later!.due.detail, 'why it waits').toMatch(/\.$/);
    due = later!.due;
  }
  expect(due).toMatchObject({ reason: 'outside_window', detail: expect.stringContaining('no moment in common') });
  return null;
}

describe('a message of the outbox', () => {
  it('leaves at the first moment that the window and the law allow, and at no other', () => {
    let [waited, immediate, never, changed] = [0, 0, 0, 0];
    fc.assert(
      fc.property(organization, message, (its, one) => {
        const left = outcomeOf(its, one);
        const from = Math.max(one.writtenAt.getTime(), one.sendAt?.getTime() ?? 0);
        const ok = (at: number): boolean => mayLeave(settingsAt(its, one, at), one, at);
        if (left) expect(ok(left.at), new Date(left.at).toISOString()).toBe(true);
        const changesAt = its.change ? one.writtenAt.getTime() + its.change.after : Infinity;
        // What never may leave is looked at for a week, on which every day of the week is.
        const end = left?.at ?? from + 8 * day;
        const next = (at: number) => {
          const following = Math.floor(at / minute) * minute + minute;
          return at < changesAt && changesAt < following ? changesAt : following;
        };
        for (let at = from; at < end; at = next(at))
          if (ok(at))
            expect.fail(`${new Date(at).toISOString()} is earlier than ${left && new Date(left.at).toISOString()}`);
        if (!left) never += 1;
        else if (left.at >= changesAt) changed += 1;
        else if (left.at > from) waited += 1;
        else immediate += 1;
      }),
      { numRuns: 1_200 },
    );
    expect(Math.min(waited, immediate, changed)).toBeGreaterThan(50);
    // Windows that are closed wherever and whenever it is lawful are rare.
    expect(never).toBeGreaterThan(3);
  });

  it('is to be delivered before the window or the lawful hours close, whichever is first', () => {
    fc.assert(
      fc.property(settings, message, (its, one) => {
        const left = outcomeOf({ first: its, change: null }, one);
        if (!left) return;
        const { sendWindow, sendWindowMode } = its;
        const isOpen = (at: number): boolean =>
          (one.kind === 'released' || windowOpen(sendWindow, at)) &&
          (sendWindowMode === 'organization' || lawful(placesOf(one.to), at));
        const isFree = one.kind === 'direct' || (one.kind === 'released' && sendWindowMode === 'organization');
        expect(left.closesAt === null).toBe(isFree);
        if (!left.closesAt) return;
        const closesAt = left.closesAt.getTime();
        expect(closesAt - left.at).toBeGreaterThanOrEqual(lastMoments);
        for (let at = left.at; at < closesAt; at = Math.floor(at / minute) * minute + minute)
          if (!isOpen(at))
            expect.fail(`${new Date(at).toISOString()} is closed, before ${left.closesAt.toISOString()}`);
        // What never closes is said to close after a week.
        if (closesAt - left.at < 7 * day) expect(isOpen(closesAt)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('that is looked at late leaves only if it may at that moment', () => {
    let [leaves, waits] = [0, 0];
    fc.assert(
      fc.property(settings, message, fc.integer({ min: 0, max: 2 * day }), (its, one, late) => {
        const from = Math.max(one.writtenAt.getTime(), one.sendAt?.getTime() ?? 0);
        const at = new Date(from + late);
        const { sending, later } = judge([candidateOf(one)], its, at);
        const may = mayLeave(its, one, at.getTime());
        expect([sending.length, later.length]).toEqual(may ? [1, 0] : [0, 1]);
        if (may) leaves += 1;
        else waits += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(leaves, waits)).toBeGreaterThan(100);
  });

  it('that must not leave ends with the reason, whatever the hour', () => {
    fc.assert(
      fc.property(settings, message, (its, one) => {
        const { cancelled, sending, later } = judge([candidateOf(one, 'opted_out')], its, one.writtenAt);
        expect(cancelled).toEqual([{ id: 'msg_1', reason: 'opted_out' }]);
        expect([...sending, ...later]).toEqual([]);
      }),
    );
  });
});
