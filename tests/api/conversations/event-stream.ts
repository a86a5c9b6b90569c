/** A client of `GET /v1/events` as a customer would write one. */
import { once } from 'node:events';

interface StreamedEvent {
  id: number | null;
  type: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests say what it must be
  data: any;
}

export interface EventStream {
  status: number;
  headers: Headers;
  /** All so far, in order. */
  events: StreamedEvent[];
  /** Comments so far. */
  comments: string[];
  /** What the client would resume with. */
  lastEventId(): string;
  hasEnded(): boolean;
  /** Waits until there are so many events. */
  until(count: number, withinMs?: number): Promise<StreamedEvent[]>;
  close(): void;
}

export async function openEventStream(
  url: string,
  key: string,
  { after, headers = {} }: { after?: string; headers?: Record<string, string> } = {},
): Promise<EventStream> {
  const closing = new AbortController();
  const response = await fetch(`${url}/v1/events`, {
    headers: { authorization: `Bearer ${key}`, ...(after !== undefined && { 'last-event-id': after }), ...headers },
    signal: closing.signal,
  });
  const state = { lastEventId: '', hasEnded: false };
  const events: StreamedEvent[] = [];
  const comments: string[] = [];
  let onEvents = Promise.withResolvers<void>();

  const take = (block: string): void => {
    const event = { type: 'message', data: '' };
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (line.startsWith(':')) comments.push(value);
      if (name === 'id') state.lastEventId = value;
      if (name === 'event') event.type = value;
      if (name === 'data') event.data += value;
    }
    if (event.data === '') return;
    const id = /^id: (\d+)$/m.exec(block)?.[1];
    events.push({ id: id === undefined ? null : Number(id), type: event.type, data: JSON.parse(event.data) });
  };
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) take(block);
      onEvents.resolve();
      onEvents = Promise.withResolvers<void>();
    }
  };
  read()
    .catch(() => {})
    .finally(() => {
      state.hasEnded = true;
    });
  return {
    status: response.status,
    headers: response.headers,
    events,
    comments,
    lastEventId: () => state.lastEventId,
    hasEnded: () => state.hasEnded,
    until: async (count, withinMs = 15_000) => {
      const late = AbortSignal.timeout(withinMs);
      const tooLate = once(late, 'abort');
      while (events.length < count) {
        if (late.aborted) throw new Error(`${events.length} of ${count} events have come`);
        await Promise.race([onEvents.promise, tooLate]);
      }
      return events;
    },
    close: () => closing.abort(),
  };
}
