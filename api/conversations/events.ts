/** Server-sent events: what happens in an organization, as it happens, without asking again and again (D3). */
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { allKeptSince, lastEventId, type LiveEvent } from '../../db/conversations/live-events.ts';
import { organizationOf } from '../shared/auth.ts';
import { Problem, problemAnswer, tooMany } from '../shared/problems.ts';
import { createEventFeed, type Subscriber } from './event-feed.ts';

const heartbeatMs = 15_000;
/** How long a client waits before it comes back. */
const retryMs = 2_000;
/** A client that leaves more unread is ended; it may come back and read on. */
const mostUnreadBytes = 1_000_000;
const mostStreams = 1_000;
/** On closing, whoever has not read the rest by then is cut off. */
const cutOffMs = 500;

interface Beginning {
  after: number;
  /** Something since may have been forgotten: all that is shown has to be read anew. */
  isReset: boolean;
}

/** Where a stream begins: now, or after the last event its client has seen. */
async function beginningOf(trx: Trx, organizationId: string, header: unknown, now: Date): Promise<Beginning> {
  const newest = await lastEventId(trx, organizationId);
  if (header === undefined || header === '') return { after: newest, isReset: false };
  const seen = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : null;
  if (seen === null || seen > newest) return { after: newest, isReset: true };
  return { after: seen, isReset: seen !== newest && !(await allKeptSince(trx, organizationId, seen, now)) };
}

const eventText = ({ id, type, data }: LiveEvent): string =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

interface TextStream extends Subscriber {
  stream: Readable;
  write(text: string): void;
}

/** A stream of text whose reader sets the pace. */
function openStream(): TextStream {
  let hasRoom = true;
  let hasEnded = false;
  let onRoom = (): void => {};
  const makeRoom = (): void => {
    hasRoom = true;
    onRoom();
  };
  const stream = new Readable({ read: makeRoom }).once('close', () => {
    hasEnded = true;
    makeRoom();
  });
  const write = (text: string): void => {
    if (hasEnded) return;
    if (stream.readableLength > mostUnreadBytes) stream.destroy();
    else hasRoom = stream.push(text);
  };
  return {
    stream,
    write,
    deliver: async (events) => {
      write(events.map(eventText).join(''));
      if (hasRoom || hasEnded) return;
      await new Promise<void>((resolve) => {
        onRoom = resolve;
      });
    },
    end: () => {
      if (!hasEnded) stream.push(null);
      hasEnded = true;
      setTimeout(() => stream.destroy(), cutOffMs).unref();
    },
  };
}

const tooManyStreams = (): Problem =>
  tooMany(`There are ${mostStreams} event streams of this organization already: close some, or share them.`, 60);

export const eventRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const feed = createEventFeed(database, (error) => app.log.warn({ err: error }, 'streams wait for their events'));
  app.addHook('preClose', () => feed.close());

  /** A key that was revoked, or a user who was deactivated, must not go on listening. */
  async function endIfRefused(request: FastifyRequest, end: () => void): Promise<void> {
    try {
      await app.authenticator.authenticate(request);
    } catch (error) {
      if (error instanceof Problem && error.status < 500) end();
    }
  }

  function openFor(request: FastifyRequest, { after, isReset }: Beginning): Readable {
    const open = openStream();
    const { stream } = open;
    open.write(`retry: ${retryMs}\nid: ${after}\n\n${isReset ? 'event: reset\ndata: {}\n\n' : ''}`);
    const leave = feed.subscribe(organizationOf(request), after, open);
    const beating = setInterval(() => {
      open.write(': still here\n\n');
      void endIfRefused(request, () => open.end());
    }, heartbeatMs);
    stream.once('close', () => {
      clearInterval(beating);
      leave();
    });
    return stream;
  }

  app.get(
    '/events',
    {
      // Nobody would read, or end, the stream that stands behind the answer to a HEAD.
      exposeHeadRoute: false,
      config: { access: 'member' },
      schema: {
        tags: ['Conversations'],
        summary: 'What happens in the organization, as server-sent events',
        description:
          'Types: `message.received`, `message.updated`, `mass_sms.updated`, `registration.updated` and ' +
          '`notification.created`, with ids and states as `data`. With the header `Last-Event-ID` a stream goes on ' +
          'after that event; one that is not kept any more is answered with the event `reset` first: read anew what ' +
          'you show. A comment is sent every 15 seconds.',
        response: { 200: { content: { 'text/event-stream': { schema: z.string() } } }, 429: problemAnswer },
      },
    },
    async (request, reply) => {
      const organizationId = organizationOf(request);
      const header = request.headers['last-event-id'];
      const beginning = await database.inOrganization(organizationId, (trx) =>
        beginningOf(trx, organizationId, header, clock.now()),
      );
      // Nothing is awaited from here to where it is counted.
      if (feed.count(organizationId) >= mostStreams) throw tooManyStreams();
      // `close`, so that a process that ends need not wait for idle connections; the last one is for proxies.
      reply.headers({ 'cache-control': 'no-cache, no-transform', connection: 'close', 'x-accel-buffering': 'no' });
      return reply.type('text/event-stream').send(openFor(request, beginning) as never);
    },
  );
};
