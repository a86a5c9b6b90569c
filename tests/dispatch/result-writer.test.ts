/** Results are gathered, written in bulk, and tried again while Postgres is away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { resultWriter } from '../../activities/dispatch/result-writer.ts';
import type { SendResult } from '../../db/messages/outgoing.ts';

const result = (n: number): SendResult => ({
  id: `msg_${n}`,
  status: 'accepted',
  sid: `SM${n}`,
  errorCode: null,
  segments: 1,
});

function recorder(write: (call: number) => Promise<void> = async () => {}) {
  const written: string[][] = [];
  let calls = 0;
  const writer = resultWriter(async (results) => {
    calls += 1;
    await write(calls);
    written.push(results.map((item) => item.id));
  });
  return { writer, written, calls: () => calls };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('resultWriter', () => {
  it('writes 250 at a time, in order, each once', async () => {
    const { writer, written } = recorder(() => sleep(1));
    for (let n = 0; n < 1_010; n += 1) writer.add(result(n));
    await writer.finish();
    expect(written.map((ids) => ids.length)).toEqual([250, 250, 250, 250, 10]);
    expect(written.flat()).toEqual(Array.from({ length: 1_010 }, (_, n) => `msg_${n}`));
  });

  it('writes a few that wait for no more within a moment', async () => {
    const { writer, written } = recorder();
    writer.add(result(1));
    await vi.waitFor(() => expect(written).toEqual([['msg_1']]), { timeout: 2_000 });
    await writer.finish();
  });

  it('writes one statement at a time', async () => {
    let active = 0;
    let most = 0;
    const writer = resultWriter(async () => {
      active += 1;
      most = Math.max(most, active);
      await sleep(2);
      active -= 1;
    });
    for (let n = 0; n < 2_000; n += 1) writer.add(result(n));
    await Promise.all([writer.room(), writer.room(), writer.finish()]);
    expect(most).toBe(1);
  });

  it('tries a failed write again until it works, and loses nothing', async () => {
    const { writer, written, calls } = recorder(async (call) => {
      if (call <= 3) throw new Error('Postgres is away');
    });
    for (let n = 0; n < 600; n += 1) writer.add(result(n));
    await writer.finish();
    expect(calls()).toBe(3 + 3);
    expect(written.flat()).toHaveLength(600);
  });

  it('holds senders back while more than 1,500 results are unwritten', async () => {
    const gate = Promise.withResolvers<void>();
    const { writer } = recorder(() => gate.promise);
    for (let n = 0; n < 1_500; n += 1) writer.add(result(n));
    await writer.room();
    writer.add(result(1_500));
    let room = false;
    const waiting = writer.room().then(() => (room = true));
    await sleep(50);
    expect(room).toBe(false);
    gate.resolve();
    await waiting;
    await writer.finish();
  });

  it('gives up after twenty seconds and throws what the write failed with, also to those who wait for room', async () => {
    const real = performance.now.bind(performance);
    let offset = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => real() + offset);
    const { writer, calls } = recorder(async (call) => {
      if (call === 2) offset = 20_000;
      throw new Error('Postgres is gone');
    });
    for (let n = 0; n < 1_600; n += 1) writer.add(result(n));
    await expect(writer.room()).rejects.toThrow('Postgres is gone');
    await expect(writer.finish()).rejects.toThrow('Postgres is gone');
    expect(calls()).toBe(2);
  });
});
