/** What users are notified of, and how it reaches them (G). */

export const notificationLevels = ['info', 'warning', 'error'] as const;
export type NotificationLevel = (typeof notificationLevels)[number];

/** Each kind and its level. */
const levels = {
  'message.received': 'info',
  'mass_sms.scheduled': 'info',
  'mass_sms.paused': 'warning',
  'mass_sms.suspended': 'warning',
  'mass_sms.resumed': 'info',
  'mass_sms.cancelled': 'info',
  'mass_sms.batch_sent': 'info',
  'mass_sms.completed': 'info',
  'mass_sms.error': 'error',
  'registration.changed': 'info',
  'webhook_endpoint.switched_off': 'error',
} as const satisfies Record<string, NotificationLevel>;

export type NotificationKind = keyof typeof levels;
export const notificationKinds = Object.keys(levels) as NotificationKind[];
export const levelOf = (kind: NotificationKind): NotificationLevel => levels[kind];

/** `email`: at once; `digest`: once a day, with the others; `product`: only where the product shows it. */
export const notificationDeliveries = ['email', 'digest', 'product'] as const;
export type NotificationDelivery = (typeof notificationDeliveries)[number];

/** Somebody has to do something before it goes on. */
const emailedAtOnce: ReadonlySet<NotificationKind> = new Set([
  'mass_sms.suspended',
  'mass_sms.error',
  'webhook_endpoint.switched_off',
]);

/** Of a kind that a user has chosen nothing for. */
export const standardDelivery = (kind: NotificationKind): NotificationDelivery =>
  emailedAtOnce.has(kind) ? 'email' : 'product';
