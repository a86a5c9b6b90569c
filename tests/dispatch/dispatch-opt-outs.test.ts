/** Contacts who opt out while their messages are in hand: claimed, and not begun. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dispatch } from '../../activities/dispatch/dispatch.ts';
import { createSlots } from '../../activities/dispatch/slots.ts';
import { memoryPort, options } from './memory-port.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a contact who opts out after the claim', () => {
  /** Time that passes at once. */
  function timeMachine() {
    const real = performance.now.bind(performance);
    let offset = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => real() + offset);
    return (ms: number) => {
      offset += ms;
    };
  }

  it('is sent nothing: who has one in hand looks again before it begins', async () => {
    const pass = timeMachine();
    const { port, book } = memoryPort({ count: 6 });
    const send = port.send.bind(port);
    port.send = (message) => {
      if (message.rank === 2) {
        book.optedOut.add('msg_3').add('msg_5');
        pass(300);
      }
      return send(message);
    };
    const report = await dispatch(port, options({ concurrency: 1 }));
    expect([...book.sends.keys()]).toEqual(['msg_1', 'msg_2', 'msg_4', 'msg_6']);
    expect(report).toMatchObject({ sent: 4, givenBack: 0 });
    for (const id of ['msg_3', 'msg_5']) expect(book.results.get(id)).toMatchObject({ status: 'cancelled', sid: null });
    expect(book.looks).toBe(1);
  });

  it('is sent nothing that waits for a place among the requests of other batches', async () => {
    const pass = timeMachine();
    const slots = createSlots(1);
    await slots.take();
    const { port, book } = memoryPort({ count: 3 });
    const taken = Promise.withResolvers<void>();
    const ran = dispatch(port, {
      ...options({ concurrency: 3 }),
      slots: {
        take: () => {
          taken.resolve();
          return slots.take();
        },
        give: () => slots.give(),
      },
    });
    await taken.promise;
    book.optedOut.add('msg_1');
    pass(300);
    slots.give();
    expect(await ran).toMatchObject({ sent: 2 });
    expect([...book.sends.keys()]).toEqual(['msg_2', 'msg_3']);
    expect(book.results.get('msg_1')).toMatchObject({ status: 'cancelled' });
  });

  it('holds up nobody else, also where a look takes longer than it is good for', async () => {
    const pass = timeMachine();
    const { port, book } = memoryPort({ count: 200 });
    const look = port.optedOut.bind(port);
    port.optedOut = (messages) => {
      pass(400);
      return look(messages);
    };
    const claim = port.claim.bind(port);
    port.claim = (...args) => {
      pass(300);
      return claim(...args);
    };
    expect(await dispatch(port, options({ concurrency: 5 }))).toMatchObject({ sent: 200 });
    expect(book.looks).toBeGreaterThan(0);
  });

  it('costs a look four times a second, however many are sent', async () => {
    const { port, book } = memoryPort({ count: 2_000, latencyMs: () => 5 });
    const startedAt = performance.now();
    await dispatch(port, options({ concurrency: 10 }));
    expect(book.looks).toBeLessThanOrEqual((performance.now() - startedAt) / 250 + book.claims + 1);
  });

  it('whom nobody can look up ends it, and what is in hand is given back', async () => {
    const pass = timeMachine();
    const slots = createSlots(1);
    const { port, book } = memoryPort({ count: 20, latencyMs: () => 1 });
    port.optedOut = () => Promise.reject(new Error('Postgres is away'));
    const send = port.send.bind(port);
    port.send = (message) => {
      if (message.rank === 3) pass(300);
      return send(message);
    };
    await expect(dispatch(port, options({ concurrency: 5, slots }))).rejects.toThrow('Postgres is away');
    expect(book.sends.size).toBe(3);
    expect([...book.results.keys()].toSorted()).toEqual([...book.claimed].toSorted());
  });
});
