/** What the routes of webhook endpoints take and answer. */
import { z } from 'zod';
import type { DeliveryRow } from '../../db/webhooks/deliveries.ts';
import type { EndpointRow } from '../../db/webhooks/endpoints.ts';
import { deliveryStates, offReasons, webhookEventTypes } from '../../domain/webhooks.ts';
import { EgressError, requireReceiver } from '../../egress.ts';
import { id, instant } from '../shared/schemas.ts';

/** @param toLoopback this machine itself is allowed, also by http */
const receiver = (toLoopback: boolean) =>
  z
    .string()
    .trim()
    .max(2_000)
    .transform((written, context) => {
      const refuse = (message: string) => {
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      };
      try {
        requireReceiver(written, toLoopback);
      } catch (error) {
        if (error instanceof EgressError) return refuse(`cannot be used: ${error.message}`);
        throw error;
      }
      const { username, password, hash, href } = new URL(written);
      if (username !== '' || password !== '') return refuse('must not hold a user name or a password');
      return hash === '' ? href : refuse('must not end in a fragment (#…)');
    })
    .meta({ examples: ['https://hooks.acme.example/longwave'] });

const events = z
  .array(z.enum(webhookEventTypes))
  .min(1, 'name at least one')
  .max(50)
  .transform((types) => [...new Set(types)]);

const active = z.boolean().meta({ description: 'Off, nothing is sent' });

export const endpointFields = (toLoopback: boolean) => {
  const url = receiver(toLoopback);
  return {
    create: z.strictObject({ url, events, active: active.default(true) }),
    change: z.strictObject({ url, events, active }).partial(),
  };
};

export const rotation = z.strictObject({
  overlapHours: z.int().min(0).max(168).default(24).meta({ description: 'For so long the secret there was signs too' }),
});

export const endpoint = z
  .object({
    id: id('webhookEndpoint'),
    url: z.string(),
    events: z.array(z.enum(webhookEventTypes)),
    active: z.boolean(),
    offReason: z.enum(offReasons).nullable().meta({
      description:
        'Why it is off: `requested`, `gone` (it answered 410) or `failing` (nothing got through for five days)',
    }),
    failures: z.int().meta({ description: 'Attempts in a row that failed' }),
    failingSince: instant.nullable(),
    nextAttemptAt: instant.nullable().meta({ description: 'After a failure: when it is tried again' }),
    previousSecretUntil: instant.nullable().meta({ description: 'Until then the secret before this one signs too' }),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'WebhookEndpoint' });

export const endpointWithSecret = endpoint
  .extend({ secret: z.string().meta({ description: 'Shown this once', examples: ['whsec_…'] }) })
  .meta({ id: 'WebhookEndpointWithSecret' });

export const delivery = z
  .object({
    id: id('webhookDelivery'),
    eventId: z.string().meta({ description: 'Sent as `webhook-id`', examples: ['evt_4711'] }),
    type: z.enum(webhookEventTypes),
    payload: z.looseObject({ type: z.string(), timestamp: instant }).meta({ description: 'What is sent' }),
    state: z.enum(deliveryStates),
    attempts: z.int(),
    lastAttemptAt: instant.nullable(),
    lastStatus: z.int().nullable().meta({ description: 'What the receiver answered; null when it did not' }),
    lastError: z.string().nullable().meta({ description: 'Why there was no answer' }),
    deliveredAt: instant.nullable(),
    replayAskedAt: instant.nullable().meta({ description: 'Set while a replay waits for its attempt' }),
    createdAt: instant.meta({ description: 'When it happened' }),
  })
  .meta({ id: 'WebhookDelivery' });

const instantOf = (at: Date | null): string | null => at?.toISOString() ?? null;

/** @param now for which a rotation may be over */
export const toEndpoint = (row: EndpointRow, now: Date): z.infer<typeof endpoint> => ({
  id: row.id,
  url: row.url,
  events: row.events,
  active: row.active,
  offReason: row.off_reason,
  failures: row.failures,
  failingSince: instantOf(row.failing_since),
  nextAttemptAt: instantOf(row.next_attempt_at),
  previousSecretUntil: instantOf(
    row.previous_secret_until && row.previous_secret_until > now ? row.previous_secret_until : null,
  ),
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

export const toDelivery = (row: DeliveryRow): z.infer<typeof delivery> => ({
  id: row.id,
  eventId: `evt_${row.event_id}`,
  type: row.type,
  payload: JSON.parse(row.body) as z.infer<typeof delivery>['payload'],
  state: row.state,
  attempts: row.attempts,
  lastAttemptAt: instantOf(row.last_attempt_at),
  lastStatus: row.last_status,
  lastError: row.last_error,
  deliveredAt: instantOf(row.delivered_at),
  replayAskedAt: instantOf(row.replay_asked_at),
  createdAt: row.created_at.toISOString(),
});
