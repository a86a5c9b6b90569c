/** `/v1/Sinks` and `/v1/Subscriptions` of events.twilio.com. */
import { invalidParameter, notFound, notModelled, TwilioError } from '../http/errors.ts';
import { created, deleted, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer, slicePage } from '../http/paging.ts';
import { iso8601, newSid } from '../http/wire.ts';
import type { World } from '../world.ts';
import { isUnknownCompliance } from './event-types.ts';
import type { Sink, Subscription } from './streams.ts';

const HOST = 'https://events.twilio.com';

function sinkAnswer(sink: Sink): Record<string, unknown> {
  const url = `${HOST}/v1/Sinks/${sink.sid}`;
  return {
    sid: sink.sid,
    description: sink.description,
    sink_configuration: sink.configuration,
    sink_type: 'webhook',
    status: sink.status,
    date_created: iso8601(sink.createdAt),
    date_updated: iso8601(sink.updatedAt),
    url,
    links: { sink_test: `${url}/Test`, sink_validate: `${url}/Validate` },
  };
}

function subscriptionAnswer(subscription: Subscription): Record<string, unknown> {
  const url = `${HOST}/v1/Subscriptions/${subscription.sid}`;
  return {
    sid: subscription.sid,
    account_sid: subscription.accountSid,
    description: subscription.description,
    sink_sid: subscription.sinkSid,
    date_created: iso8601(subscription.createdAt),
    date_updated: iso8601(subscription.updatedAt),
    url,
    links: { subscribed_events: `${url}/SubscribedEvents` },
  };
}

function configurationOf(given: unknown): Sink['configuration'] {
  const { destination, method = 'POST', batch_events = true } = (given ?? {}) as Record<string, unknown>;
  if (typeof destination !== 'string' || !/^https?:\/\//i.test(destination) || !URL.canParse(destination)) {
    throw invalidParameter('SinkConfiguration should be JSON with a destination that is a URL');
  }
  if ((method !== 'POST' && method !== 'GET') || typeof batch_events !== 'boolean') {
    throw invalidParameter('SinkConfiguration has a method POST or GET and a boolean batch_events');
  }
  return { destination, method, batch_events };
}

function typesOf(given: unknown[], log: (message: string) => void): Record<string, number> {
  const types: Record<string, number> = {};
  for (const entry of given) {
    const { type, schema_version: version = 1 } = (entry ?? {}) as { type?: unknown; schema_version?: unknown };
    if (typeof type !== 'string' || !type.startsWith('com.twilio.') || !Number.isInteger(Number(version))) {
      throw invalidParameter(`Types should be {"type":"com.twilio.…","schema_version":1}: ${JSON.stringify(entry)}`);
    }
    if (isUnknownCompliance(type)) log(`Subscribed to ${type}, of which the simulator knows nothing`);
    types[type] = Number(version);
  }
  return types;
}

/** The operations of sinks and subscriptions. */
export function eventOperations({ clock, events, log }: World): Operations {
  const { sinks, subscriptions } = events;
  const findSink = (call: Call): Sink => {
    const sink = sinks.get(call.account.sid, call.params['Sid']);
    if (sink === undefined) throw notFound(call.path);
    return sink;
  };
  const findSubscription = (call: Call): Subscription => {
    const subscription = subscriptions.get(call.account.sid, call.params['Sid']);
    if (subscription === undefined) throw notFound(call.path);
    return subscription;
  };
  const isInUse = ({ sid, accountSid }: Sink) => subscriptions.list(accountSid).some(({ sinkSid }) => sinkSid === sid);

  return {
    CreateSink(call) {
      const { Description, SinkConfiguration, SinkType } = call.form as {
        Description: string;
        SinkConfiguration: unknown;
        SinkType: string;
      };
      if (SinkType !== 'webhook') throw notModelled(`A sink of type ${SinkType}`);
      const now = clock.now();
      const sink = events.addSink({
        sid: newSid('DG'),
        accountSid: call.account.sid,
        description: Description,
        configuration: configurationOf(SinkConfiguration),
        status: 'initialized',
        createdAt: now,
        updatedAt: now,
      });
      return created(sinkAnswer(sink));
    },

    ListSink(call) {
      const { InUse, Status } = call.query as { InUse?: boolean; Status?: string };
      const found = sinks
        .list(call.account.sid)
        .filter(
          (sink) =>
            (InUse === undefined || isInUse(sink) === InUse) && (Status === undefined || sink.status === Status),
        );
      const page = slicePage(call, found);
      return ok(listAnswer(call, 'sinks', { ...page, items: page.items.map(sinkAnswer) }));
    },

    FetchSink: (call) => ok(sinkAnswer(findSink(call))),

    UpdateSink(call) {
      const sink = findSink(call);
      sink.description = (call.form as { Description: string }).Description;
      sink.updatedAt = clock.now();
      return ok(sinkAnswer(sink));
    },

    DeleteSink(call) {
      const sink = findSink(call);
      if (isInUse(sink)) throw new TwilioError(409, 91007, 'Sink cannot be deleted because it is still in use');
      sinks.delete(sink);
      return deleted();
    },

    CreateSubscription(call) {
      const { Description, SinkSid, Types } = call.form as { Description: string; SinkSid: string; Types: unknown[] };
      if (sinks.get(call.account.sid, SinkSid) === undefined) throw notFound(`SinkSid ${SinkSid}`);
      const now = clock.now();
      const subscription = subscriptions.add({
        sid: newSid('DF'),
        accountSid: call.account.sid,
        description: Description,
        sinkSid: SinkSid,
        types: typesOf(Types, log),
        createdAt: now,
        updatedAt: now,
      });
      return created(subscriptionAnswer(subscription));
    },

    ListSubscription(call) {
      const { SinkSid } = call.query as { SinkSid?: string };
      const found = subscriptions
        .list(call.account.sid)
        .filter(({ sinkSid }) => SinkSid === undefined || sinkSid === SinkSid);
      const page = slicePage(call, found);
      return ok(listAnswer(call, 'subscriptions', { ...page, items: page.items.map(subscriptionAnswer) }));
    },

    FetchSubscription: (call) => ok(subscriptionAnswer(findSubscription(call))),

    UpdateSubscription(call) {
      const subscription = findSubscription(call);
      const { Description } = call.form as { Description?: string };
      subscription.description = Description ?? subscription.description;
      subscription.updatedAt = clock.now();
      return ok(subscriptionAnswer(subscription));
    },

    DeleteSubscription(call) {
      subscriptions.delete(findSubscription(call));
      return deleted();
    },
  };
}
