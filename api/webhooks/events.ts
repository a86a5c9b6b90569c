/** Twilio's event streams: a change of a brand or a campaign wakes the workflow that waits for it. */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { findRegistration } from '../../db/registration/registrations.ts';
import { keepReceipts, unseenEvents } from '../../db/registration/twilio-events.ts';
import { brandEvents, campaignEvents } from '../../twilio/events.ts';
import { isJsonSignedByTwilio } from '../../twilio/signature.ts';
import { changedSignal as brandChanged } from '../../workflows/brand-verification/messages.ts';
import { changedSignal as campaignChanged } from '../../workflows/campaign-review/messages.ts';
import { brandWorkflowId, campaignWorkflowId } from '../../workflows/ids.ts';
import type { Deps } from '../deps.ts';
import { invalid, Problem } from '../shared/problems.ts';
import { notSigned, readTheRestAsNothing, signatureOf, twilioAccounts } from './twilio-caller.ts';

const maxBytes = 1024 * 1024;
const mostEvents = 1_000;
/** Twilio waits five seconds for an answer. */
const signalWithinMs = 3_000;

/** What is read of an event. Its data says what changed, but the workflow asks Twilio itself: events come in any order. */
const cloudEvent = z.looseObject({ id: z.string().min(1).max(200), type: z.string().max(200) });
type CloudEvent = z.infer<typeof cloudEvent>;

/** By the type of event: whom it concerns. */
const concerned = [
  { prefix: brandEvents, idOf: brandWorkflowId, signal: brandChanged },
  { prefix: campaignEvents, idOf: campaignWorkflowId, signal: campaignChanged },
] as const;

/** The events as parsed, one or many; nothing for what is no JSON. */
function parsed(body: Buffer): unknown[] {
  try {
    return [JSON.parse(body.toString('utf8')) as unknown].flat();
  } catch {
    return [];
  }
}

/** The account that all of them are of; undefined when there are none, or several. */
function accountSidOf(events: readonly unknown[]): unknown {
  const sids = new Set(
    events.map((event) => (event as { data?: { accountsid?: unknown } | null } | null)?.data?.accountsid),
  );
  sids.delete(undefined);
  return sids.size === 1 ? [...sids][0] : undefined;
}

/** @throws {Problem} 400 or 413; only for who has signed */
function requireEvents(events: unknown[]): CloudEvent[] {
  if (events.length > mostEvents) {
    throw new Problem({
      status: 413,
      slug: 'payload-too-large',
      detail: `There are more than ${mostEvents} events: send them in smaller batches.`,
    });
  }
  const read = z.array(cloudEvent).safeParse(events);
  if (read.success) return read.data;
  throw invalid(
    read.error.issues.map(({ path, message }) => ({ path: path.join('.') || 'body', message })).slice(0, 20),
  );
}

/** Tells each workflow concerned once. One that does not run looks at Twilio when it starts. */
async function tell({ temporal }: Deps, registrationId: string, types: readonly string[]): Promise<void> {
  const { connection, workflow } = temporal.client;
  const told = concerned.filter(({ prefix }) => types.some((type) => type.startsWith(prefix)));
  await connection.withDeadline(Date.now() + signalWithinMs, () =>
    Promise.all(
      told.map(async ({ idOf, signal }) => {
        try {
          await workflow.getHandle(idOf(registrationId)).signal(signal);
        } catch (error) {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        }
      }),
    ),
  );
}

/**
 * Signals first and keeps the receipts afterwards: what fails on the way is sent again by Twilio, for four hours, and a
 * signal too many does no harm.
 */
async function receive(deps: Deps, organizationId: string, events: readonly CloudEvent[]): Promise<void> {
  const { database, clock } = deps;
  const ids = events.map(({ id }) => id);
  const { unseen, row } = await database.inOrganization(organizationId, async (trx) => ({
    unseen: await unseenEvents(trx, ids),
    row: await findRegistration(trx, organizationId),
  }));
  if (unseen.size === 0) return;
  const types = events.filter(({ id }) => unseen.has(id)).map(({ type }) => type);
  if (row) await tell(deps, row.id, types);
  await database.inOrganization(organizationId, (trx) => keepReceipts(trx, organizationId, unseen, clock.now()));
}

/** The body as it arrived: the signature is about its bytes. */
const rawBody = {
  type: 'application/json',
  schema: {
    type: 'array',
    items: {
      type: 'object',
      required: ['id', 'type', 'data'],
      properties: {
        id: { type: 'string' },
        type: { type: 'string', examples: [`${brandEvents}brand-verified`] },
        data: { type: 'object', properties: { accountsid: { type: 'string' } } },
      },
    },
  },
};

export const twilioEvents: FastifyPluginAsyncZod = async (app) => {
  const { deps } = app;
  const accountOf = twilioAccounts(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'application/cloudevents+json', 'application/cloudevents-batch+json'],
    { parseAs: 'buffer', bodyLimit: maxBytes },
    (_request, body, done) => done(null, body),
  );
  readTheRestAsNothing(app);

  /** @throws {Problem} 403 */
  const callerOf = async (request: FastifyRequest, body: Buffer, events: readonly unknown[]): Promise<string> => {
    const url = deps.publicUrl + request.url;
    const account = await accountOf(accountSidOf(events), (token) =>
      isJsonSignedByTwilio(token, signatureOf(request), url, body),
    );
    if (!account) throw notSigned();
    return account.organizationId;
  };

  app.post(
    '/twilio/events',
    {
      config: { access: 'public', isSigned: true, rawBody },
      schema: {
        tags: ['Twilio calls'],
        summary: 'Events of a registration, as CloudEvents',
        response: { 200: z.string() },
      },
    },
    async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const events = parsed(body);
      const organizationId = await callerOf(request, body, events);
      await deps.clock.sync(20);
      await receive(deps, organizationId, requireEvents(events));
      return reply.code(200).type('text/plain').send('');
    },
  );
};
