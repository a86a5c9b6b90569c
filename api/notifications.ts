/** Notifications of the acting user, and how each kind of them reaches the user (G3). */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  listNotifications,
  type NotificationRow,
  preferencesOf,
  readNotification,
  setPreferences,
} from '../db/notifications/notifications.ts';
import {
  notificationDeliveries,
  type NotificationDelivery,
  notificationKinds,
  notificationLevels,
  standardDelivery,
} from '../domain/notifications/notifications.ts';
import { organizationOf, principalOf } from './shared/auth.ts';
import { command } from './shared/idempotency.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from './shared/pagination.ts';
import { notFound, problemAnswer, refused } from './shared/problems.ts';
import { id, idParams, instant } from './shared/schemas.ts';

const notification = z
  .object({
    id: id('notification'),
    kind: z.string().meta({ examples: [...notificationKinds] }),
    level: z.enum(notificationLevels),
    title: z.string(),
    body: z.string(),
    subject: z.string().meta({ description: 'What it is about, by id' }),
    createdAt: instant,
    readAt: instant.nullable(),
  })
  .meta({ id: 'Notification' });

const toNotification = (row: NotificationRow): z.infer<typeof notification> => ({
  id: row.id,
  kind: row.kind,
  level: row.level,
  title: row.title,
  body: row.body,
  subject: row.subject,
  createdAt: row.created_at.toISOString(),
  readAt: row.read_at?.toISOString() ?? null,
});

const delivery = z.enum(notificationDeliveries).meta({
  description:
    '`email` at once, `digest` in one email a day at the setting `digestTime`, `product` only where the product shows it',
});
const kinds = Object.fromEntries(notificationKinds.map((kind) => [kind, delivery])) as Record<
  (typeof notificationKinds)[number],
  typeof delivery
>;
const preferences = z.object(kinds).meta({ id: 'NotificationPreferences' });

const emailedByDefault = notificationKinds.filter((kind) => standardDelivery(kind) === 'email');

const toPreferences = (chosen: ReadonlyMap<string, NotificationDelivery>) =>
  Object.fromEntries(notificationKinds.map((kind) => [kind, chosen.get(kind) ?? standardDelivery(kind)])) as z.infer<
    typeof preferences
  >;

/** @throws {Problem} 422 for a key that acts as nobody */
function actingUser(request: FastifyRequest): string {
  const { userId } = principalOf(request);
  if (userId) return userId;
  throw refused('user_required', 'Notifications are those of a user: act as one with the header Longwave-User.');
}

export const notificationRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const tags = ['Notifications'];
  const config = { access: 'member' } as const;

  app.get(
    '/notifications',
    {
      config,
      schema: {
        tags,
        summary: "List the acting user's notifications, newest first",
        querystring: z.object({ ...pageQuery, unread: z.stringbool().optional() }),
        response: { 200: pageOf(notification), 422: problemAnswer },
      },
    },
    async (request) => {
      const userId = actingUser(request);
      const { limit, cursor, unread } = request.query;
      const before = decodeIdCursor(cursor);
      const organizationId = organizationOf(request);
      const rows = await database.inOrganization(organizationId, (trx) =>
        listNotifications(trx, organizationId, { userId, unread, limit: limit + 1, before }),
      );
      return toPage(rows, limit, (row) => row.id, toNotification);
    },
  );

  app.post(
    '/notifications/:id/read',
    {
      config,
      schema: { tags, summary: 'Mark a notification as read', params: idParams, response: { 200: notification } },
    },
    async (request, reply) => {
      const userId = actingUser(request);
      const { body } = await command(request, reply, async (trx) => {
        const given = { id: request.params.id, userId, at: clock.now() };
        const row = await readNotification(trx, organizationOf(request), given);
        if (!row) throw notFound('notification');
        return { status: 200 as const, body: toNotification(row) };
      });
      return reply.send(body);
    },
  );

  app.get(
    '/notification-preferences',
    {
      config,
      schema: {
        tags,
        summary: "Read how the acting user's notifications are delivered",
        response: { 200: preferences, 422: problemAnswer },
      },
    },
    async (request) => {
      const userId = actingUser(request);
      return toPreferences(await database.inOrganization(organizationOf(request), (trx) => preferencesOf(trx, userId)));
    },
  );

  app.put(
    '/notification-preferences',
    {
      config,
      schema: {
        tags,
        summary: "Choose how the acting user's notifications are delivered",
        description: `A kind that is left out is delivered as by default: ${emailedByDefault.join(', ')} by \`email\`, the others in the \`product\`.`,
        body: z.strictObject(kinds).partial(),
        response: { 200: preferences },
      },
    },
    async (request) => {
      const userId = actingUser(request);
      const organizationId = organizationOf(request);
      const { body } = request;
      const chosen = new Map(notificationKinds.flatMap((kind) => (body[kind] ? [[kind, body[kind]] as const] : [])));
      await database.inOrganization(organizationId, (trx) => setPreferences(trx, organizationId, userId, chosen));
      return toPreferences(chosen);
    },
  );
};
