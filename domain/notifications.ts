/** What users are notified of, and how it reaches them (G). */

export const notificationKinds = ['message.received'] as const;
export type NotificationKind = (typeof notificationKinds)[number];

export const notificationLevels = ['info', 'warning', 'error'] as const;

/** `email`: at once; `digest`: once a day, with the others; `product`: only where the product shows it. */
export const notificationDeliveries = ['email', 'digest', 'product'] as const;
export type NotificationDelivery = (typeof notificationDeliveries)[number];

/** Of every kind a user has chosen nothing for. */
export const standardDelivery: NotificationDelivery = 'product';
