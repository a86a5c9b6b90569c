/**
 * What open streams are fed from: one connection that hears of news for the whole process, one reading per organization
 * that has streams, handed to all of them.
 */
import type { Database } from '../../db/database.ts';
import { eventsAfter, eventsChannel, lastEventId, type LiveEvent } from '../../db/conversations/live-events.ts';

/** Events read at a time. */
const pageSize = 500;
/** Everybody reads on this often, whether anything was heard or not: a notification that was lost delays by no more. */
const readOnEveryMs = 15_000;
/** After a reading failed: the database is away. */
const retryMs = 1_000;

export interface Subscriber {
  /** Takes events, oldest first. Resolves when there is room for more; only who catches up waits for it. */
  deliver(events: readonly LiveEvent[]): Promise<void>;
  /** No more will come. */
  end(): void;
}

interface Member {
  subscriber: Subscriber;
  /** The last event it was given. */
  position: number;
  /** It has all that its organization's reading has, and is handed what is read next. */
  isLive: boolean;
  hasLeft: boolean;
}

/** The streams of one organization, and how far has been read for those that are live. */
interface Channel {
  organizationId: string;
  members: Set<Member>;
  position: number;
  isReading: boolean;
  isAsked: boolean;
  /** Set while a reading that failed waits to be tried again. */
  retry: NodeJS.Timeout | null;
}

export interface EventFeed {
  /**
   * Feeds a stream with the events after `after`, then with what comes.
   *
   * @returns a function that ends it
   */
  subscribe(organizationId: string, after: number, subscriber: Subscriber): () => void;
  /** How many streams an organization has open here. */
  count(organizationId: string): number;
  /** Ends every stream. */
  close(): Promise<void>;
}

/** @param onError told why a reading failed; it is tried again */
export function createEventFeed(database: Database, onError: (error: unknown) => void): EventFeed {
  const channels = new Map<string, Channel>();
  /** Every member by organization, those included whose channel is being opened. */
  const membersOf = new Map<string, Set<Member>>();
  let stopListening: (() => Promise<void>) | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;

  const read = (organizationId: string, after: number): Promise<LiveEvent[]> =>
    database.inOrganization(organizationId, (trx) => eventsAfter(trx, organizationId, { after, limit: pageSize }));

  /** Hands what is new to the members that are live; those that catch up meet it on their own way. */
  function handOut(channel: Channel, events: readonly LiveEvent[]): void {
    channel.position = events.at(-1)!.id;
    for (const member of channel.members) {
      if (!member.isLive) continue;
      const news = events.filter(({ id }) => id > member.position);
      member.position = Math.max(member.position, channel.position);
      if (news.length > 0) void member.subscriber.deliver(news);
    }
  }

  async function readOn(channel: Channel): Promise<void> {
    channel.isAsked = true;
    if (channel.isReading) return;
    channel.isReading = true;
    try {
      while (channel.isAsked && channel.members.size > 0) {
        channel.isAsked = false;
        const events = await read(channel.organizationId, channel.position);
        if (events.length > 0) handOut(channel, events);
        channel.isAsked ||= events.length === pageSize;
      }
    } catch (error) {
      if (isClosed) return;
      onError(error);
      // One at a time: whoever asks meanwhile must not begin another row of tries.
      channel.retry ??= setTimeout(() => {
        channel.retry = null;
        void readOn(channel);
      }, retryMs).unref();
    } finally {
      channel.isReading = false;
    }
  }

  const readOnAll = (): void => {
    for (const channel of channels.values()) void readOn(channel);
  };

  function start(): void {
    if (stopListening) return;
    timer = setInterval(readOnAll, readOnEveryMs).unref();
    stopListening = database.listen(eventsChannel, {
      onNotification: (organizationId) => {
        const channel = channels.get(organizationId);
        if (channel) void readOn(channel);
      },
      onConnected: readOnAll,
    });
  }

  /** Puts a member into its organization's channel; the first one opens it at the newest event. */
  async function enter(organizationId: string, member: Member): Promise<Channel> {
    const newest = channels.has(organizationId)
      ? 0
      : await database.inOrganization(organizationId, (trx) => lastEventId(trx, organizationId));
    // Nothing is awaited from here: meanwhile another may have opened it, or the last may have left.
    const channel = channels.get(organizationId) ?? {
      organizationId,
      members: new Set(),
      position: newest,
      isReading: false,
      isAsked: false,
      retry: null,
    };
    if (member.hasLeft) return channel;
    channels.set(organizationId, channel);
    channel.members.add(member);
    return channel;
  }

  /**
   * Gives a member what it missed. It is live from the moment it has as much as its organization's reading: in between
   * nothing is awaited, so that nothing can be read past it.
   */
  async function catchUp(channel: Channel, member: Member): Promise<void> {
    for (;;) {
      // As far as this was read before we looked, we have seen it; what is read past us while we look, we may not have.
      const { position: readBefore } = channel;
      const events = await read(channel.organizationId, member.position);
      if (member.hasLeft) return;
      member.position = events.at(-1)?.id ?? Math.max(member.position, readBefore);
      const room = events.length > 0 ? member.subscriber.deliver(events) : null;
      if (member.position >= channel.position && events.length < pageSize) {
        member.isLive = true;
        void readOn(channel);
        return;
      }
      await room;
      if (member.hasLeft) return;
    }
  }

  function leave(organizationId: string, member: Member): void {
    member.hasLeft = true;
    const all = membersOf.get(organizationId);
    if (all?.delete(member) && all.size === 0) membersOf.delete(organizationId);
    const channel = channels.get(organizationId);
    if (channel?.members.delete(member) && channel.members.size === 0) channels.delete(organizationId);
  }

  return {
    subscribe(organizationId, after, subscriber) {
      const member: Member = { subscriber, position: after, isLive: false, hasLeft: false };
      if (isClosed) {
        subscriber.end();
        return () => {};
      }
      start();
      membersOf.set(organizationId, (membersOf.get(organizationId) ?? new Set()).add(member));
      const join = async (): Promise<void> => {
        const channel = await enter(organizationId, member);
        if (!member.hasLeft) await catchUp(channel, member);
      };
      join().catch((error: unknown) => {
        onError(error);
        leave(organizationId, member);
        subscriber.end();
      });
      return () => leave(organizationId, member);
    },
    count: (organizationId) => membersOf.get(organizationId)?.size ?? 0,
    async close() {
      isClosed = true;
      if (timer) clearInterval(timer);
      for (const members of membersOf.values()) for (const { subscriber } of members) subscriber.end();
      channels.clear();
      await stopListening?.();
    },
  };
}
