/** What feeds the streams of a process, on a database whose answers are late, or away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest';
import { createEventFeed, type EventFeed } from '../../../api/conversations/event-feed.ts';
import type { Database } from '../../../db/database.ts';
import { lastEventId, tellStreams } from '../../../db/conversations/live-events.ts';
import { eventually } from '../../harness/eventually.ts';
import { type Api, startApi } from '../support.ts';

let api: Api;
let organizationId: string;
let feed: EventFeed;
/** What becomes of what the feed has read, before it is answered. */
let onAnswer: () => Promise<void>;
/** The same for one reading only: the next that begins. */
let onNextAnswer: (() => Promise<void>) | null;
const errors: unknown[] = [];
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  organizationId = (await api.organization()).id;
  onAnswer = async () => {};
  onNextAnswer = null;
  errors.length = 0;
  const late: Database = {
    ...api.database,
    inOrganization: async (id, work) => {
      const then = onNextAnswer ?? (() => onAnswer());
      onNextAnswer = null;
      const answer = await api.database.inOrganization(id, work);
      await then();
      return answer;
    },
  };
  feed = createEventFeed(late, (error) => errors.push(error));
});
afterEach(() => feed.close());

const tell = (n: number) =>
  api.database.inOrganization(organizationId, (trx) =>
    tellStreams(trx, organizationId, [{ type: 'message.updated', data: { n } }], api.clock.now()),
  );
const newest = () => api.database.inOrganization(organizationId, (trx) => lastEventId(trx, organizationId));

function join(after: number) {
  const got: unknown[] = [];
  const state = { got, hasEnded: false, leave: () => {} };
  state.leave = feed.subscribe(organizationId, after, {
    deliver: async (events) => void got.push(...events.map(({ data }) => data['n'])),
    end: () => {
      state.hasEnded = true;
    },
  });
  return state;
}

/** Holds back the answer to the next reading that begins. */
function holdNext() {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  onNextAnswer = () => {
    held.resolve();
    return released.promise;
  };
  return { held: held.promise, release: released.resolve };
}

test('who joins and is answered late misses nothing that was handed to the others meanwhile', async () => {
  await tell(0);
  const after = await newest();
  const first = join(after);
  await tell(1);
  await eventually(async () => expect(first.got).toEqual([1]));
  const now = await newest();
  // In one breath, so that the next reading is that of who joins.
  const { held, release } = holdNext();
  const second = join(now);
  await held;
  await tell(2);
  await eventually(async () => expect(first.got).toEqual([1, 2]));
  release();
  await eventually(async () => expect(second.got).toEqual([2]), { withinMs: 5_000 });
  await tell(3);
  await eventually(async () =>
    expect([first.got, second.got]).toEqual([
      [1, 2, 3],
      [2, 3],
    ]),
  );
});

test('who is still joining counts, and ends with the others on closing', async () => {
  const { held, release } = holdNext();
  const joining = join(0);
  await held;
  expect(feed.count(organizationId)).toBe(1);
  await feed.close();
  expect(joining.hasEnded).toBe(true);
  joining.leave();
  joining.leave();
  expect(feed.count(organizationId)).toBe(0);
  release();
});

test('while the database is away it tries once a second, however often it hears of news, and then tells all', async () => {
  const member = join(0);
  await tell(0);
  await eventually(async () => expect(member.got).toEqual([0]));
  await sleep(100);
  onAnswer = async () => {
    throw new Error('away');
  };
  for (let n = 1; n <= 20; n += 1) await tell(n);
  await sleep(1_500);
  errors.length = 0;
  await sleep(2_500);
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.length).toBeLessThanOrEqual(3);
  onAnswer = async () => {};
  await eventually(async () => expect(member.got).toEqual(Array.from({ length: 21 }, (_, n) => n)));
});
